// `bun run bench`: carrick and qemu-aarch64 side by side in one run, interleaved; medians, ratios and what they are meant to be at most.
// Nothing is asserted: figures are for people. BENCH_ROUNDS: how many runs; BENCH_CPU: the CPU, if not the default one.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildShim, bun, must, root } from "../../scripts/toolchain.ts";
import { carrick, compile, qemu } from "../support/guest.ts";
import { measureFiles } from "./files/measure.ts";
import { layOut } from "./files/tree.ts";
import { commands, interpreters, type Pair } from "./interpreters.ts";

const programs = join(import.meta.dir, "programs");
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 5);
const CPU = process.env["BENCH_CPU"] === undefined ? [] : ["--cpu", process.env["BENCH_CPU"]];
const VECTOR = ["matmul", "nbody", "mandel", "spectral", "pixels", "neon"];
const SPECIAL = ["calls", "processes", "storm", "threads"];

interface Sample {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly stdout: string;
}

function sample(command: readonly string[], env: Readonly<Record<string, string>> = {}): Sample {
  const start = performance.now();
  const child = Bun.spawnSync([...command], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "inherit", cwd: root },
    env: { ...process.env, ...env },
  });
  const wallMs = performance.now() - start;
  if (child.exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${child.exitCode}`);
  const cpu = child.resourceUsage!.cpuTime;
  return { cpuMs: Number(cpu.total) / 1000, wallMs, stdout: child.stdout.toString() };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
}

/** `target`: what the ratio is meant to be at most. */
function row(name: string, ours: number, theirs: number, unit: string, target = ""): number {
  const ratio = ours / theirs;
  console.log(
    `| ${name} | ${ours.toFixed(1)} ${unit} | ${theirs.toFixed(1)} ${unit} | ${ratio.toFixed(2)} | ${target} |`,
  );
  return ratio;
}

function meanRow(name: string, ratios: readonly number[], target: string): void {
  console.log(`| ${name}, geometric mean | | | ${geometricMean(ratios).toFixed(2)} | ${target} |`);
}

/** Runs both, alternating, and returns the samples of each. */
function interleavePair(pair: Pair, rounds = ROUNDS, same = true): { ours: Sample[]; theirs: Sample[] } {
  const ours: Sample[] = [];
  const theirs: Sample[] = [];
  for (let i = 0; i < rounds; i += 1) {
    ours.push(sample(pair.ours, pair.env));
    theirs.push(sample(pair.theirs, pair.env));
  }
  if (same && ours[0]!.stdout !== theirs[0]!.stdout) {
    throw new Error(`${pair.name}: outputs differ:\n${ours[0]!.stdout}${theirs[0]!.stdout}`);
  }
  return { ours, theirs };
}

function interleave(program: string, rounds = ROUNDS): { ours: Sample[]; theirs: Sample[] } {
  const pair = { name: program, ours: [...carrick, "run-elf", ...CPU, program], theirs: [qemu!, program] };
  return interleavePair(pair, rounds);
}

const cpuMs = (samples: readonly Sample[]): number => median(samples.map((s) => s.cpuMs));

/** CPU time of whole programs; the ratios. */
function cpuPrograms(names: readonly string[]): number[] {
  return names.map((name) => {
    const { ours, theirs } = interleave(compile(join(programs, `${name}.c`)));
    return row(name, cpuMs(ours), cpuMs(theirs), "ms", "1.1");
  });
}

/** CPU time of scripts in interpreters; the ratios. */
function scripts(pairs: readonly Pair[], target: string, rounds = ROUNDS): number[] {
  return pairs.map((pair) => {
    const { ours, theirs } = interleavePair(withCpu(pair), rounds);
    return row(pair.name, cpuMs(ours), cpuMs(theirs), "ms", target);
  });
}

function withCpu(pair: Pair): Pair {
  const at = pair.ours.indexOf("run-elf") + 1;
  return { ...pair, ours: [...pair.ours.slice(0, at), ...CPU, ...pair.ours.slice(at)] };
}

/** Programs that measure themselves and print "name figure" lines. */
function selfMeasured(
  name: string,
  unit: string,
  targets: Readonly<Record<string, string>>,
  options: readonly string[] = CPU,
): void {
  const program = compile(join(programs, `${name}.c`));
  const pair = {
    name,
    ours: [...carrick, "run-elf", ...options, program],
    theirs: ["env", `RUNNER=${Bun.which(qemu!)}`, qemu!, program],
  };
  const { ours, theirs } = interleavePair(pair, ROUNDS, false);
  const figures = (samples: readonly Sample[], i: number): number =>
    median(samples.map((s) => Number(s.stdout.trim().split("\n")[i]!.split(" ")[1])));
  ours[0]!.stdout
    .trim()
    .split("\n")
    .forEach((line, i) => {
      const figure = line.split(" ")[0]!;
      row(figure, figures(ours, i), figures(theirs, i), unit, targets[figure]);
    });
}

function runCommands(): void {
  const folder = mkdtempSync(join(tmpdir(), "carrick-bench-"));
  try {
    scripts([commands(folder)], "0.15", Math.min(ROUNDS, 3));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function startUp(): void {
  const { ours, theirs } = interleave(compile(join(import.meta.dir, "hello/hello.c")), Math.max(ROUNDS, 15));
  row("start-up of a static hello, CPU", cpuMs(ours), cpuMs(theirs), "ms", "1.5");
  row("start-up of a static hello, wall", median(ours.map((s) => s.wallMs)), median(theirs.map((s) => s.wallMs)), "ms");
}

/** What a guest that sleeps keeps in memory: all of it, and what is its own (written to). */
function memory(): void {
  const program = compile(join(root, "test/cli/idle.c"));
  const look = (command: readonly string[]): Map<string, number> => {
    const child = Bun.spawn([...command, program, "nanosleep"], { stdin: "ignore", stdout: "ignore", cwd: root });
    Bun.sleepSync(1000);
    const text = readFileSync(`/proc/${child.pid}/smaps_rollup`, "latin1");
    child.kill("SIGKILL");
    return new Map(Array.from(text.matchAll(/^(\w+): +(\d+) kB$/gm), ([, name, kb]) => [name!, Number(kb) / 1024]));
  };
  const ours = look([...carrick, "run-elf", ...CPU]);
  const theirs = look([qemu!]);
  row("memory of a sleeping guest, resident", ours.get("Rss")!, theirs.get("Rss")!, "MiB");
  row("memory of a sleeping guest, written", ours.get("Private_Dirty")!, theirs.get("Private_Dirty")!, "MiB");
}

/** MiB of a process that nothing else maps, and of all its descendants. */
function ownMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean);
  const own = Number(/^Private_Dirty: +(\d+) kB$/m.exec(text)![1]) / 1024;
  return children.reduce((sum, child) => sum + ownMemory(Number(child)), own);
}

/** What 500 live children of a process add to its memory. */
async function storm(): Promise<void> {
  const program = compile(join(programs, "storm.c"));
  const look = async (command: readonly string[]): Promise<number> => {
    const figures: number[] = [];
    for (const count of ["0", "500"]) {
      const child = Bun.spawn([...command, program, count], { stdin: "pipe", stdout: "pipe", cwd: root });
      await child.stdout.getReader().read();
      figures.push(ownMemory(child.pid));
      child.stdin.end();
      await child.exited;
    }
    return figures[1]! - figures[0]!;
  };
  row("memory of 500 live children", await look([...carrick, "run-elf", ...CPU]), await look([qemu!]), "MiB");
}

/** File operations in an image, and in the same tree on the host's disk. */
async function fileOperations(): Promise<void> {
  const program = compile(join(import.meta.dir, "files/files.c"));
  const folder = mkdtempSync(join(tmpdir(), "carrick-bench-"));
  try {
    const { image, tree } = layOut(folder, program);
    const env = { CARRICK_HOME: join(folder, "home") };
    const ours: Map<string, number>[] = [];
    const theirs: Map<string, number>[] = [];
    for (let i = 0; i < ROUNDS; i += 1) {
      ours.push(await measureFiles([...carrick, "run", "-q", "-i", image], env));
      theirs.push(await measureFiles([qemu!, program, tree]));
    }
    const figure = (samples: readonly Map<string, number>[], name: string): number =>
      median(samples.map((sample) => sample.get(name)!));
    for (const name of ours[0]!.keys()) row(name, figure(ours, name), figure(theirs, name), "ns");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (qemu === null) {
  console.error("bench needs qemu-aarch64 to measure against (Debian: apt-get install qemu-user)");
  process.exit(1);
}
buildShim();
must([bun, join(root, "scripts/build.ts")], { quiet: true });
const names = readdirSync(programs)
  .map((file) => file.slice(0, -2))
  .filter((name) => !SPECIAL.includes(name));
console.log(
  `medians of ${ROUNDS} interleaved runs\n\n| work | carrick | qemu-aarch64 | ratio | target |\n| --- | --- | --- | --- | --- |`,
);
const integer = cpuPrograms(names.filter((name) => !VECTOR.includes(name)));
const vector = cpuPrograms(VECTOR);
meanRow("integer", integer, "0.65");
meanRow("FP and SIMD", vector, "0.25");
meanRow("interpreters", scripts(interpreters(), "0.4"), "0.4");
selfMeasured("calls", "ns", { getpid: "1.0", write1: "1.0", read4k: "1.0" });
selfMeasured("processes", "us", { fork: "0.15", exec: "0.1" });
selfMeasured("threads", "ms", { two_threads: "0.6", two_processes: "0.6" }, ["--cpu", "jit", "--cpus", "2"]);
runCommands();
await fileOperations();
startUp();
memory();
await storm();
