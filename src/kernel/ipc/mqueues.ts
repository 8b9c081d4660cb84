// The POSIX message queues of a kernel by name, what they may hold together, and the calls that wait for them (ipc/mqueue.c).

import { EAGAIN, EFAULT, ERESTARTSYS, ETIMEDOUT } from "../../abi/errno.ts";
import type { Message, Mqueue, MqueueFile } from "../../fs/mqueue/mqueue.ts";
import type { Kernel } from "../kernel.ts";
import { type Op, Wake } from "../op.ts";
import type { Task } from "../task.ts";

/** sizeof struct msg_msg and struct posix_msg_tree_node: what RLIMIT_MSGQUEUE counts besides the bytes. */
const MESSAGE_BYTES = 48 + 48;

export class Mqueues {
  readonly byName = new Map<string, Mqueue>();
  /** What each user's queues may hold, and the user of each queue. */
  private readonly usedBy = new Map<number, number>();
  private readonly owners = new Map<Mqueue, number>();
  /** All that live, with names or without. */
  get count(): number {
    return this.owners.size;
  }

  /** Whether the user may have one more queue of this size. */
  hasRoom(uid: number, maxMessages: number, maxBytes: number, limit: number): boolean {
    return (this.usedBy.get(uid) ?? 0) + sizeOf(maxMessages, maxBytes) <= limit;
  }

  add(uid: number, name: string, queue: Mqueue): void {
    this.byName.set(name, queue);
    this.owners.set(queue, uid);
    this.usedBy.set(uid, (this.usedBy.get(uid) ?? 0) + sizeOf(queue.maxMessages, queue.maxBytes));
  }

  /** The last name or descriptor of the queue has gone. */
  remove(queue: Mqueue): void {
    const uid = this.owners.get(queue);
    if (uid === undefined) return;
    this.owners.delete(queue);
    this.usedBy.set(uid, this.usedBy.get(uid)! - sizeOf(queue.maxMessages, queue.maxBytes));
  }
}

function sizeOf(maxMessages: number, maxBytes: number): number {
  return maxMessages * (maxBytes + MESSAGE_BYTES);
}

const all = new WeakMap<Kernel, Mqueues>();

export function mqueuesOf(kernel: Kernel): Mqueues {
  let queues = all.get(kernel);
  if (queues === undefined) {
    queues = new Mqueues();
    all.set(kernel, queues);
  }
  return queues;
}

export class MqSendOp implements Op {
  private readonly file: MqueueFile;
  private readonly message: Message;
  private readonly deadlineNs: number;

  constructor(file: MqueueFile, message: Message, deadlineNs: number) {
    this.file = file;
    this.message = message;
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    const { mqueue } = this.file;
    if (mqueue.isFull) return waited(this.file, wake) ?? task.block(this, mqueue.drained, this.deadlineNs);
    mqueue.send(this.message);
    return 0;
  }
}

export class MqReceiveOp implements Op {
  private readonly file: MqueueFile;
  private readonly addr: number;
  private readonly priorityAddr: number;
  private readonly deadlineNs: number;
  private waits = false;

  constructor(file: MqueueFile, addr: number, priorityAddr: number, deadlineNs: number) {
    this.file = file;
    this.addr = addr;
    this.priorityAddr = priorityAddr;
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    const { mqueue } = this.file;
    this.cancel();
    if (mqueue.count === 0) {
      const result = waited(this.file, wake);
      if (result !== null) return result;
      this.waits = true;
      mqueue.receivers += 1;
      return task.block(this, mqueue.filled, this.deadlineNs);
    }
    const { bytes, priority } = mqueue.receive();
    if (this.priorityAddr !== 0 && task.mm.writeU32(this.priorityAddr, priority) < 0) return -EFAULT;
    const n = bytes.length;
    return n > 0 && task.mm.copyOutBytes(this.addr, bytes, 0, n) !== n ? -EFAULT : n;
  }

  cancel(): void {
    if (this.waits) this.file.mqueue.receivers -= 1;
    this.waits = false;
  }
}

/** Why the call does not wait (any more); null when it does. */
function waited(file: MqueueFile, wake: Wake): number | null {
  if (file.nonblock) return -EAGAIN;
  if (wake === Wake.timeout) return -ETIMEDOUT;
  return wake === Wake.signal ? -ERESTARTSYS : null;
}
