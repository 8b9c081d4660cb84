// Which part of the host's network a run has (`--network`). With "none" guests have a loopback on which they reach each
// other only: sockets are bound to the host's loopback, and connections go to ports of guests alone.
//
// DIFFERS: with "none", programs of the host can reach what a guest listens on at the loopback, and an address that
// stands for all interfaces comes back as the loopback's.

import { EADDRNOTAVAIL, ECONNREFUSED, ENETUNREACH } from "../../abi/errno.ts";
import { AF_INET, AF_INET6, SOCK_STREAM } from "../../abi/socket.ts";
import type { HostPoller } from "../../host/poller.ts";

const V6_BYTES = 28;

export class Network {
  readonly poller: HostPoller;
  readonly isolated: boolean;
  /** Ports that guests have or had. */
  private readonly ports = new Set<number>();

  constructor(poller: HostPoller, isolated: boolean) {
    this.poller = poller;
    this.isolated = isolated;
  }

  /** The address to bind instead of `address`, or -errno. */
  bindable(address: Uint8Array): Uint8Array | number {
    if (!this.isolated || scopeOf(address) === "loopback" || scopeOf(address) === "other") return address;
    if (scopeOf(address) === "away") return -EADDRNOTAVAIL;
    const local = address.slice();
    if (familyOf(address) === AF_INET) local.set([127, 0, 0, 1], 4);
    else local[23] = 1;
    return local;
  }

  /** Whether a guest may send to an address: 0 or -errno. */
  reachable(address: Uint8Array, type: number): number {
    if (!this.isolated) return 0;
    const scope = scopeOf(address);
    if (scope === "other") return 0;
    if (scope === "away") return -ENETUNREACH;
    if (this.ports.has(portOf(address))) return 0;
    return type === SOCK_STREAM ? -ECONNREFUSED : -ENETUNREACH;
  }

  /** A guest has this address. */
  owned(address: Uint8Array | number): void {
    if (typeof address !== "number" && address.length >= 4) this.ports.add(portOf(address));
  }
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
  const mapped = ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 0xff && ip[11] === 0xff;
  return mapped ? scope4(ip.subarray(12)) : "away";
}

function scope4(ip: Uint8Array): "any" | "loopback" | "away" {
  if (ip[0] === 127) return "loopback";
  return ip.every((byte) => byte === 0) ? "any" : "away";
}
