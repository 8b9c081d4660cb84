/** Replays the recorded answers of the oracle on our engine, in this process, without qemu. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { compareResults, describe as describeMismatch } from "./compare.ts";
import { EngineRunner } from "./engine.ts";
import { decodeVectors } from "./vectors.ts";

const FOLDER = join(import.meta.dir, "vectors");

for (const file of readdirSync(FOLDER).sort()) {
  test(`recorded ${file.replace(".bin", "")}`, async () => {
    const { memorySeed, vectors } = decodeVectors(new Uint8Array(await Bun.file(join(FOLDER, file)).arrayBuffer()));
    const engine = new EngineRunner(memorySeed);
    const wrong: string[] = [];
    for (const { testCase, answer } of vectors) {
      const differences = compareResults(testCase, answer, 0, engine.run(testCase), 0);
      if (differences !== null) wrong.push(describeMismatch(testCase, differences));
    }
    engine.destroy();
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(vectors.length).toBeGreaterThan(0);
  });
}
