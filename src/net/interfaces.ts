// ioctls that ask for network interfaces (netdevice(7), net/core/dev_ioctl.c). Any socket takes them, of whatever family: C libraries
// ask through UNIX sockets. The interfaces are the host's; a run without a network has a loopback alone.

import { EFAULT, ENODEV, ENOTTY, EPERM } from "../abi/errno.ts";
import { AF_INET } from "../abi/socket.ts";
import {
  hostLinks,
  IFNAMSIZ,
  IFREQ_BYTES,
  interfaceControl,
  interfacesWithAddress,
  type Link,
  nameIn,
} from "../host/interfaces.ts";
import type { AddressSpace } from "../mm/address-space.ts";

const SIOCGIFNAME = 0x8910;
const SIOCGIFCONF = 0x8912;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFADDR = 0x8915;
const SIOCGIFDSTADDR = 0x8917;
const SIOCGIFBRDADDR = 0x8919;
const SIOCGIFNETMASK = 0x891b;
const SIOCGIFMETRIC = 0x891d;
const SIOCGIFMTU = 0x8921;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCGIFTXQLEN = 0x8942;

/** Commands about one interface: a struct ifreq in and out. */
const OF_ONE: readonly number[] = [
  SIOCGIFNAME,
  SIOCGIFFLAGS,
  SIOCGIFADDR,
  SIOCGIFDSTADDR,
  SIOCGIFBRDADDR,
  SIOCGIFNETMASK,
  SIOCGIFMETRIC,
  SIOCGIFMTU,
  SIOCGIFHWADDR,
  SIOCGIFINDEX,
  SIOCGIFTXQLEN,
];
/** Addresses are the business of sockets of IPv4. */
const OF_ADDRESSES: readonly number[] = [SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK];

/** Commands that change interfaces and routes, which guests may not: SIOCSIF*, SIOCADDRT, SIOCDELRT. */
const CHANGES: readonly number[] = [
  0x890b, 0x890c, 0x8914, 0x8916, 0x8918, 0x891a, 0x891c, 0x891e, 0x8922, 0x8923, 0x8924, 0x8937, 0x8943,
];

/** The host's links besides its loopback. */
export function otherLinks(): Link[] {
  return hostLinks().filter(({ isLoopback }) => !isLoopback);
}

export function isInterfaceCommand(command: number): boolean {
  return command === SIOCGIFCONF || OF_ONE.includes(command) || CHANGES.includes(command);
}

/** `isolated`: the run has no network. 0 or -errno. */
export function interfaceIoctl(
  isolated: boolean,
  domain: number,
  mm: AddressSpace,
  command: number,
  arg: number,
): number {
  if (CHANGES.includes(command)) return -EPERM;
  const ask = isolated ? loopback : interfaceControl;
  if (command === SIOCGIFCONF) return configuration(isolated ? ["lo"] : interfacesWithAddress(), ask, mm, arg);
  if (OF_ADDRESSES.includes(command) && domain !== AF_INET) return -ENOTTY;
  const request = new Uint8Array(IFREQ_BYTES);
  if (mm.copyInBytes(arg, request, 0, IFREQ_BYTES) !== IFREQ_BYTES) return -EFAULT;
  request[IFNAMSIZ - 1] = 0;
  const error = ask(command, request);
  return error < 0 ? error : mm.copyOutBytes(arg, request, 0, IFREQ_BYTES) === IFREQ_BYTES ? 0 : -EFAULT;
}

/** SIOCGIFCONF: struct ifconf with a list of names and addresses, or only its length. */
function configuration(
  names: readonly string[],
  ask: (command: number, request: Uint8Array) => number,
  mm: AddressSpace,
  arg: number,
): number {
  const room = mm.readU32(arg);
  const list = mm.readU64(arg + 8);
  if (room < 0 || list < 0) return -EFAULT;
  let length = 0;
  for (const name of names) {
    const request = requestFor(name);
    if (list !== 0 && length + IFREQ_BYTES > room) break;
    if (ask(SIOCGIFADDR, request) < 0) continue;
    if (list !== 0 && mm.copyOutBytes(list + length, request, 0, IFREQ_BYTES) !== IFREQ_BYTES) return -EFAULT;
    length += IFREQ_BYTES;
  }
  return mm.writeU32(arg, length) < 0 ? -EFAULT : 0;
}

function requestFor(name: string): Uint8Array {
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(Buffer.from(name, "latin1"));
  return request;
}

const IFF_UP_LOOPBACK_RUNNING = 0x49;
const ARPHRD_LOOPBACK = 772;

/** The only interface of a run without a network. */
function loopback(command: number, request: Uint8Array): number {
  const value = new DataView(request.buffer, IFNAMSIZ);
  const isAbout = command === SIOCGIFNAME ? value.getInt32(0, true) === 1 : nameIn(request) === "lo";
  if (!isAbout) return -ENODEV;
  const address = (bytes: readonly number[]): void => {
    request.fill(0, IFNAMSIZ);
    value.setUint16(0, AF_INET, true);
    request.set(bytes, IFNAMSIZ + 4);
  };
  switch (command) {
    case SIOCGIFNAME:
      request.set([0x6c, 0x6f, 0]);
      break;
    case SIOCGIFINDEX:
      value.setInt32(0, 1, true);
      break;
    case SIOCGIFFLAGS:
      value.setInt16(0, IFF_UP_LOOPBACK_RUNNING, true);
      break;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
      address([127, 0, 0, 1]);
      break;
    case SIOCGIFBRDADDR:
      address([0, 0, 0, 0]);
      break;
    case SIOCGIFNETMASK:
      address([255, 0, 0, 0]);
      break;
    case SIOCGIFMTU:
      value.setInt32(0, 65536, true);
      break;
    case SIOCGIFHWADDR:
      request.fill(0, IFNAMSIZ);
      value.setUint16(0, ARPHRD_LOOPBACK, true);
      break;
    case SIOCGIFTXQLEN:
      value.setInt32(0, 1000, true);
      break;
    default:
      value.setInt32(0, 0, true);
  }
  return 0;
}
