// io_setup(2), io_submit(2), io_getevents(2), io_pgetevents(2), io_cancel(2), io_destroy(2) (fs/aio.c).

import { EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP } from "../abi/errno.ts";
import { MAP_ANONYMOUS, MAP_SHARED, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { EventFile } from "../fs/anon/eventfd.ts";
import { scratch } from "../host/scratch.ts";
import { AioContext, contextsOf, EVENT_BYTES, GetEventsOp, RING_BYTES } from "../kernel/aio.ts";
import { Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { readTimespec, spanNs } from "../kernel/timespec.ts";
import { PAGE } from "../mm/address-space.ts";
import { callMaskDone, useCallMask } from "./call-mask.ts";
import { openFile } from "./descriptor.ts";
import { sys_mmap, sys_munmap } from "./memory.ts";
import { sys_pread64, sys_preadv, sys_pwrite64, sys_pwritev } from "./read-write.ts";
import { addr, full, off, partial, type Row, row, struct, u32 } from "./row.ts";
import { sys_fdatasync, sys_fsync } from "./sync.ts";

/** /proc/sys/fs/aio-max-nr */
const MAX_REQUESTS = 65536;
const IOCB_BYTES = 64;
/** The ring may have no more. */
const MAX_EVENTS = 0x10000000 / EVENT_BYTES;
const IOCB_FLAG_RESFD = 1;

/** IOCB_CMD_* */
const PREAD = 0;
const PWRITE = 1;
const FSYNC = 2;
const FDSYNC = 3;
const PREADV = 7;
const PWRITEV = 8;

/** A context is known by the address of its ring of events, which is mapped into the program. */
export function sys_io_setup(task: Task, count: number, contextAddr: number): number {
  const old = task.mm.readU64(contextAddr);
  if (old < 0) return -EFAULT;
  if (old !== 0 || count === 0) return -EINVAL;
  // Twice as many as asked for, and some for each CPU; what is left of the last page is used too.
  const wanted = Math.max(count, 4 * task.kernel.cpuCount) * 2 + 2;
  if (wanted > MAX_EVENTS) return -EINVAL;
  const contexts = contextsOf(task.mm);
  let used = count;
  for (const { requests } of contexts.values()) used += requests;
  if (used > MAX_REQUESTS) return -EAGAIN;
  const bytes = Math.ceil((RING_BYTES + wanted * EVENT_BYTES) / PAGE) * PAGE;
  const ring = sys_mmap(task, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (ring < 0) return ring;
  if (task.mm.writeU64(contextAddr, ring) < 0) {
    sys_munmap(task, ring, bytes);
    return -EFAULT;
  }
  contexts.set(ring, new AioContext(task.mm, ring, (bytes - RING_BYTES) / EVENT_BYTES, count));
  return 0;
}

export function sys_io_destroy(task: Task, contextId: number): number {
  const context = contextsOf(task.mm).get(contextId);
  if (context === undefined) return -EINVAL;
  contextsOf(task.mm).delete(contextId);
  context.destroyed = true;
  context.arrived.wake();
  sys_munmap(task, contextId, context.ringBytes);
  return 0;
}

export function sys_io_submit(task: Task, contextId: number, count: number, list: number): number {
  const context = contextsOf(task.mm).get(contextId);
  if (context === undefined || count < 0) return -EINVAL;
  for (let i = 0; i < count; i += 1) {
    const request = task.mm.readU64(list + 8 * i);
    const error = request < 0 ? -EFAULT : submit(task, context, task.mm.untag(request));
    if (error < 0) return i === 0 ? error : i;
  }
  return count;
}

/** Does one request. 0 when its result is an event; -errno when it is none. */
function submit(task: Task, context: AioContext, request: number): number {
  if (task.mm.copyIn(request, IOCB_BYTES) < 0) return -EFAULT;
  const [dataLo, dataHi, , rwFlags, command, fd] = scratch.i32 as unknown as number[];
  const buffer = task.mm.untag(scratch.getU64(24));
  const length = scratch.getU64(32);
  const offset = scratch.getI64(40);
  const reserved = scratch.getU64(48);
  const [flags, eventFd] = [scratch.i32[14]!, scratch.i32[15]!];
  if (reserved !== 0 || length >= 2 ** 63) return -EINVAL;
  if (context.full) return -EAGAIN;
  const file = openFile(task, fd!);
  if (file === undefined) return -EBADF;
  let told: EventFile | null = null;
  if ((flags & IOCB_FLAG_RESFD) !== 0) {
    const target = openFile(task, eventFd);
    if (target === undefined) return -EBADF;
    if (!(target instanceof EventFile)) return -EINVAL;
    told = target;
  }
  // The key by which io_cancel(2) knew requests once.
  if (task.mm.writeU32(request + 8, 0) < 0) return -EFAULT;
  if (rwFlags !== 0) return -EOPNOTSUPP;
  const result = perform(task, command! & 0xffff, fd!, buffer, length, offset);
  if (result === null) return -EINVAL;
  if (result === -EBADF || (result === -EFAULT && (command! & 0xffff) >= PREADV)) return result;
  context.add({ dataLo: dataLo!, dataHi: dataHi!, request, result });
  told?.signal();
  return 0;
}

/** The result of a request; null for one that the file or carrick does not know. */
function perform(
  task: Task,
  command: number,
  fd: number,
  buffer: number,
  length: number,
  offset: number,
): number | null {
  if (command === FSYNC) return sys_fsync(task, fd);
  if (command === FDSYNC) return sys_fdatasync(task, fd);
  if (offset < 0 || openFile(task, fd)?.positional !== true) return null;
  switch (command) {
    case PREAD:
      return sys_pread64(task, fd, buffer, length, offset);
    case PWRITE:
      return sys_pwrite64(task, fd, buffer, length, offset);
    case PREADV:
      return sys_preadv(task, fd, buffer, length, offset);
    case PWRITEV:
      return sys_pwritev(task, fd, buffer, length, offset);
  }
  return null;
}

/** Requests are done before anybody can take them back. */
export function sys_io_cancel(task: Task, _contextId: number, request: number): number {
  return task.mm.readU32(request + 8) < 0 ? -EFAULT : -EINVAL;
}

export function sys_io_getevents(
  task: Task,
  contextId: number,
  min: number,
  max: number,
  events: number,
  timeoutAddr: number,
): number {
  return getEvents(task, contextId, min, max, events, timeoutAddr, (_task, result) => result);
}

function getEvents(
  task: Task,
  contextId: number,
  min: number,
  max: number,
  events: number,
  timeoutAddr: number,
  finish: (task: Task, result: number) => number,
): number {
  const context = contextsOf(task.mm).get(contextId);
  let deadlineNs = Number.POSITIVE_INFINITY;
  if (timeoutAddr !== 0) {
    const time = readTimespec(task.mm, timeoutAddr);
    if (typeof time === "number") return finish(task, time);
    const ns = spanNs(time);
    deadlineNs = ns === 0 ? Number.NEGATIVE_INFINITY : task.kernel.clock.monotonicNs() + ns;
  }
  if (context === undefined || min < 0 || max < 0 || min > max) return finish(task, -EINVAL);
  const wake = deadlineNs === Number.NEGATIVE_INFINITY ? Wake.timeout : Wake.event;
  return new GetEventsOp(context, min, max, events, deadlineNs, finish).resume(task, wake);
}

/** The sixth argument points to { address of a mask, its size }. */
export function sys_io_pgetevents(
  task: Task,
  contextId: number,
  min: number,
  max: number,
  events: number,
  timeoutAddr: number,
  maskArgs: number,
): number {
  let mask = 0;
  let bytes = 0;
  if (maskArgs !== 0) {
    mask = task.mm.readU64(maskArgs);
    bytes = task.mm.readU64(maskArgs + 8);
    if (mask < 0 || bytes < 0) return -EFAULT;
  }
  const masked = useCallMask(task, task.mm.untag(mask), bytes);
  if (masked < 0) return masked;
  return getEvents(task, contextId, min, max, events, timeoutAddr, callMaskDone);
}

const AT_ONCE = partial("regular files only, done at once; no IOCB_CMD_POLL, no flags");

export function rows(): Row[] {
  return [
    row(0, sys_io_setup, [u32, addr], full()),
    row(1, sys_io_destroy, [addr], full()),
    row(2, sys_io_submit, [addr, off, addr], AT_ONCE),
    row(3, sys_io_cancel, [addr, struct("iocb"), addr], full()),
    row(4, sys_io_getevents, [addr, off, off, struct("io_event"), struct("timespec")], full()),
    row(292, sys_io_pgetevents, [addr, off, off, struct("io_event"), struct("timespec"), struct("aio_sigset")], full()),
  ];
}
