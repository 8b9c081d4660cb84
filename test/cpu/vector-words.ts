/**
 * Advanced SIMD integer instructions for blocks (blocks.ts): what sets FPSR.QC, what is shifted and permuted, scalars, moves to general registers, and
 * FPSR itself, which code on a translator's fast path must not forget. Few registers, so that results are used again.
 */
import type { Random } from "./random.ts";

type Make = (r: Random) => number;

const register = (r: Random) => r.below(8);
const dn = (r: Random) => (register(r) << 5) | register(r);
const dnm = (r: Random) => (register(r) << 16) | dn(r);
const full = (r: Random) => r.bits(1) << 30;
const unsigned = (r: Random) => r.bits(1) << 29;
/** A size that both forms have, or 64 bits in the 128-bit form. */
const sized = (r: Random) => (r.one(4) ? (3 << 22) | (1 << 30) : (r.below(3) << 22) | full(r));
const scalar = 0x50000000;
/** The size of an element and an amount of a shift; that of narrowing ones is below 64. */
const amount = (r: Random) => (r.one(4) ? ((64 + r.below(64)) << 16) | (1 << 30) : ((8 + r.below(56)) << 16) | full(r));
const narrowing = (r: Random) => ((8 + r.below(56)) << 16) | (r.one(3) ? scalar : full(r));

const SHIFTS = [0x0400, 0x1400, 0x2400, 0x3400, 0x5400, 0x7400];

/** The first general register, and one in memory, are where they go. */
export function integerWords(general: Make): Make[] {
  return [
    // SSHL, SQSHL, SRSHL, SQRSHL and those without signs, CMGT and CMHI.
    (r) => 0x0e204400 | (r.bits(2) << 11) | unsigned(r) | sized(r) | dnm(r),
    (r) => 0x0ee04400 | scalar | (r.bits(2) << 11) | unsigned(r) | dnm(r),
    (r) => 0x0e203400 | (r.bits(1) << 11) | unsigned(r) | sized(r) | dnm(r),
    (r) => 0x0f000000 | r.pick(SHIFTS) | unsigned(r) | amount(r) | dn(r),
    (r) => 0x0f008400 | (r.bits(2) << 11) | (1 << 29) | narrowing(r) | dn(r),
    (r) => 0x0f009400 | (r.bits(1) << 11) | unsigned(r) | narrowing(r) | dn(r),
    // SQXTN, UQXTN, SQXTUN, SHLL.
    (r) => 0x0e214800 | unsigned(r) | (r.below(3) << 22) | (r.one(3) ? scalar : full(r)) | dn(r),
    (r) => 0x2e212800 | (r.below(3) << 22) | (r.one(3) ? scalar : full(r)) | dn(r),
    (r) => 0x2e213800 | (r.below(3) << 22) | full(r) | dn(r),
    // UZP, TRN, ZIP; TBL and TBX.
    (r) => 0x0e000800 | (r.pick([1, 2, 3, 5, 6, 7]) << 12) | sized(r) | dnm(r),
    (r) => 0x0e000000 | (r.bits(3) << 12) | full(r) | dnm(r),
    // ADD and SUB of scalars, DUP of one element, SMOV.
    (r) => 0x0ee08400 | scalar | unsigned(r) | dnm(r),
    (r) => 0x5e000400 | ((1 + r.below(15)) << 16) | dn(r),
    (r) => 0x0e002c00 | ((1 | (r.bits(3) << 1)) << 16) | full(r) | (register(r) << 5) | general(r),
    // FPSR.
    (r) => (r.one(2) ? 0xd53b4420 : 0xd51b4420) | general(r),
  ];
}
