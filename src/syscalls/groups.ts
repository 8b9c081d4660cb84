// Process groups, sessions and pidfds: setpgid(2), setsid(2), pidfd_open(2) and family (kernel/sys.c, kernel/pid.c).

import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import { EACCES, EBADF, EINVAL, EMFILE, EPERM, ESRCH } from "../abi/errno.ts";
import { O_NONBLOCK } from "../abi/fcntl.ts";
import { SI_TKILL, SI_USER } from "../abi/signal.ts";
import { installPidfd, pidfdGroup, signalTarget } from "../kernel/pidfd.ts";
import { SigInfo } from "../kernel/sig-info.ts";
import { mayKill } from "../kernel/signal-permission.ts";
import type { Task } from "../kernel/task.ts";
import { sendGroupSignal } from "../kernel/task-signals.ts";
import { capable } from "../vfs/permission.ts";
import { fd, flags, full, hex, int, partial, pid, type Row, row, signal, struct } from "./row.ts";
import { readSigInfo } from "./signals.ts";

export function sys_setpgid(task: Task, id: number, pgid: number): number {
  const { pids } = task.kernel;
  const self = task.group;
  const who = id === 0 ? self.tgid : id;
  const wanted = pgid === 0 ? who : pgid;
  if (wanted < 0) return -EINVAL;
  const target = pids.group(who);
  if (target === undefined) return -ESRCH;
  if (target !== self) {
    if (target.parent !== self) return -ESRCH;
    if (target.session !== self.session) return -EPERM;
    if (target.hasExeced) return -EACCES;
  }
  if (target.session.leader === target) return -EPERM;
  if (wanted !== target.tgid) {
    const joined = pids.processGroup(wanted);
    if (joined === undefined || joined.session !== self.session) return -EPERM;
  }
  pids.joinProcessGroup(target, wanted);
  return 0;
}

export function sys_getpgid(task: Task, id: number): number {
  if (id === 0) return task.group.pgid;
  return task.kernel.pids.task(id)?.group.pgid ?? -ESRCH;
}

export function sys_getsid(task: Task, id: number): number {
  if (id === 0) return task.group.sid;
  return task.kernel.pids.task(id)?.group.sid ?? -ESRCH;
}

export function sys_setsid(task: Task): number {
  const { group } = task;
  const { pids } = task.kernel;
  if (group.session.leader === group || pids.processGroup(group.tgid) !== undefined) return -EPERM;
  return pids.newSession(group).sid;
}

export function sys_pidfd_open(task: Task, id: number, how: number): number {
  if (id <= 0 || (how & ~O_NONBLOCK) !== 0) return -EINVAL;
  const group = task.kernel.pids.group(id);
  if (group === undefined) return task.kernel.pids.task(id) === undefined ? -ESRCH : -EINVAL;
  return installPidfd(task, group, how);
}

export function sys_pidfd_send_signal(task: Task, pidfd: number, signo: number, infoAddr: number, how: number): number {
  if (how !== 0) return -EINVAL;
  const group = signalTarget(task, pidfd);
  if (typeof group === "number") return group;
  if (signo < 0 || signo > 64) return -EINVAL;
  let info = SigInfo.from(signo, SI_USER, task.tgid, task.cred.uid);
  if (infoAddr !== 0) {
    const given = readSigInfo(task, infoAddr);
    if (typeof given === "number") return given;
    if (given.signo !== signo) return -EINVAL;
    if ((given.code >= 0 || given.code === SI_TKILL) && group !== task.group) return -EPERM;
    info = given;
  }
  const denied = mayKill(task, group.leader, signo);
  if (denied !== 0 || signo === 0) return denied;
  return sendGroupSignal(group, signo, info);
}

/** DIFFERS: the right to look at the other process is that of the same user or CAP_SYS_PTRACE; no LSM asks further. */
export function sys_pidfd_getfd(task: Task, pidfd: number, target: number, how: number): number {
  if (how !== 0) return -EINVAL;
  const group = pidfdGroup(task, pidfd);
  if (typeof group === "number") return group;
  const other = group.leader;
  const same = other.cred.uid === task.cred.fsuid && other.cred.euid === task.cred.fsuid && group.dumpable === 1;
  if (!same && !capable(task.cred, CAP_SYS_PTRACE)) return -EPERM;
  if (!other.alive) return -ESRCH;
  const file = other.files.get(target);
  if (file === undefined) return -EBADF;
  if (task.files.lowestFree() < 0) return -EMFILE;
  return task.files.install(file.ref(), true);
}

export function rows(): Row[] {
  return [
    row(154, sys_setpgid, [pid, pid], full()),
    row(155, sys_getpgid, [pid], full()),
    row(156, sys_getsid, [pid], full()),
    row(157, sys_setsid, [], full()),
    row(424, sys_pidfd_send_signal, [fd, signal, struct("siginfo"), hex], partial("no PIDFD_SIGNAL_* flags")),
    row(434, sys_pidfd_open, [pid, flags({ PIDFD_NONBLOCK: O_NONBLOCK })], partial("no PIDFD_THREAD")),
    row(438, sys_pidfd_getfd, [fd, int, hex], full()),
  ];
}
