// The ELF fuzzer: damaged programs are refused or run into a signal of their own, in bounded time and memory.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, underCarrick } from "../support/guest.ts";
import { random, seedOf } from "./fuzzers.ts";
import { loadable, type Mutant, mutants } from "./mutants.ts";
import { watch } from "./watched.ts";

const MIXTURES = 400;
const DIRECT = 40;
const PEAK_KIB = 900_000;
const seed = seedOf("elf");
let work = "";
let all: Mutant[] = [];

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "carrick-elf-"));
  const base = loadable(readFileSync(compile(join(import.meta.dir, "../guest/programs/hello.c"))));
  all = mutants(base, seed, MIXTURES);
  all.forEach(({ file }, i) => {
    writeFileSync(join(work, `${i}`), file);
    chmodSync(join(work, `${i}`), 0o755);
  });
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

test(`damaged programs under execve (CARRICK_SEED=${seed})`, async () => {
  const guest = compile(join(import.meta.dir, "programs/elfexec.c"));
  const run = await watch([guest, work, `${all.length}`], ["done"], 280_000);
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
  const lines = run.stdout.trimEnd().split("\n");
  expect(lines.length).toBe(all.length + 1);
  for (let i = 0; i < all.length; i += 1) {
    const outcome = `${all[i]!.what}: ${lines[i]}`;
    expect(outcome).toMatch(/: \d+ (errno (2|5|8|12|13|20|22|26|36|40|80)|signal (4|5|7|9|11|24)|exit \d+|endless)$/);
  }
  const refused = lines.filter((line) => line.includes(" errno ")).length;
  const { peakKib } = run.samples.get("done")!;
  console.log(`${all.length} damaged programs, ${refused} refused, peak ${peakKib} KiB`);
  expect(refused).toBeGreaterThan(all.length / 4);
  expect(peakKib).toBeLessThan(PEAK_KIB);
}, 300_000);

test("damaged programs from the command line are refused in one sentence", () => {
  const below = random(seed);
  for (let k = 0; k < DIRECT; k += 1) {
    const i = below(all.length);
    const { what } = all[i]!;
    const { status, stderr } = underCarrick(join(work, `${i}`), [], { timeoutMs: 10_000 });
    if (status === 126 || status === 127 || status === 125) {
      expect(`${what}: ${stderr}`).toMatch(/^[^\n]*: carrick: [^\n]+\n$/);
      expect(stderr).not.toContain("internal error");
    } else {
      // A guest of its own: it ended by itself or by a signal (137: it ran until the time was up).
      expect(`${what}: ${stderr}`).not.toContain("carrick:");
    }
  }
}, 300_000);
