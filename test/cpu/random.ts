/**
 * The seeded random source of the instruction tests, and the operand values it prefers: small numbers, boundaries, bit
 * runs, and the special values of every floating-point format. Recorded vectors depend on every draw made here through
 * `expand` in cases.ts: a change of order or weight means recording them anew.
 */

/** A 64-bit value as two unsigned 32-bit halves, low first. */
export type Pair = readonly [number, number];

/** xoshiro128**: four words of state, 32 bits a draw. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number) {
    let state = seed >>> 0;
    const next = () => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.a = next();
    this.b = next();
    this.c = next();
    this.d = next() | 1;
  }

  u32(): number {
    const product = Math.imul(this.b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** 0 .. limit - 1; `limit` is far below 2^32, so the bias does not matter. */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x100000000) * limit);
  }

  /** True once in `n`. */
  one(n: number): boolean {
    return this.below(n) === 0;
  }

  bits(width: number): number {
    return width === 0 ? 0 : this.u32() >>> (32 - width);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const BOUNDARY: readonly Pair[] = [
  [0, 0],
  [1, 0],
  [0xffffffff, 0xffffffff],
  [0xffffffff, 0x7fffffff],
  [0, 0x80000000],
  [0x7fffffff, 0],
  [0x80000000, 0],
  [0xffffffff, 0],
  [0x80000000, 0xffffffff],
  [0, 1],
  [0x7fff, 0],
  [0x8000, 0],
  [0x80, 0],
  [0x7f, 0],
  [0x55555555, 0x55555555],
  [0xaaaaaaaa, 0xaaaaaaaa],
];

/** A run of ones at a random place, rotated; every length. */
function bitRun(random: Random): Pair {
  const length = BigInt(random.below(65));
  const shift = BigInt(random.below(64));
  const ones = (1n << length) - 1n;
  const value = BigInt.asUintN(64, (ones << shift) | (ones >> (64n - shift)));
  return [Number(value & 0xffffffffn), Number(value >> 32n)];
}

/** A value for a general register. */
export function generalValue(random: Random): Pair {
  const kind = random.below(16);
  if (kind < 6) return [random.u32(), random.u32()];
  if (kind < 9) return [random.below(130), 0];
  if (kind < 12) return random.pick(BOUNDARY);
  if (kind < 13) return bitRun(random);
  if (kind < 14) return [(0xffffff80 + random.below(128)) >>> 0, 0xffffffff];
  if (kind < 15) return [random.u32(), 0];
  const low = random.u32();
  return [low, ((low | 0) >> 31) >>> 0];
}

const HALF = [
  0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x3bff, 0x3c00, 0x3c01, 0xbc00, 0x3800, 0x3e00,
  0x4000, 0x4100, 0x4248, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7c01, 0xfd55, 0x7e00, 0xfe00, 0x7e77, 0x7dff, 0x0200,
  0x77ff, 0xf800,
];

const SINGLE = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x3f7fffff,
  0x3f800000, 0x3f800001, 0xbf800000, 0x3f000000, 0xbf000000, 0x3fc00000, 0x40000000, 0x40200000, 0x40490fdb,
  0x4b000000, 0x4b7fffff, 0x4b800000, 0x4f000000, 0x4effffff, 0x4f800000, 0x5f000000, 0x5f800000, 0xcf000000,
  0xdf000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0xffa12345, 0x7fc00000, 0xffc00000,
  0x7fc54321, 0x33800000, 0x387fe000, 0x38800000, 0x477fefff, 0x477ff000, 0x33000000, 0x33000001, 0x00400000,
  0x1f800000, 0x60000000,
];

const DOUBLE: readonly Pair[] = [
  [0, 0],
  [0, 0x80000000],
  [1, 0],
  [1, 0x80000000],
  [0xffffffff, 0x000fffff],
  [0, 0x00100000],
  [0xffffffff, 0x3fefffff],
  [0, 0x3ff00000],
  [1, 0x3ff00000],
  [0, 0xbff00000],
  [0, 0x3fe00000],
  [0, 0xbfe00000],
  [0, 0x3ff80000],
  [0, 0x40000000],
  [0, 0x40040000],
  [0, 0x41e00000],
  [0xffc00000, 0x41dfffff],
  [0xffe00000, 0x41efffff],
  [0, 0x41f00000],
  [0, 0x43e00000],
  [0xffffffff, 0x43dfffff],
  [0, 0x43f00000],
  [0, 0xc3e00000],
  [0, 0x43300000],
  [0, 0x43400000],
  [0xffffffff, 0x7fefffff],
  [0xffffffff, 0xffefffff],
  [0, 0x7ff00000],
  [0, 0xfff00000],
  [1, 0x7ff00000],
  [0x12345, 0xfff4abcd],
  [0, 0x7ff80000],
  [0, 0xfff80000],
  [0x54321, 0x7ff80000],
  [0xe0000000, 0x47efffff],
  [0xf0000000, 0x47efffff],
  [0, 0x38100000],
  [0xe0000000, 0x380fffff],
  [0, 0x36a00000],
  [0, 0x36900000],
  [1, 0x36900000],
  [0, 0x20000000],
  [0, 0x60000000],
  [0, 0x00080000],
];

/** One half-precision number: special, near a special, or with a middling exponent so that sums and products cancel. */
export function halfValue(random: Random): number {
  const kind = random.below(8);
  if (kind < 4) return random.pick(HALF) ^ (random.one(4) ? random.below(4) : 0);
  if (kind < 6) return (random.bits(1) << 15) | ((10 + random.below(10)) << 10) | random.bits(10);
  return random.bits(16);
}

export function singleValue(random: Random): number {
  const kind = random.below(8);
  if (kind < 4) return (random.pick(SINGLE) ^ (random.one(4) ? random.below(4) : 0)) >>> 0;
  if (kind < 6) return ((random.bits(1) << 31) | ((120 + random.below(16)) << 23) | random.bits(23)) >>> 0;
  if (kind < 7) return ((random.bits(1) << 31) | ((100 + random.below(64)) << 23) | (random.bits(6) << 17)) >>> 0;
  return random.u32();
}

export function doubleValue(random: Random): Pair {
  const kind = random.below(8);
  if (kind < 4) {
    const [low, high] = random.pick(DOUBLE);
    return [(low ^ (random.one(4) ? random.below(4) : 0)) >>> 0, high];
  }
  const sign = random.bits(1) << 31;
  if (kind < 6) return [random.u32(), (sign | ((1015 + random.below(16)) << 20) | random.bits(20)) >>> 0];
  if (kind < 7) return [0, (sign | ((960 + random.below(128)) << 20) | random.bits(20)) >>> 0];
  return [random.u32(), random.u32()];
}

const BYTES = [0, 1, 0x7f, 0x80, 0x81, 0xff, 0xfe, 0x40, 0x3f, 0xc0, 8, 7, 9, 16, 0xf8, 0xf7];
const HALVES = [
  0, 1, 0x7fff, 0x8000, 0x8001, 0xffff, 0xfffe, 0x4000, 0x3fff, 0xc000, 0x7f, 0x80, 0xff, 0x100, 16, 0xfff0,
];

function smallLane(random: Random, width: 8 | 16): number {
  if (random.one(3)) return random.bits(width);
  return random.pick(width === 8 ? BYTES : HALVES);
}

/** The lane formats of `vectorHalf`. */
export type Lanes = "random" | "bytes" | "halves" | "words" | "doubles" | "half" | "single" | "double";
export const LANES: readonly Lanes[] = ["random", "bytes", "halves", "words", "doubles", "half", "single", "double"];

/** 64 bits of a vector register, each lane drawn for itself. */
export function vectorHalf(random: Random, lanes: Lanes): Pair {
  switch (lanes) {
    case "random":
      return [random.u32(), random.u32()];
    case "bytes": {
      const word = () =>
        (smallLane(random, 8) |
          (smallLane(random, 8) << 8) |
          (smallLane(random, 8) << 16) |
          (smallLane(random, 8) << 24)) >>>
        0;
      return [word(), word()];
    }
    case "halves": {
      const word = () => (smallLane(random, 16) | (smallLane(random, 16) << 16)) >>> 0;
      return [word(), word()];
    }
    case "words":
      return [generalValue(random)[0], generalValue(random)[0]];
    case "doubles":
      return generalValue(random);
    case "half": {
      const word = () => (halfValue(random) | (halfValue(random) << 16)) >>> 0;
      return [word(), word()];
    }
    case "single":
      return [singleValue(random), singleValue(random)];
    case "double":
      return doubleValue(random);
  }
}
