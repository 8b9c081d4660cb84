// Which ranges of a file lie where: an ordered list of extents, in whole units. An extent maps [start, start + count) to consecutive
// units of a store from `target` on, or to nothing at all (HOLE), which is not the same as having no extent.

export const HOLE = -1;

export interface Extent {
  readonly start: number;
  count: number;
  /** First unit in the store, or HOLE. */
  readonly target: number;
}

export class ExtentMap {
  private extents: Extent[] = [];

  get isEmpty(): boolean {
    return this.extents.length === 0;
  }

  /** Index of the extent that covers `unit`, or of the first one behind it. */
  private indexOf(unit: number): number {
    let low = 0;
    let high = this.extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = this.extents[middle]!;
      if (extent.start + extent.count <= unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The extent that covers `unit` or else the next one behind it; undefined when there is none. */
  at(unit: number): Extent | undefined {
    return this.extents[this.indexOf(unit)];
  }

  /**
   * Maps [start, start + count) anew. Ranges of the store that were mapped there are handed to `release`. Neighbours that
   * continue each other become one extent.
   */
  set(start: number, count: number, target: number, release: (target: number, count: number) => void): void {
    const last = this.extents[this.extents.length - 1];
    // The usual case: a file grows.
    if (
      last !== undefined &&
      last.start + last.count === start &&
      last.target !== HOLE &&
      target === last.target + last.count
    ) {
      last.count += count;
      return;
    }
    this.cut(start, count, release);
    const at = this.indexOf(start);
    const before = this.extents[at - 1];
    const after = this.extents[at];
    let joined: Extent = { start, count, target };
    let from = at;
    let to = at;
    if (before !== undefined && continues(before, joined)) {
      joined = { start: before.start, count: before.count + joined.count, target: before.target };
      from -= 1;
    }
    if (after !== undefined && continues(joined, after)) {
      joined = { start: joined.start, count: joined.count + after.count, target: joined.target };
      to += 1;
    }
    if (from === this.extents.length) this.extents.push(joined);
    else this.extents.splice(from, to - from, joined);
  }

  /** Forgets what [start, start + count) is mapped to. */
  cut(start: number, count: number, release: (target: number, count: number) => void): void {
    const end = start + count;
    const first = this.indexOf(start);
    let last = first;
    const rest: Extent[] = [];
    for (; last < this.extents.length; last += 1) {
      const extent = this.extents[last]!;
      if (extent.start >= end) break;
      const from = Math.max(start, extent.start);
      const to = Math.min(end, extent.start + extent.count);
      if (extent.start < from) rest.push({ ...extent, count: from - extent.start });
      if (to < extent.start + extent.count) rest.push(tail(extent, to));
      if (extent.target !== HOLE) release(extent.target + (from - extent.start), to - from);
    }
    if (last > first) this.extents.splice(first, last - first, ...rest);
  }

  /** How many units lie in the store. */
  get mapped(): number {
    let units = 0;
    for (const extent of this.extents) if (extent.target !== HOLE) units += extent.count;
    return units;
  }

  *[Symbol.iterator](): Iterator<Extent> {
    yield* this.extents;
  }
}

function tail(extent: Extent, from: number): Extent {
  const skipped = from - extent.start;
  const target = extent.target === HOLE ? HOLE : extent.target + skipped;
  return { start: from, count: extent.count - skipped, target };
}

function continues(a: Extent, b: Extent): boolean {
  if (a.start + a.count !== b.start) return false;
  return a.target === HOLE ? b.target === HOLE : b.target === a.target + a.count;
}
