// loginuid and sessionid of /proc/PID (fs/proc/base.c, kernel/auditsc.c): PAM writes who logged in, whom logins refuse that cannot.

import { AUDIT_UNSET } from "../../abi/audit.ts";
import { CAP_AUDIT_CONTROL } from "../../abi/capability.ts";
import { EINVAL, EPERM, ERANGE } from "../../abi/errno.ts";
import { capable } from "../../vfs/permission.ts";
import type { TaskSubject } from "./task-files.ts";

export function loginUid({ task }: TaskSubject): string {
  return `${task.loginUid}`;
}

export function sessionId({ task }: TaskSubject): string {
  return `${task.auditSession}`;
}

/** Only a task itself can: the first time with no more ado, later with the right to. */
export function setLoginUid({ task, source }: TaskSubject, text: string): number {
  if (source.self()?.tid !== task.tid) return -EPERM;
  if (!/^\+?\d+\n?$/.test(text)) return -EINVAL;
  const uid = Number(text);
  if (uid > 0xffffffff) return -ERANGE;
  if (task.loginUid !== AUDIT_UNSET && !capable(task.cred, CAP_AUDIT_CONTROL)) return -EPERM;
  task.setLoginUid(uid);
  return 0;
}
