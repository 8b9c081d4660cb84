// The clocks that guests name (kernel/time/posix-timers.c, posix-cpu-timers.c): reading them, and turning a time on one
// into a deadline of the timer heap.

import { EINVAL } from "../abi/errno.ts";
import * as T from "../abi/time.ts";
import type { Clock } from "./clock.ts";
import { realtimeToMonotonic } from "./clock.ts";
import type { Task } from "./task.ts";

/** Kinds of a dynamic CPU clock id: ~pid << 3 | per-thread bit | kind. */
const CPUCLOCK_PROF = 0;
const CPUCLOCK_VIRT = 1;
const CPUCLOCK_SCHED = 2;
const CPUCLOCK_PERTHREAD = 4;
const CPUCLOCK_MASK = 3;
const CLOCK_FD = 3;
/** The resolution of the coarse clocks: CONFIG_HZ=250. */
const COARSE_NS = 4e6;

export interface CpuClock {
  /** CPU time in ns now. */
  read(): number;
}

/** Time on a wall or monotonic clock in ns, split so that realtime stays exact: seconds and ns. Or -EINVAL. */
export function readClock(task: Task, id: number): { sec: number; nsec: number } | number {
  const { clock } = task.kernel;
  switch (id) {
    case T.CLOCK_REALTIME:
    case T.CLOCK_REALTIME_ALARM:
    case T.CLOCK_TAI:
      return clock.realtime();
    case T.CLOCK_REALTIME_COARSE: {
      const { sec, nsec } = clock.realtime();
      return { sec, nsec: nsec - (nsec % COARSE_NS) };
    }
    case T.CLOCK_MONOTONIC:
    case T.CLOCK_MONOTONIC_RAW:
    case T.CLOCK_BOOTTIME:
    case T.CLOCK_BOOTTIME_ALARM:
      return split(clock.monotonicNs());
    case T.CLOCK_MONOTONIC_COARSE: {
      const now = clock.monotonicNs();
      return split(now - (now % COARSE_NS));
    }
    default: {
      const cpu = cpuClock(task, id);
      return typeof cpu === "number" ? cpu : split(cpu.read());
    }
  }
}

function split(ns: number): { sec: number; nsec: number } {
  const sec = Math.floor(ns / T.NSEC_PER_SEC);
  return { sec, nsec: ns - sec * T.NSEC_PER_SEC };
}

/** Resolution in ns, or -EINVAL. */
export function clockResolution(task: Task, id: number): number {
  if (id === T.CLOCK_REALTIME_COARSE || id === T.CLOCK_MONOTONIC_COARSE) return COARSE_NS;
  if (isWallClock(id) || id === T.CLOCK_MONOTONIC_RAW) return 1;
  return typeof cpuClock(task, id) === "number" ? -EINVAL : 1;
}

/** Clocks that one can sleep on and set timers on, other than CPU clocks. */
export function isWallClock(id: number): boolean {
  switch (id) {
    case T.CLOCK_REALTIME:
    case T.CLOCK_MONOTONIC:
    case T.CLOCK_BOOTTIME:
    case T.CLOCK_REALTIME_ALARM:
    case T.CLOCK_BOOTTIME_ALARM:
    case T.CLOCK_TAI:
      return true;
    default:
      return false;
  }
}

export function isRealtime(id: number): boolean {
  return id === T.CLOCK_REALTIME || id === T.CLOCK_REALTIME_ALARM || id === T.CLOCK_TAI;
}

/** The deadline on the monotonic clock for an absolute time on a wall clock. */
export function absoluteDeadline(clock: Clock, id: number, sec: number, nsec: number): number {
  return isRealtime(id) ? realtimeToMonotonic(clock, sec, nsec) : sec * T.NSEC_PER_SEC + nsec;
}

/** The CPU clock that an id names: one of the two fixed ones, or a dynamic one. -EINVAL when there is none. */
export function cpuClock(task: Task, id: number): CpuClock | number {
  if (id === T.CLOCK_PROCESS_CPUTIME_ID) return processClock(task, CPUCLOCK_SCHED);
  if (id === T.CLOCK_THREAD_CPUTIME_ID) return threadClock(task, CPUCLOCK_SCHED);
  if (id >= 0) return -EINVAL;
  const kind = id & CPUCLOCK_MASK;
  const tid = ~id >> 3;
  if (kind === CLOCK_FD) return -EINVAL;
  const target = tid === 0 ? task : task.kernel.pids.task(tid);
  if (target === undefined) return -EINVAL;
  if ((id & CPUCLOCK_PERTHREAD) !== 0) return target.group === task.group ? threadClock(target, kind) : -EINVAL;
  return tid === 0 || target.group.leader === target ? processClock(target, kind) : -EINVAL;
}

function threadClock(task: Task, kind: number): CpuClock {
  return {
    read(): number {
      task.kernel.scheduler.accountNow();
      return select(kind, task.usage.utimeNs, task.usage.stimeNs);
    },
  };
}

function processClock(task: Task, kind: number): CpuClock {
  const { group, kernel } = task;
  return {
    read(): number {
      kernel.scheduler.accountNow();
      const total = group.totalUsage();
      return select(kind, total.utimeNs, total.stimeNs);
    },
  };
}

function select(kind: number, utimeNs: number, stimeNs: number): number {
  return kind === CPUCLOCK_VIRT ? utimeNs : kind === CPUCLOCK_PROF ? utimeNs + stimeNs : utimeNs + stimeNs;
}
