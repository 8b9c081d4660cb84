// eventfd(2), fs/eventfd.c: a 64-bit counter, kept as two 32-bit halves so that every value is exact.

import { EAGAIN, EFAULT, EINVAL } from "../../abi/errno.ts";
import { POLLERR, POLLIN, POLLOUT } from "../../abi/poll.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import { anonymousInode } from "./anonymous-inode.ts";

const HIGH = 4294967296;
const MAX = 0xffffffff;
const VALUE_BYTES = 8;

const value = new Uint32Array(2);
const valueBytes = new Uint8Array(value.buffer);

let nextId = 0;

export class EventFile extends File {
  readonly inode = anonymousInode;
  private readonly queue = new WaitQueue();
  private lo: number;
  private hi = 0;
  private readonly semaphore: boolean;
  private readonly id: number;

  constructor(flags: number, initial: number, semaphore: boolean) {
    super(flags);
    this.lo = initial;
    this.semaphore = semaphore;
    this.id = nextId;
    nextId += 1;
  }

  override name(): string {
    return "anon_inode:[eventfd]";
  }

  override details(): string {
    const count = this.hi * HIGH + this.lo;
    return `eventfd-count: ${count.toString(16).padStart(16)}\neventfd-id: ${this.id}\neventfd-semaphore: ${this.semaphore ? 1 : 0}\n`;
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  /** There is no position to move (noop_llseek). */
  override seek(): number {
    return 0;
  }

  override poll(): number {
    let events = 0;
    if (this.lo + this.hi !== 0) events |= POLLIN;
    // ULLONG_MAX is reached by kernel-side signalling only; up to one below it a 1 can be written.
    if (this.hi === MAX && this.lo === MAX) events |= POLLERR;
    if (this.hi !== MAX || this.lo < MAX - 1) events |= POLLOUT;
    return events;
  }

  override read(io: IoBuffer): number {
    if (io.remaining < VALUE_BYTES) return -EINVAL;
    if (this.lo + this.hi === 0) return -EAGAIN;
    const { lo, hi } = this;
    if (this.semaphore) {
      value[0] = 1;
      value[1] = 0;
      this.lo = lo === 0 ? MAX : lo - 1;
      if (lo === 0) this.hi = hi - 1;
    } else {
      value[0] = lo;
      value[1] = hi;
      this.lo = 0;
      this.hi = 0;
    }
    const n = io.put(valueBytes, 0, VALUE_BYTES);
    this.queue.wake(POLLOUT);
    return n === VALUE_BYTES ? n : -EFAULT;
  }

  /** Counts one more (eventfd_signal): the kernel's own way of writing, which never waits. */
  signal(): void {
    if (this.hi === MAX && this.lo === MAX) return;
    this.lo = (this.lo + 1) % HIGH;
    if (this.lo === 0) this.hi += 1;
    this.queue.wake(POLLIN);
  }

  override write(io: IoBuffer): number {
    if (io.remaining !== VALUE_BYTES) return -EINVAL;
    const n = io.take(valueBytes, 0, VALUE_BYTES);
    if (n < VALUE_BYTES) return n;
    const lo = value[0]!;
    const hi = value[1]!;
    if (lo === MAX && hi === MAX) return -EINVAL;
    const sumLo = this.lo + lo;
    const newLo = sumLo % HIGH;
    const newHi = this.hi + hi + (sumLo >= HIGH ? 1 : 0);
    if (newHi > MAX || (newHi === MAX && newLo === MAX)) {
      io.revert(VALUE_BYTES);
      return -EAGAIN;
    }
    this.lo = newLo;
    this.hi = newHi;
    this.queue.wake(POLLIN);
    return VALUE_BYTES;
  }
}
