// execve(2), the task's side: the loader has read the program into a new address space, and the task enters it.

import type { Registers } from "../cpu/registers.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { File } from "../vfs/file.ts";
import type { Task } from "./task.ts";

export interface ExecRequest {
  /** The program, opened and checked for execute permission. The loader does not keep it without `ref`. */
  file: File;
  /** The name as the caller gave it (AT_EXECFN, and the script argument of `#!`). */
  filename: string;
  argv: readonly string[];
  envp: readonly string[];
}

/** What the loader hands over: everything that can fail has succeeded. */
export interface ExecImage {
  mm: AddressSpace;
  pc: number;
  sp: number;
  /** Last component of the name, for `comm`. */
  comm: string;
  /** Credentials after set-user-id bits and file capabilities. */
  cred: Credentials;
}

/** Loads and enters a program. 0, or -errno with the task unchanged. */
export function execTask(task: Task, request: ExecRequest): number {
  const image = task.kernel.load(task, request);
  if (typeof image === "number") return image;
  enterImage(task, image);
  return 0;
}

function enterImage(task: Task, image: ExecImage): void {
  resetRegisters(task.regs, image);
  task.mm = image.mm;
  task.comm = image.comm.slice(0, 15);
  task.fs.cred = image.cred;
}

function resetRegisters(regs: Registers, image: ExecImage): void {
  regs.bytes.fill(0);
  regs.pc = image.pc;
  regs.sp = image.sp;
  regs.space = image.mm.space;
}
