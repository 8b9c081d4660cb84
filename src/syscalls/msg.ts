// msgget(2), msgctl(2), msgsnd(2), msgrcv(2) (ipc/msg.c).

import { CAP_SYS_RESOURCE } from "../abi/capability.ts";
import { EFAULT, EINVAL, ENOSYS, EPERM } from "../abi/errno.ts";
import * as I from "../abi/ipc.ts";
import { ipcOf } from "../kernel/ipc/ipc.ts";
import { MessageQueue, ReceiveOp, SendOp } from "../kernel/ipc/messages.ts";
import { Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { capable } from "../vfs/permission.ts";
import { GET_NAMES, Layout, READ, updatePerm, WRITE } from "./ipc-layout.ts";
import { flags, full, hex, int, off, partial, type Row, row, size, struct } from "./row.ts";

export function sys_msgget(task: Task, key: number, flags: number): number {
  const { kernel, cred } = task;
  const make = (): MessageQueue => new MessageQueue(key | 0, flags, cred, kernel.clock.realtime().sec);
  return ipcOf(kernel).queues.get(key | 0, flags, cred, make, () => 0);
}

export function sys_msgsnd(task: Task, id: number, addr: number, size: number, flags: number): number {
  const type = task.mm.readU64(addr);
  if (type < 0) return -EFAULT;
  if (size > I.MSGMAX || id < 0 || type < 1 || type > 2 ** 53 - 1) return -EINVAL;
  const bytes = new Uint8Array(size);
  if (size > 0 && task.mm.copyInBytes(addr + 8, bytes, 0, size) !== size) return -EFAULT;
  const queue = ipcOf(task.kernel).queues.find(id);
  if (typeof queue === "number") return queue;
  const denied = queue.check(task.cred, WRITE);
  return denied !== 0 ? denied : new SendOp(queue, { type, bytes }, flags).resume(task, Wake.event);
}

export function sys_msgrcv(task: Task, id: number, addr: number, size: number, type: number, flags: number): number {
  if (id < 0 || size >= 2 ** 53) return -EINVAL;
  if ((flags & I.MSG_COPY) !== 0) return -ENOSYS;
  const queue = ipcOf(task.kernel).queues.find(id);
  if (typeof queue === "number") return queue;
  const denied = queue.check(task.cred, READ);
  return denied !== 0 ? denied : new ReceiveOp(queue, addr, size, type, flags).resume(task, Wake.event);
}

export function sys_msgctl(task: Task, id: number, command: number, addr: number): number {
  const { queues } = ipcOf(task.kernel);
  switch (command) {
    case I.IPC_INFO:
    case I.MSG_INFO:
      return info(task, command, addr);
    case I.MSG_STAT:
    case I.MSG_STAT_ANY:
    case I.IPC_STAT: {
      const queue = command === I.IPC_STAT ? queues.find(id) : queues.at(id);
      if (typeof queue === "number") return queue;
      const denied = command === I.MSG_STAT_ANY ? 0 : queue.check(task.cred, READ);
      return denied !== 0 ? denied : stat(task, queue, addr, command === I.IPC_STAT ? 0 : queue.id);
    }
    case I.IPC_SET:
    case I.IPC_RMID:
      break;
    default:
      return -EINVAL;
  }
  const queue = queues.find(id);
  return typeof queue === "number" ? queue : change(task, queue, command, addr);
}

function change(task: Task, queue: MessageQueue, command: number, addr: number): number {
  const layout = new Layout(I.MSQID.bytes);
  const error = command === I.IPC_SET ? layout.copyIn(task, addr) : 0;
  if (error < 0) return error;
  const denied = queue.checkOwner(task.cred);
  if (denied !== 0) return denied;
  if (command === I.IPC_RMID) {
    ipcOf(task.kernel).queues.remove(queue);
    queue.changed.wake();
    return 0;
  }
  const maxBytes = layout.getU64(I.MSQID.qbytes);
  if (maxBytes > I.MSGMNB && !capable(task.cred, CAP_SYS_RESOURCE)) return -EPERM;
  const updated = updatePerm(queue, layout);
  if (updated !== 0) return updated;
  queue.maxBytes = maxBytes;
  queue.changedSec = task.kernel.clock.realtime().sec;
  queue.changed.wake();
  return 0;
}

function stat(task: Task, queue: MessageQueue, addr: number, result: number): number {
  const layout = new Layout(I.MSQID.bytes);
  layout.putPerm(queue);
  layout.i64(I.MSQID.stime, queue.sentSec);
  layout.i64(I.MSQID.rtime, queue.receivedSec);
  layout.i64(I.MSQID.ctime, queue.changedSec);
  layout.i64(I.MSQID.cbytes, queue.bytes);
  layout.i64(I.MSQID.qnum, queue.messages.length);
  layout.i64(I.MSQID.qbytes, queue.maxBytes);
  layout.i32(I.MSQID.lspid, queue.lastSender);
  layout.i32(I.MSQID.lrpid, queue.lastReceiver);
  return layout.copyOut(task, addr, result);
}

/** struct msginfo. */
function info(task: Task, command: number, addr: number): number {
  const { queues } = ipcOf(task.kernel);
  const layout = new Layout(32);
  const fields = [512000, I.MSGMNB, I.MSGMAX, I.MSGMNB, I.MSGMNI, 16, I.MSGMNB];
  if (command === I.MSG_INFO) {
    let messages = 0;
    let bytes = 0;
    for (const queue of queues) {
      messages += queue.messages.length;
      bytes += queue.bytes;
    }
    fields[0] = queues.count;
    fields[1] = messages;
    fields[6] = bytes;
  }
  for (const [i, value] of fields.entries()) layout.i32(i * 4, value);
  layout.u16(28, 0xffff);
  return layout.copyOut(task, addr, queues.maxIndex);
}

export function rows(): Row[] {
  return [
    row(186, sys_msgget, [hex, flags(GET_NAMES)], full()),
    row(187, sys_msgctl, [int, int, struct("msqid_ds")], full()),
    row(
      188,
      sys_msgrcv,
      [
        int,
        struct("msgbuf"),
        size,
        off,
        flags({ IPC_NOWAIT: I.IPC_NOWAIT, MSG_NOERROR: I.MSG_NOERROR, MSG_EXCEPT: I.MSG_EXCEPT }),
      ],
      partial("no MSG_COPY"),
    ),
    row(189, sys_msgsnd, [int, struct("msgbuf"), size, flags({ IPC_NOWAIT: I.IPC_NOWAIT })], full()),
  ];
}
