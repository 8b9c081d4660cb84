// mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), msync(2), mincore(2) and family
// (mm/mmap.c, mm/mremap.c, mm/madvise.c). Checks arguments; src/mm does the work.

import { EACCES, EAGAIN, EBUSY, EEXIST, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM } from "../abi/errno.ts";
import * as mman from "../abi/mman.ts";
import { S_IFCHR, S_IFMT } from "../abi/stat.ts";
import { hostMemory } from "../host/identity.ts";
import { scratch } from "../host/scratch.ts";
import { PROT_PRESENT } from "../host/shim.gen.ts";
import { shim } from "../host/shim.ts";
import type { Task } from "../kernel/task.ts";
import { isData, mappedWithin, mayAddArea, mayExpand } from "../mm/accounting.ts";
import { type AddressSpace, PAGE, pageUp } from "../mm/address-space.ts";
import { SharedMemory } from "../mm/shared-memory.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";
import type { MappedFile, Vma } from "../mm/vma.ts";
import type { File } from "../vfs/file.ts";
import { mappingOf } from "../vfs/file-mapping.ts";
import { mayLock } from "./mlock.ts";
import { openFile } from "./path-args.ts";
import {
  addr,
  fd,
  flags,
  full,
  int,
  type Names,
  namesIn,
  off,
  outBuf,
  partial,
  type Row,
  row,
  size,
  value,
} from "./row.ts";

const PROT_BITS = mman.PROT_READ | mman.PROT_WRITE | mman.PROT_EXEC;
const PROT_NAMES = (): Names => ({
  PROT_READ: mman.PROT_READ,
  PROT_WRITE: mman.PROT_WRITE,
  PROT_EXEC: mman.PROT_EXEC,
  PROT_BTI: mman.PROT_BTI,
  PROT_GROWSDOWN: mman.PROT_GROWSDOWN,
});
const MAP_NAMES = (): Names => ({
  MAP_SHARED: mman.MAP_SHARED,
  MAP_PRIVATE: mman.MAP_PRIVATE,
  MAP_FIXED: mman.MAP_FIXED,
  MAP_ANONYMOUS: mman.MAP_ANONYMOUS,
  MAP_GROWSDOWN: mman.MAP_GROWSDOWN,
  MAP_DENYWRITE: mman.MAP_DENYWRITE,
  MAP_LOCKED: mman.MAP_LOCKED,
  MAP_NORESERVE: mman.MAP_NORESERVE,
  MAP_POPULATE: mman.MAP_POPULATE,
  MAP_STACK: mman.MAP_STACK,
  MAP_HUGETLB: mman.MAP_HUGETLB,
  MAP_FIXED_NOREPLACE: mman.MAP_FIXED_NOREPLACE,
});
const MREMAP_NAMES = (): Names => ({
  MREMAP_MAYMOVE: mman.MREMAP_MAYMOVE,
  MREMAP_FIXED: mman.MREMAP_FIXED,
  MREMAP_DONTUNMAP: mman.MREMAP_DONTUNMAP,
});
const MS_NAMES = (): Names => ({ MS_ASYNC: mman.MS_ASYNC, MS_INVALIDATE: mman.MS_INVALIDATE, MS_SYNC: mman.MS_SYNC });
const MADV_NAMES = namesIn(() => require("../abi/mman.ts"), /^MADV_/);

/** Flags that an area remembers. */
const KEPT_FLAGS = mman.MAP_SHARED | mman.MAP_PRIVATE | mman.MAP_GROWSDOWN | mman.MAP_NORESERVE;
/** Largest file offset, in pages, that a mapping may reach. */
const MAX_PAGE_OFFSET = 2 ** 52;

export function sys_mmap(
  task: Task,
  hint: number,
  length: number,
  prot: number,
  mapFlags: number,
  fdNumber: number,
  offset: number,
): number {
  if (offset % PAGE !== 0) return -EINVAL;
  const anonymous = (mapFlags & mman.MAP_ANONYMOUS) !== 0;
  if (anonymous) offset = 0;
  else {
    const file = openFile(task, fdNumber);
    if (typeof file === "number") return file;
  }
  if (length === 0) return -EINVAL;
  const len = pageUp(length);
  if (len > TASK_SIZE) return -ENOMEM;
  if ((mapFlags & mman.MAP_HUGETLB) !== 0) return -ENOMEM;
  const type = mapFlags & mman.MAP_TYPE;
  if (type < 1 || (type > 3 && type !== mman.MAP_DROPPABLE)) return -EINVAL;
  if (type === mman.MAP_SHARED_VALIDATE && (mapFlags & ~mman.LEGACY_MAP_MASK) !== 0) return -EOPNOTSUPP;
  if (type === mman.MAP_DROPPABLE && !anonymous) return -EINVAL;
  if (offset < 0 || offset / PAGE + len / PAGE > MAX_PAGE_OFFSET) return -EOVERFLOW;
  const shared = type === mman.MAP_SHARED || type === mman.MAP_SHARED_VALIDATE;
  const file = backing(task, mapFlags, fdNumber, prot, shared, len);
  if (typeof file === "number") return file;
  const kept = (mapFlags & KEPT_FLAGS & ~3) | (shared ? mman.MAP_SHARED : mman.MAP_PRIVATE);
  const start = choose(task.mm, hint, len, mapFlags);
  if (start < 0) return start;
  const locked = (mapFlags & mman.MAP_LOCKED) !== 0 || task.mm.lockFuture;
  if (locked && !mayLock(task, len)) return -EAGAIN;
  const replaced = (mapFlags & mman.MAP_FIXED) === 0 ? 0 : mappedWithin(task.mm, start, start + len);
  if (!mayAddArea(task.mm) || !mayExpand(task.mm, len - replaced, prot, kept)) return -ENOMEM;
  if (isData(prot, kept) && (kept & mman.MAP_NORESERVE) === 0 && isObviousOvercommit(len)) return -ENOMEM;
  if (replaced > 0) task.mm.unmap(start, start + len);
  const vma = task.mm.mapArea(start, len, prot & PROT_BITS, kept, file, file === null ? 0 : offset / PAGE, "", {
    locked,
  });
  if (locked || (mapFlags & mman.MAP_POPULATE) !== 0) {
    if (vma.prot !== 0) task.mm.populate(start, start + len, false);
  }
  return start;
}

/** More than all memory there is, of which a program cannot write every page (OVERCOMMIT_GUESS). */
function isObviousOvercommit(bytes: number): boolean {
  if (bytes < 2 ** 30) return false;
  const { total, totalSwap } = hostMemory();
  return bytes > total + totalSwap;
}

/** The file behind a mapping, null for private anonymous memory, or -errno. */
function backing(
  task: Task,
  mapFlags: number,
  fdNumber: number,
  prot: number,
  shared: boolean,
  len: number,
): MappedFile | null | number {
  if ((mapFlags & mman.MAP_ANONYMOUS) !== 0) return shared ? new SharedMemory(len) : null;
  const file = openFile(task, fdNumber);
  if (typeof file === "number") return file;
  if (!file.canRead) return -EACCES;
  if ((prot & mman.PROT_EXEC) !== 0 && file.path?.mount.noExec) return -EPERM;
  if (shared && (prot & mman.PROT_WRITE) !== 0) {
    if (!file.canWrite) return -EACCES;
    if (file.isWriteSealed) return -EPERM;
  }
  const mapping = mappingOf(file);
  // Each shared mapping of /dev/zero is an object of its own (shmem_zero_setup).
  if (shared && isZeroDevice(file) && typeof mapping !== "number") return new SharedMemory(len);
  return mapping;
}

function isZeroDevice(file: File): boolean {
  if ((file.inode.mode & S_IFMT) !== S_IFCHR) return false;
  const { ZeroDevice } = require("../fs/dev/memory-devices.ts") as typeof import("../fs/dev/memory-devices.ts");
  return file instanceof ZeroDevice;
}

/** Where a new mapping goes: the start or -errno. MAP_FIXED replaces what is there. */
function choose(mm: AddressSpace, hint: number, len: number, mapFlags: number): number {
  if ((mapFlags & (mman.MAP_FIXED | mman.MAP_FIXED_NOREPLACE)) === 0) return mm.findFree(hint, len);
  if (hint % PAGE !== 0) return -EINVAL;
  if (hint + len > TASK_SIZE) return -ENOMEM;
  if (hint < mm.layout.minAddr) return -EPERM;
  if ((mapFlags & mman.MAP_FIXED_NOREPLACE) !== 0 && !mm.vmas.isFree(hint, hint + len)) return -EEXIST;
  return hint;
}

export function sys_munmap(task: Task, start: number, length: number): number {
  const len = pageUp(length);
  if (start % PAGE !== 0 || len === 0 || start + len > TASK_SIZE) return -EINVAL;
  const vma = task.mm.vmas.find(start);
  if (vma !== undefined && vma.start < start && vma.end > start + len && !mayAddArea(task.mm)) return -ENOMEM;
  task.mm.unmap(start, start + len);
  return 0;
}

export function sys_mprotect(task: Task, start: number, length: number, prot: number): number {
  const grows = prot & (mman.PROT_GROWSDOWN | mman.PROT_GROWSUP);
  if (grows === (mman.PROT_GROWSDOWN | mman.PROT_GROWSUP)) return -EINVAL;
  if (start % PAGE !== 0) return -EINVAL;
  const len = pageUp(length);
  if (len === 0) return 0;
  const end = start + len;
  if (end > TASK_SIZE) return -ENOMEM;
  if ((prot & ~(PROT_BITS | mman.PROT_SEM | mman.PROT_BTI | mman.PROT_MTE | grows)) !== 0) return -EINVAL;
  const mm = task.mm;
  let from = start;
  if (grows === mman.PROT_GROWSDOWN) {
    const vma = mm.vmas.find(start);
    if (vma === undefined || (vma.flags & mman.MAP_GROWSDOWN) === 0) return -EINVAL;
    from = vma.start;
  } else if (grows !== 0) {
    return -EINVAL;
  }
  return protectAreas(mm, from, end, prot & PROT_BITS);
}

/** Changes area by area, up to the first that is missing or cannot be changed. */
function protectAreas(mm: AddressSpace, start: number, end: number, bits: number): number {
  let at = start;
  for (const vma of mm.vmas.within(start, end)) {
    if (vma.start > at) break;
    const to = Math.min(end, vma.end);
    const writable = (bits & mman.PROT_WRITE) !== 0;
    if (writable && vma.shared && vma.file !== null && !vma.file.writable) return -EACCES;
    if (!isData(vma.prot, vma.flags) && isData(bits, vma.flags) && !mayExpand(mm, to - at, bits, vma.flags))
      return -ENOMEM;
    if ((at > vma.start || to < vma.end) && vma.prot !== bits && !mayAddArea(mm)) return -ENOMEM;
    mm.protect(at, to, bits);
    at = to;
  }
  return at < end ? -ENOMEM : 0;
}

export function sys_brk(task: Task, wanted: number): number {
  const mm = task.mm;
  if (wanted < mm.brkStart) return mm.brk;
  const from = pageUp(mm.brk);
  const to = pageUp(wanted);
  if (to < from) {
    mm.unmap(to, from);
  } else if (to > from) {
    if (to - mm.brkStart > mm.limits.dataBytes || !mm.vmas.isFree(from, to + PAGE)) return mm.brk;
    if (!mayExpand(mm, to - from, mman.PROT_READ | mman.PROT_WRITE, mman.MAP_PRIVATE)) return mm.brk;
    if (mm.lockFuture && !mayLock(task, to - from)) return mm.brk;
    mm.mapArea(from, to - from, mman.PROT_READ | mman.PROT_WRITE, mman.MAP_PRIVATE, null, 0, "[heap]");
  }
  mm.brk = wanted;
  return wanted;
}

export function sys_mremap(
  task: Task,
  old: number,
  oldLength: number,
  newLength: number,
  how: number,
  target: number,
): number {
  const mm = task.mm;
  const fixed = (how & mman.MREMAP_FIXED) !== 0;
  const keep = (how & mman.MREMAP_DONTUNMAP) !== 0;
  if ((how & ~7) !== 0 || old % PAGE !== 0 || newLength === 0) return -EINVAL;
  if ((fixed || keep) && (how & mman.MREMAP_MAYMOVE) === 0) return -EINVAL;
  const oldLen = pageUp(oldLength);
  const newLen = pageUp(newLength);
  if (keep && oldLen !== newLen) return -EINVAL;
  if (newLen > TASK_SIZE) return -EINVAL;
  if (fixed && (target % PAGE !== 0 || target + newLen > TASK_SIZE || (target < old + oldLen && old < target + newLen)))
    return -EINVAL;
  const vma = mm.vmas.find(old);
  if (vma === undefined) return -EFAULT;
  // Such a length wraps around.
  if (oldLen >= 2 ** 53) return -EINVAL;
  if (oldLen === 0) return duplicateShared(mm, vma, old, newLen, fixed ? target : -1, how);
  if (!fixed && !keep && newLen <= oldLen) {
    if (newLen < oldLen) mm.unmap(old + newLen, old + oldLen);
    return old;
  }
  if (old + oldLen > vma.end) return -EFAULT;
  if (newLen > oldLen && !mayExpand(mm, newLen - oldLen, vma.prot, vma.flags)) return -ENOMEM;
  if (newLen > oldLen && vma.locked && !mayLock(task, newLen - oldLen)) return -EAGAIN;
  if (!fixed && !keep && old + oldLen === vma.end && mm.vmas.isFree(vma.end, old + newLen)) {
    const pages = (vma.end - vma.start) / PAGE;
    mm.mapArea(
      vma.end,
      newLen - oldLen,
      vma.prot,
      vma.flags,
      vma.file,
      vma.file === null ? 0 : vma.pageOffset + pages,
      vma.name,
      vma,
    );
    if (vma.locked) mm.populate(old + oldLen, old + newLen, false);
    return old;
  }
  if ((how & mman.MREMAP_MAYMOVE) === 0) return -ENOMEM;
  return move(mm, old, oldLen, newLen, fixed ? target : -1, keep);
}

/** mremap with an old size of zero: a second mapping of the same shared pages. */
function duplicateShared(mm: AddressSpace, vma: Vma, old: number, len: number, target: number, how: number): number {
  if (!vma.shared) return -EINVAL;
  if ((how & mman.MREMAP_MAYMOVE) === 0) return -ENOMEM;
  const start = target >= 0 ? target : mm.findFree(0, len);
  if (start < 0) return start;
  if (target >= 0) mm.unmap(start, start + len);
  mm.mapArea(start, len, vma.prot, vma.flags, vma.file, vma.pageOffset + (old - vma.start) / PAGE, vma.name);
  return start;
}

/** Moves [old, old + oldLen) to `target`, or to a free place when that is -1, and grows or shrinks it. */
function move(mm: AddressSpace, old: number, oldLen: number, newLen: number, target: number, keep: boolean): number {
  const start = target >= 0 ? target : mm.findFree(0, newLen);
  if (start < 0) return start;
  if (target >= 0) mm.unmap(start, start + newLen);
  const moved = Math.min(oldLen, newLen);
  const source = mm.isolate(old, old + moved)[0]!;
  const { prot, flags: areaFlags, file, pageOffset, name } = source;
  const vma = mm.mapArea(start, newLen, prot, areaFlags, file, pageOffset, name, source);
  mm.movePages(old, start, moved);
  if (keep) source.locked = false;
  else mm.unmap(old, old + oldLen);
  if (vma.locked && newLen > moved) mm.populate(start + moved, start + newLen, false);
  return start;
}

export function sys_msync(task: Task, start: number, length: number, how: number): number {
  if ((how & ~7) !== 0 || start % PAGE !== 0) return -EINVAL;
  if ((how & mman.MS_ASYNC) !== 0 && (how & mman.MS_SYNC) !== 0) return -EINVAL;
  const end = start + pageUp(length);
  if (end > TASK_SIZE) return -ENOMEM;
  let result = task.mm.vmas.covers(start, end) ? 0 : -ENOMEM;
  for (const vma of task.mm.vmas.within(start, end)) {
    if ((how & mman.MS_INVALIDATE) !== 0 && vma.locked) return -EBUSY;
    if ((how & mman.MS_SYNC) === 0 || !vma.sharedWritable) continue;
    const error = vma.file!.cache.writeBack();
    if (error < 0) result = error;
  }
  return result;
}

export function sys_mincore(task: Task, start: number, length: number, vector: number): number {
  if (start % PAGE !== 0) return -EINVAL;
  const end = start + pageUp(length);
  if (vector + (end - start) / PAGE > TASK_SIZE) return -EFAULT;
  if (end > TASK_SIZE || !task.mm.vmas.covers(start, end)) return -ENOMEM;
  for (let page = start; page < end; page += PAGE * PAGE) {
    const count = Math.min(PAGE, (end - page) / PAGE);
    for (let i = 0; i < count; i += 1) scratch.u8[i] = isResident(task.mm, page + i * PAGE) ? 1 : 0;
    if (task.mm.copyOut(vector + (page - start) / PAGE, count) < 0) return -EFAULT;
  }
  return 0;
}

function isResident(mm: AddressSpace, page: number): boolean {
  if ((shim.space_lookup(mm.space, page) & PROT_PRESENT) !== 0) return true;
  const vma = mm.vmas.find(page);
  return vma?.file != null && vma.file.cache.peek(vma.pageOffset + (page - vma.start) / PAGE) >= 0;
}

function isAdvice(advice: number): boolean {
  const known = advice <= mman.MADV_DONTNEED || (advice >= mman.MADV_FREE && advice <= mman.MADV_COLLAPSE);
  return known && advice >= mman.MADV_NORMAL;
}

export function sys_madvise(task: Task, start: number, length: number, advice: number): number {
  return advise(task.mm, start, length, advice);
}

export function advise(mm: AddressSpace, start: number, length: number, advice: number): number {
  if (start % PAGE !== 0) return -EINVAL;
  if (!isAdvice(advice) || length >= 2 ** 53) return -EINVAL;
  // What lies behind the last address is a hole like others.
  const end = Math.min(start + pageUp(length), TASK_SIZE + PAGE);
  if (start === end) return 0;
  const areas = mm.vmas.within(start, end);
  const hole = mm.vmas.covers(start, end) ? 0 : -ENOMEM;
  switch (advice) {
    case mman.MADV_DONTNEED:
    case mman.MADV_DONTNEED_LOCKED:
    case mman.MADV_FREE:
      return discard(mm, areas, start, end, advice) || hole;
    case mman.MADV_REMOVE:
      return remove(mm, areas, start, end) || hole;
    case mman.MADV_POPULATE_READ:
    case mman.MADV_POPULATE_WRITE:
      return populateForAdvice(mm, areas, start, end, advice) || hole;
    case mman.MADV_DONTFORK:
    case mman.MADV_DOFORK:
      for (const vma of mm.isolate(start, end)) vma.dontFork = advice === mman.MADV_DONTFORK;
      return hole;
    case mman.MADV_WIPEONFORK:
    case mman.MADV_KEEPONFORK:
      if (areas.some((vma) => vma.file !== null)) return -EINVAL;
      for (const vma of mm.isolate(start, end)) vma.wipeOnFork = advice === mman.MADV_WIPEONFORK;
      return hole;
    default:
      return hole;
  }
}

/** DIFFERS: MADV_FREE frees at once, where Linux waits for memory pressure; a program cannot rely on either. */
function discard(mm: AddressSpace, areas: Vma[], start: number, end: number, advice: number): number {
  for (const vma of areas) {
    if (vma.locked && advice !== mman.MADV_DONTNEED_LOCKED) return -EINVAL;
    if (advice === mman.MADV_FREE && (vma.file !== null || vma.shared)) return -EINVAL;
    mm.discard(Math.max(start, vma.start), Math.min(end, vma.end));
  }
  return 0;
}

function remove(mm: AddressSpace, areas: Vma[], start: number, end: number): number {
  for (const vma of areas) {
    if (vma.locked || vma.file === null) return -EINVAL;
    if (!vma.sharedWritable) return -EACCES;
    if (!vma.file.cache.isStore) return -EOPNOTSUPP;
    const from = Math.max(start, vma.start);
    const to = Math.min(end, vma.end);
    const base = vma.pageOffset * PAGE - vma.start;
    mm.discard(from, to);
    vma.file.cache.punch(base + from, base + to);
  }
  return 0;
}

function populateForAdvice(mm: AddressSpace, areas: Vma[], start: number, end: number, advice: number): number {
  const write = advice === mman.MADV_POPULATE_WRITE;
  for (const vma of areas) {
    if ((vma.prot & (write ? mman.PROT_WRITE : mman.PROT_READ)) === 0) return -EINVAL;
    const error = mm.populate(Math.max(start, vma.start), Math.min(end, vma.end), write);
    if (error < 0) return error === -EAGAIN ? -EFAULT : error;
  }
  return 0;
}

/** Emulated as Linux does: a part of a shared mapping is mapped anew, from another place of the same file. */
export function sys_remap_file_pages(
  task: Task,
  addr: number,
  length: number,
  protection: number,
  pageOffset: number,
): number {
  const { mm } = task;
  const start = addr - (addr % PAGE);
  const end = start + length - (length % PAGE);
  if (protection !== 0 || end <= start || end > TASK_SIZE || pageOffset + (end - start) / PAGE > MAX_PAGE_OFFSET)
    return -EINVAL;
  const areas = mm.vmas.within(start, end);
  const first = areas[0];
  if (first === undefined || !first.shared || first.file === null || !mm.vmas.covers(start, end)) return -EINVAL;
  if (areas.some((vma) => vma.file !== first.file || vma.flags !== first.flags)) return -EINVAL;
  const { file, prot: bits, flags: areaFlags, name } = first;
  file.ref();
  mm.unmap(start, end);
  mm.mapArea(start, end - start, bits, areaFlags, file, pageOffset, name, first);
  file.unref();
  return 0;
}

export function sys_pkey_alloc(): number {
  return -EINVAL;
}

export function sys_pkey_free(): number {
  return -EINVAL;
}

export function sys_pkey_mprotect(task: Task, start: number, length: number, prot: number, key: number): number {
  return key === -1 ? sys_mprotect(task, start, length, prot) : -EINVAL;
}

export function sys_userfaultfd(): number {
  return -EPERM;
}

const prot = flags(PROT_NAMES);

export function rows(): Row[] {
  return [
    row(214, sys_brk, [addr], full()),
    row(215, sys_munmap, [addr, size], full()),
    row(216, sys_mremap, [addr, size, size, flags(MREMAP_NAMES), addr], full()),
    row(
      222,
      sys_mmap,
      [addr, size, prot, flags(MAP_NAMES), fd, off],
      partial("no huge pages; MAP_DROPPABLE is kept like any memory"),
    ),
    row(226, sys_mprotect, [addr, size, prot], full()),
    row(227, sys_msync, [addr, size, flags(MS_NAMES)], full()),
    row(232, sys_mincore, [addr, size, outBuf(1)], full()),
    row(
      233,
      sys_madvise,
      [addr, size, value(MADV_NAMES)],
      partial("hints are accepted and ignored; MADV_FREE frees at once"),
    ),
    row(234, sys_remap_file_pages, [addr, size, int, size, int], full()),
    row(282, sys_userfaultfd, [int], partial("refused with EPERM, as unprivileged_userfaultfd=0 does")),
    row(288, sys_pkey_mprotect, [addr, size, prot, int], partial("no protection keys: only key -1")),
    row(289, sys_pkey_alloc, [int, int], partial("no protection keys: EINVAL as on such hardware")),
    row(290, sys_pkey_free, [int], partial("no protection keys")),
  ];
}
