// Virtual memory areas (struct vm_area_struct) and the ordered list of them that an address space has.

import { MAP_SHARED } from "../abi/mman.ts";
import type { PageCache } from "./page-cache.ts";

/** A file as mmap holds it: the pages, and what /proc/PID/maps says. */
export interface MappedFile {
  readonly cache: PageCache;
  readonly dev: number;
  readonly ino: number;
  /** Opened for writing, so a shared mapping may become writable. */
  readonly writable: boolean;
  /** Size of the file now; pages past it raise SIGBUS. */
  sizeBytes(): number;
  /** Path for /proc/PID/maps. */
  name(): string;
  ref(): void;
  unref(): void;
  /** An address space has it as its program, or no longer: it cannot be opened for writing meanwhile. */
  countProgram?(change: number): void;
}

export class Vma {
  /** Page-aligned; `end` is exclusive. */
  start: number;
  end: number;
  /** PROT_READ | PROT_WRITE | PROT_EXEC. */
  prot: number;
  /** MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN, MAP_NORESERVE. */
  flags: number;
  file: MappedFile | null;
  /** File page that `start` maps. */
  pageOffset: number;
  /** "[heap]", "[stack]", "[anon:...]" or "". */
  name: string;
  locked = false;
  dontFork = false;
  wipeOnFork = false;

  constructor(
    start: number,
    end: number,
    prot: number,
    flags: number,
    file: MappedFile | null,
    pageOffset: number,
    name = "",
  ) {
    this.start = start;
    this.end = end;
    this.prot = prot;
    this.flags = flags;
    this.file = file;
    this.pageOffset = pageOffset;
    this.name = name;
  }

  get shared(): boolean {
    return (this.flags & MAP_SHARED) !== 0;
  }

  /** Stores into it change the file. */
  get sharedWritable(): boolean {
    return this.shared && this.file !== null && this.file.writable;
  }

  /** The same area, cut to [start, end). */
  slice(start: number, end: number): Vma {
    const piece = new Vma(start, end, this.prot, this.flags, this.file, this.pageOffset, this.name);
    if (this.file !== null) piece.pageOffset += (start - this.start) / 4096;
    piece.locked = this.locked;
    piece.dontFork = this.dontFork;
    piece.wipeOnFork = this.wipeOnFork;
    return piece;
  }

  /** Whether `next` continues this area in every respect. */
  joins(next: Vma): boolean {
    return (
      this.end === next.start &&
      this.prot === next.prot &&
      this.flags === next.flags &&
      this.file === next.file &&
      this.name === next.name &&
      this.locked === next.locked &&
      this.dontFork === next.dontFork &&
      this.wipeOnFork === next.wipeOnFork &&
      (this.file === null || this.pageOffset + (this.end - this.start) / 4096 === next.pageOffset)
    );
  }
}

/** Areas in address order, never overlapping. */
export class VmaList {
  readonly areas: Vma[] = [];

  // No hole between `searchedTo` and `searchedTop` is larger than `searchedHole`, so that thousands of mappings that
  // no search could use are not looked at for each new one. Only removing areas makes holes.
  private searchedTop = -1;
  private searchedTo = -1;
  private searchedHole = 0;

  /** Index of the first area that ends above `addr`; the length when there is none. */
  indexAbove(addr: number): number {
    let low = 0;
    let high = this.areas.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.areas[middle]!.end > addr) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The area that contains `addr`. */
  find(addr: number): Vma | undefined {
    const area = this.areas[this.indexAbove(addr)];
    return area !== undefined && area.start <= addr ? area : undefined;
  }

  /** Whether nothing lies in [start, end). */
  isFree(start: number, end: number): boolean {
    const area = this.areas[this.indexAbove(start)];
    return area === undefined || area.start >= end;
  }

  /** Whether areas cover [start, end) without a hole. */
  covers(start: number, end: number): boolean {
    for (let i = this.indexAbove(start); start < end; i += 1) {
      const area = this.areas[i];
      if (area === undefined || area.start > start) return false;
      start = area.end;
    }
    return true;
  }

  /** Cuts areas so that none crosses `addr`. Returns whether one was cut. */
  splitAt(addr: number): boolean {
    const i = this.indexAbove(addr);
    const area = this.areas[i];
    if (area === undefined || area.start >= addr) return false;
    this.areas.splice(i + 1, 0, area.slice(addr, area.end));
    area.end = addr;
    area.file?.ref();
    return true;
  }

  /** The areas that touch [start, end). */
  within(start: number, end: number): Vma[] {
    const from = this.indexAbove(start);
    let to = from;
    while (to < this.areas.length && this.areas[to]!.start < end) to += 1;
    return this.areas.slice(from, to);
  }

  insert(area: Vma): void {
    this.areas.splice(this.indexAbove(area.start), 0, area);
  }

  /** Removes `count` consecutive areas from `first` on. */
  removeRun(first: Vma, count: number): void {
    const i = this.areas.indexOf(first, this.indexAbove(first.start));
    this.areas.splice(i, count);
    const next = this.areas[i];
    this.searchedTo = Math.max(this.searchedTo, Math.min(this.searchedTop, next?.start ?? this.searchedTop));
  }

  /** Joins neighbours that are alike around [start, end]. `joined` is told of each area that vanished. */
  mergeAround(start: number, end: number, joined: (area: Vma) => void): void {
    let i = Math.max(1, this.indexAbove(start - 1));
    while (i < this.areas.length && this.areas[i]!.start <= end) {
      const previous = this.areas[i - 1]!;
      const area = this.areas[i]!;
      if (!previous.joins(area)) {
        i += 1;
        continue;
      }
      previous.end = area.end;
      this.areas.splice(i, 1);
      joined(area);
    }
  }

  /** Highest hole of `length` bytes below `top` and not below `bottom`; its start, or -1. */
  findHole(length: number, bottom: number, top: number, align: number): number {
    if (top !== this.searchedTop) {
      this.searchedTop = top;
      this.searchedTo = top;
      this.searchedHole = 0;
    }
    // What fits into a hole that was passed over is looked for from the top again.
    let end = length > this.searchedHole ? this.searchedTo : top;
    let passed = length > this.searchedHole ? this.searchedHole : 0;
    for (let i = this.indexAbove(end - 1); ; i -= 1) {
      const area = this.areas[i];
      if (area !== undefined && area.start < end) {
        const start = Math.floor((end - length) / align) * align;
        if (start >= Math.max(area.end, bottom)) return this.searched(end, passed, start);
        passed = Math.max(passed, end - area.end);
        end = area.start;
      }
      if (i <= 0 || end - length < bottom) break;
    }
    const start = Math.floor((end - length) / align) * align;
    const previous = this.areas[this.indexAbove(start)];
    return this.searched(
      end,
      passed,
      start >= bottom && (previous === undefined || previous.start >= end) ? start : -1,
    );
  }

  private searched(to: number, hole: number, found: number): number {
    if (to <= this.searchedTo) {
      this.searchedTo = to;
      this.searchedHole = hole;
    }
    return found;
  }
}
