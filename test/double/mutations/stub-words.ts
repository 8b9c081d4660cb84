// Every instruction of the engine's code at EL1 (shim/cpu/hvf/stub.zig), taken out where it stands (HVKVM_FLIP=put:position:word). They are read from the
// check's program as it was built.

import { readFileSync } from "node:fs";
import type { Mutation } from "./hvf.ts";

export const NOP = 0xd503201f;
const PAGE = 4096;
/** What the vectors that nobody may come to begin with: mrs x1, tpidr_el1; mov x0, #7. */
const BROKEN = Buffer.from("81d038d5e00080d2", "hex");
const VECTOR = 128;
const BROKEN_FIRST = 8;
/** `Layout` of stub.zig stands behind the code; where that ends is its fourth field. */
const END_FIELD = 24;

/** The stub's words, vectors and all, in a program that has it. */
export function stubWords(path: string): number[] {
  const file = readFileSync(path);
  for (let at = file.indexOf(BROKEN); at >= 0; at = file.indexOf(BROKEN, at + 4)) {
    const page = file.subarray(at, at + PAGE);
    const isStub = Array.from({ length: BROKEN_FIRST }, (_, i) => page.indexOf(BROKEN, i * VECTOR) === i * VECTOR);
    if (at % PAGE === 0 && !isStub.includes(false)) return wordsOf(page);
  }
  throw new Error(`${path} has no stub`);
}

function wordsOf(page: Buffer): number[] {
  for (let end = 16 * VECTOR; end + END_FIELD + 8 <= PAGE; end += 4) {
    const layout = Math.ceil(end / 8) * 8;
    if (page.readBigUInt64LE(layout + END_FIELD) === BigInt(end))
      return Array.from({ length: end / 4 }, (_, i) => page.readUInt32LE(4 * i));
  }
  throw new Error("the stub has no end");
}

/** `boot` of stub.zig is its end. */
export const BOOT = "stub's start";
export const BOOT_WORDS = 6;

/** What an emulated CPU cannot show, because it forgets all when it leaves a guest and does all in order, or what costs no more than time: test/vm/stub-run.ts holds it. */
export const UNSEEN: ReadonlySet<number> = new Set([
  ...[0xd5033a9f, 0xd5033b9f, 0xd5033fdf], // dsb ishst, dsb ish, isb
  ...[0xd508831f, 0xd5088345, 0xd5088325, 0xd508871f, 0xd508751f, 0xd508711f], // tlbi vmalle1is, aside1is, vae1is, vmalle1; ic
  ...[0x1400000f, 0xa8c11885, 0xb5000066, 0x17fffffb, 0x910004a5, 0x54ffffa1, 0x17fffff6], // the way through the list of what is to be forgotten
  ...[0x36000082, 0x36100062, 0x36180082, 0x36080202], // tbz of what is asked for: else it is done each time
]);

/** One for each instruction that something can show. */
export function wordMutations(words: readonly number[]): Mutation[] {
  return words.flatMap((word, i) => {
    if (word === NOP || word === 0 || UNSEEN.has(word)) return [];
    const [place, text] = [(4 * i).toString(16), word.toString(16).padStart(8, "0")];
    const part = i >= words.length - BOOT_WORDS ? BOOT : "stub";
    return [{ name: `${part} 0x${place}: ${text} taken out`, flip: `put:${i}:${NOP}` }];
  });
}
