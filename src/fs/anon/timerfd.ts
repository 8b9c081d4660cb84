// timerfd_create(2), fs/timerfd.c. Deadlines are kept on the monotonic clock, where the kernel's timers run.

import { EAGAIN, ECANCELED, EFAULT, EINVAL, ENOTTY } from "../../abi/errno.ts";
import { O_RDWR } from "../../abi/fcntl.ts";
import { TFD_IOC_SET_TICKS } from "../../abi/ioctl.ts";
import { POLLIN } from "../../abi/poll.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import { anonymousInode } from "./anonymous-inode.ts";

/** The kernel's timers, as this room sees them. */
export interface TimerService {
  nowNs(): number;
  /** Calls `fire` once at `deadlineNs`; the result cancels it. */
  start(deadlineNs: number, fire: () => void): () => void;
}

/** What timerfd_settime sets, in ns: 0 or less in `deadlineNs` disarms. */
export interface TimerSetting {
  /** On the monotonic clock. */
  deadlineNs: number;
  /** 0 for a timer that expires once. */
  intervalNs: number;
  /** TFD_TIMER_CANCEL_ON_SET on a settable clock. */
  cancelOnSet: boolean;
}

const VALUE_BYTES = 8;
const HIGH = 4294967296;
const value = new Uint32Array(2);
const valueBytes = new Uint8Array(value.buffer);

/** Timers that a step of the real-time clock cancels. */
const cancelable = new Set<TimerFile>();

/** The real-time clock was set: settimeofday, clock_settime. */
export function realtimeClockSet(): void {
  for (const timer of cancelable) timer.clockSet();
}

export class TimerFile extends File {
  readonly inode = anonymousInode;
  readonly clock: number;
  private readonly service: TimerService;
  private readonly queue = new WaitQueue();
  private stop: (() => void) | null = null;
  /** Next expiry on the monotonic clock; Infinity when disarmed. */
  private deadlineNs = Number.POSITIVE_INFINITY;
  private intervalNs = 0;
  /** Expirations that were counted already, before those that `deadlineNs` tells. */
  private ticks = 0;
  private expired = false;
  private canceled = false;

  constructor(flags: number, clock: number, service: TimerService) {
    super(O_RDWR | flags);
    this.clock = clock;
    this.service = service;
  }

  override name(): string {
    return "anon_inode:[timerfd]";
  }

  override details(): string {
    const { remainingNs, intervalNs } = this.setting();
    const parts = (ns: number) => `(${Math.floor(ns / 1e9)}, ${Math.floor(ns % 1e9)})`;
    const head = `clockid: ${this.clock}\nticks: ${this.ticks}\nsettime flags: 00\n`;
    return `${head}it_value: ${parts(remainingNs)}\nit_interval: ${parts(intervalNs)}\n`;
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  set(setting: TimerSetting): void {
    this.disarm();
    this.canceled = false;
    if (setting.cancelOnSet) cancelable.add(this);
    else cancelable.delete(this);
    this.intervalNs = setting.intervalNs;
    if (setting.deadlineNs === Number.POSITIVE_INFINITY) return;
    this.deadlineNs = setting.deadlineNs;
    this.arm();
  }

  private arm(): void {
    this.stop = this.service.start(this.deadlineNs, () => {
      this.stop = null;
      this.expired = true;
      this.queue.wake(POLLIN);
    });
  }

  private disarm(): void {
    this.stop?.();
    this.stop = null;
    this.deadlineNs = Number.POSITIVE_INFINITY;
    this.ticks = 0;
    this.expired = false;
  }

  /** Counts what has expired by now; a repeating timer is armed again when its expirations are fetched. */
  private fetch(): void {
    if (!this.expired) return;
    this.expired = false;
    if (this.intervalNs === 0) {
      this.ticks += 1;
      this.deadlineNs = Number.POSITIVE_INFINITY;
      return;
    }
    const past = Math.max(0, this.service.nowNs() - this.deadlineNs);
    const count = 1 + Math.floor(past / this.intervalNs);
    this.ticks += count;
    this.deadlineNs += count * this.intervalNs;
    this.arm();
  }

  /** timerfd_gettime: time to the next expiration (0 when disarmed) and the interval, in ns. */
  setting(): { remainingNs: number; intervalNs: number } {
    this.expireNow();
    if (this.expired && this.intervalNs > 0) this.fetch();
    const remaining = this.expired ? 0 : this.deadlineNs - this.service.nowNs();
    const remainingNs = this.deadlineNs === Number.POSITIVE_INFINITY ? 0 : Math.max(this.expired ? 0 : 1, remaining);
    return { remainingNs, intervalNs: this.intervalNs };
  }

  /** A deadline that has passed counts at once, even when the kernel's timers have not run since. */
  private expireNow(): void {
    if (this.stop === null || this.service.nowNs() < this.deadlineNs) return;
    this.stop();
    this.stop = null;
    this.expired = true;
  }

  /** There is no position to move (noop_llseek). */
  override seek(): number {
    return 0;
  }

  override poll(): number {
    this.expireNow();
    return this.expired || this.ticks > 0 || this.canceled ? POLLIN : 0;
  }

  override read(io: IoBuffer): number {
    if (io.remaining < VALUE_BYTES) return -EINVAL;
    if (this.canceled) {
      this.canceled = false;
      return -ECANCELED;
    }
    this.expireNow();
    this.fetch();
    if (this.ticks === 0) return -EAGAIN;
    value[0] = this.ticks % HIGH;
    value[1] = Math.floor(this.ticks / HIGH);
    this.ticks = 0;
    return io.put(valueBytes, 0, VALUE_BYTES);
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    if (command !== TFD_IOC_SET_TICKS) return -ENOTTY;
    const ticks = mm.readU64(arg);
    if (ticks < 0) return -EFAULT;
    if (ticks === 0) return -EINVAL;
    this.ticks = ticks;
    this.queue.wake(POLLIN);
    return 0;
  }

  clockSet(): void {
    this.canceled = true;
    this.queue.wake(POLLIN);
  }

  protected override release(): void {
    this.disarm();
    cancelable.delete(this);
  }
}
