// Files without a name: eventfd2(2), timerfd_create(2) and family, signalfd4(2).

import { CAP_WAKE_ALARM } from "../abi/capability.ts";
import { EBADF, EFAULT, EINVAL, EPERM } from "../abi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from "../abi/fcntl.ts";
import * as S from "../abi/signal.ts";
import * as T from "../abi/time.ts";
import { EventFile } from "../fs/anon/eventfd.ts";
import { SIGNALFD_SIGINFO_BYTES, SignalFile, type SignalQueue } from "../fs/anon/signalfd.ts";
import { TimerFile } from "../fs/anon/timerfd.ts";
import { scratch } from "../host/scratch.ts";
import { realtimeToMonotonic } from "../kernel/clock.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { SigInfo } from "../kernel/sig-info.ts";
import type { Task } from "../kernel/task.ts";
import { dequeueSignal, UNBLOCKABLE } from "../kernel/task-signals.ts";
import { timersOf } from "../kernel/timer-service.ts";
import { putTimespec, spanNs, timespecAt } from "../kernel/timespec.ts";
import type { WaitQueue } from "../lib/wait-queue.ts";
import type { File } from "../vfs/file.ts";
import { capable } from "../vfs/permission.ts";
import { openFile } from "./descriptor.ts";
import { fd, flags, full, partial, type Row, row, size, struct, u32, value } from "./row.ts";

const EFD_SEMAPHORE = 1;
const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;

/** Gives a new file a descriptor. */
function install(task: Task, file: File, flags: number): number {
  const fd = task.files.install(file, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) file.unref();
  return fd;
}

export function sys_eventfd2(task: Task, initial: number, flags: number): number {
  if ((flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const file = new EventFile(O_RDWR | (flags & O_NONBLOCK), initial, (flags & EFD_SEMAPHORE) !== 0);
  return install(task, file, flags);
}

const ALARMS = [T.CLOCK_REALTIME_ALARM, T.CLOCK_BOOTTIME_ALARM];
const TIMER_CLOCKS = [T.CLOCK_REALTIME, T.CLOCK_MONOTONIC, T.CLOCK_BOOTTIME, ...ALARMS];

export function sys_timerfd_create(task: Task, clock: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0 || !TIMER_CLOCKS.includes(clock)) return -EINVAL;
  if (ALARMS.includes(clock) && !capable(task.cred, CAP_WAKE_ALARM)) return -EPERM;
  return install(task, new TimerFile(flags & O_NONBLOCK, clock, timersOf(task.kernel)), flags);
}

function timerFile(task: Task, fd: number): TimerFile | number {
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  return file instanceof TimerFile ? file : -EINVAL;
}

export function sys_timerfd_settime(task: Task, fd: number, flags: number, newAddr: number, oldAddr: number): number {
  if (task.mm.copyIn(newAddr, T.ITIMERSPEC_BYTES) < 0) return -EFAULT;
  const interval = timespecAt(0);
  const first = timespecAt(16);
  if (typeof interval === "number" || typeof first === "number") return -EINVAL;
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return -EINVAL;
  const timer = timerFile(task, fd);
  if (typeof timer === "number") return timer;
  const old = timer.setting();
  const clock = task.kernel.clock;
  const settable = timer.clock === T.CLOCK_REALTIME || timer.clock === T.CLOCK_REALTIME_ALARM;
  const absolute = (flags & TFD_TIMER_ABSTIME) !== 0;
  let deadlineNs = Number.POSITIVE_INFINITY;
  if (first.sec !== 0 || first.nsec !== 0) {
    if (!absolute) deadlineNs = clock.monotonicNs() + spanNs(first);
    else deadlineNs = settable ? realtimeToMonotonic(clock, first.sec, first.nsec) : spanNs(first);
  }
  const cancelOnSet = settable && absolute && (flags & TFD_TIMER_CANCEL_ON_SET) !== 0;
  timer.set({ deadlineNs, intervalNs: spanNs(interval), cancelOnSet });
  return oldAddr === 0 ? 0 : writeSetting(task, oldAddr, old);
}

export function sys_timerfd_gettime(task: Task, fd: number, addr: number): number {
  const timer = timerFile(task, fd);
  return typeof timer === "number" ? timer : writeSetting(task, addr, timer.setting());
}

function writeSetting(task: Task, addr: number, setting: { remainingNs: number; intervalNs: number }): number {
  putTimespec(0, setting.intervalNs);
  putTimespec(16, setting.remainingNs);
  return task.mm.copyOut(addr, T.ITIMERSPEC_BYTES);
}

/** struct signalfd_siginfo, as words. */
const out = new Int32Array(SIGNALFD_SIGINFO_BYTES / 4);
const outBytes = new Uint8Array(out.buffer);

const FAULTS = [S.SIGSEGV, S.SIGBUS, S.SIGILL, S.SIGFPE, S.SIGTRAP];

/** Copies `count` words of a siginfo from word `from` to word `to` of the signalfd_siginfo. */
function copyWords(info: SigInfo, from: number, to: number, count: number): void {
  for (let i = 0; i < count; i++) out[to + i] = info.words[from + i]!;
}

function encode(info: SigInfo): Uint8Array {
  out.fill(0);
  copyWords(info, 0, 0, 3);
  const { signo, code } = info;
  if (code === S.SI_TIMER) {
    copyWords(info, 4, 6, 1);
    copyWords(info, 5, 8, 1);
    encodeValue(info);
  } else if (code === S.SI_SIGIO || (code > 0 && signo === S.SIGIO)) {
    copyWords(info, 4, 7, 1);
    copyWords(info, 6, 5, 1);
  } else if (code > 0 && code !== S.SI_KERNEL && FAULTS.includes(signo)) {
    copyWords(info, 4, 18, 2);
  } else {
    copyWords(info, 4, 3, 2);
    if (code < 0) encodeValue(info);
    if (code > 0 && signo === S.SIGCHLD) {
      copyWords(info, 6, 10, 1);
      copyWords(info, 8, 14, 4);
    }
  }
  return outBytes;
}

/** ssi_int and ssi_ptr. */
function encodeValue(info: SigInfo): void {
  copyWords(info, 6, 11, 1);
  copyWords(info, 6, 12, 2);
}

/** The signals of the task that runs. */
class CurrentSignals implements SignalQueue {
  private readonly kernel: Kernel;
  /** For a look from outside of any task: the one that made the file. */
  private readonly creator: Task;

  constructor(creator: Task) {
    this.kernel = creator.kernel;
    this.creator = creator;
  }

  private get task(): Task {
    return this.kernel.scheduler.current ?? this.creator;
  }

  pending(lo: number, hi: number): boolean {
    const { pending, group } = this.task;
    return (((pending.lo | group.pending.lo) & lo) | ((pending.hi | group.pending.hi) & hi)) !== 0;
  }

  take(lo: number, hi: number): Uint8Array | null {
    const info = dequeueSignal(this.task, lo, hi);
    return info === null ? null : encode(info);
  }

  get arrival(): WaitQueue {
    return this.task.group.signalWait;
  }
}

const SIGSET_BYTES = 8;

export function sys_signalfd4(task: Task, fd: number, maskAddr: number, maskSize: number, flags: number): number {
  if (maskSize !== SIGSET_BYTES) return -EINVAL;
  if (task.mm.copyIn(maskAddr, SIGSET_BYTES) < 0) return -EFAULT;
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const lo = scratch.i32[0]! & ~UNBLOCKABLE;
  const hi = scratch.i32[1]!;
  if (fd === -1) {
    const file = new SignalFile(flags & O_NONBLOCK, new CurrentSignals(task));
    file.setMask(lo, hi);
    return install(task, file, flags);
  }
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof SignalFile)) return -EINVAL;
  file.setMask(lo, hi);
  task.group.signalWait.wake();
  return fd;
}

const CREATE_FLAGS = { O_CLOEXEC, O_NONBLOCK };
const CLOCKS = {
  CLOCK_REALTIME: T.CLOCK_REALTIME,
  CLOCK_MONOTONIC: T.CLOCK_MONOTONIC,
  CLOCK_BOOTTIME: T.CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM: T.CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM: T.CLOCK_BOOTTIME_ALARM,
};
const SETTIME_FLAGS = { TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET };

export function rows(): Row[] {
  return [
    row(19, sys_eventfd2, [u32, flags({ EFD_SEMAPHORE, ...CREATE_FLAGS })], full()),
    row(74, sys_signalfd4, [fd, struct("sigset"), size, flags(CREATE_FLAGS)], full()),
    row(85, sys_timerfd_create, [value(CLOCKS), flags(CREATE_FLAGS)], partial("alarms do not wake the host")),
    row(86, sys_timerfd_settime, [fd, flags(SETTIME_FLAGS), struct("itimerspec"), struct("itimerspec")], full()),
    row(87, sys_timerfd_gettime, [fd, struct("itimerspec")], full()),
  ];
}
