// SOCK_DGRAM and SOCK_SEQPACKET between processes (unix_dgram_sendmsg, unix_dgram_recvmsg): whole messages, which wait
// at the receiver until it takes them.

import { EAGAIN, ECONNREFUSED, EFAULT, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE } from "../../abi/errno.ts";
import { MSG_OOB, MSG_PEEK, MSG_TRUNC, SOCK_SEQPACKET } from "../../abi/socket.ts";
import type { HostMeeting } from "../../vfs/inode.ts";
import type { Incoming, Outgoing } from "../socket.ts";
import { addressOf } from "./names.ts";
import { handOver } from "./stream.ts";
import { RECEIVE, SEND, State, UnixSocket } from "./unix-socket.ts";

/** net.unix.max_dgram_qlen: more messages than that do not wait at a receiver. */
const QUEUE_MAX = 10;

export class UnixDatagram extends UnixSocket {
  protected override make(flags: number): UnixDatagram {
    return new UnixDatagram(this.domain, this.type, this.protocol, flags, this.users);
  }

  private receiver(address: Uint8Array | null): UnixSocket | HostMeeting | number {
    if (this.type === SOCK_SEQPACKET) {
      if (this.state !== State.connected) return -ENOTCONN;
    } else if (address !== null) return this.find(address);
    return this.peer ?? -ENOTCONN;
  }

  override send(message: Outgoing): number {
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (this.away && (message.address === null || this.type === SOCK_SEQPACKET))
      return this.host!.send(message, false, null);
    const target = this.receiver(message.address);
    if (typeof target === "number") return target;
    if (!(target instanceof UnixSocket)) return this.sendAway(message, target);
    const { io } = message;
    if (io.remaining > this.sendBuffer - 32) return -EMSGSIZE;
    if (target.dead) return this.lost(target);
    if (target.peer !== null && target.peer !== this && target.type !== SOCK_SEQPACKET) return -EPERM;
    if ((this.shut & SEND) !== 0 || (target.shut & RECEIVE) !== 0) return -EPIPE;
    if (this.outstanding >= this.sendBuffer) return -EAGAIN;
    if (target.peer !== this && target.packets.length > QUEUE_MAX) {
      (target as UnixDatagram).waitForRoom(this);
      return -EAGAIN;
    }
    const bytes = new Uint8Array(io.remaining);
    if (bytes.length > 0 && io.take(bytes, 0, bytes.length) !== bytes.length) return -EFAULT;
    this.deliver(target, bytes, bytes.length, message);
    return bytes.length;
  }

  private sendAway(message: Outgoing, place: HostMeeting): number {
    const host = this.hostEnd(place);
    return typeof host === "number" ? host : host.send(message, false, place);
  }

  /** The receiver is gone. A default receiver is forgotten. */
  private lost(target: UnixSocket): number {
    if (this.type === SOCK_SEQPACKET) return -EPIPE;
    if (this.peer === target) {
      this.peer = null;
      this.state = State.closed;
    }
    return -ECONNREFUSED;
  }

  override receive(message: Incoming): number {
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (this.type === SOCK_SEQPACKET && this.state !== State.connected) return -ENOTCONN;
    const packet = this.packets.at(0);
    if (packet === undefined && this.host !== null) return this.host.receive(message, false, this.passCredentials);
    if (packet === undefined) {
      if (this.error !== 0) return this.takeError();
      if ((this.shut & RECEIVE) === 0) return -EAGAIN;
      return this.type === SOCK_SEQPACKET || this.waits(message.flags) ? 0 : -EAGAIN;
    }
    const peek = (message.flags & MSG_PEEK) !== 0;
    const count = packet.length === 0 ? 0 : message.io.put(packet.bytes, packet.start, packet.length);
    const room = count === packet.length || message.io.remaining === 0;
    if (!room || count < 0) return -EFAULT;
    if (count < packet.length) message.result |= MSG_TRUNC;
    message.address = packet.from === null ? new Uint8Array(0) : addressOf(packet.from);
    message.credentials = this.passCredentials ? packet.credentials : null;
    const length = (message.flags & MSG_TRUNC) !== 0 ? packet.length : count;
    if (packet.files !== null) handOver(message, packet, peek);
    if (!peek) {
      this.packets.shift();
      this.roomMade();
    }
    return length;
  }

  protected override peerHasRoom(): boolean {
    const { peer } = this;
    if (peer === null || peer.dead || peer.peer === this || peer.packets.length <= QUEUE_MAX) return true;
    (peer as UnixDatagram).waitForRoom(this);
    return false;
  }

  protected override readableBytes(): number {
    return this.type === SOCK_SEQPACKET ? super.readableBytes() : (this.packets.at(0)?.length ?? 0);
  }
}
