// Interval timers and POSIX timers (kernel/time/itimer.c, posix-timers.c, posix-cpu-timers.c). Wall-clock timers are
// entries of the kernel's heap; CPU-time timers are compared with the clock whenever a slice is accounted.

import { RLIMIT_CPU } from "../abi/resource.ts";
import {
  SI_KERNEL,
  SIGALRM,
  SIGEV_NONE,
  SIGEV_THREAD_ID,
  SIGKILL,
  SIGPROF,
  SIGVTALRM,
  SIGXCPU,
} from "../abi/signal.ts";
import { ITIMER_REAL, ITIMER_VIRTUAL, NSEC_PER_SEC } from "../abi/time.ts";
import type { CpuClock } from "./clocks.ts";
import type { Kernel } from "./kernel.ts";
import { SigInfo, type TimerSource } from "./sig-info.ts";
import type { Task } from "./task.ts";
import { sendGroupSignal, sendSignal } from "./task-signals.ts";
import type { ThreadGroup } from "./thread-group.ts";
import type { Timer } from "./timers.ts";

/** What counts: the heap's clock, or a CPU clock that is polled. Times in ns. */
abstract class Countdown {
  protected readonly kernel: Kernel;
  private readonly cpu: CpuClock | null;
  private entry: Timer | null = null;
  /** Next expiry on the timer's clock; Infinity when disarmed. */
  private expiryNs = Number.POSITIVE_INFINITY;
  intervalNs = 0;
  /** Of those who run at the same time, each is told in turn. */
  private turn = 0;

  constructor(kernel: Kernel, cpu: CpuClock | null) {
    this.kernel = kernel;
    this.cpu = cpu;
  }

  /** The number of periods that have passed, at least 1. */
  protected abstract expired(periods: number): void;

  nowNs(): number {
    return this.cpu === null ? this.kernel.clock.monotonicNs() : this.cpu.read();
  }

  get armed(): boolean {
    return this.expiryNs !== Number.POSITIVE_INFINITY;
  }

  /** Time to the next expiry: 0 when disarmed, at least 1 when armed. */
  remainingNs(): number {
    return this.armed ? Math.max(1, this.expiryNs - this.nowNs()) : 0;
  }

  /** `expiryNs` is on the timer's clock; Infinity disarms. */
  arm(expiryNs: number, intervalNs: number): void {
    this.disarm();
    this.intervalNs = intervalNs;
    this.schedule(expiryNs);
  }

  disarm(): void {
    if (this.entry !== null) this.kernel.timers.cancel(this.entry);
    this.entry = null;
    this.expiryNs = Number.POSITIVE_INFINITY;
    this.kernel.cpuTimers.delete(this);
  }

  private schedule(expiryNs: number): void {
    this.expiryNs = expiryNs;
    if (expiryNs === Number.POSITIVE_INFINITY) return;
    if (this.cpu === null) this.entry = this.kernel.timers.add(expiryNs, () => this.check());
    else this.kernel.cpuTimers.add(this);
  }

  /** Who of the process is told first: of a CPU clock one of those who make it go on, so that profilers see what runs. */
  protected firstOf(group: ThreadGroup): Task {
    if (this.cpu === null) return group.leader;
    const { current } = this.kernel.scheduler;
    const running = group.tasks.filter((task) => task === current || task.cpuThread >= 0);
    this.turn += 1;
    return running[this.turn % running.length] ?? group.leader;
  }

  /** Fires when the time has come. */
  check(): void {
    const now = this.nowNs();
    if (now < this.expiryNs) return;
    const due = this.expiryNs;
    this.entry = null;
    this.kernel.cpuTimers.delete(this);
    const periods = this.intervalNs > 0 ? 1 + Math.floor((now - due) / this.intervalNs) : 1;
    this.schedule(this.intervalNs > 0 ? due + periods * this.intervalNs : Number.POSITIVE_INFINITY);
    this.expired(periods);
  }
}

export type CpuTimer = Countdown;

const ITIMER_SIGNALS = [SIGALRM, SIGVTALRM, SIGPROF];

/** setitimer(2). `which`: ITIMER_*. */
export class IntervalTimer extends Countdown {
  private readonly group: ThreadGroup;
  private readonly signal: number;

  constructor(group: ThreadGroup, which: number) {
    const { kernel } = group.leader;
    super(kernel, which === ITIMER_REAL ? null : groupClock(kernel, group, which === ITIMER_VIRTUAL));
    this.group = group;
    this.signal = ITIMER_SIGNALS[which]!;
  }

  protected override expired(): void {
    const { group, signal } = this;
    sendGroupSignal(group, signal, SigInfo.from(signal, SI_KERNEL, 0, 0), this.firstOf(group));
  }
}

function groupClock(kernel: Kernel, group: ThreadGroup, userOnly: boolean): CpuClock {
  return {
    read(): number {
      kernel.scheduler.accountNow();
      const total = group.totalUsage();
      return userOnly ? total.utimeNs : total.cpuNs;
    },
  };
}

/** RLIMIT_CPU. */
export class CpuLimitTimer extends Countdown {
  private readonly group: ThreadGroup;

  constructor(group: ThreadGroup) {
    super(group.leader.kernel, groupClock(group.leader.kernel, group, false));
    this.group = group;
  }

  watch(): void {
    this.arm(Math.max(1, this.group.limits.get(RLIMIT_CPU)) * NSEC_PER_SEC, NSEC_PER_SEC);
  }

  protected override expired(): void {
    const seconds = this.nowNs() / NSEC_PER_SEC;
    const signal = seconds >= this.group.limits.max(RLIMIT_CPU) ? SIGKILL : SIGXCPU;
    sendGroupSignal(this.group, signal);
  }
}

const OVERRUN_MAX = 0x7fffffff;

/** How a POSIX timer tells of its expiry (struct sigevent). */
export interface TimerNotice {
  readonly kind: number;
  readonly signal: number;
  readonly valueLo: number;
  readonly valueHi: number;
  /** SIGEV_THREAD_ID. */
  readonly task: Task | null;
}

/** timer_create(2). */
export class PosixTimer extends Countdown implements TimerSource {
  readonly id: number;
  readonly clockId: number;
  private readonly group: ThreadGroup;
  private readonly notice: TimerNotice;
  /** Periods since the queued signal, and the overrun of the last signal that was taken. */
  private pendingOverrun = 0;
  overrun = 0;
  private queued = false;

  constructor(group: ThreadGroup, id: number, clockId: number, cpu: CpuClock | null, notice: TimerNotice) {
    super(group.leader.kernel, cpu);
    this.group = group;
    this.id = id;
    this.clockId = clockId;
    this.notice = notice;
  }

  protected override expired(periods: number): void {
    const { kind, signal, valueLo, valueHi, task } = this.notice;
    if (kind === SIGEV_NONE) return;
    if (this.queued) {
      this.pendingOverrun = Math.min(OVERRUN_MAX, this.pendingOverrun + periods);
      return;
    }
    const info = SigInfo.timer(signal, this.id, valueLo, valueHi);
    info.timer = this;
    this.queued = true;
    this.pendingOverrun = periods - 1;
    if (kind === SIGEV_THREAD_ID && task !== null) sendSignal(task, signal, info);
    else sendGroupSignal(this.group, signal, info, this.firstOf(this.group));
    if (!this.isQueued()) this.queued = false;
  }

  /** Ignored signals were dropped at once. */
  private isQueued(): boolean {
    const { signal, task } = this.notice;
    return (task?.pending ?? this.group.pending).has(signal);
  }

  dequeued(info: SigInfo): void {
    // Periods that nobody has looked at yet count too.
    this.check();
    this.queued = false;
    this.overrun = this.pendingOverrun;
    info.overrun = this.overrun;
  }

  dropped(): void {
    this.queued = false;
  }

  /** A new setting: the signal of the old one is withdrawn. */
  reset(): void {
    this.disarm();
    this.overrun = 0;
    this.pendingOverrun = 0;
    this.withdraw();
  }

  withdraw(): void {
    if (!this.queued) return;
    (this.notice.task?.pending ?? this.group.pending).removeTimer(this);
    this.queued = false;
  }
}
