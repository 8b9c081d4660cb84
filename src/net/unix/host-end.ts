// The host's half of a UNIX socket whose file lies in a directory of the host, or that is connected to one there: programs of the
// host meet guests in it. Guests among themselves use the kernel's own sockets, also under such names.
//
// DIFFERS: descriptors go to the host only where they stand on one of the host's: files, pipes, devices and sockets of the host.
// Credentials that a guest sends along stay here; the host tells its own programs who carrick is.

import { EFAULT, EMSGSIZE, EOPNOTSUPP } from "../../abi/errno.ts";
import * as S from "../../abi/socket.ts";
import type { Waker } from "../../host/poller.ts";
import { MESSAGE_MAX, messageBytes, sockets } from "../../host/sockets.ts";
import type { File } from "../../vfs/file.ts";
import type { HostMeeting } from "../../vfs/inode.ts";
import { HostChannel } from "../host-channel.ts";
import { type Incoming, intOf, NO_BYTES, type Outgoing, type PeerCredentials } from "../socket.ts";

/** Flags that mean something to the host's socket. */
const TO_HOST = S.MSG_PEEK | S.MSG_TRUNC | S.MSG_EOR;

export class HostEnd {
  readonly fd: number;
  readonly meeting: HostMeeting;
  private readonly channel: HostChannel;

  /** Takes over `fd`. */
  constructor(fd: number, meeting: HostMeeting, waiting: Waker) {
    this.fd = fd;
    this.meeting = meeting;
    this.channel = new HostChannel(fd, meeting.poller, waiting);
  }

  static open(type: number, meeting: HostMeeting, waiting: Waker): HostEnd | number {
    const fd = sockets.open(S.AF_UNIX, type, 0);
    return fd < 0 ? fd : new HostEnd(fd, meeting, waiting);
  }

  poll(): number {
    return this.channel.poll();
  }

  /** -EAGAIN while the other side has no room; nothing tells when it has. */
  connect(place: HostMeeting): number {
    this.channel.used();
    return place.withAddress((address) => sockets.connect(this.fd, address));
  }

  /** A datagram socket has no default receiver any more. */
  disconnect(): void {
    sockets.connect(this.fd, Uint8Array.of(S.AF_UNSPEC, 0));
  }

  /** The next connection's half, which wakes `waiting`; -EAGAIN when there is none. */
  accept(waiting: Waker): HostEnd | number {
    const fd = this.channel.result(sockets.accept(this.fd));
    return fd < 0 ? fd : new HostEnd(fd, this.meeting, waiting);
  }

  /** To `place`, or to the peer. */
  send(message: Outgoing, stream: boolean, place: HostMeeting | null): number {
    const { io } = message;
    this.channel.used();
    if (stream && message.files === null)
      return io.remaining === 0 ? 0 : this.channel.result(io.hostWrite(this.fd, -1));
    if (!stream && io.remaining > MESSAGE_MAX) return -EMSGSIZE;
    const control = message.files === null ? NO_BYTES : rights(message.files);
    if (typeof control === "number") return control;
    const count = Math.min(io.remaining, MESSAGE_MAX);
    if (count > 0 && io.take(messageBytes, 0, count) !== count) return -EFAULT;
    const send = (address: Uint8Array | null): number =>
      sockets.send(this.fd, count, message.flags & TO_HOST, address, control);
    const n = place === null ? send(null) : place.withAddress(send);
    io.revert(count - Math.max(0, n));
    if (n >= 0 && message.files !== null) {
      for (const file of message.files) file.unref();
      message.files = null;
    }
    return this.channel.result(n);
  }

  receive(message: Incoming, stream: boolean, wantsCredentials: boolean): number {
    const { io } = message;
    const count = Math.min(io.remaining, MESSAGE_MAX);
    if (stream && count === 0) return 0;
    const n = sockets.receive(this.fd, count, message.flags & TO_HOST);
    if (n < 0) return this.channel.result(n);
    const { flags, address, control } = sockets.received;
    message.result = flags & (S.MSG_TRUNC | S.MSG_CTRUNC | S.MSG_EOR);
    message.address = stream ? null : address;
    message.files = this.received(control);
    message.credentials = wantsCredentials ? this.credentials : null;
    const moved = Math.min(n, count);
    if (moved > 0 && io.put(messageBytes, 0, moved) !== moved) return -EFAULT;
    return n;
  }

  /** The files of the descriptors among control messages. */
  private received(control: Uint8Array): File[] {
    const view = new DataView(control.buffer, control.byteOffset, control.length);
    const taken: File[] = [];
    for (let at = 0; at + S.CMSG_BYTES <= control.length; ) {
      const size = Number(view.getBigUint64(at, true));
      if (size < S.CMSG_BYTES || at + size > control.length) break;
      const isRights = view.getInt32(at + 8, true) === S.SOL_SOCKET && view.getInt32(at + 12, true) === S.SCM_RIGHTS;
      for (let i = at + S.CMSG_BYTES; isRights && i + 4 <= at + size; i += 4) {
        const file = this.meeting.adopt(view.getInt32(i, true));
        if (typeof file !== "number") taken.push(file);
      }
      at += (size + 7) & ~7;
    }
    return taken;
  }

  /** Who is on the other side. Processes of the host have no number here. */
  get credentials(): PeerCredentials {
    const found = sockets.option(this.fd, S.SOL_SOCKET, S.SO_PEERCRED, S.UCRED_BYTES);
    const known = typeof found !== "number" && found.length === S.UCRED_BYTES;
    const { uid, gid } = this.meeting.ownerAs(
      known ? intOf(found.subarray(4)) : -1,
      known ? intOf(found.subarray(8)) : -1,
    );
    return { pid: 0, uid, gid };
  }

  get error(): Uint8Array | number {
    return sockets.option(this.fd, S.SOL_SOCKET, S.SO_ERROR, 4);
  }

  peerAddress(): Uint8Array | number {
    return sockets.name(this.fd, true);
  }

  listen(backlog: number): number {
    return sockets.listen(this.fd, backlog);
  }

  shutdown(how: number): number {
    return sockets.shutdown(this.fd, how);
  }

  /** Bytes to be read, or not yet taken by the other side. */
  queued(command: number): number {
    const value = new Uint8Array(4);
    return sockets.ioctl(this.fd, command, value) < 0 ? 0 : Math.max(0, intOf(value));
  }

  close(): void {
    this.channel.close();
  }
}

/** Descriptors of the host that stand for `sent`, as a control message; -EOPNOTSUPP where there is none. */
function rights(sent: readonly File[]): Uint8Array | number {
  const fds: number[] = [];
  for (const file of sent) {
    const fd = file.hostFd;
    if (fd < 0) return -EOPNOTSUPP;
    fds.push(fd);
  }
  const bytes = new Uint8Array(S.CMSG_BYTES + ((fds.length * 4 + 7) & ~7));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(S.CMSG_BYTES + fds.length * 4), true);
  view.setInt32(8, S.SOL_SOCKET, true);
  view.setInt32(12, S.SCM_RIGHTS, true);
  for (const [i, fd] of fds.entries()) view.setInt32(S.CMSG_BYTES + i * 4, fd, true);
  return bytes;
}
