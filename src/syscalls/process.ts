// Children: clone(2), clone3(2), wait4(2), waitid(2), unshare(2) (kernel/fork.c, kernel/exit.c).

import { CAP_SYS_ADMIN, CAP_SYS_CHROOT } from "../abi/capability.ts";
import { E2BIG, EAGAIN, EBADF, ECHILD, EFAULT, EINVAL, EPERM, ESRCH, EUSERS } from "../abi/errno.ts";
import * as C from "../abi/sched.ts";
import { NSIG, SIGCHLD, SIGINFO_BYTES } from "../abi/signal.ts";
import * as W from "../abi/wait.ts";
import { scratch } from "../host/scratch.ts";
import { installPidfd, pidfdGroup } from "../kernel/pidfd.ts";
import { PID_MAX } from "../kernel/pids.ts";
import { writeRusage } from "../kernel/rusage.ts";
import type { Task } from "../kernel/task.ts";
import { type CloneArgs, cloneTask, NAMESPACES } from "../kernel/task-clone.ts";
import { type ChildEvent, waitForChild } from "../kernel/task-wait.ts";
import { capable } from "../vfs/permission.ts";
import { openFile } from "./descriptor.ts";
import { addr, flags, full, int, partial, pid, type Row, row, size, struct, value } from "./row.ts";

const CLONE_NAMES = {
  CLONE_VM: C.CLONE_VM,
  CLONE_FS: C.CLONE_FS,
  CLONE_FILES: C.CLONE_FILES,
  CLONE_SIGHAND: C.CLONE_SIGHAND,
  CLONE_PIDFD: C.CLONE_PIDFD,
  CLONE_PTRACE: C.CLONE_PTRACE,
  CLONE_VFORK: C.CLONE_VFORK,
  CLONE_PARENT: C.CLONE_PARENT,
  CLONE_THREAD: C.CLONE_THREAD,
  CLONE_NEWNS: C.CLONE_NEWNS,
  CLONE_SYSVSEM: C.CLONE_SYSVSEM,
  CLONE_SETTLS: C.CLONE_SETTLS,
  CLONE_PARENT_SETTID: C.CLONE_PARENT_SETTID,
  CLONE_CHILD_CLEARTID: C.CLONE_CHILD_CLEARTID,
  CLONE_DETACHED: C.CLONE_DETACHED,
  CLONE_UNTRACED: C.CLONE_UNTRACED,
  CLONE_CHILD_SETTID: C.CLONE_CHILD_SETTID,
  CLONE_NEWCGROUP: C.CLONE_NEWCGROUP,
  CLONE_NEWUTS: C.CLONE_NEWUTS,
  CLONE_NEWIPC: C.CLONE_NEWIPC,
  CLONE_NEWUSER: C.CLONE_NEWUSER,
  CLONE_NEWPID: C.CLONE_NEWPID,
  CLONE_NEWNET: C.CLONE_NEWNET,
  CLONE_IO: C.CLONE_IO,
  SIGCHLD,
};
const WAIT_NAMES = {
  WNOHANG: W.WNOHANG,
  WUNTRACED: W.WUNTRACED,
  WEXITED: W.WEXITED,
  WCONTINUED: W.WCONTINUED,
  WNOWAIT: W.WNOWAIT,
  __WNOTHREAD: W.__WNOTHREAD,
  __WALL: W.__WALL,
  __WCLONE: W.__WCLONE,
};
const ID_NAMES = { P_ALL: W.P_ALL, P_PID: W.P_PID, P_PGID: W.P_PGID, P_PIDFD: W.P_PIDFD };
const PAGE = 4096;

export function sys_clone(
  task: Task,
  cloneFlags: number,
  stack: number,
  parentTid: number,
  tls: number,
  childTid: number,
): number {
  const args: CloneArgs = {
    flags: cloneFlags & ~C.CSIGNAL,
    clearSighand: false,
    pidfd: parentTid,
    childTid,
    parentTid,
    exitSignal: cloneFlags & C.CSIGNAL,
    stack,
    tls,
    tid: 0,
  };
  if ((cloneFlags & C.CLONE_PIDFD) !== 0 && (cloneFlags & C.CLONE_PARENT_SETTID) !== 0) return -EINVAL;
  return cloneTask(task, args, installPidfd);
}

export function sys_clone3(task: Task, argsAddr: number, argsSize: number): number {
  const args = readCloneArgs(task, argsAddr, argsSize);
  return typeof args === "number" ? args : cloneTask(task, args, installPidfd);
}

function readCloneArgs(task: Task, argsAddr: number, argsSize: number): CloneArgs | number {
  const at = C.CloneArgs;
  if (argsSize > PAGE) return -E2BIG;
  if (argsSize < at.sizeVersion0) return -EINVAL;
  scratch.u8.fill(0, 0, at.sizeBytes);
  if (task.mm.copyIn(argsAddr, argsSize) < 0) return -EFAULT;
  for (let i = at.sizeBytes; i < argsSize; i++) if (scratch.u8[i] !== 0) return -E2BIG;
  const cloneFlags = scratch.i32[at.flags >> 2]!;
  const high = scratch.u32[(at.flags >> 2) + 1]!;
  const stack = scratch.getU64(at.stack);
  const stackSize = scratch.getU64(at.stackSize);
  const exitSignal = scratch.getU64(at.exitSignal);
  const tidCount = scratch.getU64(at.setTidSize);
  const tidAddr = scratch.getU64(at.setTid);
  // DIFFERS: cgroups do not exist, CLONE_INTO_CGROUP is refused.
  if ((high & ~C.CLONE_CLEAR_SIGHAND_HIGH) !== 0) return -EINVAL;
  if ((cloneFlags & (C.CLONE_DETACHED | C.CSIGNAL)) !== 0) return -EINVAL;
  if (exitSignal > NSIG) return -EINVAL;
  if ((cloneFlags & (C.CLONE_THREAD | C.CLONE_PARENT)) !== 0 && exitSignal !== 0) return -EINVAL;
  if ((stack === 0) !== (stackSize === 0)) return -EINVAL;
  if (tidCount > 32 || (tidCount === 0) !== (tidAddr === 0)) return -EINVAL;
  const args: CloneArgs = {
    flags: cloneFlags,
    clearSighand: high !== 0,
    pidfd: task.mm.untag(scratch.getU64(at.pidfd)),
    childTid: task.mm.untag(scratch.getU64(at.childTid)),
    parentTid: task.mm.untag(scratch.getU64(at.parentTid)),
    exitSignal,
    stack: stack === 0 ? 0 : stack + stackSize,
    tls: scratch.getU64(at.tls),
    tid: 0,
  };
  if (tidCount === 0) return args;
  if (tidCount > 1) return -EINVAL;
  const tid = task.mm.readU32(tidAddr);
  if (tid < 0) return tid;
  args.tid = tid >= 1 && tid < PID_MAX ? tid : -1;
  return args;
}

export function sys_wait4(task: Task, id: number, statusAddr: number, options: number, usageAddr: number): number {
  const allowed = W.WNOHANG | W.WUNTRACED | W.WCONTINUED | W.__WNOTHREAD | W.__WALL | W.__WCLONE;
  if ((options & ~allowed) !== 0) return -EINVAL;
  if (id === -0x80000000) return -ESRCH;
  const which = id === -1 ? W.P_ALL : id > 0 ? W.P_PID : W.P_PGID;
  const wanted = id > 0 ? id : id === 0 ? task.group.pgid : -id;
  return waitForChild(task, { which, id: wanted, options: options | W.WEXITED }, (waiter, event) => {
    if (event === null) return 0;
    if (statusAddr !== 0 && waiter.mm.writeU32(statusAddr, event.status) < 0) return -EFAULT;
    if (usageAddr !== 0 && writeRusage(waiter.mm, usageAddr, event.usage) < 0) return -EFAULT;
    return event.pid;
  });
}

export function sys_waitid(
  task: Task,
  which: number,
  id: number,
  infoAddr: number,
  options: number,
  usageAddr: number,
): number {
  const wait = waitidTarget(task, which, id, options);
  // A refusal clears the siginfo too.
  if (typeof wait === "number") return infoAddr !== 0 && writeChildInfo(task, infoAddr, null) < 0 ? -EFAULT : wait;
  const { patient } = wait;
  const how = patient ? options : options | W.WNOHANG;
  const result = waitForChild(task, { which: wait.which, id: wait.id, options: how }, (waiter, event) => {
    if (event === null && !patient) return -EAGAIN;
    if (event !== null && usageAddr !== 0 && writeRusage(waiter.mm, usageAddr, event.usage) < 0) return -EFAULT;
    return infoAddr === 0 ? 0 : writeChildInfo(waiter, infoAddr, event);
  });
  return result === -ECHILD && infoAddr !== 0 && writeChildInfo(task, infoAddr, null) < 0 ? -EFAULT : result;
}

interface WaitTarget {
  which: number;
  id: number;
  /** A descriptor with O_NONBLOCK does not wait. */
  patient: boolean;
}

/** What waitid's arguments select, -EINVAL, -EBADF. */
function waitidTarget(task: Task, which: number, id: number, options: number): WaitTarget | number {
  const states = W.WEXITED | W.WSTOPPED | W.WCONTINUED;
  const allowed = states | W.WNOHANG | W.WNOWAIT | W.__WNOTHREAD | W.__WALL | W.__WCLONE;
  if ((options & ~allowed) !== 0 || (options & states) === 0) return -EINVAL;
  switch (which) {
    case W.P_ALL:
      return { which, id, patient: true };
    case W.P_PIDFD: {
      if (id < 0) return -EINVAL;
      const group = pidfdGroup(task, id);
      if (typeof group === "number") return group;
      const patient = task.files.get(id)?.nonblock !== true || (options & W.WNOHANG) !== 0;
      return { which: W.P_PID, id: group.tgid, patient };
    }
    case W.P_PID:
      return id <= 0 ? -EINVAL : { which, id, patient: true };
    case W.P_PGID:
      return id < 0 ? -EINVAL : { which, id: id === 0 ? task.group.pgid : id, patient: true };
  }
  return -EINVAL;
}

/** The part of siginfo that waitid fills; pid and signo are zero when there was no event. */
function writeChildInfo(task: Task, infoAddr: number, event: ChildEvent | null): number {
  const { i32 } = scratch;
  scratch.u8.fill(0, 0, SIGINFO_BYTES);
  if (event !== null) {
    i32[0] = SIGCHLD;
    i32[2] = event.code;
    i32[4] = event.pid;
    i32[5] = event.uid;
    i32[6] = event.value;
  }
  return task.mm.copyOut(infoAddr, 28);
}

/** DIFFERS: without namespaces there is nothing to unshare but what clone shares. */
export function sys_unshare(task: Task, what: number): number {
  const plain = C.CLONE_FS | C.CLONE_FILES | C.CLONE_SYSVSEM;
  const threads = C.CLONE_THREAD | C.CLONE_SIGHAND | C.CLONE_VM;
  if ((what & ~(plain | threads | SEPARABLE)) !== 0) return -EINVAL;
  if ((what & threads) !== 0 && task.group.tasks.length > 1) return -EINVAL;
  if ((what & SEPARABLE) !== 0) return -EPERM;
  if ((what & C.CLONE_FS) !== 0) task.fs.unshare();
  if ((what & C.CLONE_FILES) !== 0 && task.files.shared) {
    const own = task.files.fork();
    task.files.unref();
    task.files = own;
  }
  return 0;
}

/** Into a name space of a file, or into those of a process: they are the task's own already, which Linux lets it enter as well. */
export function sys_setns(task: Task, fd: number, kind: number): number {
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  const { NamespaceFile } = require("../fs/proc/namespaces.ts") as typeof import("../fs/proc/namespaces.ts");
  if (file instanceof NamespaceFile) {
    return kind === 0 || kind === file.kind ? enterNamespaces(task, file.kind) : -EINVAL;
  }
  const group = pidfdGroup(task, fd);
  if (typeof group === "number") return group === -EBADF ? -EINVAL : group;
  return kind === 0 || (kind & ~SEPARABLE) !== 0 ? -EINVAL : enterNamespaces(task, kind);
}

/** Those that setns(2) and unshare(2) know. */
const SEPARABLE = NAMESPACES | C.CLONE_NEWTIME;

function enterNamespaces(task: Task, kinds: number): number {
  // Nobody gains capabilities by entering his own user name space again.
  if ((kinds & C.CLONE_NEWUSER) !== 0) return -EINVAL;
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((kinds & C.CLONE_NEWTIME) !== 0 && task.group.tasks.length > 1) return -EUSERS;
  if ((kinds & C.CLONE_NEWNS) === 0) return 0;
  if (!capable(task.cred, CAP_SYS_CHROOT)) return -EPERM;
  for (const other of task.kernel.pids.allTasks()) {
    if (other !== task && other.fs?.shared === task.fs.shared) return -EINVAL;
  }
  task.fs.root = task.fs.cwd = task.kernel.mounts.rootPath;
  return 0;
}

export function rows(): Row[] {
  return [
    row(95, sys_waitid, [value(ID_NAMES), pid, struct("siginfo"), flags(WAIT_NAMES), struct("rusage")], full()),
    row(97, sys_unshare, [flags(CLONE_NAMES)], partial("no namespaces")),
    row(220, sys_clone, [flags(CLONE_NAMES), addr, addr, addr, addr], partial("no namespaces")),
    row(260, sys_wait4, [pid, struct("wait status"), flags(WAIT_NAMES), struct("rusage")], full()),
    row(268, sys_setns, [int, flags(CLONE_NAMES)], partial("only into the namespaces that all share")),
    row(435, sys_clone3, [struct("clone_args"), size], partial("no namespaces, no cgroups")),
  ];
}
