// One run: boots, loads the program, lets it run, and says how it ended in the terms of a shell.

import { PHDR_BYTES } from "../abi/elf.ts";
import { E2BIG, EACCES, EISDIR, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ENOMEM, ENOTDIR } from "../abi/errno.ts";
import { startIsOver } from "../host/process.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { execTask } from "../kernel/task-exec.ts";
import { parseHeader, parseSegments, whyNotRunnable } from "../loader/elf.ts";
import { KernelBuffer } from "../mm/kernel-buffer.ts";
import type { File } from "../vfs/file.ts";
import { type BootOptions, boot } from "./boot.ts";
import { openProgram } from "./program.ts";

/** The program could not be started; `errno` says how far it got, the message why, in words. */
export class ProgramError extends Error {
  readonly notFound: boolean;

  constructor(message: string, notFound: boolean) {
    super(message);
    this.notFound = notFound;
  }
}

export interface ProgramOptions extends BootOptions {
  /** Path of the program in the guest. */
  readonly program: string;
  readonly argv: readonly string[];
  /** NAME=value byte strings. */
  readonly env: readonly string[];
}

/** Runs a program to its end. Its status word as wait4(2) would give it. Throws BootError, ProgramError. */
export function runProgram(options: ProgramOptions): number {
  const { kernel, init } = boot(options);
  startProgram(init, options.program, options.argv, options.env);
  startIsOver();
  return kernel.run();
}

/** Lets the first process run: its exit status, or 128 plus the signal that killed it. */
export function finish(kernel: Kernel): number {
  startIsOver();
  const status = kernel.run();
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** Loads the program `name`, a path in the guest, into the first process. Throws ProgramError. */
export function startProgram(init: Task, name: string, argv: readonly string[], env: readonly string[]): void {
  const file = openProgram(init, name);
  if (typeof file === "number") throw startError(name, file, null);
  const head = new Uint8Array(64);
  const n = file.readAt(new KernelBuffer(head), 0);
  const flaw = whyItWouldDie(file, head);
  if (flaw !== null) throw new ProgramError(`${name} ${flaw}`, false);
  const error = execTask(init, {
    file,
    filename: name,
    inaccessible: false,
    comm: name.slice(name.lastIndexOf("/") + 1),
    argv,
    envp: env,
  });
  file.unref();
  if (error < 0) throw startError(name, error, head.subarray(0, Math.max(0, n)));
  init.setRunnable();
}

/**
 * What makes a program die at once of SIGBUS or SIGILL on Linux, which explains nothing: segments beyond the end of
 * the file, no entry point. null when it has nothing of the kind.
 */
function whyItWouldDie(file: File, head: Uint8Array): string | null {
  const header = parseHeader(head);
  const stat = file.stat();
  if (typeof header === "number" || typeof stat === "number") return null;
  const table = new Uint8Array(header.phdrCount * PHDR_BYTES);
  if (file.readAt(new KernelBuffer(table), header.phdrOffset) !== table.length) return "is a truncated ELF file";
  const image = parseSegments(header, table);
  if (typeof image === "number") return null;
  for (const s of image.segments) if (s.offset + s.fileSize > stat.size) return "is a truncated ELF file";
  return header.relocatable && header.entry === 0 ? "is a shared library, not a program" : null;
}

/** `head`: the first bytes of the file, when it could be opened. */
function startError(name: string, error: number, head: Uint8Array | null): ProgramError {
  switch (error) {
    case -ENOENT:
    case -ENOTDIR:
      if (head !== null) return new ProgramError(`${name} needs an interpreter that does not exist here`, true);
      return new ProgramError(`${name} does not exist`, true);
    case -EISDIR:
      return new ProgramError(`${name} is a directory`, false);
    case -EACCES:
      return new ProgramError(`${name} is not executable`, false);
    case -ENOEXEC: {
      const script = head !== null && head[0] === 0x23 && head[1] === 0x21;
      const why = head === null ? null : script ? "names no interpreter in its first line" : whyNotRunnable(head);
      return new ProgramError(`${name} ${why ?? "has headers that make no sense"}`, false);
    }
    case -ELIBBAD:
      return new ProgramError(`the interpreter of ${name} is not a usable ARM64 program`, false);
    case -E2BIG:
      return new ProgramError(`the arguments and environment of ${name} are too long`, false);
    case -ENOMEM:
      return new ProgramError(`there is not enough memory for ${name}`, false);
    case -ELOOP:
      return new ProgramError(`${name} goes through too many symbolic links or scripts`, false);
    default:
      return new ProgramError(`${name} has contents that cannot be loaded (errno ${-error})`, false);
  }
}
