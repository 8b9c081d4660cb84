// strace and gdb of Debian for arm64 above a small program: what they print, but for process ids, addresses and times. No emulator can be
// asked (qemu's user mode has no ptrace), so the records in tracers/expected were read through; CARRICK_RECORD=1 writes them anew.

import { expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { carrick, run, testCpu } from "../support/guest.ts";
import { comparable, recordOf, SEPARATOR, shapes, TRACERS, tracerRoot, tracerWords } from "../support/tracers.ts";

const root = tracerRoot();
const program = shapes();

/** What a line prints on both streams, without what differs from run to run. */
function traced(line: string): string {
  const folder = mkdtempSync(join(tmpdir(), "carrick-tracers-"));
  copyFileSync(program, join(folder, "shapes"));
  const cpu = testCpu === undefined ? [] : ["--cpu", testCpu];
  const command = [...carrick, "run-elf", ...cpu, ...tracerWords(root, folder, line)];
  const result = run(command, { timeoutMs: 100_000 });
  rmSync(folder, { recursive: true });
  return comparable(result.stdout);
}

for (const [name, { shows, lines }] of Object.entries(TRACERS)) {
  test(shows, () => {
    const text = lines.map(traced).join(SEPARATOR);
    if (process.env["CARRICK_RECORD"] === "1") writeFileSync(recordOf(name), text);
    expect(text).toBe(readFileSync(recordOf(name), "utf8"));
  }, 120_000);
}
