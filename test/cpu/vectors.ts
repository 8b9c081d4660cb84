/**
 * Recorded answers of the oracle (test/cpu/vectors/*.bin, zstd). A case is stored as its seed, profile, words and
 * overrides; its answer as the 32-bit lanes of the result record that differ from a case that did nothing.
 */
import {
  AT,
  CASE_BYTES,
  type Case,
  CODE_BASE,
  expand,
  type Override,
  PROFILES,
  RESULT,
  RESULT_BYTES,
  SLOT_BYTES,
} from "./cases.ts";

export type Vector = { readonly testCase: Case; readonly answer: Uint8Array };
export type VectorSet = { readonly memorySeed: number; readonly vectors: readonly Vector[] };

const MAGIC = 0x56434443;

/** The record of a case whose words changed nothing: where answers are told from. */
function unchanged(testCase: Case): Uint8Array {
  const first = new Uint8Array(CASE_BYTES);
  expand(testCase, new DataView(first.buffer), 0);
  const out = new Uint8Array(RESULT_BYTES);
  const view = new DataView(out.buffer);
  view.setUint32(RESULT.slot, testCase.slot, true);
  view.setBigUint64(RESULT.pc, BigInt(CODE_BASE + testCase.slot * SLOT_BYTES + 4 * testCase.words.length), true);
  const copy = (to: number, from: number, length: number) => out.set(first.subarray(from, from + length), to);
  copy(RESULT.x, AT.x, 256);
  copy(RESULT.nzcv, AT.nzcv, 12);
  copy(RESULT.tpidr, AT.tpidr, 8);
  copy(RESULT.v, AT.v, 512);
  return out;
}

class Writer {
  private readonly parts: number[] = [];
  u8(value: number): void {
    this.parts.push(value & 255);
  }
  u16(value: number): void {
    this.parts.push(value & 255, (value >>> 8) & 255);
  }
  u32(value: number): void {
    this.parts.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255);
  }
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.parts);
  }
}

class Reader {
  private at = 0;
  private readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u8(): number {
    return this.view.getUint8(this.at++);
  }
  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }
  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
}

function writeVector(out: Writer, { testCase, answer }: Vector): void {
  out.u8(testCase.words.length);
  out.u8(testCase.overrides.length);
  out.u8(PROFILES.indexOf(testCase.profile));
  out.u32(testCase.slot);
  out.u32(testCase.seed);
  for (const word of testCase.words) out.u32(word);
  for (const [register, low, high] of testCase.overrides) {
    out.u8(register);
    out.u32(low);
    out.u32(high);
  }
  const before = new DataView(unchanged(testCase).buffer);
  const after = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const lanes: number[] = [];
  for (let at = 0; at < RESULT_BYTES; at += 4)
    if (before.getUint32(at, true) !== after.getUint32(at, true)) lanes.push(at);
  out.u8(lanes.length);
  for (const at of lanes) {
    out.u8(at / 4);
    out.u32(after.getUint32(at, true));
  }
  for (let at = RESULT_BYTES; at < answer.length; at += 16) {
    out.u16(after.getUint32(at, true));
    out.u32(after.getUint32(at + 8, true));
    out.u32(after.getUint32(at + 12, true));
  }
}

function readVector(input: Reader): Vector {
  const [words, overrides] = [input.u8(), input.u8()];
  const profile = PROFILES[input.u8()]!;
  const [slot, seed] = [input.u32(), input.u32()];
  const testCase: Case = {
    slot,
    seed,
    profile,
    words: Array.from({ length: words }, () => input.u32()),
    overrides: Array.from({ length: overrides }, (): Override => [input.u8(), input.u32(), input.u32()]),
    names: [],
  };
  const record = unchanged(testCase);
  const view = new DataView(record.buffer);
  const lanes = input.u8();
  for (let i = 0; i < lanes; i++) {
    const at = 4 * input.u8();
    view.setUint32(at, input.u32(), true);
  }
  const changes = view.getUint32(RESULT.changes, true);
  const answer = new Uint8Array(RESULT_BYTES + 16 * changes);
  answer.set(record);
  const tail = new DataView(answer.buffer);
  for (let i = 0; i < changes; i++) {
    tail.setUint32(RESULT_BYTES + 16 * i, input.u16(), true);
    tail.setUint32(RESULT_BYTES + 16 * i + 8, input.u32(), true);
    tail.setUint32(RESULT_BYTES + 16 * i + 12, input.u32(), true);
  }
  return { testCase, answer };
}

export function encodeVectors(set: VectorSet): Uint8Array {
  const out = new Writer();
  out.u32(MAGIC);
  out.u32(set.memorySeed);
  out.u32(set.vectors.length);
  for (const vector of set.vectors) writeVector(out, vector);
  return Bun.zstdCompressSync(out.bytes(), { level: 19 });
}

export function decodeVectors(file: Uint8Array<ArrayBuffer>): VectorSet {
  const input = new Reader(Bun.zstdDecompressSync(file));
  if (input.u32() !== MAGIC) throw new Error("not a vector file");
  const memorySeed = input.u32();
  const count = input.u32();
  return { memorySeed, vectors: Array.from({ length: count }, () => readVector(input)) };
}
