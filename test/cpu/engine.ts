/**
 * Runs cases in this process through the loaded shim, as shim/cpu/difftest.zig does in a process of its own, and answers
 * with the same result records. Recorded vectors are replayed this way: no other program is needed.
 */

import { Registers } from "../../src/cpu/registers.ts";
import { Exit, PAGE_SIZE, PROT_SHARED, RegisterBlock } from "../../src/host/shim.gen.ts";
import { nativeBuffer, pointerOf, shim } from "../../src/host/shim.ts";
import {
  AT,
  CASE_BYTES,
  type Case,
  CODE_BASE,
  DATA_BASE,
  DATA_BYTES,
  expand,
  RESULT,
  RESULT_BYTES,
  RODATA_BASE,
  RODATA_BYTES,
  SLOT_BYTES,
} from "./cases.ts";

const [READ, WRITE, EXEC] = [1, 2, 4];
const END_IMMEDIATE = 0x77;
const END_WORD = 0xd4200000 + (END_IMMEDIATE << 5);
const BUDGET = 100_000;
/** Slots that are mapped here; a case's slot is taken modulo nothing: replayed cases use low ones. */
const CODE_PAGES = 128;

const SPECIAL = [
  0n,
  0xffff_ffff_ffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0x7fff_ffffn,
  0x8000_0000_ffff_ffffn,
  0x7f80_0000_ff80_0000n,
  0x7fc0_0001_ffa0_0002n,
  0x0000_0001_8000_0001n,
  0x3f80_0000_bf80_0000n,
  0x7ff0_0000_0000_0000n,
  0x7ff8_0000_0000_0003n,
  0xfff4_0000_0000_0004n,
  0x0000_0000_0000_0001n,
  0x3ff0_0000_0000_0000n,
  0x7c00_fc00_7e01_7d02n,
];

/** First contents of the data pages, writable ones first (`fillMemory` of format.zig). */
export function firstMemory(seed: number): BigUint64Array {
  const words = new BigUint64Array((DATA_BYTES + RODATA_BYTES) / 8);
  const wrap = (value: bigint) => BigInt.asUintN(64, value);
  let state = BigInt(seed);
  for (let i = 0; i < words.length; i++) {
    state = wrap(state + 0x9e37_79b9_7f4a_7c15n);
    let z = state;
    z = wrap((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = wrap((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    z ^= z >> 31n;
    words[i] = (z & 3n) === 0n ? SPECIAL[Number((z >> 2n) & 15n)]! : z;
  }
  return words;
}

export class EngineRunner {
  private readonly registers = new Registers();
  private readonly space: number;
  private readonly first: BigUint64Array;
  private readonly data: BigUint64Array;
  private readonly record = new Uint8Array(CASE_BYTES);
  private readonly recordView = new DataView(this.record.buffer);
  private readonly block: DataView;
  private readonly code = new Uint32Array(SLOT_BYTES / 4);

  /** `engine` as `cpu_engine` numbers them. */
  constructor(memorySeed: number, engine = 0) {
    shim.mem_init(0, 0);
    if (shim.cpu_engine(engine) !== 0) throw new Error(`this host has no engine ${engine}`);
    this.space = shim.space_create();
    this.first = firstMemory(memorySeed);
    this.block = new DataView(this.registers.bytes.buffer);
    this.map(CODE_BASE, CODE_PAGES, READ | EXEC);
    const data = this.map(DATA_BASE, DATA_BYTES / PAGE_SIZE, READ | WRITE);
    const rodata = this.map(RODATA_BASE, RODATA_BYTES / PAGE_SIZE, READ);
    this.data = new BigUint64Array(nativeBuffer(data, DATA_BYTES));
    this.data.set(this.first.subarray(0, DATA_BYTES / 8));
    new BigUint64Array(nativeBuffer(rodata, RODATA_BYTES)).set(this.first.subarray(DATA_BYTES / 8));
  }

  /** Maps fresh shared frames; the space keeps the only reference. Returns their host pointer. */
  private map(addr: number, pages: number, prot: number): number {
    const frame = shim.frame_alloc(pages, 1);
    if (frame < 0 || shim.space_map(this.space, addr, frame, pages, prot | PROT_SHARED) < 0)
      throw new Error("no guest memory");
    shim.frame_unref(frame, pages);
    return shim.frame_ptr(frame);
  }

  destroy(): void {
    shim.space_destroy(this.space);
    this.registers.destroy();
  }

  run(testCase: Case): Uint8Array {
    expand(testCase, this.recordView, 0);
    const start = CODE_BASE + testCase.slot * SLOT_BYTES;
    this.code.fill(END_WORD);
    this.code.set(testCase.words);
    if (shim.user_poke(this.space, start, pointerOf(this.code), SLOT_BYTES) !== SLOT_BYTES)
      throw new Error("slot is not mapped");
    this.load(start);
    let exit = shim.cpu_enter(this.registers.ptr, BUDGET);
    // YIELD gives up the slice.
    for (let i = 0; exit === Exit.budget && i < 32; i++) exit = shim.cpu_enter(this.registers.ptr, BUDGET);
    return this.keep(testCase, exit);
  }

  private load(start: number): void {
    const { registers, record, recordView } = this;
    const u32 = (at: number, from: number) => this.block.setUint32(at, recordView.getUint32(from, true), true);
    registers.bytes.fill(0);
    registers.bytes.set(record.subarray(AT.x, AT.x + 256), RegisterBlock.x);
    registers.bytes.set(record.subarray(AT.v, AT.v + 512), RegisterBlock.v);
    registers.bytes.set(record.subarray(AT.tpidr, AT.tpidr + 8), RegisterBlock.tpidr);
    u32(RegisterBlock.pstate, AT.nzcv);
    u32(RegisterBlock.fpcr, AT.fpcr);
    u32(RegisterBlock.fpsr, AT.fpsr);
    registers.pc = start;
    registers.space = this.space;
  }

  private keep(testCase: Case, exit: number): Uint8Array {
    const changes: [number, bigint][] = [];
    for (let i = 0; i < this.data.length; i++) {
      if (this.data[i] === this.first[i]) continue;
      changes.push([8 * i, this.data[i]!]);
      this.data[i] = this.first[i]!;
    }
    const out = new Uint8Array(RESULT_BYTES + 16 * changes.length);
    const view = new DataView(out.buffer);
    const { bytes } = this.registers;
    view.setUint32(RESULT.slot, testCase.slot, true);
    view.setUint32(RESULT.signal, this.signalOf(exit), true);
    view.setUint32(RESULT.changes, changes.length, true);
    const copy = (to: number, from: number, length: number) => out.set(bytes.subarray(from, from + length), to);
    copy(RESULT.pc, RegisterBlock.pc, 8);
    copy(RESULT.fault, RegisterBlock.fault_addr, 8);
    copy(RESULT.x, RegisterBlock.x, 256);
    copy(RESULT.nzcv, RegisterBlock.pstate, 4);
    copy(RESULT.fpcr, RegisterBlock.fpcr, 4);
    copy(RESULT.fpsr, RegisterBlock.fpsr, 4);
    copy(RESULT.tpidr, RegisterBlock.tpidr, 8);
    copy(RESULT.v, RegisterBlock.v, 512);
    changes.forEach(([offset, value], i) => {
      view.setBigUint64(RESULT_BYTES + 16 * i, BigInt(offset), true);
      view.setBigUint64(RESULT_BYTES + 16 * i + 8, value, true);
    });
    return out;
  }

  private signalOf(exit: number): number {
    if (exit === Exit.fault) return 11;
    if (exit === Exit.undefined) return 4;
    if (exit === Exit.alignment || exit === Exit.pc_alignment) return 7;
    if (exit !== Exit.breakpoint) return 100;
    return (this.block.getUint32(RegisterBlock.esr, true) & 0xffff) === END_IMMEDIATE ? 0 : 5;
  }
}
