// The first process of a container with `--init`, in place of Docker's (tini): it starts the command as its child, in a process group of its
// own that has the terminal, passes signals on to it, reaps every orphan, and ends as the command ends.
// DIFFERS: it runs no program; /proc/1 shows it as a kernel's thread.

import { SIGCHLD } from "../abi/signal.ts";
import type { Op } from "./op.ts";
import type { Task } from "./task.ts";
import { cloneTask } from "./task-clone.ts";

/** Sleeps until it is ended. */
class Watch implements Op {
  resume(task: Task): number {
    return task.block(this, null);
  }
}

/** Makes `init` such a process: the task for the command, which has no program yet, or -errno. */
export function startMinimalInit(init: Task): Task | number {
  const { kernel, group } = init;
  const tid = cloneTask(init, CLONE, () => 0);
  const child = tid < 0 ? undefined : kernel.pids.task(tid);
  if (child === undefined) return tid;
  init.comm = "init";
  init.block(new Watch(), null);
  group.command = child.group;
  kernel.pids.joinProcessGroup(child.group, tid);
  if (group.session.terminal !== null) group.session.foregroundPgid = tid;
  return child;
}

const CLONE = {
  flags: 0,
  clearSighand: false,
  pidfd: 0,
  childTid: 0,
  parentTid: 0,
  exitSignal: SIGCHLD,
  stack: 0,
  tls: 0,
  tid: 0,
};
