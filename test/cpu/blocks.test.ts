/** The translator against the interpreter on blocks as compilers write them, however they are entered, faults and all. */
import { beforeAll, expect, test } from "bun:test";
import { ENGINES } from "../../src/cpu/cpu.ts";
import { generateBlocks } from "./blocks.ts";
import { describe as describeMismatch } from "./compare.ts";
import { runEngines } from "./differential.ts";
import { buildRunners, MODES } from "./runners.ts";

const COUNT = Number(process.env["CARRICK_DIFFERENTIAL_COUNT"] ?? 10_000);
const SEED = Number(process.env["CARRICK_DIFFERENTIAL_SEED"] ?? 1);
const JIT = ENGINES.indexOf("jit");

beforeAll(buildRunners, 300_000);

for (const level of process.arch === "x64" ? ["", "2"] : []) {
  for (const mode of MODES) {
    test(`${COUNT} blocks, seed ${SEED}, ${mode}, level ${level || "of the host"}`, async () => {
      const report = await runEngines(generateBlocks(COUNT, SEED), SEED, { mode, engine: JIT, level });
      const wrong = report.mismatches.slice(0, 3).map((m) => describeMismatch(m.testCase, m.differences));
      expect(wrong).toEqual([]);
      expect(report.ran).toBe(COUNT);
    }, 180_000);
  }
}
