// Which part of the host's network a run has (`--network`). With "none" guests have a loopback on which they reach each
// other only: sockets are bound to the host's loopback, and connections go to ports of guests alone.
//
// DIFFERS: with "none", programs of the host can reach what a guest listens on at the loopback, and an address that
// stands for all interfaces comes back as the loopback's: 127.0.0.1 also for IPv6, because one socket has one address, and clients
// of either protocol find it there.

import { EADDRNOTAVAIL, ECONNREFUSED, ENETUNREACH } from "../../abi/errno.ts";
import { AF_INET, AF_INET6, SOCK_STREAM } from "../../abi/socket.ts";
import type { HostPoller } from "../../host/poller.ts";

const V6_BYTES = 28;

export class Network {
  readonly poller: HostPoller;
  readonly isolated: boolean;
  /** Ports that guests have or had, and whether the IPv4 loopback is where they listen. */
  private readonly ports = new Map<number, boolean>();

  constructor(poller: HostPoller, isolated: boolean) {
    this.poller = poller;
    this.isolated = isolated;
  }

  /** The address to bind instead of `address`, or -errno. `onlyV6`: the socket has IPV6_V6ONLY. */
  bindable(address: Uint8Array, onlyV6: boolean): Uint8Array | number {
    const scope = scopeOf(address);
    if (!this.isolated || scope === "loopback" || scope === "other") return address;
    if (scope === "away") return -EADDRNOTAVAIL;
    const local = address.slice();
    if (familyOf(address) === AF_INET) local.set(LOOPBACK4, 4);
    else if (onlyV6) local[23] = 1;
    else local.set(MAPPED, 8);
    return local;
  }

  /** Where a guest that sends to `address` is to send, or -errno. */
  route(address: Uint8Array, type: number): Uint8Array | number {
    if (!this.isolated) return address;
    const scope = scopeOf(address);
    if (scope === "other") return address;
    if (scope === "away") return -ENETUNREACH;
    const onV4 = this.ports.get(portOf(address));
    if (onV4 === undefined) return type === SOCK_STREAM ? -ECONNREFUSED : -ENETUNREACH;
    if (familyOf(address) === AF_INET || !onV4) return address;
    const mapped = address.slice();
    mapped.set(MAPPED, 8);
    return mapped;
  }

  /** A guest has this address. */
  owned(address: Uint8Array | number): void {
    if (typeof address === "number" || address.length < 8) return;
    const onV4 = familyOf(address) === AF_INET || isMapped(address.subarray(8, 24));
    this.ports.set(portOf(address), onV4);
  }
}

const LOOPBACK4 = [127, 0, 0, 1];
/** ::ffff:127.0.0.1 */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...LOOPBACK4];

function isMapped(ip: Uint8Array): boolean {
  return ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 0xff && ip[11] === 0xff;
}

function familyOf(address: Uint8Array): number {
  return address.length < 2 ? 0 : address[0]! | (address[1]! << 8);
}

function portOf(address: Uint8Array): number {
  return (address[2]! << 8) | address[3]!;
}

/** "any" stands for all interfaces; "other" is no address of the internet, which the host judges. */
function scopeOf(address: Uint8Array): "any" | "loopback" | "away" | "other" {
  const family = familyOf(address);
  if (family === AF_INET && address.length >= 8) return scope4(address.subarray(4, 8));
  if (family !== AF_INET6 || address.length < V6_BYTES - 4) return "other";
  const ip = address.subarray(8, 24);
  if (ip.subarray(0, 15).every((byte) => byte === 0)) {
    if (ip[15] === 0) return "any";
    if (ip[15] === 1) return "loopback";
  }
  return isMapped(ip) ? scope4(ip.subarray(12)) : "away";
}

function scope4(ip: Uint8Array): "any" | "loopback" | "away" {
  if (ip[0] === 127) return "loopback";
  return ip.every((byte) => byte === 0) ? "any" : "away";
}
