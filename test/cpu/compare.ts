/**
 * Compares two result records of one case, field by field, with the few tolerances that the architecture itself leaves
 * (partial effects of an access that faulted), and describes a difference for people.
 */
import { disassemble } from "../../src/cpu/disassemble.ts";
import {
  AT,
  CASE_BYTES,
  type Case,
  CODE_BASE,
  expand,
  MAX_WORDS,
  RESULT,
  RESULT_BYTES,
  SLOT_BYTES,
  SLOTS,
} from "./cases.ts";
import { hiddenFeature } from "./hidden.ts";
import { memoryAccess } from "./memory.ts";
import { excused } from "./qemu-differs.ts";

export type Difference = {
  readonly field: string;
  readonly before: string;
  readonly oracle: string;
  readonly ours: string;
};

const SIGNALS: Readonly<Record<number, string>> = {
  0: "end",
  4: "SIGILL",
  5: "SIGTRAP",
  7: "SIGBUS",
  11: "SIGSEGV",
  100: "stray exit",
};

/** Of the guest. */
const PAGE_BYTES = 4096;

const SIGILL = 4;
const SIGBUS = 7;

class Record_ {
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private readonly at: number;
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u32(offset: number): number {
    return this.view.getUint32(this.at + offset, true);
  }
  u64(offset: number): bigint {
    return this.view.getBigUint64(this.at + offset, true);
  }
  slice(from: number, to: number): Uint8Array {
    return this.bytes.subarray(this.at + from, this.at + to);
  }
}

const hex = (value: bigint | number, digits: number) => value.toString(16).padStart(digits, "0");

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Where a case's words are, in the mode `edge` last (shim/cpu/difftest.zig). */
function starts(testCase: Case): number[] {
  const pages = (SLOTS * SLOT_BYTES) / PAGE_BYTES - 1;
  const before = 1 + (testCase.slot % Math.max(testCase.words.length, 1));
  return [testCase.slot * SLOT_BYTES, (1 + (testCase.slot % pages)) * PAGE_BYTES - 4 * before];
}

/** The word that the case stopped at, or null when pc is outside its words. */
function stoppedAt(testCase: Case, pc: bigint): number | null {
  for (const start of starts(testCase)) {
    const index = Number(pc - BigInt(CODE_BASE + start)) / 4;
    if (index >= 0 && index < MAX_WORDS) return testCase.words[index] ?? null;
  }
  return null;
}

type Tolerance = { readonly vectors: boolean; readonly memory: boolean; readonly fault: boolean };

function tolerance(testCase: Case, oracle: Record_, ours: Record_): Tolerance {
  const signal = ours.u32(RESULT.signal);
  if (signal !== 7 && signal !== 11) return { vectors: false, memory: false, fault: true };
  const word = stoppedAt(testCase, ours.u64(RESULT.pc));
  const access = word === null ? null : memoryAccess(word);
  // An address beyond user space: the host's emulator cannot tell which it was.
  const fault = ((ours.u64(RESULT.fault) >> 47n) & 0x1ffn) !== 0n || oracle.u64(RESULT.fault) === 0n;
  return { vectors: access?.many === true && access.load, memory: access?.store === true, fault };
}

function memoryChanges(bytes: Uint8Array, at: number): Map<bigint, bigint> {
  const record = new Record_(bytes, at);
  const changes = new Map<bigint, bigint>();
  const count = record.u32(RESULT.changes);
  for (let i = 0; i < count; i++) changes.set(record.u64(RESULT_BYTES + 16 * i), record.u64(RESULT_BYTES + 16 * i + 8));
  return changes;
}

function listDifferences(testCase: Case, a: Uint8Array, atA: number, b: Uint8Array, atB: number): Difference[] {
  const oracle = new Record_(a, atA);
  const ours = new Record_(b, atB);
  const allowed = tolerance(testCase, oracle, ours);
  const first = new Uint8Array(CASE_BYTES);
  const view = new DataView(first.buffer);
  expand(testCase, view, 0);
  const out: Difference[] = [];
  const add = (field: string, before: string, x: string, y: string) => {
    if (x !== y) out.push({ field, before, oracle: x, ours: y });
  };
  const name = (record: Record_) => SIGNALS[record.u32(RESULT.signal)] ?? `signal ${record.u32(RESULT.signal)}`;
  add("end", "", name(oracle), name(ours));
  add("pc", "", hex(oracle.u64(RESULT.pc), 16), hex(ours.u64(RESULT.pc), 16));
  if (!allowed.fault) {
    const address = (record: Record_) => hex(record.u64(RESULT.fault) & 0xff_ffff_ffff_ffffn, 14);
    add("fault", "", address(oracle), address(ours));
  }
  const wide = (field: string, result: number, before: number) =>
    add(field, hex(view.getBigUint64(before, true), 16), hex(oracle.u64(result), 16), hex(ours.u64(result), 16));
  const narrow = (field: string, result: number, before: number) =>
    add(field, hex(view.getUint32(before, true), 8), hex(oracle.u32(result), 8), hex(ours.u32(result), 8));
  for (let i = 0; i < 31; i++) wide(`x${i}`, RESULT.x + 8 * i, AT.x + 8 * i);
  wide("sp", RESULT.sp, AT.sp);
  narrow("nzcv", RESULT.nzcv, AT.nzcv);
  narrow("fpcr", RESULT.fpcr, AT.fpcr);
  narrow("fpsr", RESULT.fpsr, AT.fpsr);
  wide("tpidr", RESULT.tpidr, AT.tpidr);
  const vector = (record: DataView | Record_, at: number) => {
    const half = (o: number) => (record instanceof DataView ? record.getBigUint64(o, true) : record.u64(o));
    return `${hex(half(at + 8), 16)}_${hex(half(at), 16)}`;
  };
  for (let i = 0; i < 32 && !allowed.vectors; i++) {
    const at = RESULT.v + 16 * i;
    add(`v${i}`, vector(view, AT.v + 16 * i), vector(oracle, at), vector(ours, at));
  }
  if (!allowed.memory) compareMemory(memoryChanges(a, atA), memoryChanges(b, atB), add);
  return out;
}

function compareMemory(
  oracle: Map<bigint, bigint>,
  ours: Map<bigint, bigint>,
  add: (field: string, before: string, x: string, y: string) => void,
): void {
  const text = (value: bigint | undefined) => (value === undefined ? "unchanged" : hex(value, 16));
  for (const offset of new Set([...oracle.keys(), ...ours.keys()])) {
    add(`data+${hex(offset, 4)}`, "", text(oracle.get(offset)), text(ours.get(offset)));
  }
}

/** Our engine stopped at a word with a signal where the oracle rightly, or for want of a feature, may go on. */
function openToBoth(word: number, signal: number, sp: bigint): boolean {
  if (signal === SIGILL) return hiddenFeature(word) !== null;
  const access = memoryAccess(word);
  if (access === null) return false;
  // Whether a store-exclusive without a monitor looks at its address is left open.
  if (access.conditional) return true;
  // qemu's user mode does not check the alignment of sp.
  return signal === SIGBUS && access.base === 31 && (sp & 15n) !== 0n;
}

/** Null when the records agree. `a` at `atA` is the oracle's, `b` at `atB` ours. */
export function compareResults(
  testCase: Case,
  a: Uint8Array,
  atA: number,
  b: Uint8Array,
  atB: number,
): Difference[] | null {
  const length = RESULT_BYTES + 16 * new Record_(a, atA).u32(RESULT.changes);
  const x = new Record_(a, atA);
  const y = new Record_(b, atB);
  const same =
    sameBytes(x.slice(0, 24), y.slice(0, 24)) &&
    (x.u32(RESULT.signal) < 6 || x.u64(RESULT.fault) === y.u64(RESULT.fault)) &&
    sameBytes(x.slice(32, length), y.slice(32, length));
  if (same) return null;
  const signal = y.u32(RESULT.signal);
  const stopped = signal !== 0 ? stoppedAt(testCase, y.u64(RESULT.pc)) : null;
  if (stopped !== null && openToBoth(stopped, signal, y.u64(RESULT.sp))) return null;
  const all = listDifferences(testCase, a, atA, b, atB);
  const differences = all.filter((difference) => !excused(testCase, stopped, difference));
  return differences.length === 0 ? null : differences;
}

/** A mismatch as lines of text. */
export function describe(testCase: Case, differences: readonly Difference[]): string {
  const pc = CODE_BASE + starts(testCase)[0]!;
  const words = testCase.words.map((word, i) => `${hex(word, 8)} ${disassemble(word, pc + 4 * i)}`).join(" | ");
  const first = new Uint8Array(CASE_BYTES);
  const view = new DataView(first.buffer);
  expand(testCase, view, 0);
  const control = `fpcr ${hex(view.getUint32(AT.fpcr, true), 8)} nzcv ${hex(view.getUint32(AT.nzcv, true), 8)}`;
  const lines = [`${words}   slot ${testCase.slot}, seed ${testCase.seed}, ${testCase.profile}, ${control}`];
  for (const operand of operands(testCase, view)) lines.push(`    ${operand}`);
  for (const d of differences.slice(0, 8)) {
    lines.push(`  ${d.field}: oracle ${d.oracle}, ours ${d.ours}${d.before === "" ? "" : `, before ${d.before}`}`);
  }
  return lines.join("\n");
}

/** The usual operand registers of a one-word case, as they were before. */
function operands(testCase: Case, view: DataView): string[] {
  const word = testCase.words[0]!;
  if (testCase.words.length > 1) return [];
  const numbers = [word & 31, (word >>> 5) & 31, (word >>> 16) & 31, (word >>> 10) & 31];
  const x = (n: number) => hex(view.getBigUint64(AT.x + 8 * n, true), 16);
  const v = (n: number) =>
    `${hex(view.getBigUint64(AT.v + 16 * n + 8, true), 16)}_${hex(view.getBigUint64(AT.v + 16 * n, true), 16)}`;
  return [...new Set(numbers)].map((n) => (n === 31 ? `sp ${x(n)} v31 ${v(n)}` : `x${n} ${x(n)} v${n} ${v(n)}`));
}
