// What counts against RLIMIT_AS, RLIMIT_DATA and RLIMIT_MEMLOCK (mm/mmap.c may_expand_vm, mm/mlock.c).

import { MAP_GROWSDOWN, MAP_SHARED, PROT_WRITE } from "../abi/mman.ts";
import type { AddressSpace } from "./address-space.ts";

/** Private memory that the program may write, stacks apart (is_data_mapping). */
export function isData(prot: number, flags: number): boolean {
  return (prot & PROT_WRITE) !== 0 && (flags & (MAP_SHARED | MAP_GROWSDOWN)) === 0;
}

/** Whether the limits allow `bytes` more, of memory with this protection and these flags. */
export function mayExpand(mm: AddressSpace, bytes: number, prot: number, flags: number): boolean {
  if (mm.mappedBytes + bytes > mm.limits.addressSpaceBytes) return false;
  if (mm.limits.dataBytes === Number.POSITIVE_INFINITY || !isData(prot, flags)) return true;
  return dataBytes(mm) + bytes <= mm.limits.dataBytes;
}

function dataBytes(mm: AddressSpace): number {
  let sum = 0;
  for (const vma of mm.vmas.areas) if (isData(vma.prot, vma.flags)) sum += vma.end - vma.start;
  return sum;
}

/** vm.max_map_count. */
const MAX_MAP_COUNT = 65530;

/** Whether another area may come into being by mapping, or by cutting one into two. */
export function mayAddArea(mm: AddressSpace): boolean {
  return mm.vmas.areas.length < MAX_MAP_COUNT;
}

export function lockedBytes(mm: AddressSpace): number {
  let sum = 0;
  for (const vma of mm.vmas.areas) if (vma.locked) sum += vma.end - vma.start;
  return sum;
}

/** Bytes of [start, end) that are locked already. */
export function lockedWithin(mm: AddressSpace, start: number, end: number): number {
  let sum = 0;
  for (const vma of mm.vmas.within(start, end)) {
    if (vma.locked) sum += Math.min(end, vma.end) - Math.max(start, vma.start);
  }
  return sum;
}

/** Bytes of [start, end) that are mapped. */
export function mappedWithin(mm: AddressSpace, start: number, end: number): number {
  let sum = 0;
  for (const vma of mm.vmas.within(start, end)) sum += Math.min(end, vma.end) - Math.max(start, vma.start);
  return sum;
}
