// The tail of every call and exception: exits, signals, restart decisions, the saved mask, stops
// (arch/arm64/kernel/signal.c do_signal, kernel/signal.c get_signal). Nothing else decides about restarts.

import { EINTR, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS } from "../abi/errno.ts";
import { RLIMIT_CORE } from "../abi/resource.ts";
import * as S from "../abi/signal.ts";
import { WCOREFLAG } from "../abi/wait.ts";
import { beginStop, stopTask } from "./job-control.ts";
import { BLOCKED, NO_RESULT, Wake } from "./op.ts";
import { isCoreSignal, isStopSignal, type SigAction } from "./sig-actions.ts";
import { type SigInfo, signalBit } from "./sig-info.ts";
import { buildSignalFrame } from "./signal-frame.ts";
import { type Task, TaskState, Work } from "./task.ts";
import { exitTask } from "./task-exit.ts";
import { dequeueSignal, forceSegv, killGroup, setBlocked, signalPending } from "./task-signals.ts";
import type { ThreadGroup } from "./thread-group.ts";

const NR_RESTART_SYSCALL = 128;
const INSTRUCTION_BYTES = 4;

/** Takes in the result of a call. False: the task does not go back to the guest now. */
export function finishCall(task: Task, result: number): boolean {
  while (result === BLOCKED) {
    if ((task.work & Work.exit) !== 0) break;
    if (task.state !== TaskState.blocked) return false;
    if (task.work === 0 || task.op?.killableOnly === true || !signalPending(task)) return false;
    result = task.resumeWith(Wake.signal);
  }
  if (task.state >= TaskState.zombie) return false;
  if ((task.work & (Work.call | Work.exit)) === Work.call) {
    task.work &= ~Work.call;
    if (task.trace !== null) result = task.trace.callEnds(result);
    if (task.state === TaskState.traced) return false;
  }
  if ((task.work & Work.exit) === 0 && result !== NO_RESULT && result !== BLOCKED) takeResult(task, result);
  return task.work === 0 && task.restart === 0 ? true : runWork(task);
}

/** Restart codes rewind the call at once; delivery of a signal may still turn them into EINTR. */
function takeResult(task: Task, result: number): void {
  if (!takeRestart(task, -result)) task.regs.setX(0, result);
}

/** Rewinds the call if that is a restart code. */
export function takeRestart(task: Task, code: number): boolean {
  const regs = task.regs;
  switch (code) {
    case ERESTARTSYS:
    case ERESTARTNOINTR:
    case ERESTARTNOHAND:
    case ERESTART_RESTARTBLOCK:
      task.restart = code;
      regs.i32[0] = task.origX0Lo;
      regs.i32[1] = task.origX0Hi;
      regs.pc -= INSTRUCTION_BYTES;
      return true;
    default:
      return false;
  }
}

/** All that stands between a task and the guest. */
function runWork(task: Task): boolean {
  for (;;) {
    if ((task.work & Work.exit) !== 0) {
      task.cancelOp();
      if (task.trace?.exits() === true) return false;
      exitTask(task, task.exitStatus);
      return false;
    }
    if (task.trace?.trap() === true) return false;
    if (task.stopPending) {
      stopTask(task);
      return false;
    }
    const info = dequeueSignal(task, ~task.blockedLo, ~task.blockedHi);
    if (info !== null && task.trace !== null && info.signo !== S.SIGKILL) {
      task.trace.signalStop(info);
      return false;
    }
    if (info !== null) takeSignal(task, info);
    else if (!task.stopPending && (task.work & Work.exit) === 0) break;
  }
  task.work &= ~Work.signal;
  if (task.restart !== 0) restartWithoutHandler(task);
  if ((task.work & Work.restoreMask) !== 0) {
    task.work &= ~Work.restoreMask;
    setBlocked(task, task.savedLo, task.savedHi);
    if (task.work !== 0) return runWork(task);
  }
  return true;
}

/** No handler ran: the call is repeated, timed waits through restart_syscall(2). */
function restartWithoutHandler(task: Task): void {
  if (task.restart === ERESTART_RESTARTBLOCK) task.regs.setX(8, NR_RESTART_SYSCALL);
  task.restart = 0;
}

/** Acts on a signal that was taken off the queue. */
export function takeSignal(task: Task, info: SigInfo): void {
  const signal = info.signo;
  const group = task.group;
  const action = group.actions.get(signal);
  if (action.handler === S.SIG_IGN) return;
  if (action.handler !== S.SIG_DFL) {
    deliver(task, info, action);
    return;
  }
  if (group.actions.isIgnored(signal)) return;
  if (group.unkillable && signal !== S.SIGKILL) return;
  if (isStopSignal(signal)) {
    if (signal === S.SIGSTOP || !group.processGroup.isOrphaned(null)) beginStop(group, signal);
    return;
  }
  task.kernel.hooks?.signal(task, signal);
  killGroup(group, signal, coreFlag(group, signal));
}

/** A core file is never written; the status says so unless the limit forbids cores anyway. */
export function coreFlag(group: ThreadGroup, signal: number): number {
  return isCoreSignal(signal) && group.limits.get(RLIMIT_CORE) > 0 ? WCOREFLAG : 0;
}

/** Calls a handler: the registers are left at its first instruction, in a new frame. */
function deliver(task: Task, info: SigInfo, action: SigAction): void {
  const signal = info.signo;
  restartUnderHandler(task, action);
  task.kernel.hooks?.signal(task, signal);
  const handler = action.handler;
  const flags = action.flags;
  if ((flags & S.SA_RESETHAND) !== 0) task.group.actions.resetHandler(signal);
  const restoring = (task.work & Work.restoreMask) !== 0;
  const oldLo = restoring ? task.savedLo : task.blockedLo;
  const oldHi = restoring ? task.savedHi : task.blockedHi;
  if (!buildSignalFrame(task, info, handler, action, oldLo, oldHi)) {
    forceSegv(task, signal);
    return;
  }
  task.work &= ~Work.restoreMask;
  let lo = task.blockedLo | action.maskLo;
  let hi = task.blockedHi | action.maskHi;
  if ((flags & S.SA_NODEFER) === 0) {
    if (signal <= 32) lo |= signalBit(signal);
    else hi |= signalBit(signal);
  }
  setBlocked(task, lo, hi);
  if (task.trace?.isStepping === true) task.trace.handlerStop();
}

/** The restart table of style-anchors, section 5, for a handler that is about to run. */
function restartUnderHandler(task: Task, action: SigAction): void {
  const code = task.restart;
  if (code === 0) return;
  task.restart = 0;
  const repeats = code === ERESTARTNOINTR || (code === ERESTARTSYS && (action.flags & S.SA_RESTART) !== 0);
  if (repeats) return;
  task.regs.pc += INSTRUCTION_BYTES;
  task.regs.setX(0, -EINTR);
}
