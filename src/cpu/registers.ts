// The register block of one task, shared with the shim (shim/abi.zig, RegisterBlock). 64-bit registers are
// read and written as 32-bit lanes: a BigInt view costs 20 ns an access, a lane 0.4 ns.

import { ANSWERS_COUNT, ANSWERS_FIRST, RegisterBlock as at } from "../host/shim.gen.ts";
import { nativeBuffer, shim } from "../host/shim.ts";

const HIGH = 4294967296;

/** Blocks of tasks that are gone, for the next ones. */
const spare: Registers[] = [];
const SPARE_MAX = 64;

export class Registers {
  /** Host pointer of the block. */
  readonly ptr: number;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly bytes: Uint8Array;

  constructor() {
    this.ptr = shim.cpu_block_create();
    const memory = nativeBuffer(this.ptr, at.sizeBytes);
    this.i32 = new Int32Array(memory);
    this.u32 = new Uint32Array(memory);
    this.bytes = new Uint8Array(memory);
  }

  /** A block whose content does not matter. */
  static take(): Registers {
    return spare.pop() ?? new Registers();
  }

  /** The task is gone and touches the block no more. */
  release(): void {
    if (spare.length >= SPARE_MAX) {
      this.destroy();
      return;
    }
    shim.host_forget_running(this.ptr);
    spare.push(this);
  }

  /** x`n` as an unsigned Number; exact below 2^53. */
  x(n: number): number {
    return this.u32[2 * n]! + this.u32[2 * n + 1]! * HIGH;
  }

  /** Writes a result or -errno (or any integer of magnitude below 2^53) into x`n`. */
  setX(n: number, value: number): void {
    this.u32[2 * n] = value;
    this.u32[2 * n + 1] = Math.floor(value / HIGH);
  }

  get pc(): number {
    return this.wide(at.pc);
  }
  set pc(addr: number) {
    this.setWide(at.pc, addr);
  }

  get sp(): number {
    return this.wide(at.sp);
  }
  set sp(addr: number) {
    this.setWide(at.sp, addr);
  }

  set tpidr(addr: number) {
    this.setWide(at.tpidr, addr);
  }

  /** x8: the system call number of the trap. */
  get syscallNumber(): number {
    return this.i32[16]!;
  }

  get faultAddr(): number {
    return this.wide(at.fault_addr);
  }

  /** One of Access. */
  get faultAccess(): number {
    return this.u32[at.fault_access >> 2]!;
  }

  set space(handle: number) {
    this.u32[at.space >> 2] = handle;
  }

  /** Forgets the exclusive monitor, as every exception return does. */
  clearMonitor(): void {
    this.u32[at.monitor_size >> 2] = 0;
  }

  /** The u64 at byte `offset` of the block as a Number. */
  wide(offset: number): number {
    return this.u32[offset >> 2]! + this.u32[(offset >> 2) + 1]! * HIGH;
  }

  setWide(offset: number, value: number): void {
    this.u32[offset >> 2] = value;
    this.u32[(offset >> 2) + 1] = Math.floor(value / HIGH);
  }

  /** All but what an engine may answer for the task that was copied. */
  copyFrom(other: Registers): void {
    other.vectorsRead();
    this.bytes.set(other.bytes);
    this.vectorsChanged();
    this.forgetAnswers();
  }

  /** The vector registers, fpcr or fpsr are about to be read here: a CPU may hold newer ones. */
  vectorsRead(): void {
    if (this.u32[at.fp_home >> 2] !== 0) shim.cpu_vectors(this.ptr);
  }

  /** The vector registers, fpcr or fpsr were written here: what a CPU holds of them is old. */
  vectorsChanged(): void {
    this.u32[at.fp_home >> 2] = 0;
  }

  /** What the kernel has answered to one of the calls that ask who the task is: an engine may say the same again without an exit. */
  answered(call: number, value: number): void {
    this.u32[(at.answers >> 2) + call - ANSWERS_FIRST] = value + 1;
  }

  /** The task may be someone else now. */
  forgetAnswers(): void {
    const first = at.answers >> 2;
    this.u32.fill(0, first, first + ANSWERS_COUNT);
  }

  /** Gives the block back to the shim. The views must not be used afterwards. */
  destroy(): void {
    shim.host_forget_running(this.ptr);
    shim.cpu_block_destroy(this.ptr);
  }
}
