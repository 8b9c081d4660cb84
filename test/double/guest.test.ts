// Guest programs above the Darwin host code and its double print what they print on Linux, but for what a Mac cannot do. A bounded
// choice runs here; CARRICK_TEST_HOST=darwin-double runs any other suite there (docs/testing.md).

import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { must, root } from "../../scripts/toolchain.ts";
import { compile, onDarwinDouble, run } from "../support/guest.ts";
import { comparable, forDarwin } from "./differs.ts";

const PROGRAMS = [
  "attributes",
  "busy",
  "descriptors",
  "devices",
  "directories",
  "epoll",
  "exec",
  "hello",
  "inet",
  "locks",
  "mapfile",
  "names",
  "open",
  "owners",
  "pipes",
  "pty",
  "readwrite",
  "sizes",
  "timers",
  "transfer",
  "unixsockets",
  "xattrs",
] as const;

beforeAll(() => must([process.execPath, join(root, "scripts/darwin-double.ts")]), 900_000);

for (const cpu of ["interp", "jit"]) {
  describe(cpu, () => {
    for (const name of PROGRAMS) {
      test(name, () => {
        const program = compile(join(root, `test/guest/programs/${name}.c`));
        const options = { env: { GREETING: "hi" }, timeoutMs: 120_000 };
        const { stdout, status } = run(
          [...onDarwinDouble, "run-elf", "--cpu", cpu, program, "one", "two words"],
          options,
        );
        const expected = readFileSync(join(root, `test/guest/expected/${name}.txt`), "latin1");
        expect(comparable(name, `${stdout}status ${status}\n`)).toBe(forDarwin(name, expected));
      }, 180_000);
    }
  });
}
