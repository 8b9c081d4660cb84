// Random file operations in a directory of the host: a guest gets what the same program
// gets natively. Needs root, because the program locks itself into its directory with chroot(2).

import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { seedOf } from "../fuzz/fuzzers.ts";
import { compile, run, underCarrick } from "../support/guest.ts";
import { step } from "../unit/vfs/generate.ts";
import type { Operation } from "../unit/vfs/operations.ts";

const source = join(import.meta.dir, "../unit/vfs/oracle.c");
const canRun = process.platform === "linux" && process.getuid?.() === 0;
const seed = seedOf("paths");
const OPERATIONS = 400;

/** What lseek makes of a directory is its file system's own. */
function isComparable([op]: Operation): boolean {
  return op !== "seek";
}

function operations(): Operation[] {
  const sizes = { minLength: OPERATIONS, maxLength: OPERATIONS, size: "max" } as const;
  return fc.sample(fc.array(step, sizes), { seed, numRuns: 1 })[0]!.filter(isComparable);
}

function results(stdout: string, all: readonly Operation[]): string[] {
  return stdout.split("\n").map((line, i) => `${all[i]?.join(" ")} = ${line}`);
}

test.skipIf(!canRun)(
  `random file operations agree with Linux (CARRICK_SEED=${seed})`,
  () => {
    const work = mkdtempSync(join(tmpdir(), "carrick-paths-"));
    const [native, guest] = [join(work, "native"), join(work, "guest")];
    mkdirSync(native, { mode: 0o755 });
    mkdirSync(guest, { mode: 0o755 });
    try {
      const all = operations();
      // Paths are bytes on a pipe here and text in `run`: the generator makes ASCII only.
      const stdin = all.map((operation) => `${operation.join("\t")}\n`).join("");
      const truth = run([compile(source, "musl", "x86_64"), native], { stdin });
      expect(truth.status).toBe(0);
      const ours = underCarrick(compile(source), [guest], { stdin });
      expect(results(ours.stdout, all)).toEqual(results(truth.stdout, all));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  },
  120_000,
);
