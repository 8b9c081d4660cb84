// Who may look into and trace whom (kernel/ptrace.c __ptrace_may_access, security/commoncap.c; ptrace(2), "Ptrace access mode
// checking", PTRACE_MODE_*_REALCREDS). There is no Yama and no other LSM.

import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import { capable } from "../vfs/permission.ts";
import { capSubset } from "./credentials.ts";
import type { Task } from "./task.ts";

/** Whether `task` may see and change the memory of `other`. */
export function mayTrace(task: Task, other: Task): boolean {
  if (task.group === other.group) return true;
  if (capable(task.cred, CAP_SYS_PTRACE)) return true;
  const { uid, gid } = task.cred;
  const { cred } = other;
  const sameUser = uid === cred.euid && uid === cred.suid && uid === cred.uid;
  const sameGroup = gid === cred.egid && gid === cred.sgid && gid === cred.gid;
  if (!sameUser || !sameGroup || other.group.dumpable !== 1) return false;
  return capSubset(cred.capPermitted, task.cred.capPermitted);
}
