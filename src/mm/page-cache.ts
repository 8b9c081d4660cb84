// The pages of one file (mm/filemap.c): frames keyed by page index, shared by every mapping and, where a file
// lives in memory, its only store. Reads fill clusters so that faults and readers find their neighbours.

import { EFAULT, ENOMEM } from "../abi/errno.ts";
import { shim } from "../host/shim.ts";
import type { IoBuffer } from "./io-buffer.ts";
import type { PageSource } from "./page-source.ts";

const PAGE = 4096;
/** Pages read around a missing one. */
const CLUSTER = 16;

/** An address space that maps pages of a cache; told when pages go away. */
export interface CacheMapper {
  /** Unmap every page of `cache` from index `first` on; with `copies`, private copies as well. */
  unmapCachePages(cache: PageCache, first: number, copies: boolean): void;
}

export class PageCache {
  private readonly source: PageSource | null;
  private readonly frames = new Map<number, number>();
  private readonly dirty = new Set<number>();
  /** Address spaces with mappings of this file, and how many each has. */
  private readonly mappers = new Map<CacheMapper, number>();
  /** Shared writable mappings: while there are any, dirty pages stay dirty, because no fault reports the next write. */
  private writers = 0;

  /** Without a source the cache is the file: holes read as zeros, nothing is written back. */
  constructor(source: PageSource | null) {
    this.source = source;
  }

  /** Whether the frames are the only copy of the data. */
  get isStore(): boolean {
    return this.source === null;
  }

  /** Size of the file behind the cache. */
  get sourceBytes(): number {
    return this.source?.sizeBytes() ?? 0;
  }

  get hasDirtyPages(): boolean {
    return this.dirty.size > 0;
  }

  get pageCount(): number {
    return this.frames.size;
  }

  get isMapped(): boolean {
    return this.mappers.size > 0;
  }

  /** Whether a shared mapping can be written through. */
  get isMappedWritable(): boolean {
    return this.writers > 0;
  }

  /** Lowest page from `index` on that is in memory, or Infinity. */
  nextPage(index: number): number {
    if (this.frames.has(index)) return index;
    let next = Number.POSITIVE_INFINITY;
    for (const page of this.frames.keys()) if (page >= index && page < next) next = page;
    return next;
  }

  /** Frame of page `index`, or -1 when it is not in memory. */
  peek(index: number): number {
    return this.frames.get(index) ?? -1;
  }

  /** Frame of page `index`, read in when missing; -ENOMEM, -EIO. Pages past the end read as zeros. */
  get(index: number): number {
    const frame = this.frames.get(index);
    return frame !== undefined ? frame : this.fill(index);
  }

  private fill(index: number): number {
    if (this.source === null) return this.insertZero(index);
    const pages = Math.ceil(this.source.sizeBytes() / PAGE);
    let first = index;
    let end = index + 1;
    const low = index - (index % CLUSTER);
    while (first > low && !this.frames.has(first - 1)) first -= 1;
    while (end < low + CLUSTER && end < pages && !this.frames.has(end)) end += 1;
    let frame = shim.frame_alloc(end - first, 0);
    if (frame < 0) {
      first = index;
      end = index + 1;
      frame = shim.frame_alloc(1, 0);
      if (frame < 0) return -ENOMEM;
    }
    const error = this.source.readPages(first, frame, end - first);
    if (error < 0) {
      shim.frame_unref(frame, end - first);
      return error;
    }
    for (let i = first; i < end; i += 1) this.frames.set(i, frame + (i - first));
    return frame + (index - first);
  }

  private insertZero(index: number): number {
    const frame = shim.frame_alloc(1, 1);
    if (frame < 0) return -ENOMEM;
    this.frames.set(index, frame);
    return frame;
  }

  markDirty(index: number): void {
    if (this.source !== null) this.dirty.add(index);
  }

  /** Copies file bytes [pos, size) into the buffer. Bytes moved or -errno. */
  read(io: IoBuffer, pos: number, size: number): number {
    let done = 0;
    while (io.remaining > 0 && pos < size) {
      const within = pos % PAGE;
      const count = Math.min(PAGE - within, size - pos, io.remaining);
      const index = (pos - within) / PAGE;
      const frame = this.source === null ? this.peek(index) : this.get(index);
      if (frame < -1) return done > 0 ? done : frame;
      const moved = frame === -1 ? io.zero(count) : io.putPtr(shim.frame_ptr(frame) + within, count);
      if (moved < 0) return done > 0 ? done : moved;
      done += moved;
      pos += moved;
      if (moved < count) break;
    }
    return done;
  }

  /**
   * Copies up to `max` bytes of the buffer to the file's pages from `pos` on. The caller sets the new size. Bytes
   * moved or -errno.
   */
  write(io: IoBuffer, pos: number, max = Number.POSITIVE_INFINITY): number {
    let done = 0;
    while (io.remaining > 0 && done < max) {
      const within = pos % PAGE;
      const count = Math.min(PAGE - within, io.remaining, max - done);
      const index = (pos - within) / PAGE;
      const frame = this.get(index);
      if (frame < 0) return done > 0 ? done : frame;
      const moved = io.takePtr(shim.frame_ptr(frame) + within, count);
      if (moved < 0) return done > 0 ? done : moved;
      this.markDirty(index);
      if (moved === 0) return done > 0 ? done : -EFAULT;
      done += moved;
      pos += moved;
      if (moved < count) break;
    }
    return done;
  }

  /** The file now ends at `sizeBytes`: later pages go, from mappings too, and the rest of the last one becomes zero. */
  truncate(sizeBytes: number): void {
    const first = Math.ceil(sizeBytes / PAGE);
    this.drop(first, true);
    this.clearTail(sizeBytes);
  }

  /** The file, which ended at `sizeBytes`, grows: what mappings left behind its end in the last page becomes zero. */
  clearTail(sizeBytes: number): void {
    const within = sizeBytes % PAGE;
    const last = within > 0 ? this.peek((sizeBytes - within) / PAGE) : -1;
    if (last >= 0) shim.mem_zero(shim.frame_ptr(last) + within, PAGE - within);
  }

  /** Forgets pages from index `first` on without writing them back; `copies`: private copies of them go, too. */
  drop(first: number, copies = false): void {
    for (const mapper of this.mappers.keys()) mapper.unmapCachePages(this, first, copies);
    for (const [index, frame] of this.frames) {
      if (index < first) continue;
      shim.frame_unref(frame, 1);
      this.frames.delete(index);
      this.dirty.delete(index);
    }
  }

  /** Zeroes the bytes [start, end) that are in memory (fallocate's hole punching); whole pages are given back. */
  punch(start: number, end: number): void {
    for (const [index, frame] of this.frames) {
      const from = Math.max(start, index * PAGE);
      const to = Math.min(end, (index + 1) * PAGE);
      if (from < to) shim.mem_zero(shim.frame_ptr(frame) + (from % PAGE), to - from);
    }
  }

  /**
   * Re-reads pages that somebody changed behind the cache (a write(2) to the host file) in place, so that
   * mappings see the new bytes. 0 or -errno.
   */
  refresh(start: number, end: number): number {
    if (this.source === null || this.frames.size === 0) return 0;
    for (let index = Math.floor(start / PAGE); index * PAGE < end; index += 1) {
      const frame = this.frames.get(index);
      if (frame === undefined) continue;
      const error = this.source.readPages(index, frame, 1);
      if (error < 0) return error;
    }
    return 0;
  }

  /** Writes dirty pages to the source. The first error, or 0. */
  writeBack(): number {
    if (this.source === null || this.dirty.size === 0) return 0;
    const size = this.source.sizeBytes();
    let result = 0;
    for (const index of this.dirty) {
      const frame = this.frames.get(index);
      const bytes = Math.min(PAGE, size - index * PAGE);
      const error = frame === undefined || bytes <= 0 ? 0 : this.source.writePage(index, frame, bytes);
      if (error < 0 && result === 0) result = error;
    }
    if (this.writers === 0) this.dirty.clear();
    return result;
  }

  addMapper(mapper: CacheMapper, sharedWritable: boolean): void {
    this.mappers.set(mapper, (this.mappers.get(mapper) ?? 0) + 1);
    if (sharedWritable) this.writers += 1;
  }

  removeMapper(mapper: CacheMapper, sharedWritable: boolean): void {
    const left = (this.mappers.get(mapper) ?? 1) - 1;
    if (left === 0) this.mappers.delete(mapper);
    else this.mappers.set(mapper, left);
    if (!sharedWritable) return;
    this.writeBack();
    this.writers -= 1;
    if (this.writers === 0) this.dirty.clear();
  }

  /** Gives all frames back. The caller has written back and nothing maps the file any more. */
  destroy(): void {
    for (const frame of this.frames.values()) shim.frame_unref(frame, 1);
    this.frames.clear();
    this.dirty.clear();
  }
}
