/**
 * Runs a stream of cases through the oracle (test/cpu/oracle under qemu-aarch64) or through our engine
 * (shim/cpu/difftest.zig), both built by `zig build difftest` into zig-out/bin.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { root as ROOT, zig } from "../../scripts/toolchain.ts";

const BIN = join(ROOT, "zig-out/bin");
const SHIM = process.env["CARRICK_SHIM"] ?? join(ROOT, "dist/libcarrick.so");
const SCRATCH = join(ROOT, ".cache/cpu");

/** All that qemu can emulate, without what we can never show to programs; hidden.ts lists the rest of what we hide. */
export const ORACLE_CPU = "max,sve=off,sme=off,pauth=off";

let serial = 0;

async function run(command: string[], stream: Uint8Array, env: Record<string, string> = {}): Promise<Uint8Array> {
  mkdirSync(SCRATCH, { recursive: true });
  const stem = join(SCRATCH, `${process.pid}-${serial++}`);
  await Bun.write(`${stem}.in`, stream);
  const child = Bun.spawn(command, {
    ...{ stdin: Bun.file(`${stem}.in`), stdout: Bun.file(`${stem}.out`), stderr: "pipe" },
    env: { ...process.env, ...env },
  });
  const timer = setTimeout(() => child.kill(9), 20_000);
  const text = await new Response(child.stderr).text();
  const code = await child.exited;
  clearTimeout(timer);
  const output = new Uint8Array(await Bun.file(`${stem}.out`).arrayBuffer());
  await Bun.file(`${stem}.in`).delete();
  await Bun.file(`${stem}.out`).delete();
  if (code !== 0)
    console.error(
      `${command[0]} ended with ${child.signalCode ?? code} after ${output.length} bytes: ${text.slice(0, 2000)}`,
    );
  return output;
}

export function qemuInstalled(): boolean {
  return Bun.which("qemu-aarch64") !== null;
}

export function runOracle(stream: Uint8Array, cpu: string = ORACLE_CPU): Promise<Uint8Array> {
  return run(["qemu-aarch64", "-cpu", cpu, join(BIN, "cpu-oracle")], stream);
}

/** How our runner enters the engine: see shim/cpu/difftest.zig. Every way must give the same results. */
export type Mode = "whole" | "again" | "step" | "slice" | "few" | "edge" | "rewrite" | "edits";
export const MODES: readonly Mode[] = ["whole", "again", "step", "slice", "few", "edge", "rewrite", "edits"];

/**
 * How the translator finds memory: by the TLB; in a mirror; in one where nothing is, so that the interpreter does every access; or in one that is empty
 * at the start of each slice, so that most accesses are tried again.
 */
export type Mirror = "0" | "1" | "2" | "3";

/** `level`: of x86-64, what the host's CPU is taken for. The translator makes loops at once. */
export function runOurs(
  stream: Uint8Array,
  mode: Mode = "whole",
  engine = 0,
  level = "",
  mirror: Mirror = "0",
): Promise<Uint8Array> {
  return run([join(BIN, "difftest"), SHIM, String(engine), mode], stream, {
    CARRICK_CPU_LEVEL: level,
    CARRICK_CPU_MIRROR: mirror,
    CARRICK_CPU_PATIENCE: "0",
  });
}

/** Builds both runners, and the shim when it is missing; throws with the compiler's words when that fails. */
export function buildRunners(): void {
  const steps = existsSync(SHIM) ? ["difftest"] : ["install", "difftest", "-Doptimize=ReleaseFast"];
  const result = Bun.spawnSync([zig, "build", ...steps], { cwd: ROOT, stderr: "pipe", stdout: "pipe" });
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
}
