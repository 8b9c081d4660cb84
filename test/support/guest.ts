// Builds small C programs for aarch64 and runs programs under carrick, under qemu-aarch64, or natively.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { cache, has, root, zig } from "../../scripts/toolchain.ts";
import type { Engine } from "../../src/cpu/cpu.ts";

export type Libc = "musl" | "gnu";

// The records were made with this mask, and programs show the modes of what they create.
process.umask(0o022);

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status; 128 + n for a death by signal n. */
  readonly status: number;
}

/** Static executable of a C file, rebuilt when the source changes. `target` defaults to aarch64. */
export function compile(source: string, libc: Libc = "musl", target = "aarch64", more: readonly string[] = []): string {
  const hash = sourceHash(source);
  const name = source.slice(source.lastIndexOf("/") + 1, -2);
  const out = join(cache, "guest", `${name}-${target}-${libc}-${hash}`);
  if (existsSync(out)) return out;
  mkdirSync(join(cache, "guest"), { recursive: true });
  const work = `${out}.part-${process.pid}`;
  const flags = [
    "-target",
    `${target}-linux-${libc}`,
    "-O2",
    "-std=gnu11",
    "-Wall",
    "-pthread",
    "-fno-sanitize=undefined",
    ...more,
  ];
  if (libc === "musl") {
    tool([zig, "cc", ...flags, "-static", "-o", work, source]);
  } else {
    tool([zig, "cc", ...flags, "-c", "-o", `${work}.o`, source]);
    linkGlibc(`${work}.o`, work);
    rmSync(`${work}.o`);
  }
  renameSync(work, out);
  return out;
}

/** Of a C file and the headers beside it that it includes. */
function sourceHash(source: string): string {
  const text = readFileSync(source, "utf8");
  const hash = createHash("sha256").update(text);
  for (const [, header] of text.matchAll(/^#include "(.+)"$/gm)) {
    hash.update(readFileSync(join(dirname(source), header!)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** zig has no static glibc; Debian has. */
function linkGlibc(object: string, out: string): void {
  const lib = join(debianPackage("libc6-dev"), "usr/lib/aarch64-linux-gnu");
  const gcc = join(debianPackage("libgcc-12-dev"), "usr/lib/gcc/aarch64-linux-gnu/12");
  const start = [join(lib, "crt1.o"), join(lib, "crti.o"), join(gcc, "crtbeginT.o")];
  const archives = [join(lib, "libm.a"), join(lib, "libc.a"), join(gcc, "libgcc.a"), join(gcc, "libgcc_eh.a")];
  // libm.a is a linker script that names absolute paths; the archive behind it lies beside it.
  archives[0] = join(lib, readdirSync(lib).find((file) => /^libm-[\d.]+\.a$/.test(file)) ?? "libm.a");
  const end = [join(gcc, "crtend.o"), join(lib, "crtn.o")];
  tool([zig, "ld.lld", "-static", "-o", out, ...start, object, "--start-group", ...archives, "--end-group", ...end]);
}

function tool(command: readonly string[]): void {
  const result = Bun.spawnSync([...command], { stdout: "ignore", stderr: "pipe" });
  if (result.exitCode !== 0) throw new Error(`${command.join(" ")} failed:\n${result.stderr.toString()}`);
}

export const qemu = has("qemu-aarch64") ? "qemu-aarch64" : null;

/** The sources above Darwin's host code and its double (dist/libcarrick-darwin-double.so, docs/testing.md). */
export const onDarwinDouble: readonly string[] = [
  process.execPath,
  "--conditions=darwin-double",
  join(root, "src/main.ts"),
];

/**
 * The command line of carrick: the built executable, the sources when CARRICK_SOURCE is set, or with CARRICK_TEST_HOST=darwin-double
 * the sources above that double.
 */
export const carrick: readonly string[] =
  process.env["CARRICK_TEST_HOST"] === "darwin-double"
    ? onDarwinDouble
    : process.env["CARRICK_SOURCE"]
      ? [process.execPath, join(root, "src/main.ts")]
      : [join(root, "dist/carrick-linux-x64")];

export interface RunOptions {
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs a command in a session of its own: the tests' may have its leader in an outer pid namespace, where getsid(2) answers 0. */
export function run(command: readonly string[], options: RunOptions = {}): Result {
  const child = Bun.spawnSync([...command], {
    stdin: Buffer.from(options.stdin ?? "", "utf8"),
    stdout: "pipe",
    stderr: "pipe",
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 60_000,
    killSignal: "SIGKILL",
    detached: true,
  });
  const signal = child.signalCode === undefined ? 0 : (SIGNALS[child.signalCode] ?? 0);
  return {
    stdout: child.stdout.toString("latin1"),
    stderr: child.stderr.toString("latin1"),
    status: signal === 0 ? child.exitCode : 128 + signal,
  };
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGSYS: 31,
};

/** The CPU that tests use where they do not name one: CARRICK_TEST_CPU, else the default. */
export const testCpu = process.env["CARRICK_TEST_CPU"] as Engine | undefined;

/** How many CPUs the guest has where a test does not say: CARRICK_TEST_CPUS, else the default. */
const cpusText = process.env["CARRICK_TEST_CPUS"];
export const testCpus = cpusText === undefined ? null : Number(cpusText);

/** Runs a program of aarch64 under carrick. */
export function underCarrick(
  program: string,
  args: readonly string[] = [],
  options: RunOptions = {},
  cpu: string | undefined = testCpu,
  cpus = testCpus,
): Result {
  const engine = cpu === undefined ? [] : ["--cpu", cpu];
  const count = cpus === null ? [] : ["--cpus", String(cpus)];
  return run([...carrick, "run-elf", ...engine, ...count, program, ...args], options);
}
