/**
 * Where roundings and conversions change their ways, which random numbers hardly meet: the last numbers with a fraction, halves and their
 * neighbours, the ends of integers. The translator against the interpreter, in every rounding mode.
 */
import { beforeAll, expect, test } from "bun:test";
import { ENGINES } from "../../src/cpu/cpu.ts";
import { type Case, type Override, REG, SLOTS } from "./cases.ts";
import { describe as describeMismatch } from "./compare.ts";
import { runEngines } from "./differential.ts";
import { buildRunners } from "./runners.ts";

beforeAll(buildRunners, 300_000);

/** Of v1, into v0 or x0: FRINT*, FCVT* to words, longs and elements, from integers, fixed point with 1 and 31 bits. */
const WORDS = [
  ...[0, 1, 2, 3, 4, 6, 7].map((mode) => 0x1e244020 | (mode << 15)),
  ...[0x1e284020, 0x1e28c020, 0x1e294020, 0x1e29c020],
  ...[0x4e218820, 0x4e219820, 0x4ea18820, 0x4ea19820, 0x6e218820, 0x6e219820, 0x6ea19820],
  ...[0x4e21a820, 0x4e21b820, 0x4ea1a820, 0x4ea1b820, 0x6e21a820, 0x6e21b820, 0x6ea1a820, 0x6ea1b820],
  ...[0x4e21c820, 0x6e21c820, 0x4e21d820, 0x6e21d820],
  ...[0, 1, 2, 3].flatMap((mode) => [0x1e200020, 0x1e210020].map((word) => word | (mode << 19))),
  ...[0x1e240020, 0x1e250020, 0x1e18fc20, 0x1e19fc20, 0x1e188420, 0x1e198420],
];

const SINGLES = [
  ...[
    0.5,
    1.5,
    2.5,
    0.5 - 2 ** -25,
    0.5 + 2 ** -24,
    2 ** 23 - 0.5,
    2 ** 23 - 1.5,
    2 ** 23,
    2 ** 22 - 0.5,
    2 ** 22 - 0.25,
  ],
  ...[2 ** 30, 2 ** 31 - 128, 2 ** 31, 2 ** 32 - 256, 2 ** 32, 2 ** 63, 2 ** 64, 0, Number.NaN, Infinity],
];
const DOUBLES = [
  ...[
    0.5,
    0.5 - 2 ** -54,
    2 ** 52 - 0.5,
    2 ** 52 - 1.5,
    2 ** 51 - 0.25,
    2 ** 52,
    2 ** 30 - 0.5,
    2 ** 30 + 0.5,
    2 ** 31 - 1,
  ],
  ...[
    2 ** 31 - 0.75,
    2 ** 31 - 0.5,
    2 ** 31 + 0.5,
    2 ** 32 - 0.5,
    2 ** 32 + 0.25,
    2 ** 63 - 1024,
    2 ** 63,
    2 ** 64 - 2048,
  ],
  ...[2 ** 64, 0, Number.NaN, Infinity],
];

function halves(value: number, wide: boolean): readonly [number, number] {
  const view = new DataView(new ArrayBuffer(8));
  if (wide) view.setFloat64(0, value, true);
  else for (const at of [0, 4]) view.setFloat32(at, value, true);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

function cases(): Case[] {
  const all: Case[] = [];
  for (const word of WORDS) {
    const general = word >>> 24 === 0x1e && (word & 0xfc00) === 0;
    for (const [wide, type] of [
      [false, 0],
      [true, 1 << 22],
    ] as const) {
      for (const size of general ? [0, 0x8000_0000] : [0]) {
        for (const value of wide ? DOUBLES : SINGLES) {
          for (const signed of [value, -value]) {
            for (const mode of [0, 1, 2, 3]) {
              const [low, high] = halves(signed, wide);
              const overrides: Override[] = [2, 3].map((half) => [REG.V + half, low, high]);
              overrides.push([REG.fpcr, mode << 22, 0], [REG.fpsr, 0, 0]);
              const words = [(word | type | size) >>> 0];
              all.push({
                slot: all.length % SLOTS,
                seed: 1,
                profile: "any",
                words,
                overrides,
                names: [String(signed)],
              });
            }
          }
        }
      }
    }
  }
  return all;
}

for (const level of process.arch === "x64" ? ["", "2"] : []) {
  test(`roundings at their edges, level ${level || "of the host"}`, async () => {
    const all = cases();
    const report = await runEngines(all, 1, { mode: "whole", engine: ENGINES.indexOf("jit"), level });
    const wrong = report.mismatches.slice(0, 3).map((m) => describeMismatch(m.testCase, m.differences));
    expect(wrong).toEqual([]);
    expect(report.ran).toBe(all.length);
  }, 120_000);
}
