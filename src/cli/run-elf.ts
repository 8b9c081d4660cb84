// `carrick run-elf FILE [ARG...]`: a Linux/ARM64 program of this machine as if it were a native command.

import type { Bind } from "../container/boot.ts";
import { type ProgramOptions, runProgram } from "../container/run.ts";
import { bytes, environment } from "../host/command-line.ts";
import { KILLED_BY } from "../host/process.ts";
import type { Observer } from "../trace/observer.ts";
import type { Command } from "./commands.ts";
import { CPU, CPUS, cpusOption, engineOption } from "./engine-option.ts";
import { all, last, type Option, type Parsed, usageError } from "./options.ts";
import { explained } from "./start-errors.ts";
import { EXIT_NOT_FOUND, printable, UserError } from "./user-error.ts";

const options: readonly Option[] = [
  { name: "env", short: "e", value: "NAME[=VALUE]", repeatable: true, help: "Set a variable, or pass it on from here" },
  { name: "workdir", short: "w", value: "DIR", help: "Start in this directory of the guest" },
  { name: "volume", short: "v", value: "SRC:DST[:ro]", repeatable: true, help: "Show the host's SRC at DST" },
  { name: "rootfs", value: "DIR", help: "Use this directory as the guest's /" },
  CPU,
  CPUS,
];

export const command: Command = {
  name: "run-elf",
  summary: "Run a Linux/ARM64 program of this machine",
  operands: "[OPTIONS] FILE [ARG...]",
  options,
  run: (parsed) => runElf(parsed, null),
};

/** Runs under an observer, unless that is null. The exit status, or KILLED_BY plus the signal. */
export function runElf(parsed: Parsed, observer: Observer | null): number {
  const program: ProgramOptions = { ...programOptions(parsed), observer };
  const status = explained(() => runProgram(program));
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : KILLED_BY + signal;
}

function programOptions(parsed: Parsed): Omit<ProgramOptions, "observer"> {
  const [file] = parsed.rest;
  if (file === undefined) throw usageError("run-elf needs a program file");
  if (file === "") throw new UserError("the program's name is empty", EXIT_NOT_FOUND);
  const engine = engineOption(parsed);
  const rootfs = last(parsed, "rootfs");
  const volumes = all(parsed, "volume");
  if (rootfs === "") throw usageError("--rootfs needs a directory");
  if (rootfs !== undefined) hostPaths().requireDirectory(rootfs, "--rootfs");
  const workdir = last(parsed, "workdir");
  if (workdir !== undefined && !workdir.startsWith("/")) throw usageError("--workdir needs an absolute path");
  return {
    root: rootfs === undefined ? "/" : bytes(rootfs),
    binds: volumes.length === 0 ? [] : volumes.map(bind),
    cwd: workdir === undefined && rootfs === undefined ? workingDirectory() : bytes(workdir ?? "/"),
    engine,
    cpus: cpusOption(parsed),
    program: bytes(file),
    argv: byteStrings(parsed.rest),
    env: changed(environment(), all(parsed, "env")),
  };
}

function workingDirectory(): string {
  try {
    return bytes(process.cwd());
  } catch {
    throw new UserError("the working directory does not exist any more");
  }
}

function bind(text: string): Bind {
  const { parseBind } = require("./mount-options.ts") as typeof import("./mount-options.ts");
  const { source, target, readOnly } = parseBind(text);
  return { source: bytes(source), target: bytes(target), readOnly };
}

/** Loaded when an option names a path of the host: most runs have none. */
function hostPaths(): typeof import("./host-paths.ts") {
  return require("./host-paths.ts");
}

function byteStrings(words: readonly string[]): string[] {
  const all: string[] = [];
  for (const word of words) all.push(bytes(word));
  return all;
}

/** carrick's own environment with the given changes: NAME=VALUE sets, NAME alone passes on (or is left out when unset here). */
function changed(own: string[], changes: readonly string[]): string[] {
  if (changes.length === 0) return own;
  const env = new Map<string, string>();
  for (const variable of own) set(env, variable);
  for (const change of changes) {
    const equals = change.indexOf("=");
    if (equals === 0 || change === "") throw usageError(`-e ${printable(change)} has no name`);
    if (equals > 0) set(env, bytes(change));
  }
  return Array.from(env, ([name, value]) => `${name}=${value}`);
}

function set(env: Map<string, string>, variable: string): void {
  const equals = variable.indexOf("=");
  env.set(variable.slice(0, equals), variable.slice(equals + 1));
}
