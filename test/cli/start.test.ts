// What a start keeps away from (docs/performance.md).

import { expect, test } from "bun:test";
import { join } from "node:path";
import { compile, run } from "../support/guest.ts";

const top = join(import.meta.dir, "../..");

test("a small program is run without the engine's own scripts", () => {
  const program = compile(join(top, "test/guest/programs/hello.c"));
  const preload = join(top, "test/support/engine-scripts.ts");
  const result = run([process.execPath, "--preload", preload, join(top, "src/main.ts"), "run-elf", program]);
  expect(result).toMatchObject({ stderr: "and to stderr\n", status: 7 });
  const control = run([process.execPath, "--preload", preload, "-e", "[1].map(Number)"]);
  expect(control.stderr).toBe("Array.prototype.map\n");
});
