// Sending signals, and taking them off the queues (kernel/signal.c).

import { EAGAIN } from "../abi/errno.ts";
import { POLLIN } from "../abi/poll.ts";
import { RLIMIT_SIGPENDING } from "../abi/resource.ts";
import * as S from "../abi/signal.ts";
import { continueGroup, flushStops } from "./job-control.ts";
import type { Kernel } from "./kernel.ts";
import type { ProcessGroup } from "./process-group.ts";
import { isCoreSignal, isStopSignal } from "./sig-actions.ts";
import { inMask, type PendingQueue, SigInfo, signalBit } from "./sig-info.ts";
import { type Task, TaskState, Work } from "./task.ts";
import type { ThreadGroup } from "./thread-group.ts";

const CONT_BIT = signalBit(S.SIGCONT);
/** SIGKILL and SIGSTOP: never blocked. */
export const UNBLOCKABLE = signalBit(S.SIGKILL) | signalBit(S.SIGSTOP);

function fromKernel(signal: number): SigInfo {
  return SigInfo.from(signal, S.SI_KERNEL, 0, 0);
}

/** Sends to one thread. 0, or -EAGAIN when a real-time signal's information cannot be queued. */
export function sendSignal(task: Task, signal: number, info: SigInfo = fromKernel(signal)): number {
  return post(task.group, task, signal, info, true);
}

/** Sends to a process: any thread that does not block the signal takes it. */
export function sendGroupSignal(
  group: ThreadGroup,
  signal: number,
  info: SigInfo = fromKernel(signal),
  first: Task = group.leader,
): number {
  return post(group, first, signal, info, false);
}

/** Sends to every member of a process group. */
export function sendToProcessGroup(target: ProcessGroup, signal: number, info?: SigInfo): void {
  for (const group of [...target.members]) sendGroupSignal(group, signal, info);
}

function post(group: ThreadGroup, target: Task, signal: number, info: SigInfo, toThread: boolean): number {
  if (group.command !== null)
    return isPassedOn(signal) ? post(group.command, group.command.leader, signal, info, false) : 0;
  if (group.exited || group.groupExitStatus >= 0) {
    if (signal === S.SIGKILL) for (const task of group.tasks) if (task.state === TaskState.traced) task.setRunnable();
    return 0;
  }
  if (isStopSignal(signal)) flushStops(group, CONT_BIT);
  else if (signal === S.SIGCONT) continueGroup(group);
  if (isIgnored(target, signal, info)) return 0;
  const queue = toThread ? target.pending : group.pending;
  if (signal >= S.SIGRTMIN || info.timer !== null || !queue.has(signal)) {
    if (!enqueue(group, queue, signal, info)) return -EAGAIN;
  }
  group.signalWait.wake(POLLIN);
  const taker = chooseTask(group, target, signal, toThread);
  if (taker === null) return 0;
  if (isFatal(taker, signal)) killGroup(group, signal);
  else notifyTask(taker);
  return 0;
}

/** What a minimal init hands to its command; the others are its own, and do nothing to it (tini.c: configure_signals). */
function isPassedOn(signal: number): boolean {
  return !KEPT_BY_INIT.includes(signal);
}

const KEPT_BY_INIT = [
  S.SIGCHLD,
  S.SIGKILL,
  S.SIGSTOP,
  S.SIGFPE,
  S.SIGILL,
  S.SIGSEGV,
  S.SIGBUS,
  S.SIGABRT,
  S.SIGTRAP,
  S.SIGSYS,
  S.SIGTTIN,
  S.SIGTTOU,
];

/** False when the queue is full and the sender has to know. */
function enqueue(group: ThreadGroup, queue: PendingQueue, signal: number, info: SigInfo): boolean {
  const limit = group.limits.get(RLIMIT_SIGPENDING);
  if (signal < S.SIGRTMIN || info.timer !== null || queue.count < limit) {
    queue.add(info);
    return true;
  }
  if (info.code === S.SI_QUEUE || info.code === S.SI_MESGQ || info.code === S.SI_ASYNCIO) return false;
  queue.mark(signal);
  return true;
}

/** Whether delivery would do nothing; blocked signals are kept, because the action may change. */
function isIgnored(task: Task, signal: number, info: SigInfo): boolean {
  const lo = task.blockedLo | task.realBlockedLo;
  if (inMask(lo, task.blockedHi | task.realBlockedHi, signal)) return false;
  if (task.trace !== null && signal !== S.SIGKILL) return false;
  if (protectsInit(task.group, signal) && info.code !== S.SI_KERNEL) return true;
  return task.group.actions.isIgnored(signal);
}

/** The first process of a container survives signals that it does not handle, when the container says so. */
function protectsInit(group: ThreadGroup, signal: number): boolean {
  return group.unkillable && group.actions.get(signal).handler === S.SIG_DFL;
}

/** The thread to be told: the target if it wants the signal, else, for a process, any other that does. */
function chooseTask(group: ThreadGroup, target: Task, signal: number, toThread: boolean): Task | null {
  if (wants(target, signal)) return target;
  if (toThread) return null;
  for (const task of group.tasks) if (wants(task, signal)) return task;
  return null;
}

function wants(task: Task, signal: number): boolean {
  if (!task.alive || (task.work & Work.exit) !== 0) return false;
  if (inMask(task.blockedLo, task.blockedHi, signal)) return false;
  if (signal === S.SIGKILL) return true;
  return task.state !== TaskState.stopped && task.state !== TaskState.traced;
}

/** Ends the process without running it: default action, no core file to write. */
function isFatal(task: Task, signal: number): boolean {
  if (signal === S.SIGKILL) return true;
  if (task.trace !== null) return false;
  if (task.group.actions.get(signal).handler !== S.SIG_DFL || isCoreSignal(signal)) return false;
  if (inMask(task.realBlockedLo, task.realBlockedHi, signal)) return false;
  return !isStopSignal(signal) && !task.group.actions.isIgnored(signal) && !task.group.unkillable;
}

/** Makes the thread look at its signals before guest code runs again. */
export function notifyTask(task: Task): void {
  task.work |= Work.signal;
  task.interrupt();
  task.kernel.scheduler.threads.kick(task);
}

/** The whole process is to end with the status of death by `signal`. */
export function killGroup(group: ThreadGroup, signal: number, coreFlag = 0): void {
  endGroup(group, signal | coreFlag);
}

/** exit_group: every thread ends; `status` is the status word for wait4. */
export function endGroup(group: ThreadGroup, status: number): void {
  if (group.groupExitStatus >= 0) return;
  group.groupExitStatus = status;
  group.stopCount = 0;
  for (const task of group.tasks) endTask(task, status);
}

/** The thread ends as soon as it would run. */
export function endTask(task: Task, status: number): void {
  if (!task.alive || (task.work & Work.exit) !== 0) return;
  task.stopPending = false;
  task.exitStatus = status;
  task.work |= Work.exit;
  if (task.state !== TaskState.runnable) task.setRunnable();
  task.kernel.scheduler.threads.kick(task);
}

/** A signal that the running instruction or call has caused: blocking or ignoring it ends the process. */
export function forceSignal(task: Task, info: SigInfo): void {
  const signal = info.signo;
  let action = task.group.actions.get(signal);
  const blocked = inMask(task.blockedLo, task.blockedHi, signal);
  if (blocked || action.handler === S.SIG_IGN) {
    action = task.group.actions.resetHandler(signal);
    if (signal <= 32) task.blockedLo &= ~signalBit(signal);
    else task.blockedHi &= ~signalBit(signal);
  }
  // A traced one goes on as its tracer likes.
  if (action.handler === S.SIG_DFL && task.trace === null) task.group.unkillable = false;
  if (!task.pending.has(signal)) task.pending.add(info);
  if (signal === S.SIGKILL) killGroup(task.group, signal);
  else notifyTask(task);
}

/** A signal frame could not be used: SIGSEGV, which is fatal when it is the frame of SIGSEGV itself. */
export function forceSegv(task: Task, failedSignal: number, info = fromKernel(S.SIGSEGV)): void {
  if (failedSignal === S.SIGSEGV) task.group.actions.resetHandler(S.SIGSEGV);
  forceSignal(task, info);
}

/** Whether a signal that is not blocked, or a stop, waits for the task. */
export function signalPending(task: Task): boolean {
  if (task.stopPending || (task.work & Work.exit) !== 0) return true;
  if (task.trace?.isTrapPending === true) return true;
  const shared = task.group.pending;
  const lo = (task.pending.lo | shared.lo) & ~task.blockedLo;
  return (lo | ((task.pending.hi | shared.hi) & ~task.blockedHi)) !== 0;
}

/** Takes the next signal in the mask, the thread's own first; null when there is none. */
export function dequeueSignal(task: Task, lo: number, hi: number): SigInfo | null {
  let queue = task.pending;
  let signal = queue.next(lo, hi);
  if (signal === 0) {
    queue = task.group.pending;
    signal = queue.next(lo, hi);
  }
  if (signal === 0) return null;
  const info = queue.take(signal);
  info.timer?.dequeued(info);
  return info;
}

/** Sets the blocked mask, and lets others take what this thread will not any more. */
export function setBlocked(task: Task, lo: number, hi: number): void {
  const before = task.blockedLo;
  const beforeHigh = task.blockedHi;
  task.blockedLo = lo & ~UNBLOCKABLE;
  task.blockedHi = hi | 0;
  if (signalPending(task)) task.work |= Work.signal;
  const shared = task.group.pending;
  const newlyLo = shared.lo & task.blockedLo & ~before;
  const newlyHi = shared.hi & task.blockedHi & ~beforeHigh;
  if ((newlyLo | newlyHi) !== 0) retarget(task, newlyLo, newlyHi);
}

/** Shared signals in the mask that `task` blocks or leaves behind go to its siblings. */
export function retarget(task: Task, lo: number, hi: number): void {
  for (const other of task.group.tasks) {
    if (other === task || !other.alive) continue;
    if (((lo & ~other.blockedLo) | (hi & ~other.blockedHi)) !== 0) notifyTask(other);
  }
}

/** SIGINT and friends sent to carrick: for the process group of the first process. */
export function sendHostSignals(kernel: Kernel, lo: number, hi: number): void {
  const init = kernel.init;
  if (init === null || init.exited) return;
  const foreground = kernel.pids.processGroup(init.session.foregroundPgid) ?? init.processGroup;
  for (let signal = 1; signal <= S.NSIG; signal++) {
    if (inMask(lo, hi, signal)) sendToProcessGroup(foreground, signal);
  }
}
