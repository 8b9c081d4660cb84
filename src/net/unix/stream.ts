// SOCK_STREAM between processes (unix_stream_sendmsg, unix_stream_read_generic): a byte stream in which descriptors and
// changes of the sender are boundaries that one receive does not cross.

import { EAGAIN, EFAULT, EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP, EPIPE } from "../../abi/errno.ts";
import { MSG_OOB, MSG_PEEK } from "../../abi/socket.ts";
import type { Incoming, Outgoing } from "../socket.ts";
import { addressOf } from "./names.ts";
import type { Packet } from "./packet.ts";
import { RECEIVE, SEND, State, UnixSocket } from "./unix-socket.ts";

/** Bytes that one packet holds at most. */
const PACKET_MAX = 32768;

export class UnixStream extends UnixSocket {
  protected override make(flags: number): UnixStream {
    return new UnixStream(this.domain, this.type, this.protocol, flags, this.users);
  }

  override send(message: Outgoing): number {
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (message.address !== null) return this.state === State.connected ? -EISCONN : -EOPNOTSUPP;
    if (this.away) return this.host!.send(message, true, null);
    const { peer } = this;
    const { io } = message;
    if (peer === null) return -ENOTCONN;
    if ((this.shut & SEND) !== 0) return -EPIPE;
    let done = 0;
    while (io.remaining > 0) {
      if (peer.dead || (peer.shut & RECEIVE) !== 0) return done > 0 ? done : -EPIPE;
      if (this.outstanding >= this.sendBuffer) return done > 0 ? done : -EAGAIN;
      const bytes = new Uint8Array(Math.min(io.remaining, PACKET_MAX, (this.sendBuffer >> 1) - 64));
      const count = io.take(bytes, 0, bytes.length);
      if (count <= 0) return done > 0 ? done : -EFAULT;
      this.deliver(peer, bytes, count, message);
      done += count;
      if (count < bytes.length) break;
    }
    return done;
  }

  override receive(message: Incoming): number {
    if (this.state !== State.connected) return -EINVAL;
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (this.away) return this.host!.receive(message, true, this.passCredentials);
    message.address = null;
    if (this.packets.length === 0) return this.nothing(message);
    const peek = (message.flags & MSG_PEEK) !== 0;
    let done = 0;
    let index = 0;
    let first: Packet | null = null;
    while (message.io.remaining > 0) {
      const packet = this.packets.at(index);
      if (packet === undefined) break;
      if (first !== null && !sameSender(first, packet)) break;
      first ??= packet;
      if (done === 0) this.describe(message, packet);
      const count = message.io.put(packet.bytes, packet.start, packet.length);
      if (count <= 0) return done > 0 ? done : -EFAULT;
      done += count;
      const whole = count === packet.length;
      const boundary = packet.files !== null;
      if (boundary) handOver(message, packet, peek);
      if (peek) index += 1;
      else if (whole) this.packets.shift();
      else this.packets.consume(count);
      if (boundary || !whole) break;
    }
    return done;
  }

  /** The queue is empty: an error, the end, or a wait. */
  private nothing(message: Incoming): number {
    if (this.error !== 0) return this.takeError();
    if ((this.shut & RECEIVE) !== 0) return 0;
    return message.io.remaining === 0 ? 0 : -EAGAIN;
  }

  private describe(message: Incoming, packet: Packet): void {
    message.credentials = this.passCredentials ? packet.credentials : null;
    message.address = packet.from === null ? null : addressOf(packet.from);
  }
}

/** Whether one receive may take both: nothing tells them apart. */
function sameSender(a: Packet, b: Packet): boolean {
  const [x, y] = [a.credentials, b.credentials];
  return x === y || (x.pid === y.pid && x.uid === y.uid && x.gid === y.gid);
}

/** The descriptors of a packet go to the receiver; one who only looks gets others for the same files. */
export function handOver(message: Incoming, packet: Packet, peek: boolean): void {
  const files = packet.files!;
  if (peek) {
    for (const file of files) file.ref();
    message.files = files.slice();
    return;
  }
  message.files = files;
  packet.files = null;
}
