// POSIX message queues (mq_overview(7), ipc/mqueue.c): messages by priority, the oldest of the highest first, and the files by which
// processes have a queue open.

import { EINVAL } from "../../abi/errno.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/poll.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import type { Inode } from "../../vfs/inode.ts";

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;

export interface Message {
  readonly bytes: Uint8Array;
  readonly priority: number;
}

/** Who is told of the next message that comes to an empty queue, once. */
export interface Registration {
  readonly tgid: number;
  /** SIGEV_* */
  readonly kind: number;
  readonly signal: number;
  /** By which file it was made. */
  readonly file: MqueueFile;
  tell(): void;
  /** It is taken back, without a message. */
  dropped(): void;
}

export class Mqueue {
  readonly inode: Inode;
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** The next one to receive is the last. */
  private readonly messages: Message[] = [];
  private queued = 0;
  registration: Registration | null = null;
  /** Receivers wait on the first, senders on the second; both wake those who poll. */
  readonly filled = new WaitQueue();
  readonly drained = new WaitQueue();
  readonly polled = new WaitQueue();
  /** Receivers that wait: a message for them is no news to who is registered. */
  receivers = 0;
  /** Open files, and the name: without any the queue is gone. */
  users = 0;
  linked = true;
  private readonly gone: (queue: Mqueue) => void;

  constructor(inode: Inode, maxMessages: number, maxBytes: number, gone: (queue: Mqueue) => void) {
    this.inode = inode;
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
    this.gone = gone;
  }

  get count(): number {
    return this.messages.length;
  }
  /** Bytes of all messages. */
  get bytes(): number {
    return this.queued;
  }
  get isFull(): boolean {
    return this.messages.length >= this.maxMessages;
  }

  send(message: Message): void {
    let at = this.messages.length;
    while (at > 0 && this.messages[at - 1]!.priority >= message.priority) at -= 1;
    this.messages.splice(at, 0, message);
    this.queued += message.bytes.length;
    const told = this.registration;
    if (told !== null && this.messages.length === 1 && this.receivers === 0) {
      this.registration = null;
      told.tell();
    }
    this.filled.wake();
    this.polled.wake(READABLE);
  }

  dropRegistration(): void {
    const told = this.registration;
    this.registration = null;
    told?.dropped();
  }

  receive(): Message {
    const message = this.messages.pop()!;
    this.queued -= message.bytes.length;
    this.drained.wake();
    this.polled.wake(WRITABLE);
    return message;
  }

  unlink(): void {
    this.linked = false;
    this.letGo();
  }

  letGo(): void {
    if (!this.linked && this.users === 0) this.gone(this);
  }
}

export class MqueueFile extends File {
  readonly inode: Inode;
  readonly mqueue: Mqueue;

  constructor(mqueue: Mqueue, flags: number) {
    super(flags);
    this.mqueue = mqueue;
    this.inode = mqueue.inode;
    mqueue.users += 1;
  }

  override name(): string {
    return "mqueue:[queue]";
  }

  override get waitQueue(): WaitQueue {
    return this.mqueue.polled;
  }

  override poll(): number {
    return (this.mqueue.count > 0 ? READABLE : 0) | (this.mqueue.isFull ? 0 : WRITABLE);
  }

  /** The state as text. */
  override read(io: IoBuffer): number {
    const { bytes, registration } = this.mqueue;
    const { kind = 0, signal = 0, tgid = 0 } = registration ?? {};
    const text = Buffer.from(
      `QSIZE:${pad(bytes, 10)} NOTIFY:${pad(kind, 5)} SIGNO:${pad(kind === 0 ? signal : 0, 5)} NOTIFY_PID:${pad(tgid, 6)}\n`,
    );
    const count = Math.min(Math.max(0, text.length - this.pos), io.remaining);
    if (count === 0) return 0;
    const n = io.put(text, this.pos, count);
    if (n > 0) this.pos += n;
    return n;
  }

  override seek(offset: number, whence: number): number {
    if (whence !== 0 || offset < 0) return -EINVAL;
    this.pos = offset;
    return offset;
  }

  protected override release(): void {
    const { mqueue } = this;
    if (mqueue.registration?.file === this) mqueue.dropRegistration();
    mqueue.users -= 1;
    mqueue.letGo();
  }
}

function pad(value: number, width: number): string {
  return String(value).padEnd(width);
}
