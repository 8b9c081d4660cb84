// Programs out of npm packages (programs-npm.test.ts) on the interpreter, which is what a Mac without a hypervisor has.

import { expect, test } from "bun:test";
import { root } from "../../scripts/toolchain.ts";

const LIMIT_MS = 600_000;

test(
  "esbuild, ripgrep, node and bun on the interpreter",
  () => {
    const command = [process.execPath, "test", "--timeout=300000", "test/guest/programs-npm.test.ts"];
    const env = { ...process.env, CARRICK_TEST_CPU: "interp", NO_COLOR: "1" };
    const { exitCode, stderr } = Bun.spawnSync(command, { cwd: root, env, stdout: "ignore", stderr: "pipe" });
    const text = stderr.toString();
    expect(text.match(/^\(fail\).*|^error: .*/gm) ?? []).toEqual([]);
    expect(Number(/^\s*(\d+) pass$/m.exec(text)?.[1] ?? 0)).toBeGreaterThan(15);
    expect(exitCode).toBe(0);
  },
  LIMIT_MS,
);
