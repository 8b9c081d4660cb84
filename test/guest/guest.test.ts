// Each program of test/guest/programs prints what it saw of one family of calls. The expected text was recorded
// under qemu-aarch64 and is compared with it again wherever that is installed; carrick must print the same.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { compile, type Libc, qemu, run, testCpus, underCarrick } from "../support/guest.ts";

const programs = join(import.meta.dir, "programs");
const expected = join(import.meta.dir, "expected");
const ARGS = ["one", "two words"];
const OPTIONS = { env: { GREETING: "hi" }, timeoutMs: 120_000 };
/** Each C library, each CPU, on as many CPUs at a time as there are; and one at a time, with memory in a mirror from the start. */
const WAYS: readonly (readonly [Libc, string, number | null, Readonly<Record<string, string>>])[] = [
  ["musl", "interp", testCpus, {}],
  ["gnu", "interp", testCpus, {}],
  ["gnu", "jit", testCpus, {}],
  ["gnu", "jit", 1, { CARRICK_CPU_MIRROR: "1" }],
];
/** What this one shows depends on the number of CPUs. */
const COUNTS_CPUS = "proc";
/** CARRICK_RECORD=1 writes the records anew. */
const record = process.env["CARRICK_RECORD"] === "1";

/**
 * Programs for which the emulator is not the reference say so in their first line: "// native:", or "// native 6.18, root:"
 * for those that show what this release of Linux does and that must run as root.
 */
const NATIVE = /^\/\/ native(?: (\d+)\.(\d+))?(, root)?:/;

const [major = 0, minor = 0] = release().split(".").map(Number);

function comparable(since: RegExpExecArray): boolean {
  const [, wantedMajor = "0", wantedMinor = "0"] = since;
  return major > Number(wantedMajor) || (major === Number(wantedMajor) && minor >= Number(wantedMinor));
}

function outcome(result: { stdout: string; status: number }): string {
  return `${result.stdout}status ${result.status}\n`;
}

function oracle(source: string, libc: Libc): string | null {
  const native = NATIVE.exec(readFileSync(source, "utf8"));
  if (native !== null) {
    return comparable(native) ? outcome(run([compile(source, libc, "x86_64"), ...ARGS], OPTIONS)) : null;
  }
  return qemu === null ? null : outcome(run([qemu, compile(source, libc), ...ARGS], OPTIONS));
}

for (const file of readdirSync(programs)
  .filter((name) => name.endsWith(".c"))
  .sort()) {
  const name = file.slice(0, -2);
  const source = join(programs, file);
  const answer = join(expected, `${name}.txt`);
  const needsRoot = NATIVE.exec(readFileSync(source, "utf8"))?.[3] !== undefined;
  describe.skipIf(needsRoot && process.getuid?.() !== 0)(name, () => {
    test("the record is what the reference says", () => {
      const truth = oracle(source, "musl");
      if (truth === null) return;
      if (record || !existsSync(answer)) writeFileSync(answer, truth);
      expect(truth).toBe(readFileSync(answer, "utf8"));
    }, 180_000);
    for (const [libc, cpu, cpus, env] of WAYS) {
      if (name === COUNTS_CPUS && cpus === 1) continue;
      test(`carrick agrees (${libc}, ${cpu}${cpus === null ? "" : `, ${cpus} CPUs`})`, () => {
        const options = { ...OPTIONS, env: { ...OPTIONS.env, ...env } };
        const result = underCarrick(compile(source, libc), ARGS, options, cpu, cpus);
        expect(outcome(result)).toBe(readFileSync(answer, "utf8"));
      }, 180_000);
    }
  });
}
