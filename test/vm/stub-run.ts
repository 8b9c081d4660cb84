// The stub's way in (shim/cpu/hvf/stub.zig, Lhv_resume to Lhv_enter) executed word by word: which barriers, TLB and cache maintenance a CPU does for what
// is asked of it, in which order. An emulated CPU forgets everything by itself when it leaves a guest, so its programs cannot tell.

import { BOOT_WORDS, NOP, UNSEEN } from "../double/mutations/stub-words.ts";

/** What the host asks (`Context` of stub.zig). */
interface Asked {
  readonly request: number;
  readonly ttbr0?: bigint;
  /** TLBI operand, and how many pages; 0 for the whole ASID. */
  readonly list?: readonly (readonly [operand: bigint, pages: number])[];
}

const CONTEXT = 0x10000n;
const BLOCK = 0x20000n;
/** Offsets of Context's fields. */
const FIELD = { block: 0n, ttbr0: 8n, request: 16n, count: 24n, from: 64n, list: 80n };
const MOST_STEPS = 5000;

/** Instructions that are all that they are. */
const PLAIN: ReadonlyMap<number, string> = new Map([
  [0xd5033a9f, "dsb ishst"],
  [0xd5033b9f, "dsb ish"],
  [0xd5033fdf, "isb"],
  [0xd508831f, "tlbi vmalle1is"],
  [0xd508711f, "ic ialluis"],
]);
/** Those that say what for, in their last five bits. */
const OPERATIONS: ReadonlyMap<number, string> = new Map([
  [0xd5088340, "tlbi aside1is"],
  [0xd5088320, "tlbi vae1is"],
  [0xd5182000, "msr ttbr0_el1"],
]);

const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

/** What the stub at `words` does, from the host's entry at byte offset `resume` to where the task's registers are loaded, or `end`: it leaves, or it goes astray. */
function maintenance(words: readonly number[], resume: number, asked: Asked): string[] {
  const memory = new Map<bigint, bigint>([
    [CONTEXT + FIELD.block, BLOCK],
    [CONTEXT + FIELD.ttbr0, asked.ttbr0 ?? 0n],
    [CONTEXT + FIELD.request, BigInt(asked.request)],
    [CONTEXT + FIELD.count, BigInt(asked.list?.length ?? 0)],
    [CONTEXT + FIELD.from, BLOCK],
  ]);
  for (const [i, [operand, pages]] of (asked.list ?? []).entries()) {
    memory.set(CONTEXT + FIELD.list + 16n * BigInt(i), operand);
    memory.set(CONTEXT + FIELD.list + 16n * BigInt(i) + 8n, BigInt(pages));
  }
  const x = Array.from({ length: 32 }, () => 0n);
  const seen: string[] = [];
  let isZero = false;
  let at = resume / 4;
  /** Behind the question whether anything is asked. */
  const enter = at + 1 + words.slice(at).findIndex((word) => word >>> 24 === 0xb5);
  for (let steps = 0; at !== enter; steps += 1) {
    const word = words[at];
    if (word === undefined || steps === MOST_STEPS) return [...seen, "astray"];
    const [d, n, t2] = [word & 31, (word >>> 5) & 31, (word >>> 10) & 31];
    const immediate = BigInt((word >>> 10) & 0xfff);
    const skip = signed((word >>> 5) & 0x7ffff, 19);
    let next = at + 1;
    const plain = PLAIN.get(word);
    const operation = OPERATIONS.get((word & ~31) >>> 0);
    if (plain !== undefined) seen.push(plain);
    else if (operation !== undefined) seen.push(`${operation} ${x[d]!.toString(16)}`);
    else if (word === 0xd538d081) x[1] = CONTEXT;
    else if (word >>> 22 === 0x3e5) x[d] = memory.get(x[n]! + 8n * immediate) ?? 0n;
    else if (word >>> 22 === 0x2a3) {
      x[d] = memory.get(x[n]!) ?? 0n;
      x[t2] = memory.get(x[n]! + 8n) ?? 0n;
      x[n]! += 16n;
    } else if (word >>> 22 === 0x244) x[d] = x[n]! + immediate;
    else if (word >>> 23 === 0x1a2 || word >>> 23 === 0x1e2) {
      x[d] = x[n]! - immediate;
      if (word >>> 23 === 0x1e2) isZero = x[d] === 0n;
    } else if (word >>> 24 === 0xb4) next = x[d] === 0n ? at + skip : next;
    else if (word >>> 24 === 0xb5) next = x[d] !== 0n ? at + skip : next;
    else if (word >>> 24 === 0x54) next = isZero ? next : at + skip;
    else if (word >>> 24 === 0x36) {
      const isSet = ((x[d]! >> BigInt((word >>> 19) & 31)) & 1n) === 1n;
      next = isSet ? next : at + signed((word >>> 5) & 0x3fff, 14);
    } else if (word >>> 26 === 5) next = at + signed(word & 0x3ffffff, 26);
    else if (word >>> 26 === 0x35 && (word & 0x1f) === 2) return [...seen, "leaves"];
    at = next;
  }
  return seen;
}

const [TTBR0, TLB, TLB_ALL, ICACHE, LEAVE] = [1, 2, 4, 8, 32];
const END = ["dsb ish", "isb"];

/** What is asked, and what must be done for it. */
const CASES: readonly (readonly [name: string, asked: Asked, must: readonly string[]])[] = [
  ["nothing", { request: 0 }, ["dsb ishst"]],
  ["another space", { request: TTBR0, ttbr0: 0x5000000001000n }, ["dsb ishst", "msr ttbr0_el1 5000000001000", "isb"]],
  [
    "pages and an ASID",
    {
      request: TLB,
      list: [
        [0x3000000000010n, 2],
        [0x4000000000000n, 0],
        [0x5000000000020n, 1],
      ],
    },
    [
      ...["dsb ishst", "tlbi vae1is 3000000000010", "tlbi vae1is 3000000000011", "tlbi aside1is 4000000000000"],
      ...["tlbi vae1is 5000000000020", ...END],
    ],
  ],
  ["pages, of which there are none", { request: TLB }, ["dsb ishst", ...END]],
  ["everything", { request: TLB_ALL }, ["dsb ishst", "tlbi vmalle1is", ...END]],
  ["code", { request: ICACHE }, ["dsb ishst", "ic ialluis", ...END]],
  [
    "a space, then everything, then code, and to leave again",
    { request: TTBR0 | TLB | TLB_ALL | ICACHE | LEAVE, ttbr0: 7n, list: [[1n, 1]] },
    ["dsb ishst", "msr ttbr0_el1 7", "isb", "tlbi vmalle1is", ...END, "ic ialluis", ...END, "leaves"],
  ],
];

/** tlbi vmalle1; dsb ish; isb; msr sctlr_el1, x0; isb; br x1 */
const BOOT_TEXT = [0xd508871f, 0xd5033b9f, 0xd5033fdf, 0xd5181000, 0xd5033fdf, 0xd61f0020];
const VECTOR_WORDS = 512;
/** Where the host enters: mrs x1, tpidr_el1; ldr x2, [x1] */
const resumeOf = (words: readonly number[]): number =>
  4 * words.findIndex((word, i) => word === 0xd538d081 && words[i + 1] === 0xf9400022);

const didAll = (words: readonly number[], resume: number): string =>
  JSON.stringify([...CASES.map(([, asked]) => maintenance(words, resume, asked)), words.slice(-BOOT_WORDS)]);

export function cases(words: readonly number[]): [name: string, did: string[], must: readonly string[]][] {
  const resume = resumeOf(words);
  return CASES.map(([name, asked, must]) => [name, maintenance(words, resume, asked), must]);
}

export const startIsWhole = (words: readonly number[]): boolean =>
  words.slice(-BOOT_WORDS).every((word, i) => word === BOOT_TEXT[i]);

/** Instructions that no program can miss, and that could be missing without a change of what is done. */
export function unnoticed(words: readonly number[]): string[] {
  const resume = resumeOf(words);
  const whole = didAll(words, resume);
  return words.flatMap((word, i) => {
    if (i < VECTOR_WORDS || !UNSEEN.has(word)) return [];
    const did = didAll(words.with(i, NOP), resume);
    return did === whole ? [`0x${(4 * i).toString(16)}: ${word.toString(16)}`] : [];
  });
}
