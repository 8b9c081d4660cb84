/** The translator against the interpreter on blocks as compilers write them, however they are entered, faults and all. */
import { beforeAll, expect, test } from "bun:test";
import { ENGINES } from "../../src/cpu/cpu.ts";
import { generateBlocks } from "./blocks.ts";
import { describe as describeMismatch } from "./compare.ts";
import { runEngines } from "./differential.ts";
import { buildRunners, type Mirror, MODES } from "./runners.ts";

const COUNT = Number(process.env["CARRICK_DIFFERENTIAL_COUNT"] ?? 10_000);
const SEED = Number(process.env["CARRICK_DIFFERENTIAL_SEED"] ?? 1);
const JIT = ENGINES.indexOf("jit");

beforeAll(buildRunners, 300_000);

/** The host's level and the lowest one; memory by the TLB, in a mirror, by the interpreter, and in a mirror that is mostly empty. */
const WAYS: readonly (readonly [string, Mirror])[] = [
  ["", "0"],
  ["2", "0"],
  ["", "1"],
  ["2", "2"],
  ["", "3"],
];

for (const [level, mirror] of process.arch === "x64" ? WAYS : []) {
  for (const mode of MODES) {
    test(`${COUNT} blocks, seed ${SEED}, ${mode}, level ${level || "of the host"}, mirror ${mirror}`, async () => {
      const report = await runEngines(generateBlocks(COUNT, SEED), SEED, { mode, engine: JIT, level, mirror });
      const wrong = report.mismatches.slice(0, 3).map((m) => describeMismatch(m.testCase, m.differences));
      expect(wrong).toEqual([]);
      expect(report.ran).toBe(COUNT);
    }, 180_000);
  }
}
