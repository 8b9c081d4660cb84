// Hands out the pages of a store. Pages are used again as they are, since a host may write out a whole range before it makes a hole of it;
// only large ranges, and all that is free at the end, go back to the host.

import { ENOSPC } from "../../abi/errno.ts";

/** Pages that files give back are put in order in batches of this many ranges, or of this many pages. */
const BATCH_RANGES = 1024;
const BATCH_PAGES = 4096;
const WORTH_A_CUT = 256;
/** Smaller free ranges than this wait until they have joined others. */
const CRUMB = 16;

/** What the pages are made of. */
export interface Backing {
  readonly maxPages: number;
  /** Pages that one allocation gets at most. */
  readonly maxGrant: number;
  /** Free pages in a row that are worth a call to the host. */
  readonly worthAHole: number;
  /** Makes the `count` pages behind the first `end` exist, as zeros. 0 or -errno. */
  extend(end: number, count: number): number;
  /** Throws everything from page `end` on away, to be zeros when they exist again. Whether it could. */
  cut(end: number): boolean;
  /** Nobody needs what is in these pages. */
  punch(start: number, count: number): void;
}

interface Range {
  start: number;
  count: number;
  /** The host has nothing there. */
  hole: boolean;
}

export class PagePool {
  private readonly backing: Backing;
  /** Pages of the last allocation, and whether they are zeros. */
  granted = 0;
  zeroed = false;
  private end = 0;
  /** Free below `end`, in order. */
  private free: Range[] = [];
  /** Free too, but too small to be handed out. */
  private crumbs: Range[] = [];
  /** Given back since `free` was put in order. */
  private released: Range[] = [];
  private releasedPages = 0;

  constructor(backing: Backing) {
    this.backing = backing;
  }

  /** Up to `count` consecutive pages: where they begin, with more in `granted` and `zeroed`; -errno. */
  allocate(count: number): number {
    const range = this.free[0];
    if (range !== undefined) {
      this.granted = Math.min(count, range.count);
      this.zeroed = false;
      const { start } = range;
      range.start += this.granted;
      range.count -= this.granted;
      if (range.count < CRUMB) this.free.shift();
      if (range.count > 0 && range.count < CRUMB) this.crumbs.push(range);
      return start;
    }
    const granted = Math.min(count, this.backing.maxGrant, this.backing.maxPages - this.end);
    if (granted <= 0) return -ENOSPC;
    const error = this.backing.extend(this.end, granted);
    if (error < 0) return error;
    const start = this.end;
    this.end += granted;
    this.granted = granted;
    this.zeroed = true;
    return start;
  }

  /** Takes pages back. */
  release(start: number, count: number): void {
    this.released.push({ start, count, hole: false });
    this.releasedPages += count;
    if (this.releasedPages >= BATCH_PAGES || this.released.length >= BATCH_RANGES) this.tidy();
  }

  private tidy(): void {
    const ranges = merged([...this.free, ...this.crumbs, ...this.released]);
    this.released = [];
    this.releasedPages = 0;
    let at = ranges.length;
    let tail = this.end;
    while (at > 0 && ranges[at - 1]!.start + ranges[at - 1]!.count === tail) {
      at -= 1;
      tail = ranges[at]!.start;
    }
    if (this.end - tail >= WORTH_A_CUT && this.backing.cut(tail)) {
      this.end = tail;
      ranges.length = at;
    }
    for (const range of ranges) {
      if (range.count < this.backing.worthAHole || range.hole) continue;
      this.backing.punch(range.start, range.count);
      range.hole = true;
    }
    this.free = ranges.filter((range) => range.count >= CRUMB);
    this.crumbs = ranges.filter((range) => range.count < CRUMB);
  }
}

/** In order, with neighbours of a kind joined. */
function merged(ranges: readonly Range[]): Range[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const joined: Range[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && last.start + last.count === range.start && last.hole === range.hole)
      last.count += range.count;
    else joined.push({ ...range });
  }
  return joined;
}
