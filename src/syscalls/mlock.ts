// mlock(2), munlock(2), mlockall(2) (mm/mlock.c). Memory is never swapped: a lock makes pages present and counts.

import { CAP_IPC_LOCK } from "../abi/capability.ts";
import { EINVAL, ENOMEM, EPERM } from "../abi/errno.ts";
import * as mman from "../abi/mman.ts";
import { RLIMIT_MEMLOCK } from "../abi/resource.ts";
import type { Task } from "../kernel/task.ts";
import { lockedBytes, lockedWithin } from "../mm/accounting.ts";
import { PAGE, pageUp } from "../mm/address-space.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";
import { capable } from "../vfs/permission.ts";
import { addr, full, int, type Row, row, size } from "./row.ts";

function limit(task: Task): number {
  return capable(task.cred, CAP_IPC_LOCK) ? Number.POSITIVE_INFINITY : task.group.limits.get(RLIMIT_MEMLOCK);
}

/** Whether `bytes` more may be locked. */
export function mayLock(task: Task, bytes: number): boolean {
  const allowed = limit(task);
  return allowed === Number.POSITIVE_INFINITY || lockedBytes(task.mm) + bytes <= allowed;
}

/** Sets or clears the lock of all areas in a range, up to the first hole. */
function apply(task: Task, start: number, end: number, locked: boolean, populate: boolean): number {
  const { mm } = task;
  let at = start;
  for (const vma of mm.isolate(start, end)) {
    if (vma.start > at) break;
    vma.locked = locked;
    at = vma.end;
  }
  if (at < end) return -ENOMEM;
  if (!locked || !populate) return 0;
  return mm.populate(start, end, false) < 0 ? -ENOMEM : 0;
}

/** No memory lies up there; a length that no address space has ends below its start instead. */
function tooHigh(length: number): number {
  return length > TASK_SIZE ? -EINVAL : -ENOMEM;
}

function lock(task: Task, start: number, length: number, populate: boolean): number {
  if (limit(task) === 0) return -EPERM;
  const from = start - (start % PAGE);
  const end = pageUp(start + length);
  if (end > TASK_SIZE) return tooHigh(length);
  if (from === end) return 0;
  if (!mayLock(task, end - from - lockedWithin(task.mm, from, end))) return -ENOMEM;
  return apply(task, from, end, true, populate);
}

export function sys_mlock(task: Task, start: number, length: number): number {
  return lock(task, start, length, true);
}

export function sys_mlock2(task: Task, start: number, length: number, how: number): number {
  if ((how & ~mman.MLOCK_ONFAULT) !== 0) return -EINVAL;
  return lock(task, start, length, how === 0);
}

export function sys_munlock(task: Task, start: number, length: number): number {
  const from = start - (start % PAGE);
  const end = pageUp(start + length);
  if (end > TASK_SIZE) return tooHigh(length);
  return from === end ? 0 : apply(task, from, end, false, false);
}

export function sys_mlockall(task: Task, how: number): number {
  if (how === 0 || (how & ~7) !== 0 || how === mman.MCL_ONFAULT) return -EINVAL;
  const allowed = limit(task);
  if (allowed === 0) return -EPERM;
  const { mm } = task;
  if ((how & mman.MCL_CURRENT) !== 0 && mm.mappedBytes > allowed) return -ENOMEM;
  mm.lockFuture = (how & mman.MCL_FUTURE) !== 0;
  if ((how & mman.MCL_CURRENT) === 0) return 0;
  for (const vma of mm.vmas.areas) {
    vma.locked = true;
    if ((how & mman.MCL_ONFAULT) === 0 && vma.prot !== 0) mm.populate(vma.start, vma.end, false);
  }
  return 0;
}

export function sys_munlockall(task: Task): number {
  task.mm.lockFuture = false;
  for (const vma of task.mm.vmas.areas) vma.locked = false;
  return 0;
}

export function rows(): Row[] {
  return [
    row(228, sys_mlock, [addr, size], full()),
    row(229, sys_munlock, [addr, size], full()),
    row(230, sys_mlockall, [int], full()),
    row(231, sys_munlockall, [], full()),
    row(284, sys_mlock2, [addr, size, int], full()),
  ];
}
