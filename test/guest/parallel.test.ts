// Guests that run on several CPUs at a time: the order of accesses that ARM guarantees, atomics, and everything that stops or changes a
// process while its threads run. The programs check themselves; what they print is in the records beside them. The emulator is no
// reference here: it breaks the order of STLR and LDAR, and fails when a process forks among threads.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { debianRoot, npmPackage } from "../../scripts/corpora.ts";
import { busybox } from "../support/busybox.ts";
import { engines } from "../support/engines.ts";
import { carrick, compile, run, testCpu, underCarrick } from "../support/guest.ts";

const programs = join(import.meta.dir, "parallel");

function check(name: string, args: readonly string[], cpu: string, cpus: number, env = {}): void {
  const result = underCarrick(compile(join(programs, `${name}.c`)), args, { timeoutMs: 300_000, env }, cpu, cpus);
  expect(result.stdout).toBe(readFileSync(join(programs, `${name}.txt`), "utf8"));
  expect(result.status).toBe(0);
}

for (const cpu of engines) {
  test(`orders and atomics on ${cpu}`, () => check("litmus", [], cpu, 4), 300_000);
  for (const cpus of [1, 2, 4]) {
    test(`stops and changes on ${cpu}, ${cpus} CPUs`, () => check("stress", ["10"], cpu, cpus), 300_000);
  }
  for (const cpus of [1, 2]) test(`stacks on ${cpu}, ${cpus} CPUs`, () => check("stacks", ["30"], cpu, cpus), 300_000);
  test(`edges of stacks on ${cpu}`, () => check("edges", ["3"], cpu, 1), 300_000);
  for (const cpus of [1, 2])
    test(`stacks that others change on ${cpu}, ${cpus} CPUs`, () => check("moves", ["8"], cpu, cpus), 300_000);
  for (const cpus of [1, 4])
    test(
      `a process alone no more on ${cpu}, ${cpus} CPUs`,
      () => check("alone", cpu === "jit" ? [] : ["1000"], cpu, cpus),
      300_000,
    );
  test(`memory beyond on ${cpu}`, () => check("beyond", [], cpu, 1), 300_000);
  test(`spaces on ${cpu}`, () => check("spaces", ["6"], cpu, 2), 300_000);
  for (const cpus of [1, 2]) test(`hot memory on ${cpu}, ${cpus} CPUs`, () => check("hot", [], cpu, cpus), 300_000);
}

if (process.arch === "x64") {
  // Memory in a mirror of each CPU from the start.
  const env = { CARRICK_CPU_MIRROR: "1" };
  for (const [name, args, cpus] of [
    ["litmus", [], 4],
    ["alone", [], 4],
    ["stress", ["10"], 1],
    ["stress", ["10"], 4],
    ["stacks", ["30"], 2],
    ["edges", ["3", "halves"], 1],
    ["moves", ["8"], 2],
    ["spaces", ["6"], 2],
    ["hot", [], 1],
    ["hot", [], 4],
    ["holes", [], 1],
  ] as const) {
    test(`${name}, ${cpus} CPUs with mirrors`, () => check(name, args, "jit", cpus, env), 300_000);
  }
  test("a code cache that is dropped all the time", () => {
    for (const mirror of ["0", "1"]) {
      const always = { CARRICK_CPU_ARENA: "0", CARRICK_CPU_MIRROR: mirror };
      check("full", [], "jit", 1, always);
      check("stacks", ["1"], "jit", 1, always);
    }
  }, 300_000);
  for (const mirror of ["1", "2"]) {
    test(
      `memory beyond mirrors, ${mirror}`,
      () => check("beyond", [], "jit", 1, { CARRICK_CPU_MIRROR: mirror }),
      300_000,
    );
  }
}

test("a code cache that is full all the time, on four CPUs", () => {
  const args = ["node_modules/fast-check/lib/fast-check.js", "--bundle", "--platform=node", "--format=cjs"];
  const native = run([join(npmPackage("@esbuild/linux-x64"), "bin/esbuild"), ...args]);
  const program = join(npmPackage("@esbuild/linux-arm64"), "bin/esbuild");
  const ours = underCarrick(program, args, { env: { CARRICK_CPU_ARENA: "4" }, timeoutMs: 120_000 }, testCpu, 4);
  expect(ours.status).toBe(0);
  expect(ours.stdout === native.stdout).toBe(true);
}, 130_000);

test("programs and libraries lie at the same addresses in every process of a run, and elsewhere in the next", () => {
  const root = debianRoot("interpreters", ["python3", "perl", "lua5.4", "sqlite3", "bash", "gawk"]);
  const script =
    'for i in 1 2 3; do /usr/bin/bash -c "while read -r l; do case \\$l in *r-xp*) echo \\$l;; esac; done < /proc/self/maps"; echo; done';
  const maps = [0, 1].map(() => {
    const { stdout } = run([...carrick, "run-elf", "--rootfs", root, "--", "/usr/bin/bash", "-c", script]);
    const processes = stdout.split("\n\n").filter((text) => text !== "");
    expect(processes.length).toBe(3);
    expect(processes[0]).toContain("libc.so.6");
    expect(new Set(processes.map((text) => text.trim())).size).toBe(1);
    return processes[0];
  });
  expect(maps[0]).not.toBe(maps[1]!);
});

test("a guest finds as many CPUs as it was given", () => {
  const script = "nproc; grep -c ^processor /proc/cpuinfo; taskset -p $$ | sed 's/.*: //'";
  expect(underCarrick(busybox, ["sh", "-c", script], {}, "interp", 3).stdout).toBe("3\n3\n7\n");
});
