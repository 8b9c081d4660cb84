/**
 * One test case and the records that the runners read and write; test/cpu/oracle/format.zig is the Zig side. A case is
 * small (a seed, a profile, the words, a few registers that must have certain values); `expand` makes the whole first
 * state from it, so that recorded vectors need not hold it.
 */
import {
  doubleValue,
  generalValue,
  halfValue,
  LANES,
  type Lanes,
  type Pair,
  Random,
  singleValue,
  vectorHalf,
} from "./random.ts";

export const STREAM_MAGIC = 0x46494443;
export const HEADER_BYTES = 16;
export const CASE_BYTES = 880;
export const RESULT_BYTES = 832;
export const MAX_WORDS = 16;

export const CODE_BASE = 0x1_0000_0000;
export const SLOT_BYTES = 128;
export const SLOTS = 1 << 17;
export const DATA_BASE = 0x2_0000_0000;
export const DATA_BYTES = 0x2000;
export const RODATA_BASE = DATA_BASE + 0x3000;
export const RODATA_BYTES = 0x1000;

/** What most vector registers hold in a case: lane formats of every kind, or mostly those of one. */
export type Profile = "any" | "half" | "single" | "double" | "integer";
export const PROFILES: readonly Profile[] = ["any", "half", "single", "double", "integer"];

/** Register numbers of overrides: 0..30 x, 31 sp, then these, then from `V` on two halves for each vector register. */
export const REG = { sp: 31, nzcv: 32, fpcr: 33, fpsr: 34, tpidr: 35, V: 64 } as const;

export type Override = readonly [register: number, low: number, high: number];

export type Case = {
  readonly slot: number;
  readonly seed: number;
  readonly profile: Profile;
  readonly words: readonly number[];
  readonly overrides: readonly Override[];
  /** The row or group that each word was made from, for people. */
  readonly names: readonly string[];
};

/** Byte offsets in a case record. */
export const AT = { x: 16, sp: 264, nzcv: 272, fpcr: 276, fpsr: 280, tpidr: 288, v: 304, words: 816 } as const;
/** Byte offsets in a result record. */
export const RESULT = {
  slot: 0,
  signal: 4,
  changes: 8,
  pc: 16,
  fault: 24,
  x: 32,
  sp: 280,
  nzcv: 288,
  fpcr: 292,
  fpsr: 296,
  tpidr: 304,
  v: 320,
} as const;

/** What neighbouring vector registers may differ by, in every 32-bit lane. */
const NEIGHBOUR = [0, 0, 1, 0x80000000, 0x80008000, 0x00010001];

const FLAG_BITS = [0, 0, 0, 0, 1, 2, 3, 4, 7, 27];

function expandControl(random: Random): { nzcv: number; fpcr: number; fpsr: number } {
  const nzcv = (random.bits(4) << 28) >>> 0;
  const modes = random.bits(6);
  const fpcr = random.one(2) ? 0 : ((modes & 31) << 22) | ((modes >> 5) << 19);
  const fpsr = random.one(4) ? 1 << random.pick(FLAG_BITS) : 0;
  return { nzcv, fpcr, fpsr };
}

function lanesOf(random: Random, profile: Profile): Lanes {
  if (profile === "any" || random.one(8)) return random.pick(LANES);
  if (profile === "integer") return LANES[random.below(5)]!;
  return profile;
}

/** FP code mostly reads the lowest lane: it gets a special of the profile's format, whatever the rest holds. */
function lowLane(random: Random, profile: Profile, pair: Pair): Pair {
  if (profile === "half") return [((pair[0] & 0xffff0000) | halfValue(random)) >>> 0, pair[1]];
  if (profile === "single") return [singleValue(random), pair[1]];
  if (profile === "double") return doubleValue(random);
  return pair;
}

/** Writes the record of `testCase` at `offset`; `view` spans `bytes`. */
export function expand(testCase: Case, view: DataView, offset: number): void {
  const random = new Random(testCase.seed);
  const u32 = (at: number, value: number) => view.setUint32(offset + at, value, true);
  const pair = (at: number, value: Pair) => {
    u32(at, value[0]);
    u32(at + 4, value[1]);
  };
  u32(0, testCase.slot);
  u32(4, testCase.words.length);
  pair(8, [0, 0]);
  const copy = (to: number, from: number) => u32(to, view.getUint32(offset + from, true));
  for (let i = 0; i < 31; i++) {
    const at = AT.x + 8 * i;
    pair(at, generalValue(random));
    // Equal and nearly equal neighbours, for comparisons and carries.
    if (i > 0 && random.one(8)) {
      copy(at, at - 8);
      copy(at + 4, at - 4);
      if (random.one(2)) u32(at, view.getUint32(offset + at, true) ^ 1);
    }
  }
  pair(AT.sp, [(DATA_BASE + 0x800 + 16 * random.below(64)) >>> 0, DATA_BASE / 0x100000000]);
  const control = expandControl(random);
  u32(AT.nzcv, control.nzcv);
  u32(AT.fpcr, control.fpcr);
  u32(AT.fpsr, control.fpsr);
  u32(AT.fpsr + 4, 0);
  pair(AT.tpidr, [random.u32(), random.u32()]);
  pair(AT.tpidr + 8, [0, 0]);
  for (let i = 0; i < 32; i++) {
    const at = AT.v + 16 * i;
    const lanes = lanesOf(random, testCase.profile);
    pair(at, lowLane(random, testCase.profile, vectorHalf(random, lanes)));
    pair(at + 8, vectorHalf(random, lanes));
    if (i === 0 || !random.one(6)) continue;
    // Equal, opposite and nearly equal neighbours, so that sums cancel and comparisons meet.
    const change = random.pick(NEIGHBOUR);
    for (let lane = 0; lane < 16; lane += 4) u32(at + lane, view.getUint32(offset + at + lane - 16, true) ^ change);
  }
  for (let i = 0; i < MAX_WORDS; i++) u32(AT.words + 4 * i, testCase.words[i] ?? 0);
  for (const [register, low, high] of testCase.overrides) applyOverride(view, offset, register, low, high);
}

function applyOverride(view: DataView, offset: number, register: number, low: number, high: number): void {
  const wide = (at: number) => {
    view.setUint32(offset + at, low, true);
    view.setUint32(offset + at + 4, high, true);
  };
  if (register >= REG.V) wide(AT.v + 8 * (register - REG.V));
  else if (register <= REG.sp) wide(AT.x + 8 * register);
  else if (register === REG.tpidr) wide(AT.tpidr);
  else view.setUint32(offset + [AT.nzcv, AT.fpcr, AT.fpsr][register - REG.nzcv]!, low, true);
}

/** The whole case stream: header and records. */
export function encodeStream(cases: readonly Case[], memorySeed: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + cases.length * CASE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, STREAM_MAGIC, true);
  view.setUint32(4, cases.length, true);
  view.setUint32(8, memorySeed, true);
  for (let i = 0; i < cases.length; i++) expand(cases[i]!, view, HEADER_BYTES + i * CASE_BYTES);
  return bytes;
}

/** Where each result record of a runner's output starts; a truncated last record is left out. */
export function resultOffsets(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets: number[] = [];
  let at = 0;
  while (at + RESULT_BYTES <= bytes.length) {
    const end = at + RESULT_BYTES + 16 * view.getUint32(at + RESULT.changes, true);
    if (end > bytes.length) break;
    offsets.push(at);
    at = end;
  }
  return offsets;
}
