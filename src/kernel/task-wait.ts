// Waiting for children: the common part of wait4(2) and waitid(2) (kernel/exit.c do_wait).

import { ECHILD, ERESTARTSYS } from "../abi/errno.ts";
import * as S from "../abi/signal.ts";
import * as W from "../abi/wait.ts";
import { type Op, Wake } from "./op.ts";
import type { Task } from "./task.ts";
import { exitCode, exitValue, reap } from "./task-exit.ts";
import type { ThreadGroup } from "./thread-group.ts";
import type { Usage } from "./usage.ts";

/** Which children, and which of their changes. */
export interface WaitFor {
  /** P_ALL, P_PID, P_PGID. */
  readonly which: number;
  readonly id: number;
  readonly options: number;
}

/** What a wait has found. */
export interface ChildEvent {
  pid: number;
  uid: number;
  /** CLD_* and si_status, for waitid. */
  code: number;
  value: number;
  /** The status word, for wait4. */
  status: number;
  usage: Usage;
}

/** Writes the event, or null for "nothing yet" under WNOHANG, to guest memory. Returns the call's result. */
export type Report = (task: Task, event: ChildEvent | null) => number;

export function waitForChild(task: Task, wanted: WaitFor, report: Report): number {
  return attempt(task, new WaitOp(wanted, report));
}

class WaitOp implements Op {
  readonly wanted: WaitFor;
  readonly report: Report;

  constructor(wanted: WaitFor, report: Report) {
    this.wanted = wanted;
    this.report = report;
  }

  resume(task: Task, wake: Wake): number {
    return wake === Wake.signal ? -ERESTARTSYS : attempt(task, this);
  }
}

function attempt(task: Task, op: WaitOp): number {
  const found = findEvent(task, op.wanted);
  if (typeof found === "object") return op.report(task, found);
  if (found < 0) return found;
  if ((op.wanted.options & W.WNOHANG) !== 0) return op.report(task, null);
  return task.block(op, task.group.childWait);
}

/** An event, 0 when eligible children have none, or -ECHILD. */
function findEvent(task: Task, wanted: WaitFor): ChildEvent | number {
  let eligible = false;
  for (const child of task.group.children) {
    if (!isEligible(task, child, wanted)) continue;
    eligible = true;
    const event = takeEvent(task, child, wanted.options);
    if (event !== null) return event;
  }
  for (const tracer of (wanted.options & W.__WNOTHREAD) !== 0 ? [task] : task.group.tasks) {
    if (tracer.tracees === null) continue;
    for (const tracee of tracer.tracees) {
      if (!isNamed(tracee, wanted)) continue;
      eligible = true;
      const event = takeTraced(tracee, wanted.options);
      if (event !== null) return event;
    }
  }
  return eligible ? 0 : -ECHILD;
}

function isNamed(tracee: Task, wanted: WaitFor): boolean {
  if (wanted.which === W.P_PID) return tracee.tid === wanted.id;
  return wanted.which !== W.P_PGID || tracee.group.pgid === wanted.id;
}

function isEligible(task: Task, child: ThreadGroup, wanted: WaitFor): boolean {
  if (wanted.which === W.P_PID && child.tgid !== wanted.id) return false;
  if (wanted.which === W.P_PGID && child.pgid !== wanted.id) return false;
  const { options } = wanted;
  if ((options & W.__WNOTHREAD) !== 0 && child.parentTask !== task) return false;
  if ((options & W.__WALL) !== 0 || child.leader.trace?.isReparented === false) return true;
  return (child.exitSignal !== S.SIGCHLD) === ((options & W.__WCLONE) !== 0);
}

function takeEvent(task: Task, child: ThreadGroup, options: number): ChildEvent | null {
  const { trace } = child.leader;
  if (trace !== null && trace.tracer.group === task.group) return takeTraced(child.leader, options);
  const keep = (options & W.WNOWAIT) !== 0;
  if (child.exited) {
    // The tracer comes first.
    if (trace !== null) return null;
    if ((options & W.WEXITED) === 0) return null;
    const event = describe(child, exitCode(child.exitStatus), exitValue(child.exitStatus), child.exitStatus);
    if (!keep) collect(child, event.usage);
    return event;
  }
  if (child.stopReport && (options & W.WUNTRACED) !== 0) {
    if (!keep) child.stopReport = false;
    return describe(child, S.CLD_STOPPED, child.stopSignal, W.stoppedStatus(child.stopSignal));
  }
  if (child.continueReport && (options & W.WCONTINUED) !== 0) {
    if (!keep) child.continueReport = false;
    return describe(child, S.CLD_CONTINUED, S.SIGCONT, W.CONTINUED_STATUS);
  }
  return null;
}

/** What the tracer of a thread waits for: its stops, and its end. */
function takeTraced(tracee: Task, options: number): ChildEvent | null {
  const { group } = tracee;
  const trace = tracee.trace!;
  const keep = (options & W.WNOWAIT) !== 0;
  if (!tracee.alive) {
    const isLeader = tracee === group.leader;
    if ((options & W.WEXITED) === 0 || (isLeader && !group.exited)) return null;
    const status = isLeader ? group.exitStatus : group.groupExitStatus >= 0 ? group.groupExitStatus : tracee.exitStatus;
    const event = { ...describe(group, exitCode(status), exitValue(status), status), pid: tracee.tid };
    if (keep) return event;
    if (isLeader && !trace.isReparented) collect(group, event.usage);
    else trace.collected();
    return event;
  }
  if (trace.isStopped && trace.report !== 0) {
    const code = trace.report;
    if (!keep) trace.report = 0;
    return { ...describe(group, S.CLD_TRAPPED, code, W.stoppedStatus(code)), pid: tracee.tid };
  }
  if (group.continueReport && (options & W.WCONTINUED) !== 0) {
    if (!keep) group.continueReport = false;
    return { ...describe(group, S.CLD_CONTINUED, S.SIGCONT, W.CONTINUED_STATUS), pid: tracee.tid };
  }
  return null;
}

function describe(child: ThreadGroup, code: number, value: number, status: number): ChildEvent {
  const usage = child.totalUsage();
  usage.add(child.childrenUsage);
  return { pid: child.tgid, uid: child.leader.cred.uid, code, value, status, usage };
}

function collect(child: ThreadGroup, usage: Usage): void {
  child.parent?.childrenUsage.add(usage);
  reap(child);
}
