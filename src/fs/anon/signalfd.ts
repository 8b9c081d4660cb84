// signalfd4(2), fs/signalfd.c: reading takes signals off the queues of the task that reads.

import { EAGAIN, EINVAL } from "../../abi/errno.ts";
import { O_RDWR } from "../../abi/fcntl.ts";
import { POLLIN } from "../../abi/poll.ts";
import type { WaitQueue } from "../../lib/wait-queue.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import { anonymousInode } from "./anonymous-inode.ts";

/** struct signalfd_siginfo. */
export const SIGNALFD_SIGINFO_BYTES = 128;

/** Signals as this room sees them: those of the running task. */
export interface SignalQueue {
  /** Whether one of the signals in the mask waits to be taken. */
  pending(lo: number, hi: number): boolean;
  /** Takes one; its struct signalfd_siginfo, valid until the next call, or null. */
  take(lo: number, hi: number): Uint8Array | null;
  /** Woken when signals arrive for the running task or its process. */
  readonly arrival: WaitQueue;
}

export class SignalFile extends File {
  readonly inode = anonymousInode;
  private maskLo = 0;
  private maskHi = 0;
  private readonly signals: SignalQueue;

  constructor(flags: number, signals: SignalQueue) {
    super(O_RDWR | flags);
    this.signals = signals;
  }

  /** The signals that it takes. */
  setMask(lo: number, hi: number): void {
    this.maskLo = lo;
    this.maskHi = hi;
  }

  override name(): string {
    return "anon_inode:[signalfd]";
  }

  override details(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
    return `sigmask:\t${hex(this.maskHi)}${hex(this.maskLo)}\n`;
  }

  override get waitQueue(): WaitQueue {
    return this.signals.arrival;
  }

  /** There is no position to move (noop_llseek). */
  override seek(): number {
    return 0;
  }

  override poll(): number {
    return this.signals.pending(this.maskLo, this.maskHi) ? POLLIN : 0;
  }

  override read(io: IoBuffer): number {
    if (io.remaining < SIGNALFD_SIGINFO_BYTES) return -EINVAL;
    let done = 0;
    while (io.remaining >= SIGNALFD_SIGINFO_BYTES) {
      const info = this.signals.take(this.maskLo, this.maskHi);
      if (info === null) break;
      const n = io.put(info, 0, SIGNALFD_SIGINFO_BYTES);
      if (n < SIGNALFD_SIGINFO_BYTES) return done > 0 ? done : n;
      done += n;
    }
    return done > 0 ? done : -EAGAIN;
  }
}
