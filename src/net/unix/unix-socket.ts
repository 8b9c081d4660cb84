// UNIX sockets (unix(7), net/unix/af_unix.c): names, connections, shutdown, readiness, options. How bytes travel is in
// stream.ts and datagram.ts.
//
// DIFFERS: sockets that lie in each other's receive queues and are open nowhere else stay (there is no unix_gc).

import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EFAULT,
  EINVAL,
  EISCONN,
  ENODATA,
  ENOPROTOOPT,
  ENOTCONN,
  ENOTTY,
  EOPNOTSUPP,
  EPROTOTYPE,
} from "../../abi/errno.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM } from "../../abi/poll.ts";
import * as S from "../../abi/socket.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { HostMeeting, Inode } from "../../vfs/inode.ts";
import {
  credentialsOf,
  intOf,
  intOption,
  NOBODY,
  type Outgoing,
  type Peer,
  Socket,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../socket.ts";
import { HostEnd } from "./host-end.ts";
import { addressOf, bindAutomatically, bindName, findSocket, nameOf, releaseName } from "./names.ts";
import { Packet, type PacketOwner, PacketQueue } from "./packet.ts";

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND;

/** Bits of `shut`. */
export const RECEIVE = 1;
export const SEND = 2;

/** net.core.wmem_default and what SO_SNDBUF may ask for (wmem_max), doubled as the kernel doubles it. */
const BUFFER_DEFAULT = 212992;
const BUFFER_MAX = 2 * 212992;
const SEND_MIN = 4608;
const RECEIVE_MIN = 2304;

const RETRY_NS = 5e6;

export const State = { closed: 0, listening: 1, connected: 2 } as const;
export type State = (typeof State)[keyof typeof State];

export abstract class UnixSocket extends Socket implements PacketOwner {
  state: State = State.closed;
  /** Who gets what is sent. It stays after the peer has closed. */
  peer: UnixSocket | null = null;
  /** Where programs of the host find this socket, or it found one of theirs. */
  host: HostEnd | null = null;
  /** The peer is a program of the host. */
  protected away = false;
  /** Bound name: a path or an abstract name; null without one. */
  bound: string | null = null;
  boundTo: Inode | null = null;
  shut = 0;
  /** SO_ERROR, positive. */
  error = 0;
  dead = false;
  /** It waits in a listener's queue; whoever connected is its peer. */
  embryo = false;
  readonly packets = new PacketQueue();
  /** Bytes, bookkeeping included, that lie unread at peers; at most about `sendBuffer`. */
  protected outstanding = 0;
  protected sendBuffer = BUFFER_DEFAULT;
  private receiveBuffer = BUFFER_DEFAULT;
  protected passCredentials = false;
  private plainOptions: Map<number, number> | null = null;
  /** Of a listener: connections that nobody has accepted, and how many there may be. */
  private pending: UnixSocket[] = [];
  private backlog = 0;
  peerCredentials: Peer = NOBODY;
  /** Sockets that wait until this one has room. */
  private readonly senders = new Set<UnixSocket>();

  /** A socket of the same kind for the other end of a connection. */
  protected abstract make(flags: number): UnixSocket;

  get isConnectionBased(): boolean {
    return this.type !== S.SOCK_DGRAM;
  }

  wake(events: number): void {
    this.queue.wake(events);
  }

  /** The host does not tell when a listener or receiver of its own has room again. */
  override get retryNs(): number {
    return this.host === null || this.away ? super.retryNs : RETRY_NS;
  }

  // Names

  override bind(address: Uint8Array): number {
    const name = nameOf(address);
    if (typeof name === "number") return name;
    if (name === "") {
      if (this.bound === null) this.bound = bindAutomatically(this);
      return 0;
    }
    if (this.bound !== null) return -EINVAL;
    const error = bindName(this.user, this, name);
    if (error === 0) this.bound = name;
    return error;
  }

  /** A socket of the host to go with this one; made when there is none yet. */
  fdFor(place: HostMeeting): number {
    const host = this.hostEnd(place);
    return typeof host === "number" ? host : host.fd;
  }

  protected hostEnd(place: HostMeeting): HostEnd | number {
    if (this.host !== null) return this.host;
    const made = HostEnd.open(this.type, place, this.queue);
    if (typeof made !== "number") this.host = made;
    return made;
  }

  override ownAddress(): Uint8Array {
    return addressOf(this.bound);
  }

  override peerAddress(): Uint8Array | number {
    if (this.away) return this.host!.peerAddress();
    return this.peer === null ? -ENOTCONN : addressOf(this.peer.bound);
  }

  /** The live socket of this kind at an address, a place where the host may know one, or -errno. */
  protected find(address: Uint8Array): UnixSocket | HostMeeting | number {
    const name = nameOf(address);
    if (typeof name === "number") return name;
    if (name === "") return -EINVAL;
    const found = findSocket(this.user, name);
    if (!(found instanceof UnixSocket)) return found;
    return found.type === this.type ? found : -EPROTOTYPE;
  }

  // Connections

  override listen(backlog: number): number {
    if (!this.isConnectionBased) return -EOPNOTSUPP;
    if (this.bound === null || this.state === State.connected) return -EINVAL;
    this.backlog = Math.min(backlog >>> 0, S.SOMAXCONN);
    this.state = State.listening;
    this.peerCredentials = credentialsOf(this.user);
    this.wake(WRITABLE);
    return this.host?.listen(this.backlog) ?? 0;
  }

  override connect(address: Uint8Array): number {
    if (!this.isConnectionBased) return this.setPeer(address);
    const listener = this.find(address);
    if (typeof listener === "number") return listener;
    if (!(listener instanceof UnixSocket)) return this.connectAway(listener);
    if (listener.state !== State.listening || (listener.shut & RECEIVE) !== 0) return -ECONNREFUSED;
    if (listener.pending.length > listener.backlog) {
      listener.senders.add(this);
      return -EAGAIN;
    }
    if (this.state === State.listening) return -EINVAL;
    if (this.state === State.connected) return -EISCONN;
    if (this.passCredentials && this.bound === null) this.bound = bindAutomatically(this);
    const other = this.make(0);
    other.bound = listener.bound;
    other.passCredentials = listener.passCredentials;
    other.embryo = true;
    this.peerCredentials = listener.peerCredentials;
    join(this, other, credentialsOf(this.user));
    listener.pending.push(other);
    listener.wake(READABLE);
    return 0;
  }

  /** Connects to a program of the host. */
  private connectAway(place: HostMeeting): number {
    if (this.state === State.listening) return -EINVAL;
    if (this.isConnectionBased && this.state === State.connected) return -EISCONN;
    const host = this.hostEnd(place);
    if (typeof host === "number") return host;
    const error = host.connect(place);
    if (error !== 0) return error;
    this.peer = null;
    this.away = true;
    this.state = State.connected;
    this.wake(WRITABLE);
    return 0;
  }

  /** A datagram socket gets another default receiver. */
  private comeHome(): void {
    if (this.away) this.host!.disconnect();
    this.away = false;
  }

  override connectAgain(address: Uint8Array): number {
    return this.connect(address);
  }

  /** connect(2) of a datagram socket: only names the default receiver; AF_UNSPEC takes it back. */
  private setPeer(address: Uint8Array): number {
    if (address.length < 2) return -EINVAL;
    if ((address[0]! | (address[1]! << 8)) === S.AF_UNSPEC) {
      this.comeHome();
      this.peer = null;
      this.state = State.closed;
      return 0;
    }
    const found = this.find(address);
    if (typeof found === "number") return found;
    if (!(found instanceof UnixSocket)) return this.connectAway(found);
    this.comeHome();
    if (this.passCredentials && this.bound === null) this.bound = bindAutomatically(this);
    this.peer = found;
    this.state = State.connected;
    found.wake(WRITABLE);
    return 0;
  }

  override accept(flags: number): Socket | number {
    if (!this.isConnectionBased) return -EOPNOTSUPP;
    if (this.state !== State.listening) return -EINVAL;
    const next = this.pending.shift();
    if (next === undefined) return (this.shut & RECEIVE) !== 0 ? -EINVAL : this.acceptAway(flags);
    next.embryo = false;
    next.flags |= flags;
    next.setOwnership();
    this.roomMade();
    return next;
  }

  /** The next connection of a program of the host. */
  private acceptAway(flags: number): Socket | number {
    if (this.host === null) return -EAGAIN;
    const made = this.make(flags);
    const host = this.host.accept(made.queue);
    if (typeof host === "number") {
      made.unref();
      return host;
    }
    made.host = host;
    made.away = true;
    made.state = State.connected;
    made.bound = this.bound;
    made.passCredentials = this.passCredentials;
    return made;
  }

  private setOwnership(): void {
    const { fsuid, fsgid } = this.user.cred;
    this.inode.setAttributes({ uid: fsuid, gid: fsgid });
  }

  override shutdown(how: number): number {
    if (how < S.SHUT_RD || how > S.SHUT_RDWR) return -EINVAL;
    if (this.away) return this.host!.shutdown(how);
    const bits = how + 1;
    this.shut |= bits;
    this.host?.shutdown(how);
    // The other end of a connection sees the mirror image.
    const { peer } = this;
    if (this.isConnectionBased && peer !== null) {
      peer.shut |= ((bits & RECEIVE) !== 0 ? SEND : 0) | ((bits & SEND) !== 0 ? RECEIVE : 0);
      peer.changed();
    }
    this.changed();
    return 0;
  }

  /** Everybody looks again: something has ended. */
  private changed(): void {
    this.wake(READABLE | WRITABLE | POLLHUP | POLLRDHUP);
    this.roomMade();
  }

  // Flow

  /** Remembers `sender`: it waits for this socket to take more. */
  protected waitForRoom(sender: UnixSocket): void {
    this.senders.add(sender);
  }

  /** This socket can take more than before. */
  protected roomMade(): void {
    if (this.senders.size === 0) return;
    const waiting = [...this.senders];
    this.senders.clear();
    for (const sender of waiting) sender.wake(WRITABLE);
  }

  packetGone(sizeBytes: number): void {
    this.outstanding -= sizeBytes;
    if (this.hasRoom) this.wake(WRITABLE);
  }

  /** sock_writeable: a quarter of the buffer is the mark. */
  protected get hasRoom(): boolean {
    return this.outstanding * 4 <= this.sendBuffer;
  }

  /** Puts bytes into the queue of `target`. */
  protected deliver(target: UnixSocket, bytes: Uint8Array, count: number, message: Outgoing): void {
    const { credentials, files } = message;
    message.files = null;
    const packet = new Packet(bytes, count, this, this.bound, credentials ?? credentialsOf(this.user), files);
    this.outstanding += packet.sizeBytes;
    target.packets.push(packet);
    target.wake(READABLE);
  }

  /** The pending error, which is told once; 0. */
  protected takeError(): number {
    const error = this.error;
    this.error = 0;
    return -error;
  }

  override poll(): number {
    let events = this.host === null ? 0 : this.hostEvents(this.host);
    if (this.error !== 0) events |= POLLERR;
    if (this.shut === (RECEIVE | SEND)) events |= POLLHUP;
    if ((this.shut & RECEIVE) !== 0) events |= POLLRDHUP | READABLE;
    if (this.packets.length > 0 || this.pending.length > 0) events |= READABLE;
    if (this.isConnectionBased && this.state === State.closed) events |= POLLHUP;
    if (this.away) return events;
    if (this.state !== State.listening && this.hasRoom && this.peerHasRoom()) events |= WRITABLE;
    return events;
  }

  /** What the host's half is ready for: all of it when it has the peer, else only what arrives. */
  private hostEvents(host: HostEnd): number {
    if (this.away) return host.poll();
    const arrives = this.state === State.listening || !this.isConnectionBased;
    return arrives ? host.poll() & READABLE : 0;
  }

  /** Whether what is sent to the connected peer would be taken now; waits for it otherwise. */
  protected peerHasRoom(): boolean {
    return true;
  }

  override get connectionState(): number {
    if (this.state === State.listening) return TCP_LISTEN;
    return this.peer === null && !this.away ? TCP_CLOSE : TCP_ESTABLISHED;
  }

  override get boundName(): string | null {
    return this.bound;
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    if (command === FIONREAD) {
      if (this.state === State.listening) return -EINVAL;
      return mm.writeU32(arg, this.queuedAway(command) || this.readableBytes()) < 0 ? -EFAULT : 0;
    }
    if (command === S.SIOCOUTQ) return mm.writeU32(arg, this.queuedAway(command) || this.outstanding) < 0 ? -EFAULT : 0;
    return -ENOTTY;
  }

  private queuedAway(command: number): number {
    return this.host?.queued(command) ?? 0;
  }

  protected readableBytes(): number {
    return this.packets.bytes;
  }

  // Options

  override setOption(level: number, name: number, value: Uint8Array): number {
    if (level !== S.SOL_SOCKET) return -EOPNOTSUPP;
    if (value.length < 4) return -EINVAL;
    const number = intOf(value);
    switch (name) {
      case S.SO_SNDBUF:
      case S.SO_SNDBUFFORCE:
        this.sendBuffer = Math.max(SEND_MIN, Math.min(number >>> 0, BUFFER_MAX / 2) * 2);
        this.wake(WRITABLE);
        return 0;
      case S.SO_RCVBUF:
      case S.SO_RCVBUFFORCE:
        this.receiveBuffer = Math.max(RECEIVE_MIN, Math.min(number >>> 0, BUFFER_MAX / 2) * 2);
        return 0;
      case S.SO_PASSCRED:
        this.passCredentials = number !== 0;
        return 0;
    }
    if (!PLAIN.has(name)) return -ENOPROTOOPT;
    this.plainOptions ??= new Map();
    this.plainOptions.set(name, number);
    return 0;
  }

  override option(level: number, name: number, _max: number): Uint8Array | number {
    if (level !== S.SOL_SOCKET) return -EOPNOTSUPP;
    switch (name) {
      case S.SO_ERROR:
        return this.away ? this.host!.error : intOption(-this.takeError());
      case S.SO_SNDBUF:
        return intOption(this.sendBuffer);
      case S.SO_RCVBUF:
        return intOption(this.receiveBuffer);
      case S.SO_ACCEPTCONN:
        return intOption(this.state === State.listening ? 1 : 0);
      case S.SO_PASSCRED:
        return intOption(this.passCredentials ? 1 : 0);
      case S.SO_PEERCRED: {
        const { pid, uid, gid } = this.away ? this.host!.credentials : this.peerCredentials;
        return new Uint8Array(Int32Array.of(pid, uid, gid).buffer);
      }
      case S.SO_PEERGROUPS: {
        const { groups } = this.peerCredentials;
        return groups === null ? -ENODATA : new Uint8Array(Uint32Array.from(groups).buffer);
      }
    }
    if (!PLAIN.has(name)) return -ENOPROTOOPT;
    return intOption(this.plainOptions?.get(name) ?? PLAIN.get(name)!);
  }

  // The end

  protected override release(): void {
    this.dead = true;
    this.host?.close();
    if (this.bound !== null && !this.embryo) releaseName(this, this.bound, this.boundTo);
    for (const embryo of this.pending) embryo.unref();
    this.pending = [];
    const { peer } = this;
    if (this.isConnectionBased && peer !== null && !peer.dead) {
      peer.shut = RECEIVE | SEND;
      if (this.packets.length > 0 || this.embryo) peer.error = ECONNRESET;
    }
    this.state = State.closed;
    this.packets.clear();
    if (peer !== null) peer.changed();
    this.roomMade();
  }
}

/** Options that are only remembered, with what they are at first. */
const PLAIN = new Map([
  [S.SO_DEBUG, 0],
  [S.SO_REUSEADDR, 0],
  [S.SO_DONTROUTE, 0],
  [S.SO_BROADCAST, 0],
  [S.SO_KEEPALIVE, 0],
  [S.SO_OOBINLINE, 0],
  [S.SO_PRIORITY, 0],
  [S.SO_REUSEPORT, 0],
  [S.SO_RCVLOWAT, 1],
  [S.SO_TIMESTAMP, 0],
  [S.SO_PASSSEC, 0],
  [S.SO_MARK, 0],
]);

/** Makes two sockets each other's peers; `second` sees the credentials of who joined them. */
export function join(first: UnixSocket, second: UnixSocket, credentials: Peer): void {
  first.peer = second;
  second.peer = first;
  first.state = State.connected;
  second.state = State.connected;
  second.peerCredentials = credentials;
}
