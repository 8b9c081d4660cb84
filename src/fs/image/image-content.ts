// The bytes of one file of an image: a range of a layer's tar, overlaid page by page with what the run has written, which lies in
// the scratch store. Only pages that a write touches are ever copied.

import { EIO } from "../../abi/errno.ts";
import { shim } from "../../host/shim.ts";
import { ExtentMap, HOLE } from "../../lib/extent-map.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { KernelBuffer } from "../../mm/kernel-buffer.ts";
import type { PageSource } from "../../mm/page-source.ts";
import { PAGE, type ScratchStore, storeError } from "./scratch-store.ts";

/** Instead of a descriptor. */
const NOWHERE = -1;
const IN_MEMORY = -2;

const FIRST_RESERVE = 1;
const LAST_RESERVE = 4096;

/** The file as the image has it. */
export interface Base {
  readonly tarFd: number;
  /** Pieces with content: where in the file, how long, where in the tar. In order. */
  readonly pieces: readonly { readonly start: number; readonly length: number; readonly tarOffset: number }[];
}

const page = new Uint8Array(PAGE);
const pageBuffer = new KernelBuffer(page);
const zeros = new Uint8Array(PAGE);
const moved = new KernelBuffer(new Uint8Array(PAGE));

export class ImageContent implements PageSource {
  private readonly store: ScratchStore;
  private readonly base: Base | null;
  /** Bytes of the base from here on do not show any more. */
  private baseEnd = Number.POSITIVE_INFINITY;
  private readonly extents = new ExtentMap();
  size: number;
  /** Pages of the store that are this file's and not used yet. */
  private reserveStart = 0;
  private reserveLeft = 0;
  private reserveZeroed = true;
  private nextReserve = FIRST_RESERVE;
  /** Told when a mapping's pages were written back. */
  onWriteBack: () => void = () => {};

  constructor(store: ScratchStore, base: Base | null, size: number) {
    this.store = store;
    this.base = base;
    this.size = size;
  }

  private readonly release = (target: number, count: number): void => this.store.release(target, count);

  // --- Where a byte is: `locate` fills these three.
  private at = 0;
  private fd = NOWHERE;
  private length = 0;

  /** Finds the run of bytes from `pos` on that lie together: in `fd` at `at`, IN_MEMORY at the host pointer `at`, or NOWHERE; `length` is its length. */
  private locate(pos: number): void {
    const index = Math.floor(pos / PAGE);
    const extent = this.extents.at(index);
    let end = Number.POSITIVE_INFINITY;
    if (extent !== undefined) {
      if (extent.start <= index) {
        this.length = (extent.start + extent.count) * PAGE - pos;
        this.fd = NOWHERE;
        if (extent.target !== HOLE) this.locateStored(extent.target, pos - extent.start * PAGE);
        return;
      }
      end = extent.start * PAGE;
    }
    this.locateBase(pos, end);
  }

  private locateStored(page: number, within: number): void {
    const ptr = this.store.pointerTo(page);
    this.fd = ptr === 0 ? this.store.fd : IN_MEMORY;
    this.at = (ptr === 0 ? this.store.offsetOf(page) : ptr) + within;
  }

  private locateBase(pos: number, end: number): void {
    this.fd = NOWHERE;
    this.length = end - pos;
    if (this.base === null || pos >= this.baseEnd) return;
    const { pieces } = this.base;
    let low = 0;
    let high = pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (pieces[middle]!.start + pieces[middle]!.length <= pos) low = middle + 1;
      else high = middle;
    }
    const piece = pieces[low];
    if (piece === undefined) return;
    if (piece.start > pos) {
      this.length = Math.min(end, piece.start) - pos;
      return;
    }
    this.fd = this.base.tarFd;
    this.at = piece.tarOffset + (pos - piece.start);
    this.length = Math.min(end, piece.start + piece.length, this.baseEnd) - pos;
  }

  /** Bytes [pos, size) into the buffer, straight from the host's files. Bytes moved or -errno. */
  read(io: IoBuffer, pos: number): number {
    let done = 0;
    while (io.remaining > 0 && pos < this.size) {
      this.locate(pos);
      const count = Math.min(this.length, this.size - pos, io.remaining);
      const n =
        this.fd === IN_MEMORY
          ? io.putPtr(this.at, count)
          : this.fd === NOWHERE
            ? io.zero(count)
            : io.hostRead(this.fd, this.at, count);
      if (n < 0) return done > 0 ? done : n;
      // The tar is shorter than its index says.
      if (n === 0) return done > 0 ? done : -EIO;
      done += n;
      pos += n;
      if (n < count) break;
    }
    return done;
  }

  /** Writes up to `max` bytes at `pos` and grows the file. Bytes moved or -errno. */
  write(io: IoBuffer, pos: number, max = Number.POSITIVE_INFINITY): number {
    let done = 0;
    while (io.remaining > 0 && done < max) {
      const wanted = Math.min(io.remaining, max - done);
      const index = Math.floor(pos / PAGE);
      const extent = this.extents.at(index);
      const n =
        extent !== undefined && extent.start <= index && extent.target !== HOLE
          ? this.writeStored(
              io,
              extent.target,
              pos - extent.start * PAGE,
              Math.min(wanted, (extent.start + extent.count) * PAGE - pos),
            )
          : this.writeNew(io, pos, wanted);
      if (n <= 0) return done > 0 ? done : storeError(n);
      done += n;
      pos += n;
      if (pos > this.size) this.size = pos;
    }
    return done;
  }

  /** Writes to consecutive pages of the store, from byte `within` on. Bytes moved or -errno. */
  private writeStored(io: IoBuffer, page: number, within: number, count: number): number {
    const ptr = this.store.pointerTo(page);
    if (ptr !== 0) return io.takePtr(ptr + within, count);
    return io.hostWrite(this.store.fd, this.store.offsetOf(page) + within, count);
  }

  /** Writes where the store has nothing of the file yet. */
  private writeNew(io: IoBuffer, pos: number, wanted: number): number {
    const first = Math.floor(pos / PAGE);
    const next = this.nextStored(first);
    const pages = Math.min(Math.ceil((pos + wanted) / PAGE), next) - first;
    const target = this.take(pages);
    if (target < 0) return target;
    const count = Math.min(wanted, (first + this.taken) * PAGE - pos);
    const within = pos - first * PAGE;
    const n = this.writeStored(io, target, within, count);
    const used = n <= 0 ? 0 : Math.ceil((within + n) / PAGE);
    this.giveBack(this.taken - used);
    if (n <= 0) return n;
    // What the write did not cover of its first and last page comes from before.
    let error = this.carry(first * PAGE, pos, target, 0);
    if (error === 0) error = this.carry(pos + n, (first + used) * PAGE, target, within + n);
    if (error < 0) {
      this.store.release(target, used);
      return error;
    }
    this.extents.set(first, used, target, this.release);
    return n;
  }

  /** First page from `index` on that lies in the store. */
  private nextStored(index: number): number {
    for (;;) {
      const extent = this.extents.at(index);
      if (extent === undefined) return Number.POSITIVE_INFINITY;
      if (extent.target !== HOLE) return extent.start;
      index = extent.start + extent.count;
    }
  }

  /** Pages of the last `take`. */
  private taken = 0;

  /** Up to `count` fresh pages of the store: the first one, or -errno. */
  private take(count: number): number {
    if (this.reserveLeft === 0) {
      const start = this.store.allocate(Math.max(count, this.nextReserve));
      if (start < 0) return start;
      this.reserveStart = start;
      this.reserveLeft = this.store.granted;
      this.reserveZeroed = this.store.zeroed;
      this.nextReserve = Math.min(2 * this.nextReserve, LAST_RESERVE);
    }
    this.taken = Math.min(count, this.reserveLeft);
    const start = this.reserveStart;
    this.reserveStart += this.taken;
    this.reserveLeft -= this.taken;
    return start;
  }

  /** Returns the last `count` pages of the last `take`, which nobody has written to. */
  private giveBack(count: number): void {
    this.reserveStart -= count;
    this.reserveLeft += count;
  }

  /** Copies the file's bytes [from, to), less than a page, to pages that were just taken: zeros behind the end. 0 or -errno. */
  private carry(from: number, to: number, target: number, within: number): number {
    if (from === to) return 0;
    const count = Math.max(0, Math.min(to, this.size) - from);
    const n = count === 0 ? 0 : this.read(pageBuffer.rewind(0, count), from);
    if (n < 0) return n;
    const length = this.reserveZeroed ? n : to - from;
    if (length === 0) return 0;
    page.fill(0, n, length);
    return this.store.put(target, within, page, length);
  }

  /** Sets the size. 0 or -errno. */
  truncate(size: number): number {
    if (size < this.size) {
      const end = Math.ceil(size / PAGE);
      this.extents.cut(end, Math.ceil(this.size / PAGE) - end + 1, this.release);
      this.baseEnd = Math.min(this.baseEnd, size);
      if (size % PAGE !== 0) {
        const error = this.zeroStored(size, end * PAGE);
        if (error < 0) return error;
      }
    }
    this.size = size;
    return 0;
  }

  /** Zeroes bytes of one page, where that page lies in the store. */
  private zeroStored(from: number, to: number): number {
    const index = Math.floor(from / PAGE);
    const extent = this.extents.at(index);
    if (extent === undefined || extent.start > index || extent.target === HOLE) return 0;
    return this.store.put(extent.target, from - extent.start * PAGE, zeros, to - from);
  }

  /** Makes the bytes [start, end) zeros that take no space. 0 or -errno. */
  punch(start: number, end: number): number {
    end = Math.min(end, Math.ceil(this.size / PAGE) * PAGE);
    const first = Math.ceil(start / PAGE);
    const last = Math.floor(end / PAGE);
    if (first < last) this.extents.set(first, last - first, HOLE, this.release);
    let error = 0;
    if (first > last) error = this.zero(start, end);
    else {
      if (start < first * PAGE) error = this.zero(start, Math.min(end, first * PAGE));
      if (error === 0 && end > last * PAGE && last >= first) error = this.zero(Math.max(start, last * PAGE), end);
    }
    return error;
  }

  /** Moves the bytes [from, to), which begin with a page, by `distance` bytes, whole pages. 0 or -errno. */
  move(from: number, to: number, distance: number): number {
    const pages = Math.ceil((to - from) / PAGE);
    for (let i = 0; i < pages; i += 1) {
      const pos = from + (distance < 0 ? i : pages - 1 - i) * PAGE;
      const count = Math.min(PAGE, to - pos);
      this.locate(pos);
      if (this.fd === NOWHERE && this.length >= count) {
        const error = pos + distance + count > this.size ? this.truncate(pos + distance + count) : 0;
        const punched = error < 0 ? error : this.punch(pos + distance, pos + distance + count);
        if (punched < 0) return punched;
        continue;
      }
      let n = this.read(moved.rewind(0, count), pos);
      if (n === count) n = this.write(moved.rewind(0, count), pos + distance);
      if (n !== count) return n < 0 ? n : -EIO;
    }
    return 0;
  }

  /** Writes zeros over bytes of one page. */
  private zero(from: number, to: number): number {
    const count = Math.min(to, this.size) - from;
    if (count <= 0) return 0;
    this.locate(from);
    if (this.fd === NOWHERE && this.length >= count) return 0;
    return Math.min(this.write(zeroBuffer.rewind(0, count), from, count), 0);
  }

  /** lseek(2)'s SEEK_DATA and SEEK_HOLE for an `offset` inside the file: where, or Infinity when there is no more data. */
  seek(offset: number, data: boolean): number {
    for (let pos = offset; pos < this.size; pos += this.length) {
      this.locate(pos);
      if ((this.fd !== NOWHERE) === data) return pos;
    }
    return data ? Number.POSITIVE_INFINITY : this.size;
  }

  /** In units of 512 bytes, by whole pages. */
  get blocks(): number {
    if (this.extents.isEmpty && this.baseEnd === Number.POSITIVE_INFINITY) {
      let bytes = 0;
      for (const piece of this.base?.pieces ?? []) bytes += piece.length;
      return Math.ceil(bytes / PAGE) * 8;
    }
    let bytes = 0;
    for (let pos = 0; pos < this.size; pos += this.length) {
      this.locate(pos);
      if (this.fd !== NOWHERE) bytes += Math.min(this.length, this.size - pos);
    }
    return Math.ceil(bytes / PAGE) * 8;
  }

  // --- PageSource

  sizeBytes(): number {
    return this.size;
  }

  readPages(index: number, frame: number, count: number): number {
    const start = index * PAGE;
    const ptr = shim.frame_ptr(frame);
    const end = start + count * PAGE;
    const full = Math.min(end, Math.max(start, this.size));
    for (let pos = start; pos < full; ) {
      this.locate(pos);
      const n = Math.min(this.length, full - pos);
      if (this.fd === NOWHERE) shim.mem_zero(ptr + (pos - start), n);
      else if (this.fd === IN_MEMORY) shim.mem_copy(ptr + (pos - start), this.at, n);
      else {
        const got = shim.host_read(this.fd, ptr + (pos - start), n, this.at);
        if (got <= 0) return got < 0 ? got : -EIO;
        pos += got;
        continue;
      }
      pos += n;
    }
    if (full < end) shim.mem_zero(ptr + (full - start), end - full);
    return 0;
  }

  writePage(index: number, frame: number, sizeBytes: number): number {
    let extent = this.extents.at(index);
    if (extent === undefined || extent.start > index || extent.target === HOLE) {
      const target = this.take(1);
      if (target < 0) return target;
      if (!this.reserveZeroed) this.store.put(target, sizeBytes, zeros, PAGE - sizeBytes);
      this.extents.set(index, 1, target, this.release);
      extent = this.extents.at(index)!;
    }
    this.onWriteBack();
    this.locateStored(extent.target, (index - extent.start) * PAGE);
    if (this.fd !== IN_MEMORY) return storeError(Math.min(shim.frame_flush(frame, sizeBytes, this.fd, this.at), 0));
    shim.mem_copy(this.at, shim.frame_ptr(frame), sizeBytes);
    return 0;
  }

  /** Nobody needs the bytes any more. */
  destroy(): void {
    this.extents.cut(0, Number.POSITIVE_INFINITY, this.release);
    this.store.release(this.reserveStart, this.reserveLeft);
    this.reserveLeft = 0;
  }
}

const zeroBuffer = new KernelBuffer(zeros);
