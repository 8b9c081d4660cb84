// Guests that run on several CPUs at a time: the order of accesses that ARM guarantees, atomics, and everything that stops or changes a
// process while its threads run. The programs check themselves; what they print is in the records beside them. The emulator is no
// reference here: it breaks the order of STLR and LDAR, and fails when a process forks among threads.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { busybox } from "../support/busybox.ts";
import { engines } from "../support/engines.ts";
import { compile, underCarrick } from "../support/guest.ts";

const programs = join(import.meta.dir, "parallel");

function check(name: string, args: readonly string[], cpu: string, cpus: number): void {
  const result = underCarrick(compile(join(programs, `${name}.c`)), args, { timeoutMs: 300_000 }, cpu, cpus);
  expect(result.stdout).toBe(readFileSync(join(programs, `${name}.txt`), "utf8"));
  expect(result.status).toBe(0);
}

for (const cpu of engines) {
  test(`orders and atomics on ${cpu}`, () => check("litmus", [], cpu, 4), 300_000);
  for (const cpus of [1, 2, 4]) {
    test(`stops and changes on ${cpu}, ${cpus} CPUs`, () => check("stress", ["10"], cpu, cpus), 300_000);
  }
  for (const cpus of [1, 2]) test(`stacks on ${cpu}, ${cpus} CPUs`, () => check("stacks", ["30"], cpu, cpus), 300_000);
  test(`spaces on ${cpu}`, () => check("spaces", ["6"], cpu, 2), 300_000);
}

test("a guest finds as many CPUs as it was given", () => {
  const script = "nproc; grep -c ^processor /proc/cpuinfo; taskset -p $$ | sed 's/.*: //'";
  expect(underCarrick(busybox, ["sh", "-c", script], {}, "interp", 3).stdout).toBe("3\n3\n7\n");
});
