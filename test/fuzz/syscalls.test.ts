// The syscall fuzzer: whatever a guest passes to whichever call, carrick neither ends, nor hangs, nor grows.

import { expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../support/guest.ts";
import { seedOf } from "./fuzzers.ts";
import { watch } from "./watched.ts";

const CALLS = Number(process.env["CARRICK_FUZZ_CALLS"] ?? 16_000);
const source = join(import.meta.dir, "programs/syscalls.c");
const seed = seedOf("syscalls");

test(`${CALLS} random calls (CARRICK_SEED=${seed})`, async () => {
  // The guest sees nothing of the host but this directory.
  const root = mkdtempSync(join(tmpdir(), "carrick-fuzz-"));
  try {
    copyFileSync(compile(source), join(root, "fuzz"));
    const run = await watch(["--rootfs", root, "/fuzz", `${seed}`, `${CALLS}`], ["warm", "done"], 280_000);
    expect(run.stderr).not.toContain("carrick:");
    expect({ status: run.status, stdout: run.stdout.replaceAll(/[^a-z\n]/g, "") }).toEqual({
      status: 0,
      stdout: "warm\ndone\n",
    });
    const warm = run.samples.get("warm")!;
    const done = run.samples.get("done")!;
    console.log(
      `descriptors ${warm.descriptors} -> ${done.descriptors}, KiB ${warm.residentKib} -> ${done.residentKib}`,
    );
    // Cached directory handles and kept code may grow to their limits; leaks of one per call would show.
    expect(done.descriptors).toBeLessThan(warm.descriptors + 64);
    expect(done.residentKib).toBeLessThan(warm.residentKib + 120_000);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}, 300_000);
