// `carrick run-elf FILE [ARG...]`: a Linux/ARM64 program of this machine as if it were a native command.

import { statSync } from "node:fs";
import { posix } from "node:path";
import { type Bind, BootError } from "../container/boot.ts";
import { ProgramError, type ProgramOptions, runProgram } from "../container/run.ts";
import type { Observer } from "../trace/observer.ts";
import type { Command } from "./commands.ts";
import { all, last, type Option, type Parsed, usageError } from "./options.ts";
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, printable, UserError } from "./user-error.ts";

const options: readonly Option[] = [
  { name: "env", short: "e", value: "NAME[=VALUE]", repeatable: true, help: "Set a variable, or pass it on from here" },
  { name: "workdir", short: "w", value: "DIR", help: "Start in this directory of the guest" },
  { name: "volume", short: "v", value: "SRC:DST[:ro]", repeatable: true, help: "Show the host's SRC at DST" },
  { name: "rootfs", value: "DIR", help: "Use this directory as the guest's /" },
  { name: "cpu", value: "ENGINE", help: "CPU to use: interp" },
];

export const command: Command = {
  name: "run-elf",
  summary: "Run a Linux/ARM64 program of this machine",
  operands: "[OPTIONS] FILE [ARG...]",
  options,
  run: (parsed) => runElf(parsed, null),
};

/** Runs under an observer, unless that is null. The exit status for the shell. */
export function runElf(parsed: Parsed, observer: Observer | null): number {
  return runOrExplain({ ...programOptions(parsed), observer });
}

/** Turns failures to start into sentences and Docker's exit codes. */
function runOrExplain(program: ProgramOptions): number {
  try {
    return runProgram(program);
  } catch (error) {
    if (error instanceof BootError) throw new UserError(printable(error.message));
    if (!(error instanceof ProgramError)) throw error;
    throw new UserError(printable(error.message), error.notFound ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
  }
}

function programOptions(parsed: Parsed): Omit<ProgramOptions, "observer"> {
  const [file, ...args] = parsed.rest;
  if (file === undefined) throw usageError("run-elf needs a program file");
  if (file === "") throw new UserError("the program's name is empty", EXIT_NOT_FOUND);
  const cpu = last(parsed, "cpu") ?? "interp";
  if (cpu !== "interp") throw usageError(`--cpu ${printable(cpu)} is not known; this build has: interp`);
  const rootfs = last(parsed, "rootfs");
  if (rootfs !== undefined) requireDirectory(rootfs, "--rootfs");
  const workdir = last(parsed, "workdir");
  if (workdir !== undefined && !workdir.startsWith("/")) throw usageError("--workdir needs an absolute path");
  return {
    root: rootfs === undefined ? "/" : bytes(rootfs),
    binds: all(parsed, "volume").map(parseVolume),
    cwd: bytes(workdir ?? (rootfs === undefined ? process.cwd() : "/")),
    program: bytes(file),
    argv: [file, ...args].map(bytes),
    env: environment(all(parsed, "env")),
  };
}

/** UTF-8 text of the command line as the byte string that it was typed as. */
function bytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function requireDirectory(path: string, option: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw usageError(`${option}: ${printable(path)} does not exist`);
  if (!stat.isDirectory()) throw usageError(`${option}: ${printable(path)} is not a directory`);
}

/** SRC:DST, SRC:DST:ro or SRC:DST:rw. */
function parseVolume(text: string): Bind {
  const [source, target, mode, ...more] = text.split(":");
  if (source === undefined || source === "" || target === undefined || more.length > 0) {
    throw usageError(`-v ${printable(text)} is not SRC:DST or SRC:DST:ro`);
  }
  if (!target.startsWith("/")) throw usageError(`-v ${printable(text)}: the guest's path must be absolute`);
  if (mode !== undefined && mode !== "ro" && mode !== "rw")
    throw usageError(`-v ${printable(text)}: unknown mode ${printable(mode)}`);
  if (statSync(source, { throwIfNoEntry: false }) === undefined)
    throw usageError(`-v: ${printable(source)} does not exist`);
  return { source: bytes(source), target: bytes(posix.normalize(target)), readOnly: mode === "ro" };
}

/** carrick's own environment with the given changes: NAME=VALUE sets, NAME alone passes on (or is left out when unset here). */
function environment(changes: readonly string[]): string[] {
  const env = new Map<string, string>();
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env.set(name, value);
  for (const change of changes) {
    const equals = change.indexOf("=");
    if (equals === 0 || change === "") throw usageError(`-e ${printable(change)} has no name`);
    if (equals > 0) env.set(change.slice(0, equals), change.slice(equals + 1));
  }
  return Array.from(env, ([name, value]) => bytes(`${name}=${value}`));
}
