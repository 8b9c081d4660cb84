// The end of threads and processes (kernel/exit.c): what they held, who hears of it, who inherits the children.

import * as S from "../abi/signal.ts";
import { WCOREFLAG } from "../abi/wait.ts";
import { childInfo, leaveStop } from "./job-control.ts";
import type { Kernel } from "./kernel.ts";
import type { ProcessGroup } from "./process-group.ts";
import { releaseRobustList } from "./robust-list.ts";
import { type Task, TaskState } from "./task.ts";
import { endGroup, retarget, sendGroupSignal, sendToProcessGroup } from "./task-signals.ts";
import type { ThreadGroup } from "./thread-group.ts";

/** The running or never-running task ends. `status` is a status word as wait4 reports it. */
export function exitTask(task: Task, status: number): void {
  const group = task.group;
  const kernel = task.kernel;
  if (task === kernel.scheduler.current) kernel.scheduler.accountNow();
  task.state = TaskState.zombie;
  task.exitStatus = status;
  task.work = 0;
  kernel.departed.push(task);
  leaveStop(task);
  group.tasks.splice(group.tasks.indexOf(task), 1);
  retarget(task, group.pending.lo & ~task.blockedLo, group.pending.hi & ~task.blockedHi);
  releaseMemory(task);
  task.files.unref();
  group.usage.add(task.usage);
  kernel.hooks?.exited(task, status);
  if (task.tracees !== null) for (const tracee of [...task.tracees]) tracee.trace?.tracerExits();
  orphanChildren(task);
  if (task !== group.leader) {
    group.zombieThreads += 1;
    if (task.trace === null) dropThread(task);
    else task.trace.exited(status);
  }
  if (group.tasks.length > 0) return;
  group.exitStatus = status;
  if (group.zombieThreads === 0) exitGroup(group, status);
}

/** The last traces of a thread go. */
function dropThread(task: Task): void {
  task.state = TaskState.dead;
  task.group.zombieThreads -= 1;
  task.kernel.pids.removeTask(task);
}

/** A thread that its tracer had to wait for: the process may be over now. */
export function reapThread(task: Task): void {
  const { group } = task;
  dropThread(task);
  if (group.tasks.length === 0 && group.zombieThreads === 0 && !group.exited) exitGroup(group, group.exitStatus);
}

/** mm_release: what other threads and the vfork parent wait for, then the memory itself. */
function releaseMemory(task: Task): void {
  task.group.usage.maxRssKib = Math.max(task.group.usage.maxRssKib, task.mm.residentPages * 4);
  leaveMemory(task);
  task.mm.unref();
}

/** Robust futexes, clear_child_tid and the vfork parent: done before the task leaves its memory (exit, execve). */
export function leaveMemory(task: Task): void {
  releaseRobustList(task);
  if (task.clearChildTid !== 0) {
    if (task.mm.shared && task.mm.writeU32(task.clearChildTid, 0) === 0)
      task.kernel.futexes.wakeAddress(task.mm, task.clearChildTid, 1);
    task.clearChildTid = 0;
  }
  const parent = task.vforkParent;
  task.vforkParent = null;
  parent?.wake();
}

/** The last thread is gone: the process becomes a zombie, or vanishes when nobody wants its status. */
function exitGroup(group: ThreadGroup, lastStatus: number): void {
  const kernel = group.leader.kernel;
  group.exited = true;
  group.stopped = false;
  group.exitStatus = group.groupExitStatus >= 0 ? group.groupExitStatus : lastStatus;
  group.releaseTimers();
  if (group.semaphoreUndos !== null) for (const set of group.semaphoreUndos) set.groupEnded(group);
  // What children have had counts for who makes them: else a shell's commands would go before everybody.
  const parent = group.parentTask;
  if (parent !== null) parent.vruntimeNs = Math.max(parent.vruntimeNs, group.leader.vruntimeNs);
  if (group.session.leader === group) endSession(group, kernel);
  stopOrphans(group.processGroup, group, group.parent);
  group.exitWait.wake();
  if (group.isInit) endKernel(kernel, group);
  else if (notifyExit(group)) reap(group);
}

/** do_notify_parent. True when the parent does not want to wait for it. */
export function notifyExit(group: ThreadGroup): boolean {
  const { trace } = group.leader;
  if (trace !== null && trace.isReparented) {
    trace.exited(group.exitStatus);
    return false;
  }
  const parent = group.parent;
  if (parent === null) return true;
  if (parent.command !== null) {
    if (parent.command === group) endGroup(parent, group.exitStatus);
    return true;
  }
  const action = parent.actions.get(S.SIGCHLD);
  let autoReap = false;
  let signal = group.exitSignal;
  if (
    trace === null &&
    signal === S.SIGCHLD &&
    (action.handler === S.SIG_IGN || (action.flags & S.SA_NOCLDWAIT) !== 0)
  ) {
    autoReap = true;
    if (action.handler === S.SIG_IGN) signal = 0;
  }
  // clone(2) takes any number; only signals are sent.
  if (signal > 0 && signal <= S.NSIG) {
    const info = childInfo(group, exitCode(group.exitStatus), exitValue(group.exitStatus));
    info.signo = signal;
    sendGroupSignal(parent, signal, info);
  }
  parent.childWait.wake();
  return autoReap;
}

/** CLD_* of a status word. */
export function exitCode(status: number): number {
  if ((status & 0x7f) === 0) return S.CLD_EXITED;
  return (status & WCOREFLAG) !== 0 ? S.CLD_DUMPED : S.CLD_KILLED;
}

/** si_status of a status word: the exit code or the signal. */
export function exitValue(status: number): number {
  return (status & 0x7f) === 0 ? status >> 8 : status & 0x7f;
}

/** The zombie's last traces go (release_task). */
export function reap(group: ThreadGroup): void {
  const kernel = group.leader.kernel;
  group.leader.trace?.unlink();
  group.parent?.children.delete(group);
  group.leader.state = TaskState.dead;
  kernel.pids.removeTask(group.leader);
  kernel.pids.removeGroup(group);
  group.exitWait.wake();
  group.reaped = true;
}

/** Children of a dying thread go to a sibling, to the nearest subreaper, or to the first process. */
function orphanChildren(task: Task): void {
  const group = task.group;
  const sibling = group.tasks[0] ?? null;
  for (const child of [...group.children]) {
    if (child.parentTask !== task && sibling !== null) continue;
    for (const thread of child.tasks) {
      if (thread.parentDeathSignal !== 0) sendGroupSignal(child, thread.parentDeathSignal);
    }
    if (sibling !== null) child.parentTask = sibling;
    else reparent(child, group);
  }
}

function reparent(child: ThreadGroup, father: ThreadGroup): void {
  const reaper = findReaper(father);
  father.children.delete(child);
  if (reaper === null) {
    child.parent = null;
    child.parentTask = null;
    return;
  }
  child.parent = reaper;
  child.adopted = reaper.isInit;
  child.parentTask = reaper.tasks[0] ?? null;
  reaper.children.add(child);
  child.exitSignal = S.SIGCHLD;
  stopOrphans(child.processGroup, null, father);
  if (child.exited && notifyExit(child)) reap(child);
}

function findReaper(father: ThreadGroup): ThreadGroup | null {
  for (let group = father.parent; group !== null; group = group.parent) {
    if (group.isSubreaper && group.tasks.length > 0) return group;
  }
  const init = father.leader.kernel.init;
  return init === father || init === null || init.tasks.length === 0 ? null : init;
}

/** kill_orphaned_pgrp: stopped members of a process group that nobody could continue are hung up. */
export function stopOrphans(target: ProcessGroup, ignoring: ThreadGroup | null, parent: ThreadGroup | null): void {
  if (parent === null || parent.processGroup === target || parent.session !== target.session) return;
  if (!target.isOrphaned(ignoring) || !target.hasStoppedMember) return;
  sendToProcessGroup(target, S.SIGHUP);
  sendToProcessGroup(target, S.SIGCONT);
}

/** The session leader has gone: the foreground group is hung up and the terminal is free. */
function endSession(group: ThreadGroup, kernel: Kernel): void {
  const session = group.session;
  session.leader = null;
  if (session.terminal === null) return;
  const foreground = kernel.pids.processGroup(session.foregroundPgid);
  session.terminal.disassociate(session);
  session.terminal = null;
  session.foregroundPgid = 0;
  if (foreground === undefined) return;
  sendToProcessGroup(foreground, S.SIGHUP);
  sendToProcessGroup(foreground, S.SIGCONT);
}

/** The first process has ended: all others are killed, as in a pid namespace. */
function endKernel(kernel: Kernel, init: ThreadGroup): void {
  kernel.exitStatus = init.exitStatus;
  kernel.scheduler.threads.recall(kernel.pids.allTasks());
  for (const task of [...kernel.pids.allTasks()]) {
    if (!task.alive) continue;
    task.cancelOp();
    exitTask(task, S.SIGKILL);
  }
  kernel.scheduler.halt();
}
