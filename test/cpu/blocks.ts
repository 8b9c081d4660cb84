/**
 * Blocks of code as compilers write it, for comparing our engines with each other: few registers, accesses that share bases, flags
 * that are set here and read there, branches inside, loops. Bases lie in the middle of a page, at its edges, where nothing is mapped,
 * or where only reading is allowed, so that every access of a block is the one that faults now and then.
 */
import { type Case, DATA_BASE, DATA_BYTES, MAX_WORDS, type Override, REG, RODATA_BASE, SLOTS } from "./cases.ts";
import { pairOf } from "./generate.ts";
import { Random } from "./random.ts";
import { integerWords } from "./vector-words.ts";

/**
 * Registers that values move through, most of which the translator keeps in the host's, or few of which, as in the loops of compilers;
 * and those that accesses are based on (31: sp).
 */
const KEPT = [0, 1, 2, 3, 5, 8, 9, 10, 22, 30];
const OTHERS = [0, 9, 12, 13, 14, 16, 17, 18, 22, 26];
let values = KEPT;
const BASES = [4, 19, 20, 29, 31];
const COUNTER = 21;

type Make = (r: Random) => number;

const value = (r: Random) => (r.one(12) ? 31 : r.pick(values));
/** Where a value goes: now and then a base, which then points anywhere. */
const goal = (r: Random) => (r.one(40) ? 19 : r.one(16) ? 31 : r.pick(values));
const base = (r: Random) => r.pick(BASES);
const wide = (r: Random) => (r.one(3) ? 0 : 0x80000000);
const flags = (r: Random) => (r.one(2) ? 0x20000000 : 0);
const subtract = (r: Random) => (r.one(2) ? 0x40000000 : 0);
const condition = (r: Random) => r.below(14);
const three = (r: Random) => (value(r) << 16) | (value(r) << 5);

const arithmetic: Make[] = [
  (r) => 0x11000000 | wide(r) | flags(r) | subtract(r) | (r.below(64) << 10) | (r.pick(values) << 5) | r.pick(values),
  (r) => {
    const x = r.pick(values);
    return 0x11000400 | wide(r) | 0x20000000 | subtract(r) | (x << 5) | x;
  },
  (r) => 0x7100001f | wide(r) | (r.below(8) << 10) | (r.pick(values) << 5),
  (r) => 0x6b00001f | wide(r) | three(r),
  (r) => 0x0b000000 | wide(r) | flags(r) | subtract(r) | three(r) | goal(r),
  (r) => 0x0b000000 | wide(r) | flags(r) | subtract(r) | (r.below(3) << 22) | (r.below(31) << 10) | three(r) | goal(r),
  (r) => 0x0b200000 | wide(r) | flags(r) | subtract(r) | (r.below(8) << 13) | (r.below(5) << 10) | three(r) | goal(r),
  (r) => 0x0a000000 | wide(r) | (r.below(4) << 29) | (r.bits(1) << 21) | three(r) | goal(r),
  (r) => 0x6a00001f | wide(r) | three(r),
  (r) => 0x12000000 | (r.below(4) << 29) | (r.below(8) << 10) | (r.below(32) << 16) | (value(r) << 5) | goal(r),
  (r) => 0x1a000000 | wide(r) | flags(r) | subtract(r) | three(r) | goal(r),
];

const selecting: Make[] = [
  (r) => 0x1a800000 | wide(r) | (r.bits(1) << 30) | (r.bits(1) << 10) | (condition(r) << 12) | three(r) | goal(r),
  (r) => 0x1a9f07e0 | wide(r) | (condition(r) << 12) | goal(r),
  (r) => 0x3a400000 | wide(r) | subtract(r) | (r.bits(1) << 11) | (condition(r) << 12) | three(r) | r.bits(4),
];

const other: Make[] = [
  (r) => 0x52800000 | wide(r) | (r.bits(8) << 5) | goal(r),
  (r) => 0x2a0003e0 | wide(r) | (value(r) << 16) | goal(r),
  (r) => 0x90000000 | (r.bits(2) << 29) | goal(r),
  (r) => 0xd3400000 | (r.below(64) << 16) | (r.below(64) << 10) | (value(r) << 5) | goal(r),
  (r) => 0x1b000000 | wide(r) | (value(r) << 10) | (r.bits(1) << 15) | three(r) | goal(r),
  (r) => 0x1ac02000 | wide(r) | (r.below(4) << 10) | three(r) | goal(r),
  (r) => 0x1ac00800 | wide(r) | (r.bits(1) << 10) | three(r) | goal(r),
];

/** Length, U, elements of 8, 16 or 32 bits, and registers of a vector instruction. */
const anyVector = (r: Random) =>
  (r.bits(1) << 30) | (r.bits(1) << 29) | (r.below(3) << 22) | (r.below(8) << 16) | (r.below(8) << 5) | r.below(8);

const vectors: Make[] = [
  (r) => 0x4e208400 | (r.below(4) << 22) | (r.below(8) << 16) | (r.below(8) << 5) | r.below(8),
  (r) => 0x1e602800 | (r.bits(1) << 12) | (r.below(8) << 16) | (r.below(8) << 5) | r.below(8),
  (r) => 0x1e602000 | (r.below(8) << 16) | (r.below(8) << 5),
  (r) => 0x9e660000 | (r.below(8) << 5) | goal(r),
  (r) => 0x1e600c00 | (condition(r) << 12) | (r.below(8) << 16) | (r.below(8) << 5) | r.below(8),
  // Saturating arithmetic, which takes the host's flags, and its neighbours: three same, three different, by element, of one register.
  (r) => 0x0e200400 | (r.pick([0, 1, 1, 2, 4, 5, 5, 14, 15, 18, 19, 20, 22, 22]) << 11) | anyVector(r),
  (r) => 0x0e200000 | (r.pick([4, 5, 6, 7, 8, 9, 9, 10, 11, 11, 12, 13, 13]) << 12) | anyVector(r),
  (r) => 0x0f000000 | (r.pick([2, 3, 6, 7, 8, 10, 11, 12, 13]) << 12) | (r.bits(1) << 11) | anyVector(r),
  (r) => 0x0e200800 | (r.pick([2, 3, 3, 4, 6, 7, 7]) << 12) | (anyVector(r) & 0xffe0ffff),
  (r) => 0x5e200400 | (r.pick([1, 5, 22]) << 11) | anyVector(r),
  (r) => 0x5e200000 | (r.pick([9, 11, 13]) << 12) | anyVector(r),
  // FCCMP, FCCMPE; the larger or the lesser; to and from integers; FJCVTZS; to integral values.
  (r) => 0x1e600400 | (condition(r) << 12) | (r.below(8) << 16) | (r.below(8) << 5) | r.bits(5),
  (r) => 0x1e604800 | (r.bits(2) << 12) | (r.below(8) << 16) | (r.below(8) << 5) | r.below(8),
  (r) => 0x1e600000 | wide(r) | (r.bits(2) << 19) | (r.bits(1) << 16) | (r.below(8) << 5) | goal(r),
  (r) => 0x1e240000 | wide(r) | (r.bits(1) << 22) | (r.bits(1) << 16) | (r.below(8) << 5) | goal(r),
  (r) => 0x1e220000 | wide(r) | (r.bits(1) << 22) | (r.bits(1) << 16) | (value(r) << 5) | r.below(8),
  (r) => 0x1e7e0000 | (r.below(8) << 5) | goal(r),
  (r) => 0x1e244000 | (r.bits(1) << 22) | (r.pick([0, 1, 2, 3, 4, 6, 7]) << 15) | (r.below(8) << 5) | r.below(8),
  // The upper halves of vectors; comparisons, extremes and conversions of all elements.
  (r) => 0x9eae0000 | (r.below(8) << 5) | goal(r),
  (r) => 0x9eaf0000 | (value(r) << 5) | r.below(8),
  (r) => 0x4e20e400 | (r.bits(2) << 22) | (r.below(8) << 16) | (r.below(8) << 5) | r.below(8),
  (r) => 0x4e20f400 | (r.bits(2) << 22) | (r.below(8) << 16) | (r.below(8) << 5) | r.below(8),
  (r) => 0x4e21b800 | (r.bits(1) << 29) | (r.bits(2) << 22) | (r.below(8) << 5) | r.below(8),
];

const integers = integerWords(goal);

const loads = (r: Random) => (r.one(2) ? 1 : 0);
const moved = (r: Random, load: number) => (load === 1 ? goal(r) : value(r));

const accesses: Make[] = [
  (r) => {
    const size = r.bits(2);
    const load = loads(r);
    return 0x39000000 | (size << 30) | (load << 22) | (r.below(8) << 10) | (base(r) << 5) | moved(r, load);
  },
  (r) => {
    const load = loads(r);
    const offset = r.below(8) - 4;
    const mode = r.pick([1, 2, 2, 3]);
    const rn = base(r);
    return (
      (0x28000000 | (r.bits(1) << 31) | (mode << 23) | (load << 22) | ((offset & 127) << 15) | (8 << 10) | (rn << 5)) +
      0
    );
  },
  (r) => {
    const load = loads(r);
    const mode = r.pick([0, 1, 3]);
    const offset = mode === 0 ? r.below(64) - 32 : 16 * (r.below(5) - 2);
    return (
      0x38000000 |
      (r.bits(2) << 30) |
      (load << 22) |
      ((offset & 511) << 12) |
      (mode << 10) |
      (base(r) << 5) |
      r.pick([0, 1, 2])
    );
  },
  (r) => 0xf8606800 | (COUNTER << 16) | (loads(r) << 22) | (base(r) << 5) | r.pick([0, 1, 2]),
  (r) => 0x3d800000 | (loads(r) << 22) | (r.below(4) << 10) | (base(r) << 5) | r.below(8),
  (r) => 0xfd000000 | (loads(r) << 22) | (r.below(8) << 10) | (base(r) << 5) | r.below(8),
  (r) => 0xad000000 | (loads(r) << 22) | (r.below(4) << 15) | (9 << 10) | (base(r) << 5) | r.below(8),
  (r) => (r.one(2) ? 0x910003e0 | (r.below(4) << 14) : 0xd10003e0 | (r.below(4) << 14)) | 31,
];

/** What makes an index small, and an access to so far from a base: loops look up bases that they do not change only once. */
function tabled(r: Random): [number, number] {
  const index = r.pick(values);
  const most = r.below(6);
  const source = value(r) << 5;
  const small = r.pick([
    0x12000000 | wide(r) | (most << 10) | source,
    0xd3400000 | (most << 16) | ((most + r.below(6)) << 10) | source,
    0x53007c00 | ((31 - most) << 16) | source,
    0x39400000 | (r.below(8) << 10) | (base(r) << 5),
  ]);
  const load = loads(r);
  const access =
    0x38200800 | (r.bits(2) << 30) | (load << 22) | (index << 16) | (r.pick([2, 3, 3, 6, 7]) << 13) | (r.bits(1) << 12);
  return [small | index, access | (base(r) << 5) | moved(r, load)];
}

/** Bits of an AND that leave a large index, or one that only an extension makes small. */
const wideMasks = (r: Random) => 0x92400000 | (r.below(64) << 16) | (r.below(64) << 10);

/**
 * What memory found by its base alone is sensitive to: bases that move far and come back, and that others are made of; indexes that are
 * masked, and changed again before they are used; flags that are set before an access and used after it; sp taken elsewhere.
 */
const wandering: ((r: Random) => number[])[] = [
  (r) => {
    const rn = base(r);
    const by = (1 << 22) | (r.pick([1, 15, 16, 17, 240, 255, 256, 4095]) << 10) | (rn << 5) | rn;
    const there = 0x91000000 | (r.bits(1) << 30);
    const access = r.one(2) ? [] : [r.pick(accesses)(r)];
    return [there | by, ...access, (there ^ 0x40000000) | by, r.pick(accesses)(r)];
  },
  (r) => {
    const rn = base(r);
    const rd = r.pick(BASES);
    return [0x91000000 | (r.bits(1) << 30) | (r.below(64) << 10) | (rn << 5) | rd, r.pick(accesses)(r)];
  },
  (r) => {
    const index = r.pick(values);
    const change = r.one(3) ? [r.pick(arithmetic)(r)] : r.one(3) ? [0xf81f0000 | (base(r) << 5) | index] : [];
    const access = 0x38200800 | (r.bits(2) << 30) | (loads(r) << 22) | (index << 16) | (r.pick([2, 3, 6, 7]) << 13);
    return [
      ...(r.one(3) ? [branchOver(r, 2 + change.length)] : []),
      wideMasks(r) | (value(r) << 5) | index,
      ...change,
      access | (r.bits(1) << 12) | (base(r) << 5) | r.pick(values),
    ];
  },
  (r) => [0x6b00001f | wide(r) | three(r), r.pick(vectors)(r), r.pick(selecting)(r)],
  // A scalar that is made of a vector's lowest element leaves nothing of the others.
  (r) => {
    const n = r.below(8);
    const scalar = 0x1e202800 | (r.bits(1) << 22) | (r.below(8) << 16) | (n << 5) | r.below(8);
    return [(r.pick(vectors)(r) & ~31) | n, scalar];
  },
  (r) => {
    const register = r.pick(values);
    const compare = 0x6b00001f | wide(r) | (r.pick(values) << 16) | (register << 5);
    const load = 0xf9400000 | (r.below(8) << 10) | (base(r) << 5) | register;
    return [compare, load, r.pick(selecting)(r)];
  },
  (r) => {
    const from = r.pick([4, 19, 20, 29, ...values]);
    const to = r.pick([
      0x9100001f | (from << 5),
      0x927cec1f | (from << 5),
      0x8b2063ff | (r.pick(values) << 16),
      0xcb2063ff | (r.pick(values) << 16),
      0x110003ff | (r.below(16) << 14),
      0x910003ff | (r.below(64) << 10),
    ]);
    return [to, r.pick(accesses)(r)];
  },
  // In one round of a loop a base goes elsewhere.
  (r) => {
    const rn = r.pick([4, 19, 20, 29]);
    const round = 0xf100001f | (r.below(5) << 10) | (COUNTER << 5);
    const by = value(r);
    if (r.one(2)) return [round, 0x9a800000 | (r.bits(1) << 12) | (by << 16) | (rn << 5) | rn];
    return [round, 0x54000040 | r.bits(1), 0xaa0003e0 | (by << 16) | rn, 0xf9400000 | (loads(r) << 22) | (rn << 5)];
  },
];

/** A conditional branch over up to four words. */
function branch(r: Random, left: number): number {
  return branchOver(r, 2 + r.below(Math.min(4, left - 1)));
}

function branchOver(r: Random, over: number): number {
  const kind = r.below(10);
  if (kind === 9) return 0x14000000 | over;
  if (kind < 3) return 0x54000000 | (over << 5) | condition(r);
  if (kind < 6) return 0x34000000 | wide(r) | (r.bits(1) << 24) | (over << 5) | r.pick(values);
  return 0x36000000 | (r.bits(1) << 24) | (r.below(32) << 19) | (over << 5) | r.pick(values);
}

/** What ends a round: the counter goes down, and a branch leads back over `words` words while it is positive, or (the only end) not zero. */
function end(r: Random, words: number, only: boolean): number[] {
  const back = (opcode: number) => (opcode | ((-(words + 1) & 0x7ffff) << 5)) >>> 0;
  const subs = 0xf1000400 | (COUNTER << 5) | COUNTER;
  if (!only) return [subs, back(0x5400000c)];
  const kind = r.below(3);
  if (kind === 0) return [0xd1000400 | (COUNTER << 5) | COUNTER, back(0xb5000000 | COUNTER)];
  return [subs, back(kind === 1 ? 0x54000001 : 0x5400000c)];
}

/** Words before the loop, its body with branches inside, one out of it and another back in the middle, and its end. */
function loop(r: Random): number[] {
  const before = r.one(3) ? 1 + r.below(3) : 0;
  const body = 1 + r.below(MAX_WORDS - before - 2);
  const words = Array.from({ length: before }, (_, at) => draw(r, at, before));
  const out = r.one(2) ? r.below(body) : -1;
  const middle = body > 5 && r.one(3) ? 2 + r.below(body - 4) : -1;
  for (let at = 0; at < body; at++) {
    if (at === middle) {
      words.push(...end(r, at, false));
      at++;
    } else if (at === out) {
      words.push(branchOver(r, body - at + 2));
    } else if (r.one(6) && at + 1 < body && at + 1 !== middle && at + 1 !== out) {
      words.push(...tabled(r));
      at++;
    } else if (r.one(8) && at + 4 < body && !(middle >= at && middle < at + 4) && !(out >= at && out < at + 4)) {
      const some = r.pick(wandering)(r);
      words.push(...some);
      at += some.length - 1;
    } else {
      words.push(draw(r, at, at < middle ? middle : body));
    }
  }
  return [...words, ...end(r, body, middle < 0)];
}

function draw(r: Random, at: number, count: number): number {
  const kind = r.below(20);
  if (kind < 7) return r.pick(accesses)(r);
  if (kind < 12) return r.pick(arithmetic)(r);
  if (kind < 14) return r.pick(selecting)(r);
  if (kind < 16) return r.pick(other)(r);
  if (kind < 17) return r.pick(r.one(2) ? vectors : integers)(r);
  if (kind < 19 && at + 2 < count) return branch(r, count - at - 1);
  return 0xd503201f;
}

function straight(r: Random, count: number): number[] {
  const words: number[] = [];
  while (words.length < count) {
    const some = r.one(8) ? r.pick(wandering)(r) : [draw(r, words.length, count)];
    if (words.length + some.length <= count) words.push(...some);
  }
  return words;
}

/** What a base has above the address, or instead of it: a tag, the end of what mirrors have, the end of all, something below zero. */
function wild(r: Random, [low, high]: readonly [number, number]): readonly [number, number] {
  const kind = r.below(4);
  if (kind === 0) return [low, (high | (r.bits(8) << 24)) >>> 0];
  if (kind === 1) return [low & 0xffff, 1 << 11];
  if (kind === 2) return [0xfffffff0 - 16 * r.below(64), r.pick([0x7ff, 0xffff, 0xffffffff])];
  return [low & 0xff0, r.pick([1 << 15, 1 << 16, 0x80000000])];
}

/** Where a base points. */
function place(r: Random): number {
  const kind = r.below(16);
  if (kind < 8) return DATA_BASE + 0x400 + 8 * r.below(256);
  if (kind < 10) return DATA_BASE + 0x1000 - 8 * r.below(16);
  if (kind < 12) return DATA_BASE + DATA_BYTES - 8 * r.below(16);
  if (kind < 13) return RODATA_BASE + 0x100 + 8 * r.below(64);
  if (kind < 14) return DATA_BASE + 8 * r.below(8);
  return DATA_BASE + 0x800 + r.below(2048);
}

function make(r: Random, slot: number): Case {
  values = r.one(2) ? KEPT : OTHERS;
  const count = 1 + r.below(MAX_WORDS);
  const words = r.one(2) ? loop(r) : straight(r, count);
  const overrides: Override[] = [[COUNTER, 1 + r.below(12), 0]];
  for (const register of BASES) {
    let address = place(r);
    if (register === REG.sp && !r.one(16)) address -= address % 16;
    const pair = pairOf(address);
    overrides.push([register, ...(r.one(12) ? wild(r, pair) : pair)]);
  }
  const names = words.map((word) => (word >>> 0).toString(16));
  return {
    slot,
    seed: r.u32(),
    profile: r.pick(["any", "double", "integer"]),
    words: words.map((w) => w >>> 0),
    overrides,
    names,
  };
}

export function generateBlocks(count: number, seed: number): Case[] {
  const r = new Random(seed);
  return Array.from({ length: count }, (_, i) => make(r, i % SLOTS));
}
