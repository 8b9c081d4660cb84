// The host's network interfaces, for ioctls of sockets that are none of the host's, and its tables of routes.

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { files } from "./files.ts";
import { sockets } from "./sockets.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFNAME = 0x8910;
const SIOCGIFINDEX = 0x8933;
/** struct ifreq of Linux: a name, then a union. */
export const IFREQ_BYTES = 40;
export const IFNAMSIZ = 16;

/** An SIOCGIF* command whose struct ifreq, in and out, is `request`. 0 or -errno. */
export function interfaceControl(command: number, request: Uint8Array): number {
  return withSocket((fd) => sockets.ioctl(fd, command, request));
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
    const request = new Uint8Array(IFREQ_BYTES);
    request.set(Buffer.from(name, "latin1").subarray(0, IFNAMSIZ - 1));
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
