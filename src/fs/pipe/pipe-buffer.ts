// The bytes inside a pipe, in page-sized slots as fs/pipe.c keeps them: a write of at most PIPE_BUF bytes lies in
// one slot and is therefore atomic, small writes share the last slot, and O_DIRECT packets have slots of their own.

import { EAGAIN, EFAULT } from "../../abi/errno.ts";
import { pointerOf } from "../../host/shim.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { KernelBuffer } from "../../mm/kernel-buffer.ts";

const PAGE = 4096;
/** Slots of a fresh pipe: 65536 bytes. */
export const DEFAULT_SLOTS = 16;

/** Memory of closed pipes of the default size, for the next ones. */
const spare: Uint8Array[] = [];
const SPARE_MAX = 16;

export class PipeBuffer {
  /** Number of slots, a power of two. */
  slots: number;
  /** Occupied slots, and the bytes in them. */
  used = 0;
  bytes = 0;
  private memory: Uint8Array | null = null;
  private ptr = 0;
  private window: KernelBuffer | null = null;
  /** First occupied slot; slots follow each other around the ring. */
  private head = 0;
  private starts: Uint16Array;
  private lengths: Uint16Array;
  /** 1 for a slot that is a packet of its own. */
  private packets: Uint8Array;

  constructor(slots = DEFAULT_SLOTS) {
    this.slots = slots;
    this.starts = new Uint16Array(slots);
    this.lengths = new Uint16Array(slots);
    this.packets = new Uint8Array(slots);
  }

  get full(): boolean {
    return this.used === this.slots;
  }

  private allocate(): Uint8Array {
    if (this.memory === null) {
      const reused = this.slots === DEFAULT_SLOTS ? spare.pop() : undefined;
      this.memory = reused ?? new Uint8Array(this.slots * PAGE);
      this.ptr = pointerOf(this.memory);
    }
    return this.memory;
  }

  /** Gives the memory up; the content is lost. */
  free(): void {
    if (this.memory !== null && this.slots === DEFAULT_SLOTS && spare.length < SPARE_MAX) spare.push(this.memory);
    this.memory = null;
    this.window = null;
    this.used = 0;
    this.bytes = 0;
    this.head = 0;
  }

  private slotAt(offset: number): number {
    return (this.head + offset) & (this.slots - 1);
  }

  /** Takes bytes from the buffer while there is room. Bytes moved, -EAGAIN when nothing fits, -EFAULT. */
  write(io: IoBuffer, packets: boolean): number {
    this.allocate();
    let done = packets ? 0 : this.merge(io);
    if (done < 0) return done;
    while (io.remaining > 0 && this.used < this.slots) {
      const slot = this.slotAt(this.used);
      const run = packets ? 1 : Math.min(this.slots - this.used, this.slots - slot);
      const wanted = Math.min(io.remaining, run * PAGE);
      let moved = io.takePtr(this.ptr + slot * PAGE, wanted);
      // A page that could not be filled is given up again.
      if (moved < wanted) moved = Math.max(0, moved - (moved % PAGE));
      if (moved === 0) return done > 0 ? done : -EFAULT;
      this.occupy(slot, moved, packets);
      done += moved;
      if (moved < wanted) return done;
    }
    return done === 0 ? -EAGAIN : done;
  }

  /** Appends the odd bytes of a write to the last slot when they fit there. */
  private merge(io: IoBuffer): number {
    const odd = io.remaining % PAGE;
    if (odd === 0 || this.used === 0) return 0;
    const slot = this.slotAt(this.used - 1);
    const end = this.starts[slot]! + this.lengths[slot]!;
    if (end + odd > PAGE || this.packets[slot] === 1) return 0;
    const moved = io.takePtr(this.ptr + slot * PAGE + end, odd);
    if (moved < odd) return -EFAULT;
    this.lengths[slot] = this.lengths[slot]! + moved;
    this.bytes += moved;
    return moved;
  }

  /** `count` bytes now lie in consecutive slots from `slot` on. */
  private occupy(slot: number, count: number, packet: boolean): void {
    this.bytes += count;
    for (; count > 0; count -= PAGE) {
      this.starts[slot] = 0;
      this.lengths[slot] = Math.min(count, PAGE);
      this.packets[slot] = packet ? 1 : 0;
      this.used += 1;
      slot += 1;
    }
  }

  /** Moves bytes to the buffer. Bytes moved, or -EFAULT; 0 when there are none. A packet is read alone, its rest dropped. */
  read(io: IoBuffer): number {
    let done = 0;
    while (this.used > 0 && io.remaining > 0) {
      const slot = this.head;
      const wanted = Math.min(this.runLength(), io.remaining);
      let moved = io.putPtr(this.ptr + slot * PAGE + this.starts[slot]!, wanted);
      if (moved < wanted) moved = this.wholeSlots(moved);
      if (moved === 0) return done > 0 ? done : -EFAULT;
      done += moved;
      if (this.packets[slot] === 1) {
        this.consume(this.lengths[slot]!);
        break;
      }
      this.consume(moved);
      if (moved < wanted) break;
    }
    return done;
  }

  /** A fault inside a slot leaves all of it in the pipe: how many of `count` bytes lie in slots that were copied whole. */
  private wholeSlots(count: number): number {
    let whole = 0;
    for (let i = 0; i < this.used; i++) {
      const next = whole + this.lengths[this.slotAt(i)]!;
      if (next > count) break;
      whole = next;
    }
    return whole;
  }

  /** Bytes from the first one on that lie in one piece of memory. */
  private runLength(): number {
    let slot = this.head;
    let length = this.lengths[slot]!;
    if (this.packets[slot] === 1) return length;
    for (let i = 1; i < this.used && slot + 1 < this.slots; i++) {
      if (this.starts[slot]! + this.lengths[slot]! !== PAGE) break;
      slot += 1;
      if (this.starts[slot] !== 0 || this.packets[slot] === 1) break;
      length += this.lengths[slot]!;
    }
    return length;
  }

  /** Drops the first `count` bytes. */
  consume(count: number): void {
    this.bytes -= count;
    while (count > 0) {
      const slot = this.head;
      const length = this.lengths[slot]!;
      if (count < length) {
        this.starts[slot] = this.starts[slot]! + count;
        this.lengths[slot] = length - count;
        return;
      }
      count -= length;
      this.head = this.slotAt(1);
      this.used -= 1;
    }
    if (this.used === 0) this.head = 0;
  }

  /** F_SETPIPE_SZ: false when the content needs more slots than that. */
  resize(slots: number): boolean {
    if (this.used > slots) return false;
    const next = new PipeBuffer(slots);
    if (this.used > 0) this.copyTo(next, this.bytes);
    this.free();
    this.slots = slots;
    this.memory = next.memory;
    this.ptr = next.ptr;
    this.used = next.used;
    this.bytes = next.bytes;
    this.starts = next.starts;
    this.lengths = next.lengths;
    this.packets = next.packets;
    return true;
  }

  /** tee(2): copies up to `count` bytes slot by slot while `target` has room. Bytes copied. */
  copyTo(target: PipeBuffer, count: number): number {
    let done = 0;
    for (let i = 0; i < this.used && done < count && !target.full; i++) {
      const slot = this.slotAt(i);
      const from = slot * PAGE + this.starts[slot]!;
      const length = Math.min(this.lengths[slot]!, count - done);
      const place = target.slotAt(target.used);
      target.allocate().set(this.memory!.subarray(from, from + length), place * PAGE);
      target.occupy(place, length, this.packets[slot] === 1);
      done += length;
    }
    return done;
  }

  /** splice(2) between pipes: as `copyTo`, but the bytes leave this pipe. */
  moveTo(target: PipeBuffer, count: number): number {
    const done = this.copyTo(target, count);
    this.consume(done);
    return done;
  }

  private view(from: number, to: number): KernelBuffer {
    this.window ??= new KernelBuffer(this.memory!);
    return this.window.rewind(from, to);
  }

  /**
   * splice(2) out of the pipe: `sink` gets the first piece, at most `count` bytes, and says how many of them it
   * took or -errno. Returns that.
   */
  drain(count: number, sink: (io: IoBuffer) => number): number {
    if (this.used === 0) return 0;
    const from = this.head * PAGE + this.starts[this.head]!;
    const moved = sink(this.view(from, from + Math.min(count, this.runLength())));
    if (moved > 0) this.consume(moved);
    return moved;
  }

  /** splice(2) into the pipe: `source` fills the next free slots with at most `count` bytes. -EAGAIN when there are none. */
  fill(count: number, source: (io: IoBuffer) => number): number {
    if (this.full) return -EAGAIN;
    this.allocate();
    const slot = this.slotAt(this.used);
    const run = Math.min(this.slots - this.used, this.slots - slot) * PAGE;
    const moved = source(this.view(slot * PAGE, slot * PAGE + Math.min(count, run)));
    if (moved > 0) this.occupy(slot, moved, false);
    return moved;
  }
}
