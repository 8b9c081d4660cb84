// Who may send signals to whom (kernel/signal.c check_kill_permission; kill(2)).

import { CAP_KILL } from "../abi/capability.ts";
import { EPERM } from "../abi/errno.ts";
import { SIGCONT } from "../abi/signal.ts";
import { capable } from "../vfs/permission.ts";
import type { Task } from "./task.ts";

/** 0 or -EPERM. */
export function mayKill(sender: Task, target: Task, signal: number): number {
  if (sender.group === target.group) return 0;
  const { uid, euid } = sender.cred;
  const other = target.cred;
  if (euid === other.suid || euid === other.uid || uid === other.suid || uid === other.uid) return 0;
  if (capable(sender.cred, CAP_KILL)) return 0;
  return signal === SIGCONT && sender.group.session === target.group.session ? 0 : -EPERM;
}
