// Sockets of the host's network (ip(7), tcp(7), udp(7), netlink(7)): each is one of the host's, which does the protocol;
// here is what waits, and what a run without a network may not do.

import { EALREADY, EFAULT, EINPROGRESS, EINVAL, EISCONN, EMSGSIZE, ENOTTY } from "../../abi/errno.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM } from "../../abi/poll.ts";
import * as S from "../../abi/socket.ts";
import { HostPoller } from "../../host/poller.ts";
import { MESSAGE_MAX, messageBytes, sockets } from "../../host/sockets.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { HostChannel } from "../host-channel.ts";
import {
  type Incoming,
  intOf,
  type Outgoing,
  receiveFirst,
  Socket,
  type SocketUsers,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../socket.ts";
import type { Network } from "./network.ts";

/** What a socket has been told that nothing was told to. */
const NOTHING: Uint8Array[] = [];

export class HostSocket extends Socket {
  /** Messages of this kernel, not the host's: mq_notify(2) sends them to netlink sockets. */
  private told = NOTHING;
  private readonly fd: number;
  private readonly channel: HostChannel;
  private readonly network: Network;
  /** A connection is being made. */
  private connecting = false;

  /** `fd` is a socket of the host of this kind, and is closed with the file. */
  constructor(
    domain: number,
    type: number,
    protocol: number,
    flags: number,
    users: SocketUsers,
    fd: number,
    network: Network,
  ) {
    super(domain, type, protocol, flags, users);
    this.fd = fd;
    this.channel = new HostChannel(fd, network.poller, this.queue);
    this.network = network;
  }

  private result(n: number): number {
    return this.channel.result(n);
  }

  override poll(): number {
    return this.channel.poll() | (this.told.length > 0 ? POLLIN | POLLRDNORM : 0);
  }

  override tell(bytes: Uint8Array): number {
    if (this.domain !== S.AF_NETLINK) return -EINVAL;
    if (this.told === NOTHING) this.told = [];
    this.told.push(bytes);
    this.queue.wake(POLLIN | POLLRDNORM);
    return 0;
  }

  override bind(address: Uint8Array): number {
    const allowed = this.network.bindable(address, this.network.isolated && this.isOnlyV6);
    if (typeof allowed === "number") return allowed;
    const error = sockets.bind(this.fd, allowed);
    if (error === 0) this.note();
    return error;
  }

  private get isOnlyV6(): boolean {
    const value = sockets.option(this.fd, S.SOL_IPV6, S.IPV6_V6ONLY, 4);
    return typeof value !== "number" && intOf(value) !== 0;
  }

  /** The own port is known to the network: without one, guests reach only each other's. */
  private note(): void {
    if (this.network.isolated) this.network.owned(sockets.name(this.fd, false));
  }

  override listen(backlog: number): number {
    const error = sockets.listen(this.fd, Math.min(backlog >>> 0, S.SOMAXCONN));
    if (error === 0) this.note();
    return error;
  }

  override accept(flags: number): Socket | number {
    const fd = sockets.accept(this.fd);
    if (fd < 0) return this.result(fd);
    return new HostSocket(this.domain, this.type, this.protocol, flags, this.users, fd, this.network);
  }

  override connect(address: Uint8Array): number {
    const way = this.network.route(address, this.type);
    if (typeof way === "number") return way;
    const error = sockets.connect(this.fd, way);
    this.connecting = error === -EINPROGRESS;
    this.channel.used();
    if (this.connecting) this.channel.connecting(this.nonblock);
    if (error === 0) this.note();
    return error;
  }

  override connectAgain(address: Uint8Array): number {
    if (!this.connecting) return -EISCONN;
    if ((HostPoller.ready(this.fd, POLLOUT) & (POLLOUT | POLLERR | POLLHUP)) === 0) return -EALREADY;
    this.connecting = false;
    const error = sockets.option(this.fd, S.SOL_SOCKET, S.SO_ERROR, 4);
    const result = typeof error === "number" ? error : -new DataView(error.buffer).getInt32(0, true);
    // The host takes note of the connection when it is asked a second time.
    const way = this.network.route(address, this.type);
    if (result === 0 && typeof way !== "number") sockets.connect(this.fd, way);
    return result;
  }

  override ownAddress(): Uint8Array | number {
    return sockets.name(this.fd, false);
  }

  override peerAddress(): Uint8Array | number {
    return sockets.name(this.fd, true);
  }

  override shutdown(how: number): number {
    return sockets.shutdown(this.fd, how);
  }

  private isPlain(message: { flags: number }): boolean {
    return this.type === S.SOCK_STREAM && (message.flags & ~(S.MSG_DONTWAIT | S.MSG_NOSIGNAL)) === 0;
  }

  override send(message: Outgoing): number {
    const { io, control } = message;
    this.channel.used();
    const address = message.address === null ? null : this.network.route(message.address, this.type);
    if (typeof address === "number") return address;
    if (this.isPlain(message) && address === null && control.length === 0)
      return io.remaining === 0 ? 0 : this.result(io.hostWrite(this.fd, -1));
    if (this.type !== S.SOCK_STREAM && io.remaining > MESSAGE_MAX) return -EMSGSIZE;
    const count = Math.min(io.remaining, MESSAGE_MAX);
    if (count > 0 && io.take(messageBytes, 0, count) !== count) return -EFAULT;
    const n = sockets.send(this.fd, count, message.flags, address, control);
    io.revert(count - Math.max(0, n));
    return this.result(n);
  }

  override receive(message: Incoming): number {
    const { io, flags } = message;
    if (this.told.length > 0) return receiveFirst(this.told, message);
    // Streams tell no sender; bytes go straight to the guest.
    if (this.isPlain(message)) return io.remaining === 0 ? 0 : this.result(io.hostRead(this.fd, -1));
    const count = Math.min(io.remaining, MESSAGE_MAX);
    const n = sockets.receive(this.fd, count, flags & ~(S.MSG_WAITALL | S.MSG_CMSG_CLOEXEC));
    if (n < 0) return this.result(n);
    message.result = sockets.received.flags & ~S.MSG_CMSG_CLOEXEC;
    message.address = this.type === S.SOCK_STREAM ? null : sockets.received.address;
    message.control = sockets.received.control;
    const moved = Math.min(n, count);
    return moved > 0 && io.put(messageBytes, 0, moved) !== moved ? -EFAULT : n;
  }

  override read(io: IoBuffer): number {
    if (this.type === S.SOCK_STREAM) return io.remaining === 0 ? 0 : this.result(io.hostRead(this.fd, -1));
    return super.read(io);
  }

  override write(io: IoBuffer): number {
    this.channel.used();
    if (this.type === S.SOCK_STREAM) return io.remaining === 0 ? 0 : this.result(io.hostWrite(this.fd, -1));
    return super.write(io);
  }

  override setOption(level: number, name: number, value: Uint8Array): number {
    return sockets.setOption(this.fd, level, name, value);
  }

  override attachFilter(name: number, program: Uint8Array): number {
    return sockets.attachFilter(this.fd, S.SOL_SOCKET, name, program);
  }

  override option(level: number, name: number, max: number): Uint8Array | number {
    return sockets.option(this.fd, level, name, max);
  }

  override get connectionState(): number {
    const info = this.protocolIsTcp ? sockets.option(this.fd, S.SOL_TCP, S.TCP_INFO, 1) : -1;
    if (typeof info !== "number") return info[0]!;
    // Hosts without it, and other protocols.
    const accepts = sockets.option(this.fd, S.SOL_SOCKET, S.SO_ACCEPTCONN, 4);
    if (typeof accepts !== "number" && intOf(accepts) !== 0) return TCP_LISTEN;
    return typeof this.peerAddress() === "number" ? TCP_CLOSE : TCP_ESTABLISHED;
  }

  private get protocolIsTcp(): boolean {
    return this.type === S.SOCK_STREAM && this.domain !== S.AF_NETLINK;
  }

  override queuedBytes(): { sending: number; receiving: number } {
    const ask = (command: number): number => {
      const value = new Uint8Array(4);
      return sockets.ioctl(this.fd, command, value) < 0 ? 0 : Math.max(0, intOf(value));
    };
    return { sending: ask(S.SIOCOUTQ), receiving: ask(FIONREAD) };
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    if (command !== FIONREAD && command !== S.SIOCOUTQ && command !== S.SIOCATMARK) return -ENOTTY;
    const value = new Uint8Array(4);
    const error = sockets.ioctl(this.fd, command, value);
    return error < 0 ? error : mm.copyOutBytes(arg, value, 0, 4) === 4 ? 0 : -EFAULT;
  }

  override get hostFd(): number {
    return this.fd;
  }

  protected override release(): void {
    this.channel.close();
  }
}
