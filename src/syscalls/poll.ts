// ppoll(2) and pselect6(2) (fs/select.c).

import { EBADF, EFAULT, EINTR, EINVAL, ERESTARTNOHAND } from "../abi/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../abi/poll.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { signalPending } from "../kernel/task-signals.ts";
import { readTimespec, spanNs, writeTimespec } from "../kernel/timespec.ts";
import type { WaitQueue } from "../lib/wait-queue.ts";
import type { File } from "../vfs/file.ts";
import { readiness } from "../vfs/readiness.ts";
import { callMaskDone, useCallMask } from "./call-mask.ts";
import { openFile } from "./descriptor.ts";
import { full, int, type Row, row, size, struct } from "./row.ts";

/** Files that a call looks at, and what it wants to know of each. */
class PollSet {
  readonly files: (File | undefined)[] = [];
  readonly wanted: number[] = [];
  readonly found: number[] = [];

  /** `file` is undefined for a bad descriptor. */
  add(file: File | undefined, wanted: number): void {
    this.files.push(file);
    this.wanted.push(wanted);
    this.found.push(0);
  }

  /** Looks at all files. How many have something to report. */
  look(): number {
    let count = 0;
    for (let i = 0; i < this.files.length; i++) {
      const file = this.files[i];
      const events = file === undefined ? POLLNVAL : readiness(file) & this.wanted[i]!;
      this.found[i] = events;
      if (events !== 0) count += 1;
    }
    return count;
  }

  hold(): void {
    for (const file of this.files) file?.ref();
  }

  release(): void {
    for (const file of this.files) file?.unref();
  }

  queues(): WaitQueue[] {
    const queues: WaitQueue[] = [];
    for (const file of this.files) {
      const queue = file?.waitQueue;
      if (queue !== null && queue !== undefined) queues.push(queue);
    }
    return queues;
  }
}

/** The end of a relative timeout, and where the rest of it is to be written. */
interface Timeout {
  /** On the monotonic clock; -Infinity when the caller does not wait at all. */
  deadlineNs: number;
  /** 0 when nothing is written back. */
  addr: number;
}

function readTimeout(task: Task, addr: number): Timeout | number {
  if (addr === 0) return { deadlineNs: Number.POSITIVE_INFINITY, addr: 0 };
  const time = readTimespec(task.mm, addr);
  if (typeof time === "number") return time;
  const ns = spanNs(time);
  if (ns === 0) return { deadlineNs: Number.NEGATIVE_INFINITY, addr: 0 };
  return { deadlineNs: task.kernel.clock.monotonicNs() + ns, addr };
}

/** Writes the rest of the timeout; a call that cannot do so is not restarted (poll_select_finish). */
function finishTimeout(task: Task, timeout: Timeout, result: number): number {
  if (timeout.addr === 0) return result;
  const rest =
    timeout.deadlineNs === Number.POSITIVE_INFINITY ? 9e18 : timeout.deadlineNs - task.kernel.clock.monotonicNs();
  const error = writeTimespec(task.mm, timeout.addr, Math.max(0, rest));
  return error < 0 && result === -ERESTARTNOHAND ? -EINTR : result;
}

/** Waits until a file has something to report; `report` writes the answer to the guest and makes the result. */
class PollOp implements Op {
  private readonly set: PollSet;
  private readonly timeout: Timeout;
  private readonly report: (task: Task, count: number) => number;

  constructor(set: PollSet, timeout: Timeout, report: (task: Task, count: number) => number) {
    this.set = set;
    this.timeout = timeout;
    this.report = report;
    set.hold();
  }

  wait(task: Task): number {
    return task.blockOn(this, this.set.queues(), this.timeout.deadlineNs);
  }

  resume(task: Task, wake: Wake): number {
    const count = this.set.look();
    if (count === 0 && wake === Wake.event) return this.wait(task);
    const result = count === 0 && wake === Wake.signal ? -ERESTARTNOHAND : this.report(task, count);
    this.set.release();
    return callMaskDone(task, finishTimeout(task, this.timeout, result));
  }

  cancel(): void {
    this.set.release();
  }
}

function pollOnce(task: Task, set: PollSet, timeout: Timeout, report: (task: Task, count: number) => number): number {
  const count = set.look();
  if (count === 0 && timeout.deadlineNs !== Number.NEGATIVE_INFINITY)
    return new PollOp(set, timeout, report).wait(task);
  // A signal that the call's own mask lets through counts even when there is no time to wait.
  if (count === 0 && signalPending(task)) return finishTimeout(task, timeout, -ERESTARTNOHAND);
  return callMaskDone(task, finishTimeout(task, timeout, report(task, count)));
}

const POLLFD_BYTES = 8;

export function sys_ppoll(
  task: Task,
  fds: number,
  count: number,
  timeoutAddr: number,
  maskAddr: number,
  maskSize: number,
): number {
  const timeout = readTimeout(task, timeoutAddr);
  if (typeof timeout === "number") return timeout;
  if (count > task.group.limits.get(RLIMIT_NOFILE)) return -EINVAL;
  const bytes = new Uint8Array(count * POLLFD_BYTES);
  if (task.mm.copyInBytes(fds, bytes, 0, bytes.length) !== bytes.length) return -EFAULT;
  const masked = useCallMask(task, maskAddr, maskSize);
  if (masked < 0) return masked;
  const view = new DataView(bytes.buffer);
  const set = new PollSet();
  const index: number[] = [];
  for (let i = 0; i < count; i++) {
    const fd = view.getInt32(i * POLLFD_BYTES, true);
    view.setInt16(i * POLLFD_BYTES + 6, 0, true);
    if (fd < 0) continue;
    // Errors and the end are told unasked; select tells only what its sets stand for.
    set.add(openFile(task, fd), view.getUint16(i * POLLFD_BYTES + 4, true) | POLLERR | POLLHUP);
    index.push(i);
  }
  return pollOnce(task, set, timeout, (task, found) => {
    for (let k = 0; k < index.length; k++) view.setUint16(index[k]! * POLLFD_BYTES + 6, set.found[k]!, true);
    return task.mm.copyOutBytes(fds, bytes, 0, bytes.length) === bytes.length ? found : -EFAULT;
  });
}

const READ_EVENTS = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
const WRITE_EVENTS = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
const SET_EVENTS = [READ_EVENTS, WRITE_EVENTS, POLLPRI];

/** One fd_set argument: its address (0 when absent) and its bits. */
interface FdSet {
  addr: number;
  bits: Uint8Array;
}

function has(set: FdSet, fd: number): boolean {
  return ((set.bits[fd >> 3] ?? 0) & (1 << (fd & 7))) !== 0;
}

function readSet(task: Task, addr: number, bytes: number): FdSet | number {
  const bits = new Uint8Array(bytes);
  if (addr !== 0 && task.mm.copyInBytes(addr, bits, 0, bytes) !== bytes) return -EFAULT;
  return { addr, bits };
}

export function sys_pselect6(
  task: Task,
  count: number,
  readAddr: number,
  writeAddr: number,
  exceptAddr: number,
  timeoutAddr: number,
  maskArgs: number,
): number {
  const timeout = readTimeout(task, timeoutAddr);
  if (typeof timeout === "number") return timeout;
  if (count < 0) return -EINVAL;
  count = Math.min(count, Math.max(64, task.files.end));
  const bytes = Math.ceil(count / 64) * 8;
  const sets: FdSet[] = [];
  for (const addr of [readAddr, writeAddr, exceptAddr]) {
    const set = readSet(task, addr, bytes);
    if (typeof set === "number") return set;
    sets.push(set);
  }
  const masked = readSelectMask(task, maskArgs);
  if (masked < 0) return masked;
  const set = new PollSet();
  const fds: number[] = [];
  for (let fd = 0; fd < count; fd++) {
    let wanted = 0;
    for (let k = 0; k < 3; k++) if (has(sets[k]!, fd)) wanted |= SET_EVENTS[k]!;
    if (wanted === 0) continue;
    const file = openFile(task, fd);
    if (file === undefined) return callMaskDone(task, -EBADF);
    set.add(file, wanted);
    fds.push(fd);
  }
  return pollOnce(task, set, timeout, (task) => reportSets(task, set, fds, sets));
}

/** The sixth argument points to { address of the mask, its size }. */
function readSelectMask(task: Task, maskArgs: number): number {
  if (maskArgs === 0) return 0;
  const addr = task.mm.readU64(maskArgs);
  const bytes = task.mm.readU64(maskArgs + 8);
  if (addr < 0 || bytes < 0) return -EFAULT;
  return useCallMask(task, task.mm.untag(addr), bytes);
}

function reportSets(task: Task, set: PollSet, fds: readonly number[], sets: readonly FdSet[]): number {
  let total = 0;
  for (let k = 0; k < 3; k++) {
    const { addr, bits } = sets[k]!;
    if (addr === 0) continue;
    const out = new Uint8Array(bits.length);
    for (let i = 0; i < fds.length; i++) {
      const fd = fds[i]!;
      if ((set.found[i]! & SET_EVENTS[k]!) === 0 || !has(sets[k]!, fd)) continue;
      out[fd >> 3] = out[fd >> 3]! | (1 << (fd & 7));
      total += 1;
    }
    if (task.mm.copyOutBytes(addr, out, 0, out.length) !== out.length) return -EFAULT;
  }
  return total;
}

export function rows(): Row[] {
  return [
    row(
      72,
      sys_pselect6,
      [int, struct("fd_set"), struct("fd_set"), struct("fd_set"), struct("timespec"), struct("sigset_argpack")],
      full(),
    ),
    row(73, sys_ppoll, [struct("pollfd"), size, struct("timespec"), struct("sigset"), size], full()),
  ];
}
