// Where the tools are that npm has installed, and how the scripts run them.

import { existsSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dir, "..");
export const cache = join(root, ".cache");

/** The Zig compiler itself; the wrapper in .bin costs 70 ms a start and does not forward signals. */
export const zig = join(root, "node_modules/@zigc", `${process.platform}-${process.arch}`, "bin/zig");
export const bun = process.execPath;

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  quiet?: boolean;
}

/** Runs a command with inherited output (or none when quiet). Its exit status. */
export function run(command: readonly string[], options: RunOptions = {}): number {
  const out = options.quiet ? "ignore" : "inherit";
  return Bun.spawnSync([...command], {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", out, options.quiet ? "pipe" : "inherit"],
  }).exitCode;
}

/** Runs a command that has to succeed; ends the script otherwise. */
export function must(command: readonly string[], options: RunOptions = {}): void {
  const status = run(command, options);
  if (status === 0) return;
  console.error(`${command.join(" ")} failed with status ${status}`);
  process.exit(1);
}

/** Builds the shim for this host into dist/. Fast when nothing changed. */
export function buildShim(): void {
  must([zig, "build", "-Doptimize=ReleaseFast"]);
}

export function has(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((dir) => existsSync(join(dir, tool)));
}
