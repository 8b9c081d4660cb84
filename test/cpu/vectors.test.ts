/** Replays the recorded answers of the oracle on our engines, in this process, without qemu. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ENGINES } from "../../src/cpu/cpu.ts";
import { engines } from "../support/engines.ts";
import { RESULT } from "./cases.ts";
import { compareResults, describe as describeMismatch } from "./compare.ts";
import { EngineRunner } from "./engine.ts";
import { CRASHES_ORACLE } from "./memory.ts";
import { decodeVectors } from "./vectors.ts";

const FOLDER = join(import.meta.dir, "vectors");

for (const file of readdirSync(FOLDER).sort()) {
  test(`recorded ${file.replace(".bin", "")}`, async () => {
    const { memorySeed, vectors } = decodeVectors(new Uint8Array(await Bun.file(join(FOLDER, file)).arrayBuffer()));
    for (const name of engines) {
      const engine = new EngineRunner(memorySeed, ENGINES.indexOf(name));
      const wrong: string[] = [];
      for (const { testCase, answer } of vectors) {
        const differences = compareResults(testCase, answer, 0, engine.run(testCase), 0);
        if (differences !== null) wrong.push(`${name}: ${describeMismatch(testCase, differences)}`);
      }
      engine.destroy();
      expect(wrong.slice(0, 5)).toEqual([]);
    }
    expect(vectors.length).toBeGreaterThan(0);
  });
}

test("words that crash the oracle are undefined", () => {
  const engine = new EngineRunner(1);
  for (const [, value] of CRASHES_ORACLE) {
    const result = engine.run({ slot: 0, seed: 1, profile: "half", words: [value], overrides: [], names: [] });
    expect(new DataView(result.buffer).getUint32(RESULT.signal, true)).toBe(4);
  }
  engine.destroy();
});
