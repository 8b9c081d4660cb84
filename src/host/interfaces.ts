// The host's network interfaces, for ioctls of sockets that are none of the host's, and its tables of routes.

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { ENODEV, EOPNOTSUPP } from "../abi/errno.ts";
import { files } from "./files.ts";
import { sockets } from "./sockets.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFNAME = 0x8910;
const SIOCGIFMTU = 0x8921;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCGIFTXQLEN = 0x8942;
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const TXQLEN = 1000;
/** struct ifreq of Linux: a name, then a union. */
export const IFREQ_BYTES = 40;
export const IFNAMSIZ = 16;

/** An SIOCGIF* command whose struct ifreq, in and out, is `request`. 0 or -errno. */
export function interfaceControl(command: number, request: Uint8Array): number {
  const result = withSocket((fd) => sockets.ioctl(fd, command, request));
  return result === -EOPNOTSUPP ? fromList(command, request) : result;
}

/** What a Mac has no ioctl for: hardware addresses are in the list of interfaces, and queues have no length. */
function fromList(command: number, request: Uint8Array): number {
  const link = hostLinks().find(({ name }) => name === nameIn(request));
  if (link === undefined) return -ENODEV;
  const value = new DataView(request.buffer, request.byteOffset + IFNAMSIZ);
  if (command === SIOCGIFTXQLEN) value.setInt32(0, TXQLEN, true);
  if (command !== SIOCGIFHWADDR) return command === SIOCGIFTXQLEN ? 0 : -EOPNOTSUPP;
  request.fill(0, IFNAMSIZ);
  value.setUint16(0, link.isLoopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER, true);
  request.set(link.hardware, IFNAMSIZ + 2);
  return 0;
}

/** An interface of the host's. */
export interface Link {
  readonly index: number;
  /** As Linux has it. */
  readonly name: string;
  readonly isLoopback: boolean;
  readonly mtu: number;
  readonly hardware: Uint8Array;
  readonly addresses: readonly LinkAddress[];
}

export interface LinkAddress {
  /** AF_INET or AF_INET6, by the number of bytes: 4 or 16. */
  readonly bytes: Uint8Array;
  /** Of the network's prefix. */
  readonly bits: number;
}

/** Interfaces that have an address. */
export function hostLinks(): Link[] {
  const links: Link[] = [];
  for (const [hostName, list] of Object.entries(networkInterfaces())) {
    const [first] = list ?? [];
    if (list === undefined || first === undefined) continue;
    const request = namedRequest(hostName);
    const value = new DataView(request.buffer, IFNAMSIZ);
    if (withSocket((fd) => sockets.ioctl(fd, SIOCGIFINDEX, request)) < 0) continue;
    const index = value.getInt32(0, true);
    if (withSocket((fd) => sockets.ioctl(fd, SIOCGIFNAME, request)) < 0) continue;
    const name = nameIn(request);
    const hasMtu = withSocket((fd) => sockets.ioctl(fd, SIOCGIFMTU, request)) >= 0;
    links.push({
      index,
      name,
      isLoopback: first.internal,
      mtu: hasMtu ? value.getInt32(0, true) : 0,
      hardware: Uint8Array.from(first.mac.split(":"), (byte) => Number.parseInt(byte, 16)),
      addresses: list.map(({ address, cidr }) => ({
        bytes: addressBytes(address),
        bits: Number(cidr?.split("/")[1] ?? 0),
      })),
    });
  }
  return links.sort((a, b) => a.index - b.index);
}

/** An address as inet_pton(3) has it. A scope behind it is left out. */
export function addressBytes(text: string): Uint8Array {
  const plain = text.replace(/%.*/, "");
  if (!plain.includes(":")) return Uint8Array.from(plain.split("."), Number);
  const [head = "", tail] = plain.split("::");
  const words = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const [front, back] = [words(head), words(tail ?? "")];
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 255]));
}

function namedRequest(name: string): Uint8Array {
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(Buffer.from(name, "latin1").subarray(0, IFNAMSIZ - 1));
  return request;
}

function withSocket(act: (fd: number) => number): number {
  const fd = sockets.open(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return fd;
  const result = act(fd);
  files.close(fd);
  return result;
}

/** Interfaces that have an IPv4 address, by their names as Linux has them. */
export function interfacesWithAddress(): string[] {
  const names: string[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (!addresses?.some(({ family }) => family === "IPv4")) continue;
    // Through its number, because another system may call it differently.
    const request = namedRequest(name);
    if (interfaceControl(SIOCGIFINDEX, request) < 0 || interfaceControl(SIOCGIFNAME, request) < 0) continue;
    names.push(nameIn(request));
  }
  return names;
}

/** The name that a struct ifreq begins with. */
export function nameIn(request: Uint8Array): string {
  const end = request.subarray(0, IFNAMSIZ).indexOf(0);
  return Buffer.from(request.subarray(0, end < 0 ? IFNAMSIZ : end)).toString("latin1");
}

/** A table below the host's /proc/net; null where the host has none. */
export function hostNetTable(name: string): string | null {
  try {
    return readFileSync(`/proc/net/${name}`, "latin1");
  } catch {
    return null;
  }
}
