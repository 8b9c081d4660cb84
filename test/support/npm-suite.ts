// test/guest/programs-npm.test.ts as a whole, for those who run it in another way than it runs by itself.

import { expect } from "bun:test";
import { root } from "../../scripts/toolchain.ts";

/** For the test that calls this. */
export const NPM_LIMIT_MS = 600_000;

/** Runs the suite with these variables and expects it to pass. */
export function npmProgramsPass(env: Readonly<Record<string, string>>): void {
  const command = [process.execPath, "test", "--timeout=300000", "test/guest/programs-npm.test.ts"];
  const { exitCode, stderr } = Bun.spawnSync(command, {
    cwd: root,
    env: { ...process.env, ...env, NO_COLOR: "1" },
    stdout: "ignore",
    stderr: "pipe",
  });
  const text = stderr.toString();
  expect(text.match(/^\(fail\).*|^error: .*/gm) ?? []).toEqual([]);
  expect(Number(/^\s*(\d+) pass$/m.exec(text)?.[1] ?? 0)).toBeGreaterThan(15);
  expect(exitCode).toBe(0);
}
