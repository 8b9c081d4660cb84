/** `bun test/cpu/record.ts [COUNT]`: asks qemu-aarch64 for COUNT answers per class and writes test/cpu/vectors anew. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { encodeStream, RESULT, RESULT_BYTES, resultOffsets } from "./cases.ts";
import { CLASSES, generateClass } from "./classes.ts";
import { buildRunners, runOracle } from "./runners.ts";
import { encodeVectors } from "./vectors.ts";

const SEED = 20;

async function recordClass(name: string, count: number): Promise<number> {
  const cases = generateClass(name, count, SEED);
  const bytes = await runOracle(encodeStream(cases, SEED));
  const view = new DataView(bytes.buffer);
  const offsets = resultOffsets(bytes);
  if (offsets.length !== cases.length)
    throw new Error(`${name}: the oracle answered ${offsets.length} of ${cases.length} cases`);
  const vectors = offsets.map((at, i) => {
    const end = at + RESULT_BYTES + 16 * view.getUint32(at + RESULT.changes, true);
    return { testCase: cases[i]!, answer: bytes.slice(at, end) };
  });
  const file = encodeVectors({ memorySeed: SEED, vectors });
  await Bun.write(join(import.meta.dir, "vectors", `${name}.bin`), file);
  return file.length;
}

buildRunners();
rmSync(join(import.meta.dir, "vectors"), { recursive: true, force: true });
mkdirSync(join(import.meta.dir, "vectors"));
let total = 0;
for (const name of CLASSES) total += await recordClass(name, Number(process.argv[2] ?? 500));
console.log(`${CLASSES.length} classes, ${(total / 1024).toFixed(0)} KiB`);
