// A virtual arm64 machine with KVM, in which carrick runs on the stand-in for Hypervisor.framework (test/double/hvkvm.c). One boot does a list of
// jobs and says what each did.

import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { emulator, kernelImage } from "../../scripts/emulator.ts";
import { runtime } from "../../scripts/release/runtime.ts";
import { TARGETS } from "../../scripts/release/targets.ts";
import { bun, root, zig } from "../../scripts/toolchain.ts";
import { copy, directory, type Entry, file, symlink, writeArchive } from "./cpio.ts";

export interface Job {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** What the stand-in's CPUs are set to is wanted. */
  readonly isRecorded?: boolean;
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly signal: string | null;
  readonly ms: number;
  /** Calls of the stand-in, in the order of COUNTED. */
  readonly counts: readonly number[];
  /** Lines of the stand-in: what its CPUs began with. */
  readonly record: string;
}

/** The order of CALLS in hvkvm.c. */
export const COUNTED = [
  ...[
    "vm_create",
    "vm_destroy",
    "vm_map",
    "vm_unmap",
    "vcpu_create",
    "vcpu_destroy",
    "vcpu_run",
    "vcpu_get_reg",
    "vcpu_set_reg",
  ],
  ...[
    "vcpu_get_sys_reg",
    "vcpu_set_sys_reg",
    "vcpus_exit",
    "vcpu_set_vtimer_mask",
    "hvc",
    "canceled",
    "vtimer",
    "unknown",
  ],
] as const;

const CARRICK = "/bin/carrick";
const DOUBLE = "/lib/libhvkvm.so";

/** A job that runs carrick in the machine. */
export function carrick(args: readonly string[]): string[] {
  return [CARRICK, ...args];
}

const INIT = `#!/bin/busybox sh
B=/bin/busybox
$B mount -t devtmpfs dev /dev
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mkdir -p /dev/shm /dev/pts
$B mount -t devpts devpts /dev/pts
$B mount -t tmpfs shm /dev/shm
$B ip link set lo up
export PATH=/bin HOME=/tmp CARRICK_HV=${DOUBLE}
cd /
/bin/bun /test/runner.ts
/bin/exit-machine $?
$B poweroff -f
`;

/** What every boot has: C library, busybox, Bun, the stand-in. */
function system(): Entry[] {
  const libc = debianPackage("libc6");
  const libraries = join(libc, "lib/aarch64-linux-gnu");
  const names = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-aarch64.so.1"];
  return [
    ...["dev", "proc", "sys", "tmp", "root"].map(directory),
    file("init", INIT),
    copy("bin/busybox", join(debianPackage("busybox-static"), "bin/busybox")),
    symlink("bin/sh", "busybox"),
    copy("bin/bun", runtime(TARGET.runtime)),
    copy("bin/exit-machine", compileTool("exit.c")),
    ...names.map((name) => copy(`lib/aarch64-linux-gnu/${name}`, join(libraries, name))),
    symlink("lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu/ld-linux-aarch64.so.1"),
    copy(DOUBLE.slice(1), buildDouble()),
    ...["runner.ts", "machine.ts"].map((name) => copy(`test/${name}`, join(import.meta.dir, name), 0o644)),
  ];
}

/** Of this checkout. */
const work = join(root, "dist/vm");

function tool(command: readonly string[]): void {
  const result = Bun.spawnSync([...command], { cwd: root, stdout: "ignore", stderr: "pipe" });
  if (result.exitCode !== 0) throw new Error(`${command.join(" ")} failed:\n${result.stderr.toString()}`);
}

function compileTool(name: string): string {
  mkdirSync(work, { recursive: true });
  const out = join(work, name.slice(0, -2));
  tool([zig, "cc", "-target", "aarch64-linux-musl", "-O2", "-static", "-o", out, join(import.meta.dir, name)]);
  return out;
}

const TARGET = TARGETS.find((candidate) => candidate.name === "linux-arm64")!;

/** carrick for arm64 Linux, as it is released, from the sources as they are. */
export function carrickFile(): Entry {
  const out = join(work, "carrick");
  tool([zig, "build", TARGET.shim, "-Doptimize=ReleaseFast"]);
  tool([
    ...[
      bun,
      "build",
      "--compile",
      "--minify-syntax",
      "--minify-whitespace",
      "--bytecode",
      "--format=esm",
      "--splitting",
    ],
    ...["--compile-jit-policy=10", "--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
    ...[
      `--target=${TARGET.bun}`,
      `--conditions=${TARGET.name}`,
      `--compile-executable-path=${runtime(TARGET.runtime)}`,
    ],
    ...["src/main.ts", "--outfile", out],
  ]);
  return copy(CARRICK.slice(1), out);
}

/** The stand-in's library. */
export function buildDouble(): string {
  mkdirSync(work, { recursive: true });
  const out = join(work, "libhvkvm.so");
  const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"];
  tool([
    zig,
    "cc",
    "-target",
    "aarch64-linux-gnu.2.31",
    ...flags,
    "-o",
    out,
    join(root, "test/double/hvkvm.c"),
    "-lpthread",
  ]);
  return out;
}

const RESULT_BYTES = 64 << 20;

export interface Boot {
  readonly jobs: readonly Job[];
  /** What the jobs need beyond the system. */
  readonly files?: readonly Entry[];
  readonly cpu?: string;
  readonly cpus?: number;
  readonly limitMs?: number;
}

/** Boots that came to no end and were tried again. */
export let retries = 0;

/** Boots the machine and does the jobs. Tried a second time when the emulator does not come to an end. */
export function boot(options: Boot): Outcome[] {
  mkdirSync(work, { recursive: true });
  const id = `${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const initrd = join(work, `initrd-${id}`);
  const disk = join(work, `disk-${id}`);
  try {
    const jobs = file("jobs.json", JSON.stringify(options.jobs));
    writeArchive(initrd, [...system(), ...(options.files ?? []), jobs]);
    const first = attempt(options, initrd, disk);
    if (first !== null) return first;
    retries += 1;
    console.error("the virtual machine came to no end; trying once more");
    const second = attempt(options, initrd, disk);
    if (second === null) throw new Error("the virtual machine came to no end twice");
    return second;
  } finally {
    for (const path of [initrd, disk]) if (existsSync(path)) rmSync(path);
  }
}

function attempt(options: Boot, initrd: string, disk: string): Outcome[] | null {
  writeFileSync(disk, "");
  truncateSync(disk, RESULT_BYTES);
  const command = [
    ...["timeout", "-k", "5", String(Math.ceil((options.limitMs ?? 600_000) / 1000)), ...emulator()],
    ...["-M", "virt,virtualization=on,gic-version=3", "-cpu", options.cpu ?? "cortex-a76"],
    ...["-smp", String(options.cpus ?? 1), "-m", "3072", "-nographic", "-serial", "stdio", "-monitor", "none"],
    ...["-no-reboot", "-net", "none", "-kernel", kernelImage(), "-initrd", initrd],
    ...["-drive", `file=${disk},if=none,id=n0,format=raw`, "-device", "nvme,drive=n0,serial=1"],
    ...["-semihosting-config", "enable=on,userspace=on,target=native"],
    ...["-append", "console=ttyAMA0 quiet panic=-1 mitigations=off nokaslr kpti=off"],
  ];
  const terminal = `${disk}.console`;
  const child = Bun.spawnSync(command, { stdin: "ignore", stdout: Bun.file(terminal), stderr: "pipe" });
  const console_ = readFileSync(terminal, "utf8") + child.stderr.toString();
  rmSync(terminal);
  if (child.exitCode === 124 || child.exitCode === 137) return null;
  if (child.exitCode !== 0)
    throw new Error(`the virtual machine ended with ${child.exitCode}:\n${console_.slice(-4000)}`);
  const bytes = readFileSync(disk);
  const length = Number(bytes.subarray(0, 16).toString("latin1").replace(/\0.*$/s, ""));
  const outcomes: Outcome[] = JSON.parse(bytes.subarray(16, 16 + length).toString("latin1"));
  console.error(timesOf(options.jobs, outcomes));
  return outcomes;
}

const LONGEST = 10;

/** Where the time of a boot went. */
function timesOf(jobs: readonly Job[], outcomes: readonly Outcome[]): string {
  const times = outcomes.map(({ ms }, i) => ({ ms, name: jobs[i]!.name }));
  const longest = times.sort((a, b) => b.ms - a.ms).slice(0, LONGEST);
  const total = outcomes.reduce((sum, { ms }) => sum + ms, 0);
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  return `${jobs.length} jobs in ${seconds(total)} s, the longest: ${longest.map(({ ms, name }) => `${name} ${seconds(ms)}`).join(", ")}`;
}
