// Pipes and FIFOs: who has which end open, and who waits for the other (pipe(7), fs/pipe.c).

import { EAGAIN, EBUSY, EFAULT, EINVAL, ENOMEM, ENOTTY, EPERM, EPIPE } from "../../abi/errno.ts";
import { O_DIRECT } from "../../abi/fcntl.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/poll.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import type { Inode } from "../../vfs/inode.ts";
import { PipeBuffer } from "./pipe-buffer.ts";

const PAGE = 4096;
/** /proc/sys/fs/pipe-max-size: what F_SETPIPE_SZ grants without privilege. */
export const PIPE_MAX_BYTES = 1048576;
/** DIFFERS: a pipe's memory is one piece, so that even root cannot have more than this (256 MiB). */
const SLOTS_MAX = 65536;

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;

export class Pipe {
  readonly buffer = new PipeBuffer();
  /** Open ends now, and opens ever: an opener waits until the other side's count of opens has moved. */
  readers = 0;
  writers = 0;
  readerOpens = 0;
  writerOpens = 0;
  /** Readers wait on the first, writers on the second, files with both ends on the third. */
  readonly readable = new WaitQueue();
  readonly writable = new WaitQueue();
  readonly either = new WaitQueue();
  /** Called when no end is open any more. */
  private readonly closed: () => void;

  constructor(closed: () => void = () => {}) {
    this.closed = closed;
  }

  wakeReaders(events: number): void {
    this.readable.wake(events);
    this.either.wake(events);
  }

  wakeWriters(events: number): void {
    this.writable.wake(events);
    this.either.wake(events);
  }

  /** Counts the ends of a new file in. */
  attach(reads: boolean, writes: boolean): void {
    if (reads) {
      this.readers += 1;
      this.readerOpens += 1;
      this.wakeWriters(WRITABLE);
    }
    if (writes) {
      this.writers += 1;
      this.writerOpens += 1;
      this.wakeReaders(READABLE);
    }
  }

  detach(reads: boolean, writes: boolean): void {
    if (reads) this.readers -= 1;
    if (writes) this.writers -= 1;
    if (this.readers + this.writers === 0) {
      this.buffer.free();
      this.closed();
      return;
    }
    if (this.readers === 0) this.wakeWriters(WRITABLE | POLLERR);
    if (this.writers === 0) this.wakeReaders(READABLE | POLLHUP);
  }

  /** After bytes were added or taken. */
  filled(): void {
    this.wakeReaders(READABLE);
  }
  drained(): void {
    if (!this.buffer.full) this.wakeWriters(WRITABLE);
  }

  get capacityBytes(): number {
    return this.buffer.slots * PAGE;
  }

  /** F_SETPIPE_SZ: the new capacity, -EINVAL, -EPERM, -EBUSY, -ENOMEM. */
  setCapacity(sizeBytes: number, privileged: boolean): number {
    if (sizeBytes > 2 ** 31) return -EINVAL;
    const slots = 2 ** Math.ceil(Math.log2(Math.max(1, Math.ceil(sizeBytes / PAGE))));
    if (slots > this.buffer.slots && slots * PAGE > PIPE_MAX_BYTES && !privileged) return -EPERM;
    if (slots > SLOTS_MAX) return -ENOMEM;
    if (slots !== this.buffer.slots && !this.buffer.resize(slots)) return -EBUSY;
    this.drained();
    return this.capacityBytes;
  }
}

/** One open end of a pipe, or both for a FIFO opened with O_RDWR. */
export class PipeFile extends File {
  readonly inode: Inode;
  readonly pipe: Pipe;
  /** The other side's opens when this file was opened: what a pending open and POLLHUP compare with. */
  private readonly writerOpensBefore: number;
  private readonly readerOpensBefore: number;
  private mayWait: boolean;

  /** `waits`: open(2) is complete only when the other end is open too. */
  constructor(pipe: Pipe, inode: Inode, flags: number, waits = false) {
    super(flags);
    this.pipe = pipe;
    this.inode = inode;
    this.writerOpensBefore = pipe.writers > 0 ? -1 : pipe.writerOpens;
    this.readerOpensBefore = pipe.readers > 0 ? -1 : pipe.readerOpens;
    this.mayWait = waits;
    pipe.attach(this.canRead, this.canWrite);
  }

  override openPending(): number {
    if (!this.mayWait || (this.canRead && this.canWrite)) return 0;
    const pending = this.canRead
      ? this.pipe.writerOpens === this.writerOpensBefore
      : this.pipe.readerOpens === this.readerOpensBefore;
    if (!pending) this.mayWait = false;
    return pending ? -EAGAIN : 0;
  }

  override get waitQueue(): WaitQueue {
    if (!this.canWrite) return this.pipe.readable;
    return this.canRead ? this.pipe.either : this.pipe.writable;
  }

  override poll(): number {
    const pipe = this.pipe;
    let events = 0;
    if (this.canRead) {
      if (pipe.buffer.used > 0) events |= READABLE;
      if (pipe.writers === 0 && pipe.writerOpens !== this.writerOpensBefore) events |= POLLHUP;
    }
    if (this.canWrite) {
      if (!pipe.buffer.full) events |= WRITABLE;
      if (pipe.readers === 0) events |= POLLERR;
    }
    return events;
  }

  override read(io: IoBuffer): number {
    if (io.remaining === 0) return 0;
    const pipe = this.pipe;
    if (pipe.buffer.used === 0) return pipe.writers === 0 ? 0 : -EAGAIN;
    const wasFull = pipe.buffer.full;
    const n = pipe.buffer.read(io);
    if (wasFull) pipe.drained();
    return n;
  }

  override write(io: IoBuffer): number {
    if (io.remaining === 0) return 0;
    const pipe = this.pipe;
    if (pipe.readers === 0) return -EPIPE;
    const n = pipe.buffer.write(io, (this.flags & O_DIRECT) !== 0);
    if (n > 0) pipe.filled();
    return n;
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    if (command !== FIONREAD) return -ENOTTY;
    return mm.writeU32(arg, this.pipe.buffer.bytes) < 0 ? -EFAULT : 0;
  }

  override name(): string {
    return `pipe:[${this.inode.ino}]`;
  }

  protected override release(): void {
    this.pipe.detach(this.canRead, this.canWrite);
  }
}
