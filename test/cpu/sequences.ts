/**
 * Directed cases of several words that belong together, which random draws would hardly ever form: load-exclusive with
 * its store, compare-and-swap that matches, flag producers with their consumers.
 */
import { type Case, DATA_BASE, DATA_BYTES, type Override, type Profile, REG } from "./cases.ts";
import type { Random } from "./random.ts";

type Sequence = (random: Random, slot: number) => Case;

function make(
  random: Random,
  slot: number,
  profile: Profile,
  words: number[],
  overrides: Override[],
  name: string,
): Case {
  return {
    slot,
    seed: random.u32(),
    profile,
    words: words.map((w) => w >>> 0),
    overrides,
    names: words.map(() => name),
  };
}

/** `count` different registers below 31. */
function distinct(random: Random, count: number): number[] {
  const list: number[] = [];
  while (list.length < count) {
    const register = random.below(31);
    if (!list.includes(register)) list.push(register);
  }
  return list;
}

function dataOverride(random: Random, register: number, alignment: number): Override {
  const at = DATA_BASE + alignment * random.below(DATA_BYTES / alignment - 2);
  return [register, at >>> 0, DATA_BASE / 0x100000000];
}

/** LD(A)XR or LD(A)XP, something between, ST(L)XR or ST(L)XP to the same place or another. */
const exclusivePair: Sequence = (random, slot) => {
  const [rn, rt, rt2, rs, rv, rv2] = distinct(random, 6) as [number, number, number, number, number, number];
  const pair = random.bits(1);
  const size = pair === 1 ? 2 + random.bits(1) : random.bits(2);
  const load =
    (size << 30) | 0x08400000 | (pair << 21) | (31 << 16) | (random.bits(1) << 15) | ((pair === 1 ? rt2 : 31) << 10);
  const store =
    (size << 30) | 0x08000000 | (pair << 21) | (rs << 16) | (random.bits(1) << 15) | ((pair === 1 ? rv2 : 31) << 10);
  const between: number[] = [];
  const kind = random.below(8);
  if (kind === 0) between.push(0xd503305f | (random.bits(4) << 8));
  if (kind === 1) between.push(0xf9000000 | (rn << 5) | rv2);
  if (kind === 2) between.push(0x91000000 | (16 << 10) | (rn << 5) | rn);
  if (kind === 3) between.push(0xf9400000 | (rn << 5) | rs);
  const words = [load | (rn << 5) | rt, ...between, store | (rn << 5) | rv];
  if (random.one(4)) words.push(store | (rn << 5) | rv);
  return make(random, slot, "integer", words, [dataOverride(random, rn, 16)], "exclusive-pair");
};

/** Loads what is there, then CAS or CASP against it (sometimes changed in between), so that the swap happens. */
const swapHit: Sequence = (random, slot) => {
  const [rn, single, value] = distinct(random, 3) as [number, number, number];
  const order = (random.bits(1) << 22) | (random.bits(1) << 15);
  if (random.one(2)) {
    const size = random.bits(2);
    const words = [((size << 30) | 0x39400000 | (rn << 5) | single) >>> 0];
    if (random.one(5)) words.push(0x91000400 | (single << 5) | single);
    words.push(((size << 30) | 0x08a07c00 | order | (single << 16) | (rn << 5) | value) >>> 0);
    return make(random, slot, "integer", words, [dataOverride(random, rn, 16)], "cas-hit");
  }
  const wide = random.bits(1);
  const rs = 2 * random.below(14);
  const rt = 2 * random.below(14);
  const base = rn === rs || rn === rs + 1 || rn === rt || rn === rt + 1 ? 30 : rn;
  const words = [(((wide << 31) | 0x29400000 | ((rs + 1) << 10) | (base << 5) | rs) >>> 0) as number];
  if (random.one(5)) words.push(0x91000400 | ((rs + random.bits(1)) << 5) | (rs + random.bits(1)));
  words.push(((wide << 30) | 0x08207c00 | order | (rs << 16) | (base << 5) | rt) >>> 0);
  return make(random, slot, "integer", words, [dataOverride(random, base, 16)], "casp-hit");
};

/** A rounded product, quotient or root, then the fused operation that finds its error: sums that all but cancel. */
function residual(type: number, profile: Profile): Sequence {
  return (random, slot) => {
    const [n, m, t, d] = distinct(random, 4) as [number, number, number, number];
    const first = random.pick([0x1e200800, 0x1e201800, 0x1e208800]) | (m << 16) | (n << 5) | t;
    const [a, x, y] = random.one(3) ? [n, t, m] : [t, n, m];
    const fused = 0x1f000000 | (random.bits(1) << 21) | (random.bits(1) << 15) | (y << 16) | (a << 10) | (x << 5) | d;
    const words = [first | (type << 22), fused | (type << 22)];
    return make(random, slot, profile, words, [], "residual");
  };
}

/** FMUL or FDIV by vector, then FMLA or FMLS into its result. */
function vectorResidual(size: number, profile: Profile): Sequence {
  return (random, slot) => {
    const [n, m, d] = distinct(random, 3) as [number, number, number];
    const Q = size === 1 ? 1 : random.bits(1);
    const common = (Q << 30) | (size << 22) | (m << 16) | (n << 5) | d;
    const words = [random.pick([0x2e20dc00, 0x2e20fc00]) | common, random.pick([0x0e20cc00, 0x0ea0cc00]) | common];
    return make(random, slot, profile, words, [], "vector-residual");
  };
}

/** The least and greatest numbers of every size, minus one, halves of those, nothing. */
const EXTREMES = [
  0x80808080, 0x7f7f7f7f, 0x80008000, 0x7fff7fff, 0x80000000, 0x7fffffff, 0xffffffff, 0xc000c000, 0x40004000, 0,
];

/** A saturating instruction whose operands are all extremes, often the same: only the least number's square does not fit. */
function saturating(...opcodes: number[]): Sequence {
  return (random, slot) => {
    const [n, m, d] = distinct(random, 3).map((register) => register & 15) as [number, number, number];
    const fields = (random.bits(1) << 30) | (random.bits(1) << 29) | (random.bits(2) << 22) | (m << 16) | (n << 5) | d;
    const overrides: Override[] = [];
    for (const register of [n, m, d]) {
      for (const half of [0, 1]) {
        const low = random.pick(EXTREMES);
        const high = random.one(2) ? low : random.pick(EXTREMES);
        overrides.push([REG.V + 2 * register + half, low, high]);
      }
    }
    return make(random, slot, "integer", [random.pick(opcodes) | fields], overrides, "saturating");
  };
}

/** By class: the sequence, and one in how many cases is one. */
export const SEQUENCES: Readonly<Record<string, readonly [Sequence, number]>> = {
  exclusive: [exclusivePair, 2],
  "compare-swap": [swapHit, 2],
  "fp-3-source": [residual(1, "double"), 4],
  "fp-3-source-single": [residual(0, "single"), 4],
  "fp-3-source-half": [residual(3, "half"), 4],
  // SQADD, SQSUB, SQDMULH and their like without signs or rounding; SQRDMLAH, SQRDMLSH; SQDMLAL, SQDMLSL, SQDMULL; and by an element.
  "simd-3-same": [saturating(0x0e200c00, 0x0e202c00, 0x0e20b400), 4],
  "simd-rdm-dot": [saturating(0x0e008400, 0x0e008c00), 4],
  "simd-3-different": [saturating(0x0e209000, 0x0e20b000, 0x0e20d000), 4],
  "simd-indexed": [saturating(0x0f003000, 0x0f007000, 0x0f00b000, 0x0f00c000, 0x0f00d000, 0x0f00f000), 4],
  "simd-3-same-fp": [vectorResidual(0, "single"), 6],
  "simd-3-same-fp-double": [vectorResidual(1, "double"), 6],
};
