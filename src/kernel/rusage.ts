// struct rusage in guest memory (kernel/sys.c getrusage).

import { RUSAGE_BYTES } from "../abi/resource.ts";
import { scratch } from "../host/scratch.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { putTimeval } from "./timespec.ts";
import type { Usage } from "./usage.ts";

/** 0 or -EFAULT. */
export function writeRusage(mm: AddressSpace, addr: number, usage: Usage): number {
  scratch.u8.fill(0, 0, RUSAGE_BYTES);
  putTimeval(0, usage.utimeNs);
  putTimeval(16, usage.stimeNs);
  scratch.setU64(32, usage.maxRssKib);
  scratch.setU64(64, usage.minorFaults);
  scratch.setU64(72, usage.majorFaults);
  scratch.setU64(88, usage.blocksIn);
  scratch.setU64(96, usage.blocksOut);
  scratch.setU64(128, usage.voluntarySwitches);
  scratch.setU64(136, usage.involuntarySwitches);
  return mm.copyOut(addr, RUSAGE_BYTES);
}
