// A traced thread as its tracer holds it: the stops, what is reported of them, and how it goes on (kernel/ptrace.c; kernel/signal.c:
// ptrace_stop, do_jobctl_trap, ptrace_signal; ptrace(2)). Loaded when somebody first traces; `Task.trace` leads here.
//
// A stopped thread is parked: its state is `traced`, and its op, if any, is what it goes on with.

import { EPERM } from "../abi/errno.ts";
import * as P from "../abi/ptrace.ts";
import { CLONE_PTRACE, CLONE_UNTRACED, CLONE_VFORK } from "../abi/sched.ts";
import * as S from "../abi/signal.ts";
import { RegisterBlock as at } from "../host/shim.gen.ts";
import type { Credentials } from "../vfs/credentials.ts";
import { childInfo, leaveStop } from "./job-control.ts";
import { BLOCKED, NO_RESULT, type Op, Result, type Wake } from "./op.ts";
import { mayTrace } from "./ptrace-access.ts";
import { inMask, SigInfo } from "./sig-info.ts";
import { CallWork, type Task, TaskState, Work } from "./task.ts";
import type { CloneArgs } from "./task-clone.ts";
import { exitCode, exitValue, notifyExit, reap, reapThread } from "./task-exit.ts";
import { takeRestart, takeSignal } from "./task-run.ts";
import { forceSignal, killGroup, notifyTask, sendGroupSignal, sendSignal } from "./task-signals.ts";

/** Register that tells entry from exit while a thread is stopped at a call. */
const DIRECTION = 7;

export class Trace {
  readonly task: Task;
  readonly tracer: Task;
  readonly seized: boolean;
  /** PTRACE_O_*. */
  options: number;
  /** The tracer's when it began. */
  readonly cred: Credentials;

  /** What wait4 has not told of the stop yet; 0: nothing. */
  report = 0;
  /** PTRACE_GETEVENTMSG, and PTRACE_GETSIGINFO where the stop has one. */
  message = 0;
  info: SigInfo | null = null;
  /** PTRACE_SYSCALL_INFO_* of the stop. */
  callStop = P.PTRACE_SYSCALL_INFO_NONE as number;
  /** PTRACE_LISTEN: stopped with its process, and not to be asked. */
  listening = false;
  /** A stop of its own is due: PTRACE_INTERRUPT, a new thread, an attached one that was stopped. */
  private trapPending = false;
  /** Its process has stopped or was continued: a seized thread tells. */
  private notifyPending = false;
  /** Signal that it goes on with. */
  inject = 0;
  /** The call that it is in (NT_ARM_SYSTEM_CALL); -1: none. */
  number = -1;
  /** x7 is hidden while it stands at a call. */
  private hiddenLo = 0;
  private hiddenHi = 0;
  private exitTold = false;

  constructor(task: Task, tracer: Task, seized: boolean, options: number, cred: Credentials) {
    this.task = task;
    this.tracer = tracer;
    this.seized = seized;
    this.options = options;
    this.cred = cred;
    tracer.tracees ??= new Set();
    tracer.tracees.add(task);
    task.trace = this;
    task.kernel.watchCalls();
  }

  /** A stop is due that is no signal's. */
  get isTrapPending(): boolean {
    return this.trapPending || this.notifyPending;
  }

  /** The tracer is not of the process that waits for this one anyway (ptrace_reparented). */
  get isReparented(): boolean {
    return this.tracer.group !== this.task.group.parent;
  }

  /** It may be asked: it is stopped, for the tracer to look at. */
  get isStopped(): boolean {
    return this.task.state === TaskState.traced && !this.listening;
  }

  /** It is single-stepped. */
  get isStepping(): boolean {
    return (this.task.callWork & CallWork.step) !== 0;
  }

  private get groupStops(): boolean {
    const { group } = this.task;
    return group.stopped || group.stopCount > 0;
  }

  // --- Stops ---

  /** Parks the thread and tells the tracer. `code` is what wait4 reports. Returns BLOCKED. */
  private stop(code: number, why: number, info: SigInfo | null, then: Op | null): number {
    const { task } = this;
    task.state = TaskState.traced;
    task.work |= Work.signal;
    task.op = then;
    if (why === S.CLD_STOPPED) leaveStop(task);
    this.trapPending = false;
    if (code >> 8 === P.PTRACE_EVENT_STOP) this.notifyPending = false;
    this.info = info;
    this.report = code;
    this.inject = 0;
    this.tell(why, why === S.CLD_STOPPED ? task.group.stopSignal : code & 0x7f);
    return BLOCKED;
  }

  /** do_notify_parent_cldstop for the tracer. */
  tell(why: number, status: number): void {
    const { group } = this.tracer;
    const action = group.actions.get(S.SIGCHLD);
    if (action.handler !== S.SIG_IGN && (action.flags & S.SA_NOCLDSTOP) === 0) {
      const info = childInfo(this.task.group, why, status);
      info.words[4] = this.task.tid;
      sendGroupSignal(group, S.SIGCHLD, info);
    }
    group.childWait.wake();
  }

  /** A stop that is told by a SIGTRAP of this code (ptrace_notify). */
  private notify(code: number, why: number, message: number, then: Op | null): number {
    const { task } = this;
    this.message = message;
    this.callStop = P.PTRACE_SYSCALL_INFO_NONE;
    const info = SigInfo.from(code & 0x7f, code, task.tid, task.cred.uid);
    return this.stop(code, why, info, then);
  }

  isAsked(event: number): boolean {
    return (this.options & (1 << event)) !== 0;
  }

  /** PTRACE_EVENT_*, which has been asked for; the call goes on with `then`. */
  event(event: number, message: number, then: Op | null): number {
    return this.notify((event << 8) | S.SIGTRAP, S.CLD_TRAPPED, message, then === null ? null : new AfterEvent(then));
  }

  /** At the entry or the exit of a call. */
  stopAtCall(direction: 0 | 1, then: Op): number {
    const { regs } = this.task;
    this.hiddenLo = regs.i32[2 * DIRECTION]!;
    this.hiddenHi = regs.i32[2 * DIRECTION + 1]!;
    regs.setX(DIRECTION, direction);
    const mark = (this.options & P.PTRACE_O_TRACESYSGOOD) !== 0 ? 0x80 : 0;
    const result = this.notify(S.SIGTRAP | mark, S.CLD_TRAPPED, direction + 1, then);
    // Without the mark nobody could tell.
    if (mark !== 0) this.callStop = direction === 0 ? P.PTRACE_SYSCALL_INFO_ENTRY : P.PTRACE_SYSCALL_INFO_EXIT;
    return result;
  }

  /** Goes on from a stop at a call. What the tracer continues it with is sent. */
  leaveCallStop(): void {
    const { regs } = this.task;
    regs.i32[2 * DIRECTION] = this.hiddenLo;
    regs.i32[2 * DIRECTION + 1] = this.hiddenHi;
    const signal = this.inject;
    this.inject = 0;
    if (signal !== 0 && signal <= S.NSIG) sendSignal(this.task, signal, SigInfo.from(signal, S.SI_KERNEL, 0, 0));
  }

  /** The watched call has its result. BLOCKED when the thread stops now, else the result to be taken in. */
  callEnds(result: number): number {
    const { task } = this;
    if ((task.callWork & CallWork.trace) !== 0) {
      if (result !== NO_RESULT) task.regs.setX(0, result);
      return this.stopAtCall(1, new AfterCall(this, result !== NO_RESULT));
    }
    // A step over `svc` ends here: behind it.
    if (this.isStepping) forceSignal(task, SigInfo.from(S.SIGTRAP, S.SI_USER, 0, 0));
    return result;
  }

  /** A signal was taken off the queue: the tracer decides what becomes of it. */
  signalStop(info: SigInfo): void {
    this.callStop = P.PTRACE_SYSCALL_INFO_NONE;
    this.stop(info.signo, S.CLD_TRAPPED, info, new AfterSignal(this, info));
  }

  /** A single-stepped thread stands at the first instruction of a handler. */
  handlerStop(): void {
    this.notify(S.SIGTRAP, S.CLD_TRAPPED, 0, null);
  }

  /** Stops that come before signals: with the process, or on demand. False: none is due. */
  trap(): boolean {
    const { task } = this;
    if (!task.stopPending && !this.isTrapPending) return false;
    const { stopSignal } = task.group;
    if (this.seized) {
      const signal = this.groupStops && stopSignal !== 0 ? stopSignal : S.SIGTRAP;
      this.notify(signal | (P.PTRACE_EVENT_STOP << 8), S.CLD_STOPPED, 0, null);
    } else {
      this.stop(stopSignal === 0 ? S.SIGSTOP : stopSignal, S.CLD_STOPPED, null, null);
    }
    return true;
  }

  /** PTRACE_EVENT_EXIT, once. False: nobody asked for it. */
  exits(): boolean {
    if (this.exitTold || !this.isAsked(P.PTRACE_EVENT_EXIT)) return false;
    this.exitTold = true;
    this.event(P.PTRACE_EVENT_EXIT, this.task.exitStatus, null);
    return true;
  }

  /** execve has succeeded. What the call returns. */
  execs(oldTid: number): number {
    const { task } = this;
    if (this.isAsked(P.PTRACE_EVENT_EXEC)) return this.event(P.PTRACE_EVENT_EXEC, oldTid, new Result(NO_RESULT));
    if (!this.seized) sendSignal(task, S.SIGTRAP, SigInfo.from(S.SIGTRAP, S.SI_USER, task.tgid, task.cred.uid));
    return NO_RESULT;
  }

  /** Which event a clone is, or 0 when it is not to be told. */
  cloneEvent(args: CloneArgs): number {
    if ((args.flags & CLONE_UNTRACED) !== 0) return 0;
    let event = args.exitSignal === S.SIGCHLD ? P.PTRACE_EVENT_FORK : P.PTRACE_EVENT_CLONE;
    if ((args.flags & CLONE_VFORK) !== 0) event = P.PTRACE_EVENT_VFORK;
    return this.isAsked(event) ? event : 0;
  }

  /** A new thread or process begins traced when its birth is told, or when its maker wants it so. */
  adopt(child: Task, args: CloneArgs): void {
    if ((args.flags & CLONE_PTRACE) === 0 && this.cloneEvent(args) === 0) return;
    const trace = new Trace(child, this.tracer, this.seized, this.options, this.cred);
    child.work |= Work.signal;
    if (this.seized) trace.trapPending = true;
    else child.pending.mark(S.SIGSTOP);
  }

  // --- What the tracer does ---

  /** Lets it go on, with a signal or 0. */
  resume(signal: number): void {
    this.inject = signal;
    this.report = 0;
    this.info = null;
    this.task.setRunnable();
  }

  /** How calls and instructions are watched from now on: bits of CallWork. */
  watch(bits: number): void {
    const { task } = this;
    task.setCallWork((task.callWork & CallWork.filter) | bits);
    task.regs.u32[at.single_step >> 2] = (bits & CallWork.step) !== 0 ? 1 : 0;
  }

  /** PTRACE_INTERRUPT, and the stop of a thread that was stopped already when it was attached to. */
  interrupt(): void {
    this.trapPending = true;
    this.prod();
  }

  /** The job control state of the process has changed: a seized thread stops to tell. */
  stateChanged(): void {
    this.notifyPending = true;
    this.prod();
  }

  private prod(): void {
    const { task } = this;
    if (task.state === TaskState.stopped || (task.state === TaskState.traced && this.listening)) {
      this.listening = false;
      task.work |= Work.signal;
      task.setRunnable();
    } else {
      notifyTask(task);
    }
  }

  /** PTRACE_LISTEN. False: it is in no such stop. */
  listen(): boolean {
    if (!this.seized || (this.info?.code ?? 0) >> 8 !== P.PTRACE_EVENT_STOP) return false;
    this.listening = true;
    if (this.notifyPending) this.prod();
    return true;
  }

  /** Ends the tracing: PTRACE_DETACH with its signal, or the tracer's death with none. */
  detach(signal = -1): void {
    const { task } = this;
    const wasStopped = task.state === TaskState.traced;
    const unreported = this.report <= S.NSIG ? this.report : 0;
    this.unlink();
    if (!task.alive) {
      this.leaveZombie();
      return;
    }
    if (this.groupStops && (task.work & Work.exit) === 0 && !task.stopPending) {
      task.stopPending = true;
      task.group.stopCount += 1;
      notifyTask(task);
    }
    if (wasStopped) this.resume(signal < 0 ? unreported : signal);
  }

  /** The tracer ends: the thread is free, or dies if that was asked for (exit_ptrace). */
  tracerExits(): void {
    if ((this.options & P.PTRACE_O_EXITKILL) !== 0 && this.task.alive) killGroup(this.task.group, S.SIGKILL);
    this.detach();
  }

  /** From here on nobody traces it. */
  unlink(): void {
    const { task } = this;
    this.tracer.tracees?.delete(task);
    task.trace = null;
    if (task.alive) this.watch(0);
  }

  // --- Its end ---

  /** It has exited: the tracer is told, and waits for the zombie. */
  exited(status: number): void {
    const info = childInfo(this.task.group, exitCode(status), exitValue(status));
    info.words[4] = this.task.tid;
    sendGroupSignal(this.tracer.group, S.SIGCHLD, info);
    this.tracer.group.childWait.wake();
  }

  /** The tracer has waited for the zombie, of a process that another waits for or of a thread. */
  collected(): void {
    this.unlink();
    this.leaveZombie();
  }

  /** Nobody traces the zombie any more. */
  leaveZombie(): void {
    const { task } = this;
    const { group } = task;
    if (task !== group.leader) reapThread(task);
    else if (group.exited && notifyExit(group)) reap(group);
  }
}

/** The rest of a call that an event has interrupted. */
class AfterEvent implements Op {
  private readonly rest: Op;

  constructor(rest: Op) {
    this.rest = rest;
  }

  resume(task: Task, wake: Wake): number {
    if ((task.callWork & (CallWork.trace | CallWork.step)) !== 0) task.work |= Work.call;
    return this.rest.resume(task, wake);
  }

  cancel(task: Task): void {
    this.rest.cancel?.(task);
  }
}

/** Goes on from the exit of a call: with the result that the registers have now. */
class AfterCall implements Op {
  private readonly trace: Trace;
  private readonly restarts: boolean;

  constructor(trace: Trace, restarts: boolean) {
    this.trace = trace;
    this.restarts = restarts;
  }

  resume(task: Task): number {
    this.trace.leaveCallStop();
    this.trace.number = -1;
    if (this.restarts && task.regs.i32[1] === -1) takeRestart(task, -task.regs.i32[0]!);
    return NO_RESULT;
  }
}

/** Goes on with a signal: none, the same, or another. */
class AfterSignal implements Op {
  private readonly trace: Trace;
  private info: SigInfo;

  constructor(trace: Trace, info: SigInfo) {
    this.trace = trace;
    this.info = info;
  }

  resume(task: Task): number {
    const signal = this.trace.inject;
    this.trace.inject = 0;
    if (signal === 0 || signal > S.NSIG) return NO_RESULT;
    if (signal !== this.info.signo) {
      const { tracer, cred } = this.trace;
      this.info = SigInfo.from(signal, S.SI_USER, tracer.tid, cred.uid);
    }
    if (inMask(task.blockedLo, task.blockedHi, signal)) {
      if (!task.pending.has(signal) || signal >= S.SIGRTMIN) task.pending.add(this.info);
      return NO_RESULT;
    }
    takeSignal(task, this.info);
    return task.state === TaskState.traced ? BLOCKED : NO_RESULT;
  }
}

/** PTRACE_TRACEME. */
export function traceMe(task: Task): number {
  const tracer = task.group.parentTask;
  if (task.trace !== null || tracer === null || !tracer.alive) return -EPERM;
  new Trace(task, tracer, false, 0, tracer.cred);
  return 0;
}

/** PTRACE_ATTACH and PTRACE_SEIZE. */
export function attach(tracer: Task, target: Task, seized: boolean, options: number): number {
  if (target.group === tracer.group || !mayTrace(tracer, target)) return -EPERM;
  if (!target.alive || (target.work & Work.exit) !== 0 || target.trace !== null) return -EPERM;
  const trace = new Trace(target, tracer, seized, options, tracer.cred);
  if (!seized) sendSignal(target, S.SIGSTOP, SigInfo.from(S.SIGSTOP, S.SI_KERNEL, 0, 0));
  if (target.state === TaskState.stopped) trace.interrupt();
  return 0;
}
