// Making, naming and joining sockets, and their options (net/socket.c).

import {
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  EBADF,
  EDOM,
  EFAULT,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  ERANGE,
  ESOCKTNOSUPPORT,
} from "../abi/errno.ts";
import { O_NONBLOCK } from "../abi/fcntl.ts";
import * as S from "../abi/socket.ts";
import { sockets } from "../host/sockets.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { HostSocket } from "../net/inet/host-socket.ts";
import { Network } from "../net/inet/network.ts";
import { otherLinks } from "../net/interfaces.ts";
import { LinksNetlink } from "../net/netlink.ts";
import { credentialsOf, intOption, Socket } from "../net/socket.ts";
import { UnixDatagram } from "../net/unix/datagram.ts";
import { UnixStream } from "../net/unix/stream.ts";
import { join, type UnixSocket } from "../net/unix/unix-socket.ts";
import { openFile } from "./descriptor.ts";
import { deadlineOf, nothingCame } from "./read-write.ts";

const CREATE_FLAGS = S.SOCK_NONBLOCK | S.SOCK_CLOEXEC;
const NEVER_NS = Number.POSITIVE_INFINITY;

const networks = new WeakMap<Kernel, Network>();

function networkOf(kernel: Kernel): Network {
  let network = networks.get(kernel);
  if (network === undefined) {
    network = new Network(kernel.poller, kernel.isolated);
    networks.set(kernel, network);
  }
  return network;
}

/** The socket of a descriptor, -EBADF, or -ENOTSOCK. */
export function socketOf(task: Task, fd: number): Socket | number {
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  return file instanceof Socket ? file : -ENOTSOCK;
}

export function socket(task: Task, domain: number, type: number, protocol: number): number {
  const made = make(task, domain, type, protocol);
  if (typeof made === "number") return made;
  const fd = task.files.install(made, (type & S.SOCK_CLOEXEC) !== 0);
  if (fd < 0) made.unref();
  return fd;
}

function make(task: Task, domain: number, type: number, protocol: number): Socket | number {
  const flags = type & ~S.SOCK_TYPE_MASK;
  const kind = type & S.SOCK_TYPE_MASK;
  if ((flags & ~CREATE_FLAGS) !== 0) return -EINVAL;
  if (domain < 0 || domain >= S.AF_MAX) return -EAFNOSUPPORT;
  if (kind > 10) return -EINVAL;
  if (domain === S.AF_UNIX) return makeUnix(task, kind, protocol, flags);
  const internet = domain === S.AF_INET || domain === S.AF_INET6;
  if (!internet && domain !== S.AF_NETLINK) return -EAFNOSUPPORT;
  const network = networkOf(task.kernel);
  const isRoute = domain === S.AF_NETLINK && protocol === S.NETLINK_ROUTE;
  if (network.isolated && isRoute)
    return new LinksNetlink(domain, kind, protocol, flags & O_NONBLOCK, task.kernel.scheduler);
  if (network.isolated && !(internet && (kind === S.SOCK_STREAM || kind === S.SOCK_DGRAM))) return -EAFNOSUPPORT;
  const fd = sockets.open(domain, kind, protocol);
  if (fd === -EAFNOSUPPORT && isRoute) {
    // A Mac has none.
    const socket = new LinksNetlink(domain, kind, protocol, flags & O_NONBLOCK, task.kernel.scheduler);
    socket.others = otherLinks;
    return socket;
  }
  if (fd < 0) return fd;
  return new HostSocket(domain, kind, protocol, flags & O_NONBLOCK, task.kernel.scheduler, fd, network);
}

function makeUnix(task: Task, kind: number, protocol: number, flags: number): UnixSocket | number {
  if (protocol !== 0 && protocol !== S.AF_UNIX) return -EPROTONOSUPPORT;
  const users = task.kernel.scheduler;
  const status = flags & O_NONBLOCK;
  switch (kind) {
    case S.SOCK_STREAM:
      return new UnixStream(S.AF_UNIX, kind, protocol, status, users);
    case S.SOCK_RAW:
      return new UnixDatagram(S.AF_UNIX, S.SOCK_DGRAM, protocol, status, users);
    case S.SOCK_DGRAM:
    case S.SOCK_SEQPACKET:
      return new UnixDatagram(S.AF_UNIX, kind, protocol, status, users);
  }
  return -ESOCKTNOSUPPORT;
}

export function socketpair(task: Task, domain: number, type: number, protocol: number, addr: number): number {
  if ((type & ~(S.SOCK_TYPE_MASK | CREATE_FLAGS)) !== 0) return -EINVAL;
  if (domain !== S.AF_UNIX) {
    const made = make(task, domain, type, protocol);
    if (typeof made === "number") return made;
    made.unref();
    return -EOPNOTSUPP;
  }
  const kind = type & S.SOCK_TYPE_MASK;
  const first = makeUnix(task, kind, protocol, type);
  if (typeof first === "number") return first;
  const second = makeUnix(task, kind, protocol, type) as UnixSocket;
  first.peerCredentials = credentialsOf(task);
  join(first, second, credentialsOf(task));
  return installPair(task, first, second, (type & S.SOCK_CLOEXEC) !== 0, addr);
}

function installPair(task: Task, first: Socket, second: Socket, cloexec: boolean, addr: number): number {
  const { files } = task;
  const a = files.install(first, cloexec);
  const b = a < 0 ? a : files.install(second, cloexec);
  const failed = b < 0 ? b : task.mm.writeU32(addr, a) < 0 || task.mm.writeU32(addr + 4, b) < 0 ? -EFAULT : 0;
  if (failed === 0) return 0;
  if (a < 0) first.unref();
  else files.close(a);
  if (b < 0) second.unref();
  else files.close(b);
  return failed;
}

/** A struct sockaddr out of guest memory: -EINVAL, -EFAULT. */
export function readAddress(task: Task, addr: number, length: number): Uint8Array | number {
  if (length < 0 || length > S.SOCKADDR_STORAGE_BYTES) return -EINVAL;
  const bytes = new Uint8Array(length);
  return length > 0 && task.mm.copyInBytes(addr, bytes, 0, length) !== length ? -EFAULT : bytes;
}

/** Writes an address, cut at the guest's length, and its whole length (move_addr_to_user). 0 or -errno. */
export function writeAddress(task: Task, address: Uint8Array, addr: number, lengthAddr: number): number {
  const room = task.mm.readU32(lengthAddr);
  if (room < 0) return room;
  if (room > 0x7fffffff) return -EINVAL;
  const count = Math.min(room, address.length);
  if (count > 0 && task.mm.copyOutBytes(addr, address, 0, count) !== count) return -EFAULT;
  return task.mm.writeU32(lengthAddr, address.length);
}

export function bind(task: Task, fd: number, addr: number, length: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  const address = readAddress(task, addr, length);
  return typeof address === "number" ? address : socket.bind(address);
}

export function listen(task: Task, fd: number, backlog: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === "number" ? socket : socket.listen(backlog);
}

export function shutdown(task: Task, fd: number, how: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === "number" ? socket : socket.shutdown(how);
}

export function addressOf(task: Task, fd: number, addr: number, lengthAddr: number, peer: boolean): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  const address = peer ? socket.peerAddress() : socket.ownAddress();
  return typeof address === "number" ? address : writeAddress(task, address, addr, lengthAddr);
}

export function accept(task: Task, fd: number, addr: number, lengthAddr: number, flags: number): number {
  if ((flags & ~CREATE_FLAGS) !== 0) return -EINVAL;
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  const free = task.files.lowestFree();
  if (free < 0) return free;
  const op = new AcceptOp(socket, addr, lengthAddr, flags, deadlineOf(task, socket.receiveTimeoutNs));
  return op.resume(task, socket.nonblock ? Wake.timeout : Wake.event);
}

class AcceptOp implements Op {
  private readonly listener: Socket;
  private readonly addr: number;
  private readonly lengthAddr: number;
  private readonly flags: number;
  private readonly deadlineNs: number;

  constructor(listener: Socket, addr: number, lengthAddr: number, flags: number, deadlineNs: number) {
    this.listener = listener.ref();
    this.addr = addr;
    this.lengthAddr = lengthAddr;
    this.flags = flags;
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    const { listener } = this;
    const made = listener.accept(this.flags & O_NONBLOCK);
    if (made === -EAGAIN && wake === Wake.event) return task.block(this, listener.waitQueue, this.deadlineNs);
    listener.unref();
    if (made === -EAGAIN) return nothingCame(wake, this.deadlineNs);
    return typeof made === "number" ? made : this.install(task, made);
  }

  private install(task: Task, made: Socket): number {
    if (this.addr !== 0) {
      const address = made.peerAddress();
      const error = typeof address === "number" ? address : writeAddress(task, address, this.addr, this.lengthAddr);
      if (error < 0) {
        made.unref();
        return error;
      }
    }
    const fd = task.files.install(made, (this.flags & S.SOCK_CLOEXEC) !== 0);
    if (fd < 0) made.unref();
    return fd;
  }

  cancel(): void {
    this.listener.unref();
  }
}

export function connect(task: Task, fd: number, addr: number, length: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  const address = readAddress(task, addr, length);
  if (typeof address === "number") return address;
  const error = socket.connect(address);
  const unfinished = error === -EAGAIN || error === -EINPROGRESS || error === -EALREADY;
  if (!unfinished || socket.nonblock) return error;
  const op = new ConnectOp(
    socket,
    address,
    error === -EAGAIN ? EAGAIN : EINPROGRESS,
    deadlineOf(task, socket.sendTimeoutNs),
  );
  return sleep(task, op, socket, op.deadlineNs);
}

/** Blocks `op` until the socket's next event, the deadline, or the time to try again. */
export function sleep(task: Task, op: Op, socket: Socket, deadlineNs: number): number {
  return task.block(op, socket.waitQueue, Math.min(deadlineNs, deadlineOf(task, socket.retryNs)));
}

/** Whether a wake says that the call is to be tried, and perhaps to sleep again. */
export function goesOn(task: Task, wake: Wake, deadlineNs: number): boolean {
  return wake === Wake.event || (wake === Wake.timeout && task.kernel.clock.monotonicNs() < deadlineNs);
}

class ConnectOp implements Op {
  private readonly socket: Socket;
  private readonly address: Uint8Array;
  /** The error of a wait that took too long. */
  private readonly late: number;
  readonly deadlineNs: number;

  constructor(socket: Socket, address: Uint8Array, late: number, deadlineNs: number) {
    this.socket = socket.ref();
    this.address = address;
    this.late = late;
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    const { socket } = this;
    const error = socket.connectAgain(this.address);
    const unfinished = error === -EAGAIN || error === -EALREADY;
    if (unfinished && goesOn(task, wake, this.deadlineNs)) return sleep(task, this, socket, this.deadlineNs);
    socket.unref();
    if (unfinished) return nothingCame(wake, this.deadlineNs, this.late);
    // Somebody else has seen it through meanwhile.
    return error === -EISCONN ? 0 : error;
  }

  cancel(): void {
    this.socket.unref();
  }
}

// Options

const OPTION_MAX = 4096;

export function setOption(task: Task, fd: number, level: number, name: number, addr: number, length: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  if (length < 0) return -EINVAL;
  const value = new Uint8Array(Math.min(length, OPTION_MAX));
  if (value.length > 0 && task.mm.copyInBytes(addr, value, 0, value.length) !== value.length) return -EFAULT;
  if (level === S.SOL_SOCKET && (name === S.SO_ATTACH_FILTER || name === S.SO_ATTACH_REUSEPORT_CBPF))
    return attachFilter(task, socket, name, value);
  if (level === S.SOL_SOCKET && isTimeout(name)) return setTimeLimit(socket, isReceive(name), value);
  return socket.setOption(level, name, value);
}

/** struct sock_fprog: u16 length, u64 pointer to instructions of 8 bytes. */
const FPROG_BYTES = 16;
const FILTER_BYTES = 8;
const FILTER_MAX = 4096;

function attachFilter(task: Task, socket: Socket, name: number, fprog: Uint8Array): number {
  if (fprog.length !== FPROG_BYTES) return -EINVAL;
  const view = new DataView(fprog.buffer);
  const count = view.getUint16(0, true);
  if (count === 0 || count > FILTER_MAX) return -EINVAL;
  const program = new Uint8Array(count * FILTER_BYTES);
  const addr = task.mm.untag(Number(view.getBigUint64(8, true)));
  if (task.mm.copyInBytes(addr, program, 0, program.length) !== program.length) return -EFAULT;
  return socket.attachFilter(name, program);
}

function isTimeout(name: number): boolean {
  return isReceive(name) || name === S.SO_SNDTIMEO || name === S.SO_SNDTIMEO_NEW;
}

function isReceive(name: number): boolean {
  return name === S.SO_RCVTIMEO || name === S.SO_RCVTIMEO_NEW;
}

const TIMEVAL_BYTES = 16;

/** struct timeval; zero is no limit. */
function setTimeLimit(socket: Socket, receive: boolean, value: Uint8Array): number {
  if (value.length < TIMEVAL_BYTES) return -EINVAL;
  const view = new DataView(value.buffer);
  const sec = Number(view.getBigInt64(0, true));
  const usec = Number(view.getBigInt64(8, true));
  if (usec < 0 || usec >= 1e6) return -EDOM;
  const ns = sec < 0 ? 0 : sec * 1e9 + usec * 1000;
  // A negative time is none at all.
  const limit = sec >= 0 && ns === 0 ? NEVER_NS : ns;
  if (receive) socket.receiveTimeoutNs = limit;
  else socket.sendTimeoutNs = limit;
  return 0;
}

function timeoutOption(ns: number): Uint8Array {
  const bytes = new Uint8Array(TIMEVAL_BYTES);
  if (ns === NEVER_NS) return bytes;
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.floor(ns / 1e9)), true);
  view.setBigInt64(8, BigInt(Math.floor((ns % 1e9) / 1000)), true);
  return bytes;
}

export function getOption(
  task: Task,
  fd: number,
  level: number,
  name: number,
  addr: number,
  lengthAddr: number,
): number {
  const socket = socketOf(task, fd);
  if (typeof socket === "number") return socket;
  const room = task.mm.readU32(lengthAddr);
  if (room < 0) return room;
  if (room > 0x7fffffff) return -EINVAL;
  const value = (level === S.SOL_SOCKET ? commonOption(socket, name) : null) ?? socket.option(level, name, room);
  if (typeof value === "number") return value;
  if (level === S.SOL_SOCKET && name === S.SO_PEERGROUPS && room < value.length) {
    return task.mm.writeU32(lengthAddr, value.length) < 0 ? -EFAULT : -ERANGE;
  }
  const count = Math.min(room, value.length);
  if (count > 0 && task.mm.copyOutBytes(addr, value, 0, count) !== count) return -EFAULT;
  return task.mm.writeU32(lengthAddr, count);
}

/** Options that every socket has, or null. */
function commonOption(socket: Socket, name: number): Uint8Array | null {
  switch (name) {
    case S.SO_TYPE:
      return intOption(socket.type);
    case S.SO_DOMAIN:
      return intOption(socket.domain);
    case S.SO_RCVTIMEO:
    case S.SO_RCVTIMEO_NEW:
      return timeoutOption(socket.receiveTimeoutNs);
    case S.SO_SNDTIMEO:
    case S.SO_SNDTIMEO_NEW:
      return timeoutOption(socket.sendTimeoutNs);
    case S.SO_PROTOCOL:
      return socket.domain === S.AF_UNIX ? intOption(0) : null;
    case S.SO_LINGER:
      return socket.domain === S.AF_UNIX ? new Uint8Array(8) : null;
  }
  return null;
}
