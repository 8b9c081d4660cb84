// shmget(2), shmctl(2), shmat(2), shmdt(2) (ipc/shm.c).

import { CAP_IPC_LOCK } from "../abi/capability.ts";
import { EINVAL, ENOMEM, EPERM } from "../abi/errno.ts";
import * as I from "../abi/ipc.ts";
import { MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { hostMemory } from "../host/identity.ts";
import { ipcOf } from "../kernel/ipc/ipc.ts";
import { Attachment, Segment } from "../kernel/ipc/segments.ts";
import type { Task } from "../kernel/task.ts";
import { mayAddArea, mayExpand } from "../mm/accounting.ts";
import { PAGE, pageUp } from "../mm/address-space.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";
import type { Vma } from "../mm/vma.ts";
import { capable } from "../vfs/permission.ts";
import { GET_NAMES, Layout, READ, updatePerm, WRITE } from "./ipc-layout.ts";
import { addr, flags, full, hex, int, partial, type Row, row, size, struct } from "./row.ts";

export function sys_shmget(task: Task, key: number, size: number, flags: number): number {
  const { kernel, cred } = task;
  const make = (): Segment | number => {
    if (size < 1) return -EINVAL;
    const { total, totalSwap } = hostMemory();
    if (size > total + totalSwap || (flags & I.SHM_HUGETLB) !== 0) return -ENOMEM;
    const nowSec = (): number => kernel.clock.realtime().sec;
    const pid = (): number => kernel.scheduler.current?.tgid ?? 0;
    return new Segment(key | 0, flags, cred, size, nowSec, pid);
  };
  return ipcOf(kernel).segments.get(key | 0, flags, cred, make, (segment) => (segment.sizeBytes < size ? -EINVAL : 0));
}

export function sys_shmat(task: Task, id: number, addr: number, flags: number): number {
  const segment = ipcOf(task.kernel).segments.find(id);
  if (typeof segment === "number") return segment;
  if (addr % PAGE !== 0) {
    if ((flags & I.SHM_RND) === 0) return -EINVAL;
    addr -= addr % PAGE;
    if (addr === 0 && (flags & I.SHM_REMAP) !== 0) return -EINVAL;
  }
  if (addr === 0 && (flags & I.SHM_REMAP) !== 0) return -EINVAL;
  const readOnly = (flags & I.SHM_RDONLY) !== 0;
  const denied = segment.check(task.cred, readOnly ? READ : READ | WRITE);
  if (denied !== 0) return denied;
  const { mm } = task;
  const len = pageUp(segment.sizeBytes);
  const start = addr === 0 ? mm.findFree(0, len) : addr;
  if (start < 0) return start;
  if (start + len > TASK_SIZE) return -EINVAL;
  if ((flags & I.SHM_REMAP) !== 0) mm.unmap(start, start + len);
  else if (!mm.vmas.isFree(start, start + len)) return -EINVAL;
  const prot = PROT_READ | (readOnly ? 0 : PROT_WRITE) | ((flags & I.SHM_EXEC) !== 0 ? PROT_EXEC : 0);
  if (!mayAddArea(mm) || !mayExpand(mm, len, prot, MAP_SHARED)) return -ENOMEM;
  mm.mapArea(start, len, prot, MAP_SHARED, new Attachment(segment, !readOnly), 0);
  return start;
}

export function sys_shmdt(task: Task, addr: number): number {
  const { mm } = task;
  const first = mm.vmas.areas.find((vma) => belongsTo(vma, addr));
  if (first === undefined) return -EINVAL;
  const { segment } = first.file as Attachment;
  // What munmap and mprotect have left of it.
  const pieces = mm.vmas.within(addr, addr + pageUp(segment.sizeBytes)).filter((vma) => vma.file === first.file);
  for (const { start, end } of pieces.map(({ start, end }) => ({ start, end }))) mm.unmap(start, end);
  return 0;
}

/** Whether an area is a piece of a segment attached at `addr`. */
function belongsTo(vma: Vma, addr: number): boolean {
  return vma.file instanceof Attachment && vma.start - vma.pageOffset * PAGE === addr;
}

export function sys_shmctl(task: Task, id: number, command: number, addr: number): number {
  const { segments } = ipcOf(task.kernel);
  switch (command) {
    case I.IPC_INFO:
      return info(task, addr);
    case I.SHM_INFO:
      return usage(task, addr);
    case I.SHM_STAT:
    case I.SHM_STAT_ANY:
    case I.IPC_STAT: {
      const segment = command === I.IPC_STAT ? segments.find(id) : segments.at(id);
      if (typeof segment === "number") return segment;
      const denied = command === I.SHM_STAT_ANY ? 0 : segment.check(task.cred, READ);
      return denied !== 0 ? denied : stat(task, segment, addr, command === I.IPC_STAT ? 0 : segment.id);
    }
    case I.IPC_SET:
    case I.IPC_RMID:
    case I.SHM_LOCK:
    case I.SHM_UNLOCK:
      break;
    default:
      return -EINVAL;
  }
  const segment = segments.find(id);
  if (typeof segment === "number") return segment;
  if (command === I.SHM_LOCK || command === I.SHM_UNLOCK) return lock(task, segment, command === I.SHM_LOCK);
  const layout = new Layout(I.SHMID.bytes);
  if (command === I.IPC_SET && layout.copyIn(task, addr) < 0) return layout.copyIn(task, addr);
  const denied = segment.checkOwner(task.cred);
  if (denied !== 0) return denied;
  if (command === I.IPC_SET) {
    segment.changedSec = task.kernel.clock.realtime().sec;
    return updatePerm(segment, layout);
  }
  segments.hideKey(segment);
  segment.lastDetached = () => {
    segments.remove(segment);
    segment.cache.destroy();
  };
  if (segment.attached === 0) segment.lastDetached();
  return 0;
}

function lock(task: Task, segment: Segment, locked: boolean): number {
  if (!capable(task.cred, CAP_IPC_LOCK) && segment.checkOwner(task.cred) !== 0) return -EPERM;
  segment.locked = locked;
  return 0;
}

function stat(task: Task, segment: Segment, addr: number, result: number): number {
  const layout = new Layout(I.SHMID.bytes);
  layout.putPerm(segment, (segment.locked ? I.SHM_LOCKED : 0) | (segment.lastDetached !== null ? I.SHM_DEST : 0));
  layout.i64(I.SHMID.segsz, segment.sizeBytes);
  layout.i64(I.SHMID.atime, segment.attachedSec);
  layout.i64(I.SHMID.dtime, segment.detachedSec);
  layout.i64(I.SHMID.ctime, segment.changedSec);
  layout.i32(I.SHMID.cpid, segment.creator);
  layout.i32(I.SHMID.lpid, segment.lastPid);
  layout.i64(I.SHMID.nattch, segment.attached);
  return layout.copyOut(task, addr, result);
}

/** struct shminfo64. */
function info(task: Task, addr: number): number {
  const layout = new Layout(72);
  layout.i64(0, I.SHMMAX);
  layout.i64(8, 1);
  layout.i64(16, I.SHMMNI);
  layout.i64(24, I.SHMMNI);
  layout.i64(32, I.SHMMAX);
  return layout.copyOut(task, addr, ipcOf(task.kernel).segments.maxIndex);
}

/** struct shm_info. */
function usage(task: Task, addr: number): number {
  const { segments } = ipcOf(task.kernel);
  let pages = 0;
  for (const segment of segments) pages += pageUp(segment.sizeBytes) / PAGE;
  const layout = new Layout(48);
  layout.i32(0, segments.count);
  layout.i64(8, pages);
  return layout.copyOut(task, addr, segments.maxIndex);
}

export function rows(): Row[] {
  return [
    row(194, sys_shmget, [hex, size, flags(GET_NAMES)], partial("no huge pages")),
    row(195, sys_shmctl, [int, int, struct("shmid_ds")], partial("SHM_LOCK is remembered only")),
    row(
      196,
      sys_shmat,
      [int, addr, flags({ SHM_RDONLY: I.SHM_RDONLY, SHM_RND: I.SHM_RND, SHM_REMAP: I.SHM_REMAP })],
      full(),
    ),
    row(197, sys_shmdt, [addr], full()),
  ];
}
