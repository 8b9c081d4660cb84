// The differential fuzzer: chosen calls with random arguments have the same outcome natively and under carrick. Needs root,
// since rights are among the outcomes, and a Linux host of today: outcomes of odd arguments have changed over the years.

import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { compile, run, underCarrick } from "../support/guest.ts";
import { seedOf } from "./fuzzers.ts";

const CALLS = 4000;
const source = join(import.meta.dir, "programs/errnos.c");
const [major = 0, minor = 0] = release().split(".").map(Number);
const comparable = process.getuid?.() === 0 && (major > 6 || (major === 6 && minor >= 18));
const seed = seedOf("errnos");

test(`outcomes of ${CALLS} calls (CARRICK_SEED=${seed})`, () => {
  const work = mkdtempSync(join(tmpdir(), "carrick-errnos-"));
  try {
    const directories = ["native", "guest"].map((name) => join(work, name));
    for (const directory of directories) mkdirSync(directory);
    const args = (directory: string | undefined) => [`${seed}`, `${CALLS}`, directory!];
    const ours = underCarrick(compile(source), args(directories[1]), { timeoutMs: 100_000 });
    expect(ours.status).toBe(0);
    expect(ours.stderr).not.toContain("carrick:");
    expect(ours.stdout.split("\n").length).toBe(CALLS + 1);
    if (!comparable) return;
    const truth = run([compile(source, "musl", "x86_64"), ...args(directories[0])], { timeoutMs: 100_000 });
    expect(truth.status).toBe(0);
    expect(ours.stdout.split("\n")).toEqual(truth.stdout.split("\n"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}, 220_000);
