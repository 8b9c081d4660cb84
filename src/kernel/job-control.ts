// Stopping and continuing processes (kernel/signal.c: do_signal_stop, prepare_signal; job control of POSIX).

import * as S from "../abi/signal.ts";
import { USER_HZ } from "../abi/time.ts";
import { SigInfo, signalBits } from "./sig-info.ts";
import { type Task, TaskState } from "./task.ts";
import { notifyTask, sendGroupSignal } from "./task-signals.ts";
import type { ThreadGroup } from "./thread-group.ts";

const STOP_BITS = signalBits(S.SIGSTOP, S.SIGTSTP, S.SIGTTIN, S.SIGTTOU);

/** Drops pending signals of the whole process: a stop cancels a pending SIGCONT and the other way round. */
export function flushStops(group: ThreadGroup, bits: number): void {
  group.pending.flush(bits, 0);
  for (const task of group.tasks) task.pending.flush(bits, 0);
}

/** SIGCONT was sent: whatever the process makes of the signal, it runs again. */
export function continueGroup(group: ThreadGroup): void {
  flushStops(group, STOP_BITS);
  const wasStopping = group.stopped || group.stopCount > 0;
  const wasStopped = group.stopped;
  group.stopped = false;
  group.stopCount = 0;
  group.stopSignal = 0;
  group.stopReport = false;
  for (const task of group.tasks) {
    task.stopPending = false;
    if (task.trace?.seized === true) task.trace.stateChanged();
    else if (task.state === TaskState.stopped) task.setRunnable();
  }
  if (!wasStopping) return;
  group.continueReport = wasStopped;
  notifyParent(group, S.CLD_CONTINUED, S.SIGCONT);
  const { trace } = group.leader;
  if (trace !== null && trace.isReparented) trace.tell(S.CLD_CONTINUED, S.SIGCONT);
}

/** The default action of a stop signal: every thread stops at its next tail. */
export function beginStop(group: ThreadGroup, signal: number): void {
  if (group.stopCount > 0 || group.groupExitStatus >= 0) return;
  if (!group.stopped) group.stopSignal = signal;
  for (const task of group.tasks) {
    if (task.state === TaskState.stopped || task.stopPending) continue;
    task.stopPending = true;
    group.stopCount += 1;
    if (task.trace?.seized === true) task.trace.stateChanged();
    else notifyTask(task);
  }
}

/** The thread takes part in the stop. */
export function stopTask(task: Task): void {
  task.state = TaskState.stopped;
  leaveStop(task);
}

/** The thread has stopped or exits: the last one to do so makes the process a stopped one. */
export function leaveStop(task: Task): void {
  if (!task.stopPending) return;
  task.stopPending = false;
  const group = task.group;
  group.stopCount -= 1;
  if (group.stopCount > 0 || group.stopped) return;
  if (!group.tasks.some((other) => other.state === TaskState.stopped || other.state === TaskState.traced)) return;
  group.stopped = true;
  group.stopReport = true;
  group.continueReport = false;
  // A parent that traces is told of the thread's own stop.
  if (task.trace === null || task.trace.isReparented) notifyParent(group, S.CLD_STOPPED, group.stopSignal);
}

/** do_notify_parent_cldstop: SIGCHLD unless the parent does not care for stops, and a wake of wait4. */
function notifyParent(group: ThreadGroup, code: number, status: number): void {
  const parent = group.parent;
  if (parent === null) {
    if (code === S.CLD_STOPPED && group.isInit) group.leader.kernel.outside?.stopped(group.stopSignal);
    return;
  }
  const action = parent.actions.get(S.SIGCHLD);
  if (action.handler !== S.SIG_IGN && (action.flags & S.SA_NOCLDSTOP) === 0) {
    sendGroupSignal(parent, S.SIGCHLD, childInfo(group, code, status));
  }
  parent.childWait.wake();
}

/** The siginfo of SIGCHLD about `group`. */
export function childInfo(group: ThreadGroup, code: number, status: number): SigInfo {
  const usage = group.totalUsage();
  const ticks = 1e9 / USER_HZ;
  const uid = group.leader.cred.uid;
  return SigInfo.child(
    code,
    group.tgid,
    uid,
    status,
    Math.floor(usage.utimeNs / ticks),
    Math.floor(usage.stimeNs / ticks),
  );
}
