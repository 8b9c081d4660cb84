// clock_gettime(2), nanosleep(2), gettimeofday(2), times(2), adjtimex(2) and family (kernel/time/).

import { EFAULT, EINVAL, EOPNOTSUPP, EPERM, ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from "../abi/errno.ts";
import * as T from "../abi/time.ts";
import { scratch } from "../host/scratch.ts";
import {
  absoluteDeadline,
  type CpuClock,
  clockResolution,
  cpuClock,
  isWallClock,
  readClock,
} from "../kernel/clocks.ts";
import { type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { readTimespec, readTimeval, spanNs, writeTimespec } from "../kernel/timespec.ts";
import { addr, flags, full, int, partial, type Row, row, struct, value } from "./row.ts";

const CLOCK_NAMES = {
  CLOCK_REALTIME: T.CLOCK_REALTIME,
  CLOCK_MONOTONIC: T.CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID: T.CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID: T.CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW: T.CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE: T.CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE: T.CLOCK_MONOTONIC_COARSE,
  CLOCK_BOOTTIME: T.CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM: T.CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM: T.CLOCK_BOOTTIME_ALARM,
  CLOCK_TAI: T.CLOCK_TAI,
};
const TIMEX_BYTES = 208;
const TIME_ERROR = 5;
const STA_UNSYNC = 0x40;
/** Modes of adjtimex that only read. */
const ADJ_OFFSET_SS_READ = 0xa001;
/** A CPU clock is looked at again after this while when someone sleeps on it. */
const CPU_SLEEP_STEP_NS = 1e6;

export function sys_clock_gettime(task: Task, id: number, timeAddr: number): number {
  const now = readClock(task, id);
  if (typeof now === "number") return now;
  scratch.setU64(0, now.sec);
  scratch.setU64(8, now.nsec);
  return task.mm.copyOut(timeAddr, T.TIMESPEC_BYTES);
}

export function sys_clock_getres(task: Task, id: number, timeAddr: number): number {
  const resolution = clockResolution(task, id);
  if (resolution < 0 || timeAddr === 0) return Math.min(0, resolution);
  return writeTimespec(task.mm, timeAddr, resolution);
}

/** DIFFERS: no guest may set the host's clock. */
export function sys_clock_settime(task: Task, id: number, timeAddr: number): number {
  if (typeof readClock(task, id) === "number") return -EINVAL;
  const time = readTimespec(task.mm, timeAddr);
  if (typeof time === "number") return time;
  return id === T.CLOCK_REALTIME ? -EPERM : -EINVAL;
}

export function sys_gettimeofday(task: Task, timeAddr: number, zoneAddr: number): number {
  if (timeAddr !== 0) {
    const { sec, nsec } = task.kernel.clock.realtime();
    scratch.setU64(0, sec);
    scratch.setU64(8, Math.floor(nsec / 1000));
    if (task.mm.copyOut(timeAddr, 16) < 0) return -EFAULT;
  }
  return zoneAddr === 0 ? 0 : task.mm.writeU64(zoneAddr, 0);
}

export function sys_settimeofday(task: Task, timeAddr: number, zoneAddr: number): number {
  if (timeAddr !== 0) {
    const time = readTimeval(task.mm, timeAddr);
    if (typeof time === "number") return time;
  }
  if (zoneAddr !== 0 && task.mm.readU64(zoneAddr) < 0) return -EFAULT;
  return -EPERM;
}

export function sys_adjtimex(task: Task, timexAddr: number): number {
  if (task.mm.copyIn(timexAddr, TIMEX_BYTES) < 0) return -EFAULT;
  const modes = scratch.u32[0]!;
  if (modes !== 0 && modes !== ADJ_OFFSET_SS_READ) return -EPERM;
  scratch.u8.fill(0, 0, TIMEX_BYTES);
  scratch.setU64(32, 16_000_000);
  scratch.setU64(24, 16_000_000);
  scratch.u32[40 >> 2] = STA_UNSYNC;
  scratch.setU64(56, 1);
  const { sec, nsec } = task.kernel.clock.realtime();
  scratch.setU64(72, sec);
  scratch.setU64(80, Math.floor(nsec / 1000));
  scratch.setU64(88, 10_000);
  return task.mm.copyOut(timexAddr, TIMEX_BYTES) < 0 ? -EFAULT : TIME_ERROR;
}

export function sys_clock_adjtime(task: Task, id: number, timexAddr: number): number {
  return id === T.CLOCK_REALTIME ? sys_adjtimex(task, timexAddr) : id >= 0 && id <= T.CLOCK_TAI ? -EOPNOTSUPP : -EINVAL;
}

/** Sleeps until a deadline. A relative sleep tells how much was left and goes on by restart_syscall(2). */
class SleepOp implements Op {
  private readonly deadlineNs: number;
  /** Where to write the rest; 0 for nowhere, -1 for an absolute sleep. */
  private readonly restAddr: number;

  constructor(deadlineNs: number, restAddr: number) {
    this.deadlineNs = deadlineNs;
    this.restAddr = restAddr;
  }

  resume(task: Task, wake: Wake): number {
    const restNs = this.deadlineNs - task.kernel.clock.monotonicNs();
    if (restNs <= 0) return 0;
    if (wake !== Wake.signal) return task.block(this, null, this.deadlineNs);
    if (this.restAddr < 0) return -ERESTARTNOHAND;
    if (this.restAddr !== 0 && writeTimespec(task.mm, this.restAddr, restNs) < 0) return -EFAULT;
    return -ERESTART_RESTARTBLOCK;
  }
}

export function sys_nanosleep(task: Task, timeAddr: number, restAddr: number): number {
  return sys_clock_nanosleep(task, T.CLOCK_MONOTONIC, 0, timeAddr, restAddr);
}

export function sys_clock_nanosleep(task: Task, id: number, how: number, timeAddr: number, restAddr: number): number {
  if (id === T.CLOCK_THREAD_CPUTIME_ID || id === T.CLOCK_MONOTONIC_RAW || isCoarse(id)) return -EOPNOTSUPP;
  const cpu = isWallClock(id) ? null : cpuClock(task, id);
  if (typeof cpu === "number") return cpu;
  const time = readTimespec(task.mm, timeAddr);
  if (typeof time === "number") return time;
  const absolute = (how & T.TIMER_ABSTIME) !== 0;
  if (cpu !== null) {
    const span = spanNs(time);
    return new CpuSleepOp(cpu, absolute ? span : cpu.read() + span, absolute ? -1 : restAddr).attempt(task);
  }
  const { clock } = task.kernel;
  const now = clock.monotonicNs();
  const deadlineNs = absolute ? absoluteDeadline(clock, id, time.sec, time.nsec) : now + spanNs(time);
  if (deadlineNs <= now) return 0;
  return task.block(new SleepOp(deadlineNs, absolute ? -1 : restAddr), null, deadlineNs);
}

function isCoarse(id: number): boolean {
  return id === T.CLOCK_REALTIME_COARSE || id === T.CLOCK_MONOTONIC_COARSE;
}

/** Sleeps until other threads have used up CPU time. */
class CpuSleepOp implements Op {
  private readonly cpu: CpuClock;
  private readonly untilNs: number;
  private readonly restAddr: number;

  constructor(cpu: CpuClock, untilNs: number, restAddr: number) {
    this.cpu = cpu;
    this.untilNs = untilNs;
    this.restAddr = restAddr;
  }

  attempt(task: Task): number {
    const restNs = this.untilNs - this.cpu.read();
    if (restNs <= 0) return 0;
    return task.block(
      this,
      null,
      task.kernel.clock.monotonicNs() + Math.max(CPU_SLEEP_STEP_NS, restNs / task.kernel.cpuCount),
    );
  }

  resume(task: Task, wake: Wake): number {
    const restNs = this.untilNs - this.cpu.read();
    if (wake !== Wake.signal || restNs <= 0) return this.attempt(task);
    if (this.restAddr < 0) return -ERESTARTNOHAND;
    if (this.restAddr !== 0 && writeTimespec(task.mm, this.restAddr, restNs) < 0) return -EFAULT;
    return -ERESTART_RESTARTBLOCK;
  }
}

export function sys_times(task: Task, bufferAddr: number): number {
  const tick = T.NSEC_PER_SEC / T.USER_HZ;
  if (bufferAddr !== 0) {
    task.kernel.scheduler.accountNow();
    const own = task.group.totalUsage();
    const children = task.group.childrenUsage;
    const spans = [own.utimeNs, own.stimeNs, children.utimeNs, children.stimeNs];
    spans.forEach((ns, i) => {
      scratch.setU64(8 * i, Math.floor(ns / tick));
    });
    if (task.mm.copyOut(bufferAddr, 32) < 0) return -EFAULT;
  }
  return Math.floor(task.kernel.clock.monotonicNs() / tick);
}

export function rows(): Row[] {
  return [
    row(101, sys_nanosleep, [struct("timespec"), struct("timespec")], full()),
    row(112, sys_clock_settime, [value(CLOCK_NAMES), struct("timespec")], partial("the clock cannot be set: EPERM")),
    row(113, sys_clock_gettime, [value(CLOCK_NAMES), struct("timespec")], full()),
    row(114, sys_clock_getres, [value(CLOCK_NAMES), struct("timespec")], full()),
    row(
      115,
      sys_clock_nanosleep,
      [value(CLOCK_NAMES), flags({ TIMER_ABSTIME: T.TIMER_ABSTIME }), struct("timespec"), struct("timespec")],
      full(),
    ),
    row(153, sys_times, [addr], full()),
    row(169, sys_gettimeofday, [struct("timeval"), struct("timezone")], full()),
    row(170, sys_settimeofday, [struct("timeval"), struct("timezone")], partial("the clock cannot be set: EPERM")),
    row(171, sys_adjtimex, [struct("timex")], partial("the clock cannot be adjusted: EPERM")),
    row(266, sys_clock_adjtime, [int, struct("timex")], partial("the clock cannot be adjusted: EPERM")),
  ];
}
