// rtnetlink(7) where the host has none to ask, or may not be asked: for runs without a network, to which the loopback is all that there is, and on
// a Mac. What there is to tell of links and addresses, and nothing that can be changed.
//
// DIFFERS: on a Mac there are no routes, and links without an address are not told of.

import { EFAULT, EISCONN, ENETUNREACH, ENODEV, EOPNOTSUPP, EPERM } from "../abi/errno.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../abi/poll.ts";
import * as S from "../abi/socket.ts";
import type { Link, LinkAddress } from "../host/interfaces.ts";
import {
  type Incoming,
  intOption,
  NETLINK_ADDRESS_BYTES,
  netlinkAddress,
  type Outgoing,
  receiveFirst,
  Socket,
} from "./socket.ts";

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_MULTI = 2;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const HEADER_BYTES = 16;
const BUFFER_BYTES = 212992;
const MESSAGE_MAX = 65536;

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_GETROUTE = 26;

/** The same on every Linux. */
const LOOPBACK: Link = {
  index: 1,
  name: "lo",
  isLoopback: true,
  mtu: 65536,
  hardware: new Uint8Array(6),
  addresses: [
    { bytes: Uint8Array.of(127, 0, 0, 1), bits: 8 },
    { bytes: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)), bits: 128 },
  ],
};

export class LinksNetlink extends Socket {
  /** Links besides the loopback. */
  others: () => readonly Link[] = () => [];
  private readonly answers: Uint8Array[] = [];
  private port = 0;

  /** The port that a socket gets when it has none: the process's number, as long as nobody has two. */
  private ownPort(): number {
    if (this.port === 0) this.port = this.user.tgid;
    return this.port;
  }

  override bind(address: Uint8Array): number {
    if (address.length < NETLINK_ADDRESS_BYTES) return -EFAULT;
    this.port = wordsOf(address).getUint32(4, true) || this.ownPort();
    return 0;
  }

  override connect(): number {
    this.ownPort();
    return 0;
  }
  override connectAgain(): number {
    return -EISCONN;
  }
  override ownAddress(): Uint8Array {
    return netlinkAddress(this.port);
  }
  override peerAddress(): Uint8Array {
    return netlinkAddress(0);
  }
  override shutdown(): number {
    return -EOPNOTSUPP;
  }
  override setOption(): number {
    return 0;
  }
  override attachFilter(): number {
    return 0;
  }
  override option(level: number, name: number): Uint8Array | number {
    const isSize = level === S.SOL_SOCKET && (name === S.SO_RCVBUF || name === S.SO_SNDBUF);
    return intOption(isSize ? BUFFER_BYTES : 0);
  }

  override poll(): number {
    return (this.answers.length > 0 ? POLLIN | POLLRDNORM : 0) | POLLOUT | POLLWRNORM;
  }

  override send({ io }: Outgoing): number {
    const count = Math.min(io.remaining, MESSAGE_MAX);
    const bytes = new Uint8Array(count);
    if (count > 0 && io.take(bytes, 0, count) !== count) return -EFAULT;
    this.ownPort();
    const view = wordsOf(bytes);
    for (let at = 0; at + HEADER_BYTES <= count; ) {
      const length = view.getUint32(at, true);
      if (length < HEADER_BYTES || at + length > count) break;
      this.answer(bytes.subarray(at, at + length));
      at += (length + 3) & ~3;
    }
    if (this.answers.length > 0) this.queue.wake(POLLIN | POLLRDNORM);
    return count;
  }

  override tell(bytes: Uint8Array): number {
    this.answers.push(bytes);
    this.queue.wake(POLLIN | POLLRDNORM);
    return 0;
  }

  private links(): readonly Link[] {
    return [LOOPBACK, ...this.others()];
  }

  private answer(request: Uint8Array): void {
    const view = wordsOf(request);
    const type = view.getUint16(4, true);
    const flags = view.getUint16(6, true);
    const family = request[HEADER_BYTES] ?? 0;
    const message = (kind: number, more: number, body: Uint8Array): Uint8Array => {
      const bytes = new Uint8Array(HEADER_BYTES + body.length);
      const header = wordsOf(bytes);
      header.setUint32(0, bytes.length, true);
      header.setUint16(4, kind, true);
      header.setUint16(6, more, true);
      header.setUint32(8, view.getUint32(8, true), true);
      header.setUint32(12, this.port, true);
      bytes.set(body, HEADER_BYTES);
      return bytes;
    };
    const error = (errno: number): void => {
      this.answers.push(message(NLMSG_ERROR, 0, joined([number(-errno), request.subarray(0, HEADER_BYTES)])));
    };
    if ((flags & NLM_F_DUMP) === NLM_F_DUMP) {
      const parts: Uint8Array[] = [];
      for (const link of this.links()) {
        if (type === RTM_GETLINK) parts.push(message(RTM_NEWLINK, NLM_F_MULTI, linkBody(link)));
        if (type === RTM_GETADDR)
          for (const body of addressBodies(link, family)) parts.push(message(RTM_NEWADDR, NLM_F_MULTI, body));
      }
      if (parts.length > 0) this.answers.push(joined(parts));
      this.answers.push(message(NLMSG_DONE, NLM_F_MULTI, number(0)));
    } else if (type === RTM_GETLINK) {
      const link = this.links().find((one) => isAbout(one, request));
      if (link !== undefined) {
        this.answers.push(message(RTM_NEWLINK, 0, linkBody(link)));
        if ((flags & NLM_F_ACK) !== 0) error(0);
      } else error(ENODEV);
    } else error(type === RTM_GETROUTE ? ENETUNREACH : EPERM);
  }

  override receive(message: Incoming): number {
    return receiveFirst(this.answers, message);
  }
}

function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([...parts]));
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  wordsOf(bytes).setInt32(0, value, true);
  return bytes;
}

/** struct rtattr with its value, padded. */
function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((4 + value.length + 3) & ~3);
  wordsOf(bytes).setUint16(0, 4 + value.length, true);
  wordsOf(bytes).setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(`${value}\0`, "latin1"));

const IFLA = { ADDRESS: 1, BROADCAST: 2, IFNAME: 3, MTU: 4, QDISC: 6, TXQLEN: 13, OPERSTATE: 16, GROUP: 27 } as const;
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
/** IFF_UP, IFF_LOOPBACK, IFF_RUNNING, IFF_LOWER_UP; IFF_UP, IFF_BROADCAST, IFF_RUNNING, IFF_MULTICAST, IFF_LOWER_UP. */
const LOOPBACK_FLAGS = 0x10049;
const LINK_FLAGS = 0x11043;
const IF_OPER_UNKNOWN = 0;
const IF_OPER_UP = 6;

/** struct ifinfomsg and its attributes. */
function linkBody({ index, name, isLoopback, mtu, hardware }: Link): Uint8Array {
  const info = new Uint8Array(16);
  wordsOf(info).setUint16(2, isLoopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER, true);
  wordsOf(info).setInt32(4, index, true);
  wordsOf(info).setUint32(8, isLoopback ? LOOPBACK_FLAGS : LINK_FLAGS, true);
  return joined([
    info,
    attribute(IFLA.IFNAME, text(name)),
    attribute(IFLA.TXQLEN, number(1000)),
    attribute(IFLA.OPERSTATE, Uint8Array.of(isLoopback ? IF_OPER_UNKNOWN : IF_OPER_UP)),
    attribute(IFLA.MTU, number(mtu)),
    attribute(IFLA.GROUP, number(0)),
    attribute(IFLA.QDISC, text("noqueue")),
    attribute(IFLA.ADDRESS, hardware),
    attribute(IFLA.BROADCAST, new Uint8Array(6).fill(isLoopback ? 0 : 255)),
  ]);
}

/** Whether a struct ifinfomsg, or the name behind it, asks for this link. */
function isAbout({ index, name }: Link, request: Uint8Array): boolean {
  if (request.length < HEADER_BYTES + 16) return false;
  const view = wordsOf(request);
  const asked = view.getInt32(HEADER_BYTES + 4, true);
  if (asked !== 0) return asked === index;
  for (let at = HEADER_BYTES + 16; at + 4 <= request.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4) break;
    if (view.getUint16(at + 2, true) === IFLA.IFNAME) {
      const named = Buffer.from(request.subarray(at + 4, at + length)).toString("latin1");
      return named.replace(/\0.*$/s, "") === name;
    }
    at += (length + 3) & ~3;
  }
  return false;
}

const IFA = { ADDRESS: 1, LOCAL: 2, LABEL: 3, FLAGS: 8 } as const;
const IFA_F_PERMANENT = 0x80;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_HOST = 254;

function scopeOf({ isLoopback }: Link, { bytes }: LinkAddress): number {
  if (isLoopback) return RT_SCOPE_HOST;
  const isLinkLocal =
    bytes.length === 16 ? bytes[0] === 0xfe && bytes[1] === 0x80 : bytes[0] === 169 && bytes[1] === 254;
  return isLinkLocal ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/** struct ifaddrmsg and its attributes, for each address of the family; all with 0. */
function addressBodies(link: Link, family: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const address of link.addresses) {
    const { bytes, bits } = address;
    const domain = bytes.length === 4 ? S.AF_INET : S.AF_INET6;
    if (family !== 0 && family !== domain) continue;
    const head = Uint8Array.of(domain, bits, IFA_F_PERMANENT, scopeOf(link, address), 0, 0, 0, 0);
    wordsOf(head).setUint32(4, link.index, true);
    const local = domain === S.AF_INET ? [attribute(IFA.LOCAL, bytes), attribute(IFA.LABEL, text(link.name))] : [];
    found.push(joined([head, attribute(IFA.ADDRESS, bytes), ...local, attribute(IFA.FLAGS, number(IFA_F_PERMANENT))]));
  }
  return found;
}
