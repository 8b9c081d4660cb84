// mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2) (ipc/mqueue.c).

import { CAP_FOWNER, CAP_SYS_RESOURCE } from "../abi/capability.ts";
import * as E from "../abi/errno.ts";
import { O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY, OPEN_FLAGS } from "../abi/fcntl.ts";
import { RLIMIT_MSGQUEUE } from "../abi/resource.ts";
import * as S from "../abi/signal.ts";
import { AF_NETLINK } from "../abi/socket.ts";
import { mqueueInode } from "../fs/anon/anonymous-inode.ts";
import { Mqueue, MqueueFile } from "../fs/mqueue/mqueue.ts";
import { scratch } from "../host/scratch.ts";
import { realtimeToMonotonic } from "../kernel/clock.ts";
import { MqReceiveOp, MqSendOp, mqueuesOf } from "../kernel/ipc/mqueues.ts";
import { Wake } from "../kernel/op.ts";
import { SigInfo } from "../kernel/sig-info.ts";
import type { Task } from "../kernel/task.ts";
import { sendGroupSignal } from "../kernel/task-signals.ts";
import { readTimespec } from "../kernel/timespec.ts";
import type { Socket } from "../net/socket.ts";
import { capable, MAY_READ, MAY_WRITE } from "../vfs/permission.ts";
import { openFile } from "./descriptor.ts";
import { pathArg } from "./path-args.ts";
import { addr, fd, flags, full, inBuf, mode, outBuf, partial, path, type Row, row, size, struct, u32 } from "./row.ts";

const NAME_MAX = 255;
/** struct mq_attr: flags, maxmsg, msgsize, curmsgs, and four that are reserved. */
const ATTR_BYTES = 64;
const MQ_PRIO_MAX = 32768;
/** fs.mqueue.*: defaults, what anybody may ask for, what nobody may. */
const DEFAULT_MESSAGES = 10;
const DEFAULT_BYTES = 8192;
const MOST_MESSAGES = 10;
const MOST_BYTES = 8192;
const HARD_MESSAGES = 65536;
const HARD_BYTES = 16 * 1024 * 1024;
const QUEUES_MAX = 256;

/** The name without the slash that the C library takes away. */
function queueName(task: Task, nameAddr: number): string | number {
  const name = pathArg(task, nameAddr);
  if (typeof name === "number") return name;
  if (name === "") return -E.ENOENT;
  if (name.length > NAME_MAX) return -E.ENAMETOOLONG;
  return name.includes("/") || name === "." || name === ".." ? -E.EACCES : name;
}

export function sys_mq_open(task: Task, nameAddr: number, flags: number, mode: number, attrAddr: number): number {
  if ((flags & O_ACCMODE) === O_ACCMODE) return -E.EINVAL;
  let wanted: Wanted | number = { messages: DEFAULT_MESSAGES, bytes: DEFAULT_BYTES };
  if ((flags & O_CREAT) !== 0 && attrAddr !== 0) {
    wanted = readAttributes(task, attrAddr);
    if (typeof wanted === "number" && wanted === -E.EFAULT) return wanted;
  }
  const name = queueName(task, nameAddr);
  if (typeof name === "number") return name;
  const free = task.files.lowestFree();
  if (free < 0) return free;
  const queue = find(task, name, flags, mode, wanted);
  if (typeof queue === "number") return queue;
  const file = new MqueueFile(queue, flags & (O_ACCMODE | O_NONBLOCK));
  const fd = task.files.install(file, true);
  if (fd < 0) file.unref();
  return fd;
}

interface Wanted {
  readonly messages: number;
  readonly bytes: number;
}

/** The limits that a new queue shall have: -EFAULT, -EINVAL. */
function readAttributes(task: Task, addr: number): Wanted | number {
  if (task.mm.copyIn(addr, ATTR_BYTES) < 0) return -E.EFAULT;
  const messages = scratch.getI64(8);
  const bytes = scratch.getI64(16);
  const trusted = capable(task.cred, CAP_SYS_RESOURCE);
  if (messages <= 0 || messages > (trusted ? HARD_MESSAGES : MOST_MESSAGES)) return -E.EINVAL;
  if (bytes <= 0 || bytes > (trusted ? HARD_BYTES : MOST_BYTES)) return -E.EINVAL;
  return { messages, bytes };
}

function find(task: Task, name: string, flags: number, mode: number, wanted: Wanted | number): Mqueue | number {
  const queues = mqueuesOf(task.kernel);
  const found = queues.byName.get(name);
  if (found !== undefined) {
    if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return -E.EEXIST;
    const access = flags & O_ACCMODE;
    const mask = (access !== O_WRONLY ? MAY_READ : 0) | (access !== O_RDONLY ? MAY_WRITE : 0);
    const denied = found.inode.permission(task.cred, mask);
    return denied !== 0 ? denied : found;
  }
  if ((flags & O_CREAT) === 0) return -E.ENOENT;
  if (typeof wanted === "number") return wanted;
  const { cred, kernel } = task;
  if (queues.count >= QUEUES_MAX && !capable(cred, CAP_SYS_RESOURCE)) return -E.ENOSPC;
  const limit = task.group.limits.get(RLIMIT_MSGQUEUE);
  if (!queues.hasRoom(cred.uid, wanted.messages, wanted.bytes, limit)) return -E.EMFILE;
  const bits = mode & 0o7777 & ~task.fs.umask;
  const inode = mqueueInode(bits, cred.fsuid, cred.fsgid, kernel.clock.realtime().sec);
  const made = new Mqueue(inode, wanted.messages, wanted.bytes, (queue) => queues.remove(queue));
  queues.add(cred.uid, name, made);
  return made;
}

export function sys_mq_unlink(task: Task, nameAddr: number): number {
  const name = queueName(task, nameAddr);
  if (typeof name === "number") return name;
  const { byName } = mqueuesOf(task.kernel);
  const queue = byName.get(name);
  if (queue === undefined) return -E.ENOENT;
  // The directory of all queues is root's and sticky.
  const { cred } = task;
  if (queue.inode.uid !== cred.fsuid && cred.fsuid !== 0 && !capable(cred, CAP_FOWNER)) return -E.EPERM;
  byName.delete(name);
  queue.unlink();
  return 0;
}

function mqueueFile(task: Task, fd: number): MqueueFile | undefined {
  const file = openFile(task, fd);
  return file instanceof MqueueFile ? file : undefined;
}

/** The absolute time at `addr` on the monotonic clock; -EFAULT, -EINVAL. */
function deadline(task: Task, addr: number): { ns: number } | number {
  if (addr === 0) return { ns: Number.POSITIVE_INFINITY };
  const time = readTimespec(task.mm, addr);
  return typeof time === "number" ? time : { ns: realtimeToMonotonic(task.kernel.clock, time.sec, time.nsec) };
}

export function sys_mq_timedsend(
  task: Task,
  fd: number,
  addr: number,
  length: number,
  priority: number,
  timeoutAddr: number,
): number {
  if (priority >= MQ_PRIO_MAX) return -E.EINVAL;
  const until = deadline(task, timeoutAddr);
  if (typeof until === "number") return until;
  const file = mqueueFile(task, fd);
  if (file === undefined || !file.canWrite) return -E.EBADF;
  if (length > file.mqueue.maxBytes) return -E.EMSGSIZE;
  const bytes = new Uint8Array(length);
  if (length > 0 && task.mm.copyInBytes(addr, bytes, 0, length) !== length) return -E.EFAULT;
  return new MqSendOp(file, { bytes, priority }, until.ns).resume(task, Wake.event);
}

export function sys_mq_timedreceive(
  task: Task,
  fd: number,
  addr: number,
  length: number,
  priorityAddr: number,
  timeoutAddr: number,
): number {
  const until = deadline(task, timeoutAddr);
  if (typeof until === "number") return until;
  const file = mqueueFile(task, fd);
  if (file === undefined || !file.canRead) return -E.EBADF;
  if (length < file.mqueue.maxBytes) return -E.EMSGSIZE;
  return new MqReceiveOp(file, addr, priorityAddr, until.ns).resume(task, Wake.event);
}

const SIGEVENT_BYTES = 64;

export function sys_mq_notify(task: Task, fd: number, eventAddr: number): number {
  const event = eventAddr === 0 ? null : readNotice(task, eventAddr);
  if (typeof event === "number") return event;
  const file = mqueueFile(task, fd);
  if (file === undefined) return -E.EBADF;
  const { mqueue } = file;
  if (event === null) {
    if (mqueue.registration?.tgid === task.tgid) mqueue.dropRegistration();
    return 0;
  }
  if (mqueue.registration !== null) return -E.EBUSY;
  event.socket?.ref();
  mqueue.registration = { tgid: task.tgid, file, ...event };
  return 0;
}

interface Notice {
  /** SIGEV_* */
  readonly kind: number;
  readonly signal: number;
  /** For SIGEV_THREAD: where the C library's thread hears of it. */
  readonly socket: Socket | null;
  tell(): void;
  dropped(): void;
}

function readNotice(task: Task, eventAddr: number): Notice | number {
  if (task.mm.copyIn(eventAddr, SIGEVENT_BYTES) < 0) return -E.EFAULT;
  const [valueLo, valueHi, signal, kind] = scratch.i32 as unknown as [number, number, number, number];
  if (kind === S.SIGEV_THREAD) return noticeToSocket(task, task.mm.untag(scratch.getU64(0)), signal);
  if (kind !== S.SIGEV_NONE && kind !== S.SIGEV_SIGNAL) return -E.EINVAL;
  if (kind === S.SIGEV_SIGNAL && (signal < 0 || signal > S.NSIG)) return -E.EINVAL;
  const { group, kernel } = task;
  const tell = (): void => {
    if (kind !== S.SIGEV_SIGNAL || signal === 0) return;
    const sender = kernel.scheduler.current;
    const from = SigInfo.from(signal, S.SI_MESGQ, sender?.tgid ?? 0, sender?.cred.uid ?? 0, valueLo, valueHi);
    sendGroupSignal(group, signal, from);
  };
  return { kind, signal, socket: null, tell, dropped: () => {} };
}

/** NOTIFY_COOKIE_LEN: what a netlink socket gets back, its last byte set to what happened. */
const COOKIE_BYTES = 32;
const NOTIFY_WOKENUP = 1;
const NOTIFY_REMOVED = 2;

function noticeToSocket(task: Task, cookieAddr: number, socketFd: number): Notice | number {
  if (task.mm.copyIn(cookieAddr, COOKIE_BYTES) < 0) return -E.EFAULT;
  const cookie = scratch.u8.slice(0, COOKIE_BYTES);
  const { socketOf } = require("./socket-calls.ts") as typeof import("./socket-calls.ts");
  const netlink = socketOf(task, socketFd);
  if (typeof netlink === "number") return netlink;
  if (netlink.domain !== AF_NETLINK) return -E.EINVAL;
  const send = (what: number) => (): void => {
    cookie[COOKIE_BYTES - 1] = what;
    netlink.tell(cookie);
    netlink.unref();
  };
  const signal = socketFd;
  return { kind: S.SIGEV_THREAD, signal, socket: netlink, tell: send(NOTIFY_WOKENUP), dropped: send(NOTIFY_REMOVED) };
}

export function sys_mq_getsetattr(task: Task, fd: number, newAddr: number, oldAddr: number): number {
  let flags = -1;
  if (newAddr !== 0) {
    if (task.mm.copyIn(newAddr, ATTR_BYTES) < 0) return -E.EFAULT;
    flags = scratch.getI64(0);
    if (flags !== 0 && flags !== O_NONBLOCK) return -E.EINVAL;
  }
  const file = mqueueFile(task, fd);
  if (file === undefined) return -E.EBADF;
  const { mqueue } = file;
  const old = [file.flags & O_NONBLOCK, mqueue.maxMessages, mqueue.maxBytes, mqueue.count, 0, 0, 0, 0];
  if (flags >= 0) file.flags = (file.flags & ~O_NONBLOCK) | flags;
  if (oldAddr === 0) return 0;
  for (const [i, value] of old.entries()) scratch.setU64(8 * i, value);
  return task.mm.copyOut(oldAddr, ATTR_BYTES);
}

export function rows(): Row[] {
  return [
    row(
      180,
      sys_mq_open,
      [path, flags(OPEN_FLAGS), mode, struct("mq_attr")],
      partial("the queues are in no file system"),
    ),
    row(181, sys_mq_unlink, [path], full()),
    row(182, sys_mq_timedsend, [fd, inBuf(2), size, u32, struct("timespec")], full()),
    row(183, sys_mq_timedreceive, [fd, outBuf(2), size, addr, struct("timespec")], full()),
    row(184, sys_mq_notify, [fd, struct("sigevent")], full()),
    row(185, sys_mq_getsetattr, [fd, struct("mq_attr"), struct("mq_attr")], full()),
  ];
}
