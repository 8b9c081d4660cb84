// What every socket is (struct socket, struct proto_ops, net/core/sock.c): an open file with addresses, messages and
// options. Methods never wait: they answer -EAGAIN, and the call layer blocks on `waitQueue`.

import { EAGAIN, EFAULT, EINVAL, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP } from "../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../abi/fcntl.ts";
import { AF_NETLINK, MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC } from "../abi/socket.ts";
import { socketInode } from "../fs/anon/anonymous-inode.ts";
import { WaitQueue } from "../lib/wait-queue.ts";
import type { IoBuffer } from "../mm/io-buffer.ts";
import type { FsContext } from "../vfs/context.ts";
import type { Credentials } from "../vfs/credentials.ts";
import { File } from "../vfs/file.ts";
import type { Inode } from "../vfs/inode.ts";

/** Whoever makes a call; a task is one. */
export interface SocketUser {
  readonly fs: FsContext;
  readonly cred: Credentials;
  readonly tgid: number;
}

/** struct ucred. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Where to find who makes the call that runs now: the scheduler. */
export interface SocketUsers {
  readonly current: SocketUser | null;
}

/** What a UNIX socket knows of who is on the other side: SO_PEERCRED and SO_PEERGROUPS. */
export interface Peer extends PeerCredentials {
  /** null when there is nobody, or nobody of this kernel. */
  readonly groups: readonly number[] | null;
}

export const NOBODY: Peer = { pid: 0, uid: -1, gid: -1, groups: null };

export function credentialsOf(user: SocketUser): Peer {
  return { pid: user.tgid, uid: user.cred.euid, gid: user.cred.egid, groups: user.cred.groups };
}

/** A message on its way out (struct msghdr): what a retry after -EAGAIN still has to send. */
export interface Outgoing {
  readonly io: IoBuffer;
  readonly flags: number;
  /** struct sockaddr, or null for the connected peer. */
  readonly address: Uint8Array | null;
  /** SCM_RIGHTS: one reference of each goes over to the socket that takes them, which then sets this to null. */
  files: File[] | null;
  /** SCM_CREDENTIALS; null stands for the sender's own. */
  readonly credentials: PeerCredentials | null;
  /** Control messages that are the host's business, as they stand in guest memory; empty when there are none. */
  readonly control: Uint8Array;
}

/** What comes with received bytes. */
export interface Incoming {
  readonly io: IoBuffer;
  /** MSG_* of the caller. */
  readonly flags: number;
  /** MSG_TRUNC and the like, to be reported. */
  result: number;
  /** The sender's address; empty when it has none, null when the socket tells nothing. */
  address: Uint8Array | null;
  files: File[];
  credentials: PeerCredentials | null;
  control: Uint8Array;
}

export function incoming(io: IoBuffer, flags: number): Incoming {
  return { io, flags, result: 0, address: null, files: [], credentials: null, control: NO_BYTES };
}

export const NO_BYTES = new Uint8Array(0);

export const TCP_ESTABLISHED = 1;
export const TCP_CLOSE = 7;
export const TCP_LISTEN = 10;

const NEVER_NS = Number.POSITIVE_INFINITY;

export abstract class Socket extends File {
  readonly inode: Inode;
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  protected readonly users: SocketUsers;
  protected readonly queue = new WaitQueue();
  /** SO_RCVTIMEO and SO_SNDTIMEO. */
  receiveTimeoutNs = NEVER_NS;
  sendTimeoutNs = NEVER_NS;

  /** `flags`: O_NONBLOCK. Made by the current user. */
  constructor(domain: number, type: number, protocol: number, flags: number, users: SocketUsers) {
    super(O_RDWR | (flags & O_NONBLOCK));
    this.users = users;
    this.domain = domain;
    this.type = type;
    this.protocol = protocol;
    this.inode = socketInode(this.user.cred.fsuid, this.user.cred.fsgid);
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  /** How long to wait before a call is tried again that nothing will wake. */
  get retryNs(): number {
    return NEVER_NS;
  }

  override get readTimeoutNs(): number {
    return this.receiveTimeoutNs;
  }
  override get writeTimeoutNs(): number {
    return this.sendTimeoutNs;
  }

  protected get user(): SocketUser {
    return this.users.current!;
  }

  /** Whether a call with these MSG_* flags waits. */
  waits(flags: number): boolean {
    return !this.nonblock && (flags & MSG_DONTWAIT) === 0;
  }

  abstract bind(address: Uint8Array): number;
  /** 0; -EAGAIN or -EINPROGRESS when it is not done yet: `connectAgain` after a wake, or an error. */
  abstract connect(address: Uint8Array): number;
  /** Continues a `connect` that a blocking caller waits for. */
  abstract connectAgain(address: Uint8Array): number;
  listen(_backlog: number): number {
    return -EOPNOTSUPP;
  }
  /** The next connection, with flags as for `constructor`; -EAGAIN when there is none yet. */
  accept(_flags: number): Socket | number {
    return -EOPNOTSUPP;
  }
  /** The own address as a struct sockaddr, or -errno. */
  abstract ownAddress(): Uint8Array | number;
  peerAddress(): Uint8Array | number {
    return -ENOTCONN;
  }
  abstract shutdown(how: number): number;
  /** Bytes sent, -EAGAIN, -EPIPE (the caller raises the signal), or another -errno. */
  abstract send(message: Outgoing): number;
  /** Bytes received, or the whole message's length with MSG_TRUNC; 0 at the end; -EAGAIN or another -errno. */
  abstract receive(message: Incoming): number;

  /** setsockopt(2) for what the call layer does not keep itself. `value` is the option as given. */
  setOption(_level: number, _name: number, _value: Uint8Array): number {
    return -ENOPROTOOPT;
  }
  /** SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF: a classic BPF program. */
  attachFilter(_name: number, _program: Uint8Array): number {
    return -ENOPROTOOPT;
  }
  /** getsockopt(2): the value, at most `max` bytes of it, or -errno. */
  option(_level: number, _name: number, _max: number): Uint8Array | number {
    return -ENOPROTOOPT;
  }

  /** A message of the kernel's own, which netlink sockets receive (netlink_sendskb); -EINVAL for all others. */
  tell(_bytes: Uint8Array): number {
    return -EINVAL;
  }

  /** TCP_* of net/tcp_states.h, for the tables of sockets; those of other protocols too are connected, listen, or neither. */
  get connectionState(): number {
    return TCP_CLOSE;
  }
  /** Bytes that the other side has not acknowledged, and those that nobody has read. */
  queuedBytes(): { sending: number; receiving: number } {
    return { sending: 0, receiving: 0 };
  }
  /** Path or abstract name of a UNIX socket. */
  get boundName(): string | null {
    return null;
  }

  override read(io: IoBuffer): number {
    if (io.remaining === 0) return 0;
    const message = incoming(io, 0);
    const n = this.receive(message);
    // Nobody is told of descriptors that came along.
    for (const file of message.files) file.unref();
    return n;
  }

  override write(io: IoBuffer): number {
    return this.send({ io, flags: 0, address: null, files: null, credentials: null, control: NO_BYTES });
  }

  override name(): string {
    return `socket:[${this.inode.ino}]`;
  }
}

/** An i32 as an option's value. */
export function intOption(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** The i32 that an option's value begins with; it must have four bytes. */
export function intOf(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, value.length).getInt32(0, true);
}

/** The first of the kernel's messages to a netlink socket. */
export function receiveFirst(messages: Uint8Array[], message: Incoming): number {
  const { io, flags } = message;
  const bytes = messages[0];
  if (bytes === undefined) return -EAGAIN;
  if ((flags & MSG_PEEK) === 0) messages.shift();
  // The kernel is port 0.
  message.address = netlinkAddress(0);
  const count = Math.min(bytes.length, io.remaining);
  if (count < bytes.length) message.result |= MSG_TRUNC;
  if (count > 0 && io.put(bytes, 0, count) !== count) return -EFAULT;
  return (flags & MSG_TRUNC) !== 0 ? bytes.length : count;
}

export const NETLINK_ADDRESS_BYTES = 12;

/** struct sockaddr_nl. */
export function netlinkAddress(port: number): Uint8Array {
  const bytes = new Uint8Array(NETLINK_ADDRESS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(4, port, true);
  return bytes;
}
