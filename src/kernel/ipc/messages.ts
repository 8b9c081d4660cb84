// Message queues (ipc/msg.c).

import { E2BIG, EAGAIN, EFAULT, EIDRM, ENOMSG, ERESTARTNOHAND } from "../../abi/errno.ts";
import { IPC_NOWAIT, MSG_EXCEPT, MSG_NOERROR, MSGMNB } from "../../abi/ipc.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { type Op, Wake } from "../op.ts";
import type { Task } from "../task.ts";
import { IpcObject } from "./objects.ts";

export interface QueuedMessage {
  /** At least 1. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

export class MessageQueue extends IpcObject {
  readonly messages: QueuedMessage[] = [];
  bytes = 0;
  maxBytes = MSGMNB;
  sentSec = 0;
  receivedSec = 0;
  changedSec: number;
  lastSender = 0;
  lastReceiver = 0;
  readonly changed = new WaitQueue();

  constructor(key: number, mode: number, cred: Credentials, nowSec: number) {
    super(key, mode, cred);
    this.changedSec = nowSec;
  }

  hasRoom(sizeBytes: number): boolean {
    return this.bytes + sizeBytes <= this.maxBytes && this.messages.length + 1 <= this.maxBytes;
  }

  /** The message that a receiver of `type` gets (convert_mode, testmsg), as an index; -1 when there is none. */
  select(type: number, flags: number): number {
    if (type === 0) return this.messages.length > 0 ? 0 : -1;
    if (type > 0) {
      const except = (flags & MSG_EXCEPT) !== 0;
      return this.messages.findIndex((message) => (message.type === type) !== except);
    }
    let best = -1;
    for (const [i, message] of this.messages.entries()) {
      if (message.type <= -type && (best < 0 || message.type < this.messages[best]!.type)) best = i;
    }
    return best;
  }
}

export class SendOp implements Op {
  private readonly queue: MessageQueue;
  private readonly message: QueuedMessage;
  private readonly flags: number;

  constructor(queue: MessageQueue, message: QueuedMessage, flags: number) {
    this.queue = queue;
    this.message = message;
    this.flags = flags;
  }

  resume(task: Task, wake: Wake): number {
    const { queue, message } = this;
    if (queue.removed) return -EIDRM;
    if (!queue.hasRoom(message.bytes.length)) {
      if ((this.flags & IPC_NOWAIT) !== 0) return -EAGAIN;
      return wake === Wake.signal ? -ERESTARTNOHAND : task.block(this, queue.changed);
    }
    queue.messages.push(message);
    queue.bytes += message.bytes.length;
    queue.lastSender = task.tgid;
    queue.sentSec = task.kernel.clock.realtime().sec;
    queue.changed.wake();
    return 0;
  }
}

export class ReceiveOp implements Op {
  private readonly queue: MessageQueue;
  private readonly addr: number;
  private readonly size: number;
  private readonly type: number;
  private readonly flags: number;

  /** `addr`: a struct msgbuf with room for `size` bytes of text. */
  constructor(queue: MessageQueue, addr: number, size: number, type: number, flags: number) {
    this.queue = queue;
    this.addr = addr;
    this.size = size;
    this.type = type;
    this.flags = flags;
  }

  resume(task: Task, wake: Wake): number {
    const { queue } = this;
    if (queue.removed) return -EIDRM;
    const index = queue.select(this.type, this.flags);
    if (index < 0) {
      if ((this.flags & IPC_NOWAIT) !== 0) return -ENOMSG;
      return wake === Wake.signal ? -ERESTARTNOHAND : task.block(this, queue.changed);
    }
    const { type, bytes } = queue.messages[index]!;
    if (bytes.length > this.size && (this.flags & MSG_NOERROR) === 0) return -E2BIG;
    queue.messages.splice(index, 1);
    queue.bytes -= bytes.length;
    queue.lastReceiver = task.tgid;
    queue.receivedSec = task.kernel.clock.realtime().sec;
    queue.changed.wake();
    const count = Math.min(bytes.length, this.size);
    if (task.mm.writeU64(this.addr, type) < 0) return -EFAULT;
    if (count > 0 && task.mm.copyOutBytes(this.addr + 8, bytes, 0, count) !== count) return -EFAULT;
    return count;
  }
}
