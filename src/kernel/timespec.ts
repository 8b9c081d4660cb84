// struct timespec, timeval and itimerspec in guest memory (kernel/time/time.c).

import { EFAULT, EINVAL } from "../abi/errno.ts";
import { NSEC_PER_SEC } from "../abi/time.ts";
import { scratch } from "../host/scratch.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { TimeParts } from "./clock.ts";

/** Largest span in ns that the kernel keeps apart from "for ever" (KTIME_MAX: 292 years). */
const KTIME_MAX = 9.2e18;

/** A valid struct timespec at `addr`; -EFAULT, -EINVAL when negative or not normalised. */
export function readTimespec(mm: AddressSpace, addr: number): TimeParts | number {
  return mm.copyIn(addr, 16) < 0 ? -EFAULT : timespecAt(0);
}

/** The struct timespec in scratch at byte `offset`, or -EINVAL. */
export function timespecAt(offset: number): TimeParts | number {
  const sec = scratch.getI64(offset);
  const nsec = scratch.getI64(offset + 8);
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) return -EINVAL;
  return { sec, nsec };
}

/** A struct timeval, as ns. -EFAULT, -EINVAL. */
export function readTimeval(mm: AddressSpace, addr: number): TimeParts | number {
  if (mm.copyIn(addr, 16) < 0) return -EFAULT;
  return timevalAt(0);
}

export function timevalAt(offset: number): TimeParts | number {
  const sec = scratch.getI64(offset);
  const usec = scratch.getI64(offset + 8);
  if (sec < 0 || usec < 0 || usec >= 1e6) return -EINVAL;
  return { sec, nsec: usec * 1000 };
}

/** A span in ns; Infinity when it is longer than the kernel can count. */
export function spanNs(time: TimeParts): number {
  const ns = time.sec * NSEC_PER_SEC + time.nsec;
  return ns >= KTIME_MAX ? Number.POSITIVE_INFINITY : ns;
}

/** Puts ns into scratch as a struct timespec at byte `offset`. */
export function putTimespec(offset: number, ns: number): void {
  const sec = Math.floor(ns / NSEC_PER_SEC);
  scratch.setU64(offset, sec);
  scratch.setU64(offset + 8, Math.floor(ns - sec * NSEC_PER_SEC));
}

/** Puts ns into scratch as a struct timeval at byte `offset`. */
export function putTimeval(offset: number, ns: number): void {
  const sec = Math.floor(ns / NSEC_PER_SEC);
  scratch.setU64(offset, sec);
  scratch.setU64(offset + 8, Math.floor((ns - sec * NSEC_PER_SEC) / 1000));
}

/** 0 or -EFAULT. */
export function writeTimespec(mm: AddressSpace, addr: number, ns: number): number {
  putTimespec(0, ns);
  return mm.copyOut(addr, 16);
}
