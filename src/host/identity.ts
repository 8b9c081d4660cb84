// Who runs carrick, and on what machine.

import { pointerOf, shim } from "./shim.ts";

export interface HostIdentity {
  uid: number;
  euid: number;
  gid: number;
  egid: number;
  /** Supplementary groups. */
  groups: number[];
}

/** NGROUPS_MAX is 65536; nobody who runs programs has more than this. */
const MAX_WORDS = 5 + 1024;

export function hostIdentity(): HostIdentity {
  const out = new Uint32Array(MAX_WORDS);
  shim.host_identity(pointerOf(out), MAX_WORDS);
  const groups: number[] = [];
  for (let i = 0; i < out[4]!; i += 1) groups.push(out[5 + i]!);
  return { uid: out[0]!, euid: out[1]!, gid: out[2]!, egid: out[3]!, groups };
}

/** The host's node name as a byte string. */
export function hostName(): string {
  const out = Buffer.alloc(256);
  const n = shim.host_name(pointerOf(out), out.length);
  return n <= 0 ? "localhost" : out.toString("latin1", 0, n);
}

/** CPUs this process may use; at least 1. */
export function cpuCount(): number {
  return shim.host_cpu_count();
}

/** Bytes, except uptime (seconds) and load averages over 1, 5 and 15 minutes. */
export interface HostMemory {
  total: number;
  free: number;
  shared: number;
  buffers: number;
  totalSwap: number;
  freeSwap: number;
  uptimeSec: number;
  loads: [number, number, number];
}

export function hostMemory(): HostMemory {
  const out = new Float64Array(10);
  shim.host_memory_info(pointerOf(out));
  return {
    total: out[0]!,
    free: out[1]!,
    shared: out[2]!,
    buffers: out[3]!,
    totalSwap: out[4]!,
    freeSwap: out[5]!,
    uptimeSec: out[6]!,
    loads: [out[7]!, out[8]!, out[9]!],
  };
}
