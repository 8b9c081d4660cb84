// Sending and receiving (send(2), recv(2), sendmmsg(2), recvmmsg(2); net/socket.c).

import { EAGAIN, EFAULT, EINVAL, EMSGSIZE, EPIPE } from "../abi/errno.ts";
import * as S from "../abi/socket.ts";
import { BLOCKED, type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { readTimespec, spanNs } from "../kernel/timespec.ts";
import type { UserBuffer } from "../mm/user-buffer.ts";
import { type Incoming, incoming, NO_BYTES, type Outgoing, type Socket } from "../net/socket.ts";
import { type Control, ControlWriter, dropFiles, NO_CONTROL, readControl } from "./control-messages.ts";
import { rangeError } from "./descriptor.ts";
import { brokenPipe, deadlineOf, nothingCame } from "./read-write.ts";
import { goesOn, readAddress, sleep, socketOf, writeAddress } from "./socket-calls.ts";

const UIO_MAXIOV = 1024;
const NEVER_NS = Number.POSITIVE_INFINITY;

// Sending

export function sendto(
  task: Task,
  fd: number,
  buffer: number,
  count: number,
  flags: number,
  addr: number,
  length: number,
): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  const io = piece(task, buffer, count);
  if (typeof io === "number") return io;
  const address = addr === 0 ? null : readAddress(task, addr, length);
  return typeof address === "number" ? address : send(task, socket, io, flags, address, NO_CONTROL);
}

function piece(task: Task, addr: number, count: number): UserBuffer | number {
  const error = addr + count > 2 ** 48 ? rangeError(addr, count) : 0;
  return error < 0 ? error : task.mm.buffer(addr, count);
}

function send(
  task: Task,
  socket: Socket,
  io: UserBuffer,
  flags: number,
  address: Uint8Array | null,
  control: Control,
): number {
  const { files, credentials, rest } = control;
  const message: Outgoing = { io, flags, address, files, credentials, control: rest };
  const total = io.remaining;
  const n = socket.send(message);
  const more = n === -EAGAIN || (n > 0 && n < total && socket.type === S.SOCK_STREAM);
  if (more && socket.waits(flags)) {
    const op = new SendOp(
      socket,
      { ...message, io: io.clone() },
      Math.max(0, n),
      deadlineOf(task, socket.sendTimeoutNs),
    );
    return n === -EAGAIN ? sleep(task, op, socket, op.deadlineNs) : op.resume(task, Wake.event);
  }
  dropFiles(message.files);
  return n === -EPIPE ? noReader(task, socket, flags) : n;
}

function noReader(task: Task, socket: Socket, flags: number): number {
  // Only streams and their like have readers that can be missing.
  if ((flags & S.MSG_NOSIGNAL) !== 0 || socket.type === S.SOCK_DGRAM) return -EPIPE;
  return brokenPipe(task);
}

class SendOp implements Op {
  private readonly socket: Socket;
  private readonly message: Outgoing;
  private done: number;
  readonly deadlineNs: number;

  constructor(socket: Socket, message: Outgoing, done: number, deadlineNs: number) {
    this.socket = socket.ref() as Socket;
    this.message = message;
    this.done = done;
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    const { socket, message } = this;
    let n = 0;
    do {
      n = socket.send(message);
      if (n > 0) this.done += n;
    } while (n > 0 && message.io.remaining > 0 && socket.type === S.SOCK_STREAM);
    if (n === -EAGAIN && goesOn(task, wake, this.deadlineNs)) return sleep(task, this, socket, this.deadlineNs);
    this.cancel();
    if (this.done > 0) return this.done;
    if (n === -EAGAIN) return nothingCame(wake, this.deadlineNs);
    return n === -EPIPE ? noReader(task, socket, message.flags) : n;
  }

  cancel(): void {
    dropFiles(this.message.files);
    this.message.files = null;
    this.socket.unref();
  }
}

/** struct msghdr. */
interface Header {
  name: number;
  nameLength: number;
  io: UserBuffer;
  control: number;
  controlLength: number;
}

function readHeader(task: Task, addr: number): Header | number {
  const { mm } = task;
  const bytes = new Uint8Array(S.MSGHDR.bytes);
  if (mm.copyInBytes(addr, bytes, 0, bytes.length) !== bytes.length) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const word = (offset: number): number => Number(view.getBigUint64(offset, true));
  const nameLength = view.getInt32(S.MSGHDR.namelen, true);
  if (nameLength < 0) return -EINVAL;
  const pieces = word(S.MSGHDR.iovlen);
  if (pieces > UIO_MAXIOV) return -EMSGSIZE;
  const io = mm.vector(mm.untag(word(S.MSGHDR.iov)), pieces);
  if (typeof io === "number") return io;
  return {
    name: mm.untag(word(S.MSGHDR.name)),
    nameLength: Math.min(nameLength, S.SOCKADDR_STORAGE_BYTES),
    io,
    control: mm.untag(word(S.MSGHDR.control)),
    controlLength: word(S.MSGHDR.controllen),
  };
}

export function sendmsg(task: Task, fd: number, messageAddr: number, flags: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === "number" ? socket : sendHeader(task, socket, messageAddr, flags);
}

function sendHeader(task: Task, socket: Socket, messageAddr: number, flags: number): number {
  const header = readHeader(task, messageAddr);
  if (typeof header === "number") return header;
  const named = header.name !== 0 && header.nameLength > 0;
  const address = named ? readAddress(task, header.name, header.nameLength) : null;
  if (typeof address === "number") return address;
  const control = readControl(task, header.control, header.control === 0 ? 0 : header.controlLength);
  return typeof control === "number" ? control : send(task, socket, header.io, flags, address, control);
}

/** Messages after the first go only as far as nobody has to wait. */
export function sendmmsg(task: Task, fd: number, vector: number, count: number, flags: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  let done = 0;
  for (; done < Math.min(count >>> 0, UIO_MAXIOV); done++) {
    const at = vector + done * S.MMSGHDR_BYTES;
    const n = sendHeader(task, socket, at, done === 0 ? flags : flags | S.MSG_DONTWAIT);
    if (n === BLOCKED) return task.replaceOp((op) => new SentFirst(op, at));
    if (n < 0) return done > 0 ? done : n;
    if (task.mm.writeU32(at + S.MSGHDR.bytes, n) < 0) return done > 0 ? done : -EFAULT;
  }
  return done;
}

/** The first message of a sendmmsg(2) had to wait: its length is still to be told. */
class SentFirst implements Op {
  private readonly op: Op;
  private readonly at: number;

  constructor(op: Op, at: number) {
    this.op = op;
    this.at = at;
  }

  resume(task: Task, wake: Wake): number {
    const n = this.op.resume(task, wake);
    if (n === BLOCKED) return task.replaceOp((op) => new SentFirst(op, this.at));
    if (n < 0) return n;
    return task.mm.writeU32(this.at + S.MSGHDR.bytes, n) < 0 ? -EFAULT : 1;
  }

  cancel(task: Task): void {
    this.op.cancel?.(task);
  }
}

// Receiving

/** What to do with a received message: the call's result. */
type Report = (task: Task, message: Incoming, n: number) => number;

export function recvfrom(
  task: Task,
  fd: number,
  buffer: number,
  count: number,
  flags: number,
  addr: number,
  lengthAddr: number,
): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  const io = piece(task, buffer, count);
  if (typeof io === "number") return io;
  return receive(task, socket, incoming(io, flags), (task, message, n) => {
    dropFiles(message.files);
    if (addr === 0) return n;
    const error = writeAddress(task, message.address ?? NO_BYTES, addr, lengthAddr);
    return error < 0 ? error : n;
  });
}

function receive(task: Task, socket: Socket, message: Incoming, report: Report): number {
  const waits = socket.waits(message.flags);
  const op = new ReceiveOp(socket, message, deadlineOf(task, socket.receiveTimeoutNs), report);
  return op.begin(task, waits);
}

class ReceiveOp implements Op {
  private readonly socket: Socket;
  private message: Incoming;
  private readonly deadlineNs: number;
  private readonly report: Report;
  /** Bytes received so far with MSG_WAITALL. */
  private done = 0;
  private held = false;

  constructor(socket: Socket, message: Incoming, deadlineNs: number, report: Report) {
    this.socket = socket;
    this.message = message;
    this.deadlineNs = deadlineNs;
    this.report = report;
  }

  begin(task: Task, waits: boolean): number {
    const n = this.attempt();
    if (n === -EAGAIN && waits) return this.wait(task);
    return n === -EAGAIN && this.done > 0 ? this.finish(task, this.done) : this.finish(task, n);
  }

  private wait(task: Task): number {
    if (!this.held) {
      this.socket.ref();
      this.message = { ...this.message, io: (this.message.io as UserBuffer).clone() };
      this.held = true;
    }
    return task.block(this, this.socket.waitQueue, this.deadlineNs);
  }

  /** Receives; with MSG_WAITALL until the buffer is full. The total, -EAGAIN while more is to come, or -errno. */
  private attempt(): number {
    const { socket, message } = this;
    const all =
      socket.type === S.SOCK_STREAM && (message.flags & S.MSG_WAITALL) !== 0 && (message.flags & S.MSG_PEEK) === 0;
    for (;;) {
      const n = socket.receive(message);
      if (n === -EAGAIN) return n;
      if (n < 0) return this.done > 0 ? this.done : n;
      this.done += n;
      if (!all || n === 0 || message.io.remaining === 0 || message.files.length > 0) return this.done;
    }
  }

  resume(task: Task, wake: Wake): number {
    const n = this.attempt();
    if (n === -EAGAIN && wake === Wake.event) return this.wait(task);
    this.socket.unref();
    if (n !== -EAGAIN) return this.finish(task, n);
    return this.done > 0 ? this.finish(task, this.done) : nothingCame(wake, this.deadlineNs);
  }

  private finish(task: Task, n: number): number {
    return n < 0 ? n : this.report(task, this.message, n);
  }

  cancel(): void {
    this.socket.unref();
  }
}

export function recvmsg(task: Task, fd: number, messageAddr: number, flags: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  return receiveHeader(task, socket, messageAddr, flags, (_task, n) => n);
}

function receiveHeader(
  task: Task,
  socket: Socket,
  messageAddr: number,
  flags: number,
  done: (task: Task, n: number) => number,
): number {
  const header = readHeader(task, messageAddr);
  if (typeof header === "number") return header;
  return receive(task, socket, incoming(header.io, flags), (task, message, n) => {
    const error = writeHeader(task, header, messageAddr, message);
    return error < 0 ? error : done(task, n);
  });
}

function writeHeader(task: Task, header: Header, messageAddr: number, message: Incoming): number {
  const { mm } = task;
  const control = new ControlWriter(task, header.control, header.controlLength);
  if (message.credentials !== null) control.putCredentials(message.credentials);
  if (message.files.length > 0) control.putFiles(message.files, (message.flags & S.MSG_CMSG_CLOEXEC) !== 0);
  if (message.control.length > 0) control.putRest(message.control);
  if (header.name !== 0) {
    const address = message.address ?? NO_BYTES;
    const count = Math.min(address.length, header.nameLength);
    if (count > 0 && mm.copyOutBytes(header.name, address, 0, count) !== count) return -EFAULT;
    if (mm.writeU32(messageAddr + S.MSGHDR.namelen, address.length) < 0) return -EFAULT;
  }
  const flags = message.result | control.flags | (message.flags & S.MSG_CMSG_CLOEXEC);
  if (mm.writeU64(messageAddr + S.MSGHDR.controllen, control.written) < 0) return -EFAULT;
  return mm.writeU32(messageAddr + S.MSGHDR.flags, flags);
}

export function recvmmsg(
  task: Task,
  fd: number,
  vector: number,
  count: number,
  flags: number,
  timeoutAddr: number,
): number {
  let limitNs = NEVER_NS;
  if (timeoutAddr !== 0) {
    const time = readTimespec(task.mm, timeoutAddr);
    if (typeof time === "number") return time;
    limitNs = task.kernel.clock.monotonicNs() + spanNs(time);
  }
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  return new ManyReceived(socket, vector, Math.min(count >>> 0, UIO_MAXIOV), flags, limitNs).next(task);
}

/** Receives message after message; the timeout is looked at between them only, as Linux does it. */
class ManyReceived {
  private readonly socket: Socket;
  private readonly vector: number;
  private readonly count: number;
  private flags: number;
  private readonly limitNs: number;
  private done = 0;

  constructor(socket: Socket, vector: number, count: number, flags: number, limitNs: number) {
    this.socket = socket;
    this.vector = vector;
    this.count = count;
    this.flags = flags;
    this.limitNs = limitNs;
  }

  next(task: Task): number {
    while (this.done < this.count) {
      const at = this.vector + this.done * S.MMSGHDR_BYTES;
      const flags = this.flags & ~S.MSG_WAITFORONE;
      const n = receiveHeader(task, this.socket, at, flags, (task, length) => this.one(task, at, length));
      if (n === BLOCKED) return task.replaceOp((op) => new ReceiveMore(op, this));
      if (n < 0) return this.end(n);
      if (task.kernel.clock.monotonicNs() >= this.limitNs) break;
    }
    return this.done;
  }

  /** What was received counts more than what came after it. */
  end(error: number): number {
    return this.done > 0 ? this.done : error;
  }

  private one(task: Task, at: number, length: number): number {
    if (task.mm.writeU32(at + S.MSGHDR.bytes, length) < 0) return -EFAULT;
    this.done += 1;
    if ((this.flags & S.MSG_WAITFORONE) !== 0) this.flags |= S.MSG_DONTWAIT;
    return 0;
  }
}

/** A message that is waited for, and then the others. */
class ReceiveMore implements Op {
  private readonly op: Op;
  private readonly many: ManyReceived;

  constructor(op: Op, many: ManyReceived) {
    this.op = op;
    this.many = many;
  }

  resume(task: Task, wake: Wake): number {
    const n = this.op.resume(task, wake);
    if (n === BLOCKED) return task.replaceOp((op) => new ReceiveMore(op, this.many));
    return n < 0 ? this.many.end(n) : this.many.next(task);
  }

  cancel(task: Task): void {
    this.op.cancel?.(task);
  }
}
