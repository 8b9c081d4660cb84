// execve(2), the task's side: the loader has read the program into a new address space, and the task enters
// it (fs/exec.c begin_new_exec).

import { SECBIT_KEEP_CAPS } from "../abi/capability.ts";
import { TASK_COMM_LEN } from "../abi/sched.ts";
import { SIGCHLD, SS_DISABLE } from "../abi/signal.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { File } from "../vfs/file.ts";
import type { Task } from "./task.ts";
import { exitTask, leaveMemory } from "./task-exit.ts";

export interface ExecRequest {
  /** The program, opened and checked for execute permission. The loader does not keep it without `ref`. */
  file: File;
  /** The name as the caller gave it (AT_EXECFN, and the script argument of `#!`). */
  filename: string;
  /** The name goes through a descriptor that is closed on exec: scripts cannot be run. */
  inaccessible: boolean;
  /** Last component of the name, for `comm`; null when a descriptor was given: then it is the program file's own. */
  comm: string | null;
  argv: readonly string[];
  envp: readonly string[];
}

/** What the loader hands over: everything that can fail has succeeded. */
export interface ExecImage {
  mm: AddressSpace;
  entry: number;
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
  endSiblings(task);
  leaveMemory(task);
  const old = task.mm;
  task.mm = image.mm;
  task.mm.limits = task.group.limits;
  task.group.usage.maxRssKib = Math.max(task.group.usage.maxRssKib, old.residentPages * 4);
  old.unref();
  resetTask(task, image);
  resetGroup(task, image);
  return 0;
}

/** All other threads die; the caller becomes the leader and takes its tid (de_thread). */
function endSiblings(task: Task): void {
  const { group, kernel } = task;
  kernel.scheduler.threads.recall(group.tasks);
  for (const sibling of [...group.tasks]) {
    if (sibling === task) continue;
    sibling.cancelOp();
    exitTask(sibling, 0);
  }
  if (group.leader === task) return;
  const { tgid } = group;
  kernel.pids.removeTask(group.leader);
  group.leader.trace?.unlink();
  group.leader = task;
  kernel.pids.renumber(task, tgid);
}

function resetTask(task: Task, image: ExecImage): void {
  const { regs } = task;
  regs.bytes.fill(0);
  regs.pc = image.entry;
  regs.sp = image.sp;
  regs.space = image.mm.space;
  task.comm = image.comm.slice(0, TASK_COMM_LEN - 1);
  task.altStackSp = 0;
  task.altStackSize = 0;
  task.altStackFlags = SS_DISABLE;
  task.faultAddrLo = task.faultAddrHi = task.faultCodeLo = task.faultCodeHi = 0;
  task.restartOp = null;
  const before = task.fs.cred;
  if (image.cred.euid !== before.euid || image.cred.egid !== before.egid) task.parentDeathSignal = 0;
  task.fs.cred = { ...image.cred, securebits: image.cred.securebits & ~SECBIT_KEEP_CAPS };
  if (task.files.shared) {
    const own = task.files.fork();
    task.files.unref();
    task.files = own;
  }
  task.files.closeOnExec();
}

function resetGroup(task: Task, image: ExecImage): void {
  const { group } = task;
  group.actions = group.actions.copy();
  group.actions.reset();
  group.releasePosixTimers();
  group.hasExeced = true;
  group.exitSignal = SIGCHLD;
  group.dumpable = image.cred.euid === image.cred.uid && image.cred.egid === image.cred.gid ? 1 : 0;
}
