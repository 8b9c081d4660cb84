// epoll_create1(2), epoll_ctl(2), epoll_pwait(2), epoll_pwait2(2).

import { EBADF, EFAULT, EINTR, EINVAL, EPERM } from "../abi/errno.ts";
import * as P from "../abi/poll.ts";
import { EpollFile, type EpollItem } from "../fs/anon/epoll.ts";
import { type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { readTimespec, spanNs } from "../kernel/timespec.ts";
import { callMaskDone, useCallMask } from "./call-mask.ts";
import { openFile } from "./descriptor.ts";
import { fd, flags, full, int, partial, type Row, row, size, struct, value } from "./row.ts";

export function sys_epoll_create1(task: Task, flags: number): number {
  if ((flags & ~P.EPOLL_CLOEXEC) !== 0) return -EINVAL;
  const file = new EpollFile();
  const fd = task.files.install(file, (flags & P.EPOLL_CLOEXEC) !== 0);
  if (fd < 0) file.unref();
  return fd;
}

/** struct epoll_event: u32 events, padding, u64 data. */
const event = new Int32Array(4);
const eventBytes = new Uint8Array(event.buffer);

export function sys_epoll_ctl(task: Task, epfd: number, op: number, fd: number, addr: number): number {
  if (op !== P.EPOLL_CTL_DEL) {
    if (task.mm.copyInBytes(addr, eventBytes, 0, P.EPOLL_EVENT_BYTES) !== P.EPOLL_EVENT_BYTES) return -EFAULT;
  }
  const epoll = openFile(task, epfd);
  const file = openFile(task, fd);
  if (epoll === undefined || file === undefined) return -EBADF;
  if (file.waitQueue === null) return -EPERM;
  if (epoll === file || !(epoll instanceof EpollFile)) return -EINVAL;
  switch (op) {
    case P.EPOLL_CTL_ADD:
      return epoll.add(fd, file, event[0]!, event[2]!, event[3]!);
    case P.EPOLL_CTL_MOD:
      return epoll.modify(fd, file, event[0]!, event[2]!, event[3]!);
    case P.EPOLL_CTL_DEL:
      return epoll.remove(fd, file);
  }
  return -EINVAL;
}

/** Room for the events of one call; it grows with what there is to report. */
let out = new Int32Array(256 * 4);
const given: EpollItem[] = [];

/** Writes ready events to the guest. Their number, or -EFAULT. */
function collect(task: Task, epoll: EpollFile, addr: number, max: number): number {
  given.length = 0;
  const most = Math.min(max, epoll.candidateCount);
  if (most * 4 > out.length) out = new Int32Array(most * 8);
  const count = epoll.harvest(most, (item, events) => {
    const at = given.length * 4;
    out[at] = events;
    out[at + 1] = 0;
    out[at + 2] = item.dataLo;
    out[at + 3] = item.dataHi;
    given.push(item);
  });
  if (count === 0) return 0;
  const bytes = count * P.EPOLL_EVENT_BYTES;
  if (task.mm.copyOutBytes(addr, new Uint8Array(out.buffer), 0, bytes) === bytes) return count;
  epoll.giveBack(given);
  return -EFAULT;
}

class EpollWaitOp implements Op {
  private readonly epoll: EpollFile;
  private readonly addr: number;
  private readonly max: number;
  private readonly deadlineNs: number;

  constructor(epoll: EpollFile, addr: number, max: number, deadlineNs: number) {
    this.epoll = epoll.ref();
    this.addr = addr;
    this.max = max;
    this.deadlineNs = deadlineNs;
  }

  wait(task: Task): number {
    return task.block(this, this.epoll.waitQueue, this.deadlineNs);
  }

  resume(task: Task, wake: Wake): number {
    const count = collect(task, this.epoll, this.addr, this.max);
    if (count === 0 && wake === Wake.event) return this.wait(task);
    this.epoll.unref();
    return callMaskDone(task, count === 0 && wake === Wake.signal ? -EINTR : count);
  }

  cancel(): void {
    this.epoll.unref();
  }
}

/** `timeoutNs`: 0 only looks, Infinity waits for ever. */
function wait(
  task: Task,
  epfd: number,
  addr: number,
  max: number,
  timeoutNs: number,
  maskAddr: number,
  maskSize: number,
): number {
  const masked = useCallMask(task, maskAddr, maskSize);
  if (masked < 0) return masked;
  const epoll = openFile(task, epfd);
  if (epoll === undefined) return callMaskDone(task, -EBADF);
  if (max <= 0 || max > P.EPOLL_MAX_EVENTS) return callMaskDone(task, -EINVAL);
  if (addr + max * P.EPOLL_EVENT_BYTES > 2 ** 48) return callMaskDone(task, -EFAULT);
  if (!(epoll instanceof EpollFile)) return callMaskDone(task, -EINVAL);
  const count = collect(task, epoll, addr, max);
  if (count !== 0 || timeoutNs === 0) return callMaskDone(task, count);
  return new EpollWaitOp(epoll, addr, max, task.kernel.clock.monotonicNs() + timeoutNs).wait(task);
}

export function sys_epoll_pwait(
  task: Task,
  epfd: number,
  addr: number,
  max: number,
  timeoutMs: number,
  maskAddr: number,
  maskSize: number,
): number {
  const timeoutNs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs * 1e6;
  return wait(task, epfd, addr, max, timeoutNs, maskAddr, maskSize);
}

export function sys_epoll_pwait2(
  task: Task,
  epfd: number,
  addr: number,
  max: number,
  timeoutAddr: number,
  maskAddr: number,
  maskSize: number,
): number {
  let timeoutNs = Number.POSITIVE_INFINITY;
  if (timeoutAddr !== 0) {
    const time = readTimespec(task.mm, timeoutAddr);
    if (typeof time === "number") return time;
    timeoutNs = spanNs(time);
  }
  return wait(task, epfd, addr, max, timeoutNs, maskAddr, maskSize);
}

const OPS = { EPOLL_CTL_ADD: P.EPOLL_CTL_ADD, EPOLL_CTL_DEL: P.EPOLL_CTL_DEL, EPOLL_CTL_MOD: P.EPOLL_CTL_MOD };
const EXCLUSIVE_NOTE = "EPOLLEXCLUSIVE wakes every waiter";

export function rows(): Row[] {
  return [
    row(20, sys_epoll_create1, [flags({ EPOLL_CLOEXEC: P.EPOLL_CLOEXEC })], full()),
    row(21, sys_epoll_ctl, [fd, value(OPS), fd, struct("epoll_event")], partial(EXCLUSIVE_NOTE)),
    row(22, sys_epoll_pwait, [fd, struct("epoll_event"), int, int, struct("sigset"), size], full()),
    row(441, sys_epoll_pwait2, [fd, struct("epoll_event"), int, struct("timespec"), struct("sigset"), size], full()),
  ];
}
