/**
 * Arithmetic under FPCR.FZ: the translator leaves to the interpreter what may be flushed, and the rest to the host. So operands are drawn around
 * the exponents where one ends and the other begins, for every operation; the interpreter, and qemu where it is installed, say what is right.
 */
import { beforeAll, expect, test } from "bun:test";
import { ENGINES } from "../../src/cpu/cpu.ts";
import { type Case, type Override, REG } from "./cases.ts";
import { generateClass } from "./classes.ts";
import { describe as describeMismatch } from "./compare.ts";
import { type Report, runBoth, runEngines } from "./differential.ts";
import { type Pair, Random } from "./random.ts";
import { buildRunners, qemuInstalled } from "./runners.ts";

const COUNT = Number(process.env["CARRICK_DIFFERENTIAL_COUNT"] ?? 3_000);
const SEED = Number(process.env["CARRICK_DIFFERENTIAL_SEED"] ?? 1);
const JIT = ENGINES.indexOf("jit");
const FZ = 1 << 24;

beforeAll(buildRunners, 300_000);

const CLASSES = [
  ...["rows-scalar-fp", "rows-scalar-convert", "rows-fp-three-same", "rows-fp-two-misc", "rows-by-element"],
  ...[
    "rows-across-lanes",
    "rows-shift-immediate",
    "fp-compare",
    "fp-compare-single",
    "fp-3-source",
    "fp-3-source-single",
  ],
];

/** The least exponent fields with which sums, products and fused products cannot be flushed, the greatest of divisors, and both ends. */
const SINGLE = [0, 1, 25, 65, 89, 190, 254];
const DOUBLE = [0, 1, 54, 513, 566, 898, 1534, 2046];

/** Mostly near 1 in some cases, near the limits in others: one element out of them decides for a whole vector. */
function exponent(random: Random, rare: number, limits: readonly number[], last: number): number {
  if (!random.one(rare)) return (last >> 1) + random.below(21) - 10;
  const near = random.pick(limits) + random.below(5) - 2;
  return Math.min(Math.max(random.one(8) ? random.below(last + 1) : near, 0), last - 1);
}

/** Mostly short fractions, so that results are exact, and those at both ends. */
function fraction(random: Random, bits: number): number {
  const kind = random.below(6);
  if (kind < 2) return 0;
  if (kind < 3) return random.pick([1, 2 ** bits - 1]);
  return kind < 5 ? random.bits(3) * 2 ** (bits - 3) : random.bits(bits);
}

function half(random: Random, rare: number, double: boolean): Pair {
  if (!double) {
    const one = () =>
      ((random.bits(1) << 31) | (exponent(random, rare, SINGLE, 255) << 23) | fraction(random, 23)) >>> 0;
    return [one(), one()];
  }
  const high = ((random.bits(1) << 31) | (exponent(random, rare, DOUBLE, 2047) << 20) | fraction(random, 20)) >>> 0;
  return [random.one(3) ? random.u32() : random.pick([0, 0, 1]), high];
}

function casesOf(name: string): Case[] {
  const random = new Random(SEED);
  return generateClass(name, COUNT, SEED).map((testCase) => {
    const double = random.one(2);
    const rare = random.pick([1, 2, 5]);
    const overrides: Override[] = [...testCase.overrides];
    for (let i = 0; i < 64; i++) {
      const zero = random.one(10);
      overrides.push([REG.V + i, ...(zero ? ([0, 0] as const) : half(random, rare, double))]);
    }
    overrides.push([REG.fpcr, FZ | (random.below(4) << 22), 0]);
    return { ...testCase, overrides };
  });
}

function expectRight(report: Report): void {
  const wrong = report.mismatches.slice(0, 3).map((m) => describeMismatch(m.testCase, m.differences));
  expect(wrong).toEqual([]);
  expect(report.ran).toBe(COUNT);
}

for (const name of process.arch === "x64" ? CLASSES : []) {
  test(`${name}: ${COUNT} cases, seed ${SEED}`, async () => {
    const cases = casesOf(name);
    for (const level of ["", "2"]) expectRight(await runEngines(cases, SEED, { mode: "again", engine: JIT, level }));
    if (qemuInstalled()) expectRight(await runBoth(cases, SEED, { mode: "whole", engine: JIT }));
  }, 120_000);
}
