// Making threads and processes (kernel/fork.c: copy_process, kernel_clone).

import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "../abi/capability.ts";
import { EAGAIN, EEXIST, EINVAL, EPERM, ERESTARTNOINTR } from "../abi/errno.ts";
import { PTRACE_EVENT_VFORK_DONE } from "../abi/ptrace.ts";
import { RLIMIT_CPU, RLIMIT_NPROC } from "../abi/resource.ts";
import * as C from "../abi/sched.ts";
import { Registers } from "../cpu/registers.ts";
import { RegisterBlock as at } from "../host/shim.gen.ts";
import { capable } from "../vfs/permission.ts";
import { type Op, Result, type Wake } from "./op.ts";
import { CallWork, Task } from "./task.ts";
import { signalPending } from "./task-signals.ts";
import { ThreadGroup } from "./thread-group.ts";

/** The flags that clone(2) knows. */
export const NAMESPACES =
  C.CLONE_NEWNS |
  C.CLONE_NEWCGROUP |
  C.CLONE_NEWUTS |
  C.CLONE_NEWIPC |
  C.CLONE_NEWUSER |
  C.CLONE_NEWPID |
  C.CLONE_NEWNET;

/** struct kernel_clone_args. Addresses are 0 where not given. */
export interface CloneArgs {
  flags: number;
  clearSighand: boolean;
  pidfd: number;
  childTid: number;
  parentTid: number;
  exitSignal: number;
  /** New sp, or 0 to keep it. */
  stack: number;
  tls: number;
  /** Demanded tid, or 0. */
  tid: number;
}

/** Makes a pidfd of a process and installs it in the caller's table; injected by the room that owns pidfds. */
export type InstallPidfd = (task: Task, group: ThreadGroup) => number;

/** The child's tid, -errno, or BLOCKED for vfork. */
export function cloneTask(parent: Task, args: CloneArgs, installPidfd: InstallPidfd): number {
  const error = checkFlags(parent, args);
  if (error !== 0) return error;
  if (signalPending(parent)) return -ERESTARTNOINTR;
  const { flags } = args;
  const { kernel } = parent;
  const tid = args.tid === 0 ? kernel.pids.allocate() : args.tid;
  if (tid < 0) return -EAGAIN;
  const mm = (flags & C.CLONE_VM) !== 0 ? parent.mm.ref() : parent.mm.fork();
  if (typeof mm === "number") return mm;
  // A parent that waits for its child (vfork) does not see what it does meanwhile.
  if ((flags & (C.CLONE_VM | C.CLONE_VFORK)) === C.CLONE_VM) mm.share();
  const files = (flags & C.CLONE_FILES) !== 0 ? parent.files.ref() : parent.files.fork();
  const fs = parent.fs.fork((flags & C.CLONE_FS) !== 0);
  const child = new Task(kernel, tid, Registers.take(), mm, files, fs, parent.comm);
  inheritTask(parent, child, args);
  if ((flags & C.CLONE_THREAD) !== 0) joinGroup(parent, child);
  else makeGroup(parent, child, args);
  kernel.pids.addTask(child);
  const pidfd = (flags & C.CLONE_PIDFD) !== 0 ? installPidfd(parent, child.group) : 0;
  if (pidfd < 0) return abandon(child, pidfd);
  announce(parent, child, args, pidfd);
  const vfork = (flags & C.CLONE_VFORK) !== 0;
  if (vfork) child.vforkParent = parent;
  const { trace } = parent;
  trace?.adopt(child, args);
  kernel.scheduler.enqueue(child);
  const wait = vfork ? new VforkOp(child) : null;
  const event = trace === null ? 0 : trace.cloneEvent(args);
  if (event !== 0) return trace!.event(event, tid, wait ?? new Result(tid));
  return wait === null ? tid : parent.block(wait, null);
}

/** Sleeps until the child has its own memory or is gone. Only death ends the wait early. */
class VforkOp implements Op {
  readonly killableOnly = true;
  private readonly child: Task;
  private readonly tid: number;

  constructor(child: Task) {
    this.child = child;
    this.tid = child.tid;
  }

  resume(task: Task, _wake: Wake): number {
    if (this.child.vforkParent === task) return task.block(this, null);
    const { trace } = task;
    return trace?.isAsked(PTRACE_EVENT_VFORK_DONE) === true
      ? trace.event(PTRACE_EVENT_VFORK_DONE, this.tid, new Result(this.tid))
      : this.tid;
  }

  cancel(task: Task): void {
    if (this.child.vforkParent === task) this.child.vforkParent = null;
  }
}

function checkFlags(parent: Task, args: CloneArgs): number {
  const { flags } = args;
  const has = (bit: number): boolean => (flags & bit) !== 0;
  if (has(C.CLONE_FS) && has(C.CLONE_NEWNS | C.CLONE_NEWUSER)) return -EINVAL;
  if (has(C.CLONE_THREAD) && !has(C.CLONE_SIGHAND)) return -EINVAL;
  if (has(C.CLONE_SIGHAND) && !has(C.CLONE_VM)) return -EINVAL;
  if (has(C.CLONE_SIGHAND) && args.clearSighand) return -EINVAL;
  if (has(C.CLONE_PARENT) && parent.group.isInit) return -EINVAL;
  if (has(C.CLONE_THREAD) && has(C.CLONE_NEWUSER | C.CLONE_NEWPID)) return -EINVAL;
  if (has(C.CLONE_PIDFD) && has(C.CLONE_DETACHED | C.CLONE_THREAD)) return -EINVAL;
  // DIFFERS: there are no namespaces; as where they are forbidden to the caller.
  if (has(NAMESPACES)) return -EPERM;
  return checkLimits(parent, args);
}

function checkLimits(parent: Task, args: CloneArgs): number {
  const { kernel, cred } = parent;
  if (args.tid !== 0) {
    if (args.tid < 0) return -EINVAL;
    if (!capable(cred, CAP_SYS_ADMIN)) return -EPERM;
    if (!kernel.pids.isFree(args.tid)) return -EEXIST;
  }
  const limit = parent.group.limits.get(RLIMIT_NPROC);
  if (limit === Number.POSITIVE_INFINITY || cred.uid === 0) return 0;
  if (capable(cred, CAP_SYS_RESOURCE) || capable(cred, CAP_SYS_ADMIN)) return 0;
  let count = 0;
  for (const task of kernel.pids.allTasks()) if (task.cred.uid === cred.uid) count += 1;
  return count >= limit ? -EAGAIN : 0;
}

/** What every child takes over, thread or process. */
function inheritTask(parent: Task, child: Task, args: CloneArgs): void {
  const { flags } = args;
  child.regs.copyFrom(parent.regs);
  child.regs.setX(0, 0);
  child.regs.space = child.mm.space;
  child.regs.u32[at.stop >> 2] = 0;
  child.regs.u32[at.single_step >> 2] = 0;
  child.regs.u32[at.retired >> 2] = 0;
  if (args.stack !== 0) child.regs.sp = args.stack;
  if ((flags & C.CLONE_SETTLS) !== 0) child.regs.tpidr = args.tls;
  child.vruntimeNs = parent.vruntimeNs;
  child.blockedLo = parent.blockedLo;
  child.blockedHi = parent.blockedHi;
  if ((flags & (C.CLONE_VM | C.CLONE_VFORK)) !== C.CLONE_VM) {
    child.altStackSp = parent.altStackSp;
    child.altStackSize = parent.altStackSize;
    child.altStackFlags = parent.altStackFlags;
  }
  child.affinity = parent.affinity;
  child.timerSlackNs = parent.timerSlackNs;
  child.noNewPrivs = parent.noNewPrivs;
  child.seccomp = parent.seccomp;
  child.callWork = parent.callWork & CallWork.filter;
  child.personality = parent.personality;
  child.memoryPolicy = parent.memoryPolicy;
  child.memoryNodes = parent.memoryNodes;
  child.loginUid = parent.loginUid;
  child.auditSession = parent.auditSession;
  child.ioPriority = parent.ioPriority;
  const reset = parent.resetOnFork;
  child.policy = reset && isRealTime(parent.policy) ? C.SCHED_OTHER : parent.policy;
  child.rtPriority = reset ? 0 : parent.rtPriority;
  child.nice = reset && (parent.nice < 0 || isRealTime(parent.policy)) ? 0 : parent.nice;
  if ((flags & C.CLONE_CHILD_CLEARTID) !== 0) child.clearChildTid = args.childTid;
}

function isRealTime(policy: number): boolean {
  return policy === C.SCHED_FIFO || policy === C.SCHED_RR;
}

function joinGroup(parent: Task, child: Task): void {
  child.group = parent.group;
  parent.group.tasks.push(child);
}

function makeGroup(parent: Task, child: Task, args: CloneArgs): void {
  const { group, kernel } = parent;
  const toGrandparent = (args.flags & C.CLONE_PARENT) !== 0;
  const shared = (args.flags & C.CLONE_SIGHAND) !== 0;
  const actions = shared ? group.actions : group.actions.copy();
  if (args.clearSighand) actions.reset();
  const owner = toGrandparent ? group.parent! : group;
  const made = new ThreadGroup(child, owner, group.limits.copy(), actions, child.startNs);
  made.parentTask = toGrandparent ? group.parentTask : parent;
  made.exitSignal = toGrandparent ? group.exitSignal : args.exitSignal;
  made.oomScoreAdj = group.oomScoreAdj;
  made.coredumpFilter = group.coredumpFilter;
  made.dumpable = group.dumpable;
  made.tasks.push(child);
  child.group = made;
  if (Number.isFinite(made.limits.get(RLIMIT_CPU))) made.watchCpuLimit();
  child.mm.limits = made.limits;
  owner.children.add(made);
  kernel.pids.addGroup(made);
  kernel.pids.inherit(made, group.processGroup);
}

/** A new process that cannot be completed vanishes again. Threads do not come here: they have no pidfd. */
function abandon(child: Task, error: number): number {
  const { group, kernel } = child;
  group.parent?.children.delete(group);
  kernel.pids.removeTask(child);
  kernel.pids.removeGroup(group);
  child.files.unref();
  child.mm.unref();
  return error;
}

/** The tids and the pidfd that the flags ask for. Bad addresses are ignored, as by Linux. */
function announce(parent: Task, child: Task, args: CloneArgs, pidfd: number): void {
  const { flags } = args;
  if ((flags & C.CLONE_PIDFD) !== 0) parent.mm.writeU32(args.pidfd, pidfd);
  if ((flags & C.CLONE_PARENT_SETTID) !== 0) parent.mm.writeU32(args.parentTid, child.tid);
  if ((flags & C.CLONE_CHILD_SETTID) !== 0) child.mm.writeU32(args.childTid, child.tid);
}
