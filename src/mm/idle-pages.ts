// Files with cached pages that nobody has open: their pages wait for the next user, and the oldest make room for others.

import type { PageCache } from "./page-cache.ts";

export interface PageHolder {
  readonly cache: PageCache | null;
  /** Gives the pages back. Nothing maps the file. */
  dropCache(): void;
}

export class IdlePages<T extends PageHolder> {
  private readonly holders = new Set<T>();
  private readonly maxHolders: number;
  private readonly maxPages: number;

  constructor(maxHolders: number, maxPages: number) {
    this.maxHolders = maxHolders;
    this.maxPages = maxPages;
  }

  get size(): number {
    return this.holders.size;
  }

  /** `holder` has lost its last user. */
  add(holder: T): void {
    this.holders.delete(holder);
    this.holders.add(holder);
    let pages = 0;
    for (const other of this.holders) pages += other.cache?.pageCount ?? 0;
    for (const other of this.holders) {
      if (this.holders.size <= this.maxHolders && pages <= this.maxPages) break;
      pages -= other.cache?.pageCount ?? 0;
      this.holders.delete(other);
      other.dropCache();
    }
  }

  /** `holder` has a user again, or is gone. */
  delete(holder: T): void {
    this.holders.delete(holder);
  }

  /** Gives all pages back. */
  clear(): void {
    for (const holder of this.holders) holder.dropCache();
    this.holders.clear();
  }
}
