// Guest programs under the translator's check (shim/cpu/jit/check.zig): the interpreter runs every piece of translated code again and
// must agree with it, whose accesses ask the page tables, not what the translator remembers of them.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { busybox } from "../support/busybox.ts";
import { carrick, compile, underCarrick } from "../support/guest.ts";

const CHECKED = { env: { CARRICK_CPU_CHECK: "1", GREETING: "hi" }, timeoutMs: 120_000 };
/** With memory in a mirror from the start, and with one that is emptied all the time. */
const MIRRORED = ["1", "3"].map((mirror) => ({ ...CHECKED, env: { ...CHECKED.env, CARRICK_CPU_MIRROR: mirror } }));

const PROGRAMS = ["hello", "mmap", "mremap", "sigframe", "directories", "memfd"];

if (process.arch === "x64") {
  for (const name of PROGRAMS) {
    test(`${name}, checked`, () => {
      const program = compile(join(import.meta.dir, "programs", `${name}.c`), "gnu");
      const result = underCarrick(program, ["one", "two words"], CHECKED, "jit", 1);
      expect(result.stderr).not.toContain("carrick");
      const expected = readFileSync(join(import.meta.dir, "expected", `${name}.txt`), "utf8");
      expect(`${result.stdout}status ${result.status}\n`).toBe(expected);
    }, 130_000);
  }

  for (const [name, ...args] of [
    ["edges", "1"],
    ["moves", "3"],
    ["stacks", "2"],
  ] as const) {
    test(`${name}, checked`, () => {
      const result = underCarrick(compile(join(import.meta.dir, "parallel", `${name}.c`)), args, CHECKED, "jit", 1);
      expect(result.stderr).not.toContain("carrick");
      expect(result.stdout).toBe(readFileSync(join(import.meta.dir, "parallel", `${name}.txt`), "utf8"));
      expect(result.status).toBe(0);
    }, 130_000);
  }

  for (const [name, ...args] of [
    ["moves", "2"],
    ["stacks", "1"],
  ] as const) {
    for (const options of MIRRORED) {
      test(`${name}, checked, mirror ${options.env.CARRICK_CPU_MIRROR}`, () => {
        const result = underCarrick(compile(join(import.meta.dir, "parallel", `${name}.c`)), args, options, "jit", 1);
        expect(result.stderr).not.toContain("carrick");
        expect(result.stdout).toBe(readFileSync(join(import.meta.dir, "parallel", `${name}.txt`), "utf8"));
        expect(result.status).toBe(0);
      }, 130_000);
    }
  }

  test("translations are mapped twice, to write and to run, and nowhere to do both", async () => {
    const child = Bun.spawn([...carrick, "run-elf", "--cpu", "jit", busybox, "sh", "-c", "echo on; read line"], {
      stdin: "pipe",
      stdout: "pipe",
    });
    for await (const _ of child.stdout) break;
    const maps = readFileSync(`/proc/${child.pid}/maps`, "utf8").split("\n");
    child.stdin.write("\n");
    child.stdin.end();
    await child.exited;
    const rights = maps.filter((line) => line.includes("carrick-code")).map((line) => line.split(" ")[1]);
    expect(rights.sort()).toEqual(["r-xs", "rw-s"]);
  });

  test("a shell, sorting and a digest, checked", () => {
    const script =
      "b=$1; $b seq 1 300 | $b sort -r | $b sha256sum; $b seq 1 50 | $b awk '{ s += $1 / 7 } END { print s }'; echo $((12345 * 678))";
    const args = ["sh", "-c", script, "sh", busybox];
    const plain = underCarrick(busybox, args, { timeoutMs: 120_000 }, "interp", 1);
    expect(plain.status).toBe(0);
    for (const options of [CHECKED, ...MIRRORED]) expect(underCarrick(busybox, args, options, "jit", 1)).toEqual(plain);
  }, 250_000);
}
