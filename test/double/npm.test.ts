// Programs out of npm packages (test/guest/programs-npm.test.ts) above the Darwin host code and its double, with the translator.

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { must, root } from "../../scripts/toolchain.ts";

const LIMIT_MS = 600_000;

beforeAll(() => must([process.execPath, join(root, "scripts/darwin-double.ts")]), 900_000);

test(
  "esbuild, ripgrep, node and bun",
  () => {
    const command = [process.execPath, "test", "--timeout=300000", "test/guest/programs-npm.test.ts"];
    const env = { ...process.env, CARRICK_TEST_HOST: "darwin-double", CARRICK_TEST_CPU: "jit", NO_COLOR: "1" };
    const { exitCode, stderr } = Bun.spawnSync(command, { cwd: root, env, stdout: "ignore", stderr: "pipe" });
    const text = stderr.toString();
    expect(text.match(/^\(fail\).*|^error: .*/gm) ?? []).toEqual([]);
    expect(Number(/^\s*(\d+) pass$/m.exec(text)?.[1] ?? 0)).toBeGreaterThan(15);
    expect(exitCode).toBe(0);
  },
  LIMIT_MS,
);
