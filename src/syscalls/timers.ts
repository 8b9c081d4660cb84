// setitimer(2), timer_create(2) and family (kernel/time/itimer.c, posix-timers.c).

import { CAP_WAKE_ALARM } from "../abi/capability.ts";
import { EAGAIN, EFAULT, EINVAL, EPERM } from "../abi/errno.ts";
import * as S from "../abi/signal.ts";
import * as T from "../abi/time.ts";
import { scratch } from "../host/scratch.ts";
import { absoluteDeadline, cpuClock, isRealtime, isWallClock } from "../kernel/clocks.ts";
import type { Task } from "../kernel/task.ts";
import { PosixTimer, type TimerNotice } from "../kernel/timer-signals.ts";
import { putTimespec, putTimeval, spanNs, timespecAt, timevalAt } from "../kernel/timespec.ts";
import { capable } from "../vfs/permission.ts";
import { addr, flags, full, int, type Row, row, struct, value } from "./row.ts";

const WHICH_NAMES = { ITIMER_REAL: T.ITIMER_REAL, ITIMER_VIRTUAL: T.ITIMER_VIRTUAL, ITIMER_PROF: T.ITIMER_PROF };
const SIGEVENT_BYTES = 64;
const INT_MAX = 0x7fffffff;

export function sys_getitimer(task: Task, which: number, valueAddr: number): number {
  if (which < T.ITIMER_REAL || which > T.ITIMER_PROF) return -EINVAL;
  putItimer(task, which, 0);
  return task.mm.copyOut(valueAddr, 32);
}

function putItimer(task: Task, which: number, offset: number): void {
  const timer = task.group.intervalTimer(which);
  putTimeval(offset, timer.intervalNs);
  putTimeval(offset + 16, timer.armed ? Math.max(1000, timer.remainingNs()) : 0);
}

export function sys_setitimer(task: Task, which: number, newAddr: number, oldAddr: number): number {
  let intervalNs = 0;
  let valueNs = 0;
  if (newAddr !== 0) {
    if (task.mm.copyIn(newAddr, 32) < 0) return -EFAULT;
    const interval = timevalAt(0);
    const first = timevalAt(16);
    if (typeof interval === "number" || typeof first === "number") return -EINVAL;
    intervalNs = spanNs(interval);
    valueNs = spanNs(first);
  }
  if (which < T.ITIMER_REAL || which > T.ITIMER_PROF) return -EINVAL;
  putItimer(task, which, 0);
  const timer = task.group.intervalTimer(which);
  timer.arm(valueNs === 0 ? Number.POSITIVE_INFINITY : timer.nowNs() + valueNs, intervalNs);
  return oldAddr === 0 ? 0 : task.mm.copyOut(oldAddr, 32);
}

export function sys_timer_create(task: Task, clockId: number, eventAddr: number, idAddr: number): number {
  const cpu = isWallClock(clockId) ? null : cpuClock(task, clockId);
  if (typeof cpu === "number") return -EINVAL;
  const isAlarm = clockId === T.CLOCK_REALTIME_ALARM || clockId === T.CLOCK_BOOTTIME_ALARM;
  if (isAlarm && !capable(task.cred, CAP_WAKE_ALARM)) return -EPERM;
  const { group } = task;
  const id = group.nextTimerId;
  group.nextTimerId += 1;
  const notice = readNotice(task, eventAddr, id);
  if (typeof notice === "number") return notice;
  if (group.posixTimers.size >= INT_MAX) return -EAGAIN;
  if (task.mm.writeU32(idAddr, id) < 0) return -EFAULT;
  group.posixTimers.set(id, new PosixTimer(group, id, clockId, cpu, notice));
  return 0;
}

/** The struct sigevent, or the default: SIGALRM with the timer's id. */
function readNotice(task: Task, eventAddr: number, id: number): TimerNotice | number {
  if (eventAddr === 0) return { kind: S.SIGEV_SIGNAL, signal: S.SIGALRM, valueLo: id, valueHi: 0, task: null };
  if (task.mm.copyIn(eventAddr, SIGEVENT_BYTES) < 0) return -EFAULT;
  const [valueLo, valueHi, signal, kind, tid] = scratch.i32 as unknown as [number, number, number, number, number];
  let target: Task | null = null;
  switch (kind) {
    case S.SIGEV_SIGNAL | S.SIGEV_THREAD_ID:
      target = task.kernel.pids.task(tid) ?? null;
      if (target === null || target.group !== task.group) return -EINVAL;
      break;
    case S.SIGEV_NONE:
      return { kind, signal: 0, valueLo, valueHi, task: null };
    case S.SIGEV_SIGNAL:
    case S.SIGEV_THREAD:
      break;
    default:
      return -EINVAL;
  }
  if (signal <= 0 || signal > S.NSIG) return -EINVAL;
  return { kind, signal, valueLo, valueHi, task: target };
}

function putSetting(timer: PosixTimer, offset: number): void {
  putTimespec(offset, timer.intervalNs);
  putTimespec(offset + 16, timer.remainingNs());
}

export function sys_timer_gettime(task: Task, id: number, valueAddr: number): number {
  const timer = task.group.posixTimers.get(id);
  if (timer === undefined) return -EINVAL;
  putSetting(timer, 0);
  return task.mm.copyOut(valueAddr, T.ITIMERSPEC_BYTES);
}

export function sys_timer_settime(task: Task, id: number, how: number, newAddr: number, oldAddr: number): number {
  if (newAddr === 0) return -EINVAL;
  if (task.mm.copyIn(newAddr, T.ITIMERSPEC_BYTES) < 0) return -EFAULT;
  const interval = timespecAt(0);
  const first = timespecAt(16);
  if (typeof interval === "number" || typeof first === "number") return -EINVAL;
  const timer = task.group.posixTimers.get(id);
  if (timer === undefined) return -EINVAL;
  putSetting(timer, 0);
  timer.reset();
  if (first.sec !== 0 || first.nsec !== 0) {
    const absolute = (how & T.TIMER_ABSTIME) !== 0;
    const expiryNs =
      absolute && isRealtime(timer.clockId)
        ? absoluteDeadline(task.kernel.clock, timer.clockId, first.sec, first.nsec)
        : spanNs(first) + (absolute ? 0 : timer.nowNs());
    timer.arm(expiryNs, spanNs(interval));
    if (expiryNs <= timer.nowNs()) timer.check();
  } else {
    timer.intervalNs = spanNs(interval);
  }
  if (oldAddr === 0) return 0;
  return task.mm.copyOut(oldAddr, T.ITIMERSPEC_BYTES);
}

export function sys_timer_getoverrun(task: Task, id: number): number {
  return task.group.posixTimers.get(id)?.overrun ?? -EINVAL;
}

export function sys_timer_delete(task: Task, id: number): number {
  const timer = task.group.posixTimers.get(id);
  if (timer === undefined) return -EINVAL;
  timer.reset();
  task.group.posixTimers.delete(id);
  return 0;
}

const SETTIME_NAMES = { TIMER_ABSTIME: T.TIMER_ABSTIME };

export function rows(): Row[] {
  return [
    row(102, sys_getitimer, [value(WHICH_NAMES), struct("itimerval")], full()),
    row(103, sys_setitimer, [value(WHICH_NAMES), struct("itimerval"), struct("itimerval")], full()),
    row(107, sys_timer_create, [int, struct("sigevent"), addr], full()),
    row(108, sys_timer_gettime, [int, struct("itimerspec")], full()),
    row(109, sys_timer_getoverrun, [int], full()),
    row(110, sys_timer_settime, [int, flags(SETTIME_NAMES), struct("itimerspec"), struct("itimerspec")], full()),
    row(111, sys_timer_delete, [int], full()),
  ];
}
