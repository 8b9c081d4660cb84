// An I/O buffer over guest memory: one segment for read(2), several for readv(2).

import { EFAULT } from "../abi/errno.ts";
import { scratch } from "../host/scratch.ts";
import { Access } from "../host/shim.gen.ts";
import { lastingBuffer, pointerOf, shim } from "../host/shim.ts";
import type { IoBuffer } from "./io-buffer.ts";
import type { UserMemory } from "./user-memory.ts";

/** Most guest bytes that one host call moves: bounds how far pages are faulted in ahead of the data. */
const CHUNK = 1 << 20;
const MAX_PIECES = 1024;

/** struct iovec array for the shim. */
const pieces = new Uint32Array(lastingBuffer(MAX_PIECES * 16));
const piecesPtr = pointerOf(pieces);

export class UserBuffer implements IoBuffer {
  private readonly memory: UserMemory;
  private addrs: number[] = [];
  private lengths: number[] = [];
  /** The segment that comes next, and how much of it is done. */
  private segment = 0;
  private within = 0;
  remaining = 0;

  constructor(memory: UserMemory) {
    this.memory = memory;
  }

  /** Becomes the single segment [addr, addr + len). */
  reset(addr: number, len: number): this {
    this.addrs.length = 1;
    this.lengths.length = 1;
    this.addrs[0] = addr;
    this.lengths[0] = len;
    this.segment = 0;
    this.within = 0;
    this.remaining = len;
    return this;
  }

  append(addr: number, len: number): void {
    if (len === 0) return;
    this.addrs.push(addr);
    this.lengths.push(len);
    this.remaining += len;
  }

  /** Drops what lies past the next `len` bytes. */
  truncate(len: number): void {
    let left = len + this.within;
    for (let i = this.segment; i < this.lengths.length; i += 1) {
      this.lengths[i] = Math.min(this.lengths[i]!, left);
      left -= this.lengths[i]!;
    }
    this.remaining = Math.min(this.remaining, len);
  }

  /** A copy that keeps its place, for an Op that outlives this call. */
  clone(): UserBuffer {
    const copy = new UserBuffer(this.memory);
    copy.addrs = this.addrs.slice();
    copy.lengths = this.lengths.slice();
    copy.segment = this.segment;
    copy.within = this.within;
    copy.remaining = this.remaining;
    return copy;
  }

  put(bytes: Uint8Array, from: number, count: number): number {
    return this.putPtr(pointerOf(bytes) + from, count);
  }

  take(bytes: Uint8Array, from: number, count: number): number {
    return this.takePtr(pointerOf(bytes) + from, count);
  }

  putPtr(ptr: number, count: number): number {
    if (this.addrs.length === 1)
      return this.moved(this.memory.write(this.here, ptr, Math.min(count, this.remaining)), count);
    return this.move(count, (addr, n, done) => this.memory.write(addr, ptr + done, n));
  }

  takePtr(ptr: number, count: number): number {
    if (this.addrs.length === 1)
      return this.moved(this.memory.read(this.here, ptr, Math.min(count, this.remaining)), count);
    return this.move(count, (addr, n, done) => this.memory.read(addr, ptr + done, n));
  }

  /** Where the next byte of a single segment is. */
  private get here(): number {
    return this.addrs[0]! + this.within;
  }

  /** `n` bytes of a single segment were moved, of `count` that somebody wanted. */
  private moved(n: number, count: number): number {
    this.advance(n);
    return n === 0 && count > 0 && this.remaining > 0 ? -EFAULT : n;
  }

  revert(count: number): void {
    this.remaining += count;
    while (count > this.within) {
      count -= this.within;
      this.segment -= 1;
      this.within = this.lengths[this.segment]!;
    }
    this.within -= count;
  }

  zero(count: number): number {
    return this.move(count, (addr, n) => this.memory.clear(addr, n));
  }

  private move(count: number, copy: (addr: number, n: number, done: number) => number): number {
    let done = 0;
    while (done < count && this.remaining > 0) {
      const n = Math.min(count - done, this.lengths[this.segment]! - this.within);
      const moved = copy(this.addrs[this.segment]! + this.within, n, done);
      this.advance(moved);
      done += moved;
      if (moved < n) return done > 0 ? done : -EFAULT;
    }
    return done;
  }

  private advance(count: number): void {
    this.remaining -= count;
    while (count > 0) {
      const left = this.lengths[this.segment]! - this.within;
      if (count < left) {
        this.within += count;
        return;
      }
      count -= left;
      this.segment += 1;
      this.within = 0;
    }
  }

  hostRead(hostFd: number, offset: number, max = Number.POSITIVE_INFINITY): number {
    const count = Math.min(this.remaining, max);
    if (offset >= 0 && this.addrs.length === 1 && count <= CHUNK) {
      const n = shim.io_read(this.memory.space, hostFd, this.here, count, offset);
      if (this.isComplete(n, count)) return n;
    }
    const n = this.transfer(Access.write, hostFd, offset, max);
    if (n !== -EFAULT || offset < 0) return n;
    // Where no byte can be put, the end of the file or an error of its own goes first.
    const byte = shim.host_read(hostFd, scratch.ptr, 1, offset);
    return byte > 0 ? -EFAULT : byte;
  }

  hostWrite(hostFd: number, offset: number, max = Number.POSITIVE_INFINITY): number {
    const count = Math.min(this.remaining, max);
    if (offset >= 0 && this.addrs.length === 1 && count <= CHUNK) {
      const n = shim.io_write(this.memory.space, hostFd, this.here, count, offset);
      if (this.isComplete(n, count)) return n;
    }
    return this.transfer(Access.read, hostFd, offset, max);
  }

  /** Whether the host's answer to one call for a single segment is the final one; what met a missing page is done once more. */
  private isComplete(n: number, count: number): boolean {
    if (n < 0 || (n < count && shim.mem_fault_addr() >= 0)) return false;
    this.advance(n);
    return true;
  }

  /**
   * Host calls over chunks of the buffer. At an offset, pages are asked for only after the host call has met one that is
   * missing; a stream, which does not give the same bytes twice, needs them before, and gets one call only: it may be a pipe.
   */
  private transfer(access: number, hostFd: number, offset: number, max: number): number {
    const { space } = this.memory;
    let probe = offset < 0;
    let done = 0;
    do {
      const before = this.remaining;
      const count = this.gather(access, Math.min(CHUNK, max - done), probe);
      if (count === 0 && before > 0) return done > 0 ? done : -EFAULT;
      const at = offset < 0 ? -1 : offset + done;
      const n =
        access === Access.write
          ? shim.io_readv(space, hostFd, piecesPtr, count, at, 0)
          : shim.io_writev(space, hostFd, piecesPtr, count, at, 0);
      const missing = !probe && n < this.gathered && shim.mem_fault_addr() >= 0;
      if (n < 0 && !missing) return done > 0 ? done : n;
      if (n > 0) {
        this.advance(n);
        done += n;
      }
      if (offset < 0 || (n < this.gathered && !missing)) break;
      probe = missing;
    } while (this.remaining > 0 && done < max);
    return done;
  }

  /** Bytes that the last `gather` put into `pieces`. */
  private gathered = 0;

  /** Lists the next segments, up to `max` bytes; when they are to be probed, as far as their pages can be made accessible. Pieces listed. */
  private gather(access: number, max: number, probe: boolean): number {
    this.gathered = 0;
    let count = 0;
    let within = this.within;
    for (let i = this.segment; i < this.addrs.length && count < MAX_PIECES && this.gathered < max; i += 1) {
      const addr = this.addrs[i]! + within;
      const len = Math.min(this.lengths[i]! - within, max - this.gathered);
      const ready = probe ? this.prepare(addr, len, access) : len;
      if (ready > 0) {
        pieces[count * 4] = addr;
        pieces[count * 4 + 1] = addr / 4294967296;
        pieces[count * 4 + 2] = ready;
        pieces[count * 4 + 3] = 0;
        count += 1;
        this.gathered += ready;
      }
      if (ready < len) break;
      within = 0;
    }
    return count;
  }

  /** Faults [addr, addr + len) in; the accessible prefix in bytes. */
  private prepare(addr: number, len: number, access: number): number {
    const write = access === Access.write ? 1 : 0;
    let ready = shim.user_probe(this.memory.space, addr, len, write);
    while (ready < len && this.memory.handleFault(addr + ready, access, len - ready) === 0) {
      ready += shim.user_probe(this.memory.space, addr + ready, len - ready, write);
    }
    return ready;
  }
}
