// A process: what its threads share besides memory, files and directories (struct signal_struct).

import { SIGCHLD } from "../abi/signal.ts";
import { WaitQueue } from "../lib/wait-queue.ts";
import type { Limits } from "./limits.ts";
import type { ProcessGroup, Session } from "./process-group.ts";
import type { SigActions } from "./sig-actions.ts";
import { PendingQueue } from "./sig-info.ts";
import type { Task } from "./task.ts";
import type { CpuLimitTimer, IntervalTimer, PosixTimer } from "./timer-signals.ts";
import { Usage } from "./usage.ts";

function timerSignals(): typeof import("./timer-signals.ts") {
  return require("./timer-signals.ts");
}

export class ThreadGroup {
  readonly tgid: number;
  /** The thread whose tid is the tgid. It stays, as a zombie, until the whole group is reaped. */
  leader: Task;
  /** Threads that have not exited, in the order of their creation. */
  readonly tasks: Task[] = [];
  /** Who waits for it: the creator, or whom it was given to. null for the first process of the kernel. */
  parent: ThreadGroup | null;
  /** The thread of `parent` that made it: PR_SET_PDEATHSIG and __WNOTHREAD. */
  parentTask: Task | null;
  /** Its parent has died and the first process has taken it over, which does no job control for it. */
  adopted = false;
  readonly children = new Set<ThreadGroup>();
  /** Set by Pids. */
  processGroup!: ProcessGroup;
  limits: Limits;
  actions: SigActions;

  /** Signals sent to the process as a whole. */
  readonly pending = new PendingQueue();
  /** Woken when a signal becomes pending for the group or one of its tasks: signalfd, sigtimedwait. */
  readonly signalWait = new WaitQueue();
  /** Woken when a child changes state: wait4. */
  readonly childWait = new WaitQueue();
  /** Woken when the group has become a zombie, and when it is reaped: pidfd poll. */
  readonly exitWait = new WaitQueue();

  /** The signal that the parent gets at exit; 0 for none. */
  exitSignal = SIGCHLD;
  /** Whether it has called execve since it was forked (setpgid). */
  hasExeced = false;

  /** Status word of exit_group or the killing signal, once all threads have to go; -1 before. */
  groupExitStatus = -1;
  /** Status word for wait4, once the leader is a zombie and no thread is left. */
  exitStatus = 0;
  /** Threads that have exited and that their tracers have to wait for. */
  zombieThreads = 0;
  /** All threads are gone; the group waits to be reaped. */
  exited = false;
  /** Somebody has waited for it. */
  reaped = false;

  /** Job control: every thread is stopped. */
  stopped = false;
  /** The stop signal while stopping or stopped; 0 otherwise. */
  stopSignal = 0;
  /** Threads that still have to stop. */
  stopCount = 0;
  /** wait4 has not reported the stop or the continuation yet. */
  stopReport = false;
  continueReport = false;

  isInit = false;
  /** Signals whose action is the default do nothing to it, as to the first process of a pid namespace. */
  unkillable = false;
  /** Of a first process without a program: what it watches over (kernel/minimal-init.ts). */
  command: ThreadGroup | null = null;
  /** Semaphore sets that its end changes (SEM_UNDO). */
  semaphoreUndos: Set<{ groupEnded(group: ThreadGroup): void }> | null = null;
  /** PR_SET_DUMPABLE: 0, 1 or 2. */
  dumpable = 1;
  oomScoreAdj = 0;
  /** What a core dump would hold (core(5)); remembered, for there are none. */
  coredumpFilter = 0x33;
  /** PR_SET_THP_DISABLE. */
  thpDisabled = false;
  /** Commands of membarrier(2) that it has registered for. */
  membarriers = 0;
  /** PR_SET_CHILD_SUBREAPER. */
  isSubreaper = false;
  /** Usage of exited threads, and of reaped children. */
  readonly usage = new Usage();
  readonly childrenUsage = new Usage();
  readonly startNs: number;
  private cpuLimit: CpuLimitTimer | null = null;
  private readonly intervalTimers: (IntervalTimer | undefined)[] = [];
  /** timer_create(2), by id. */
  readonly posixTimers = new Map<number, PosixTimer>();
  nextTimerId = 0;

  constructor(leader: Task, parent: ThreadGroup | null, limits: Limits, actions: SigActions, startNs: number) {
    this.tgid = leader.tid;
    this.leader = leader;
    this.parent = parent;
    this.parentTask = null;
    this.limits = limits;
    this.actions = actions;
    this.startNs = startNs;
  }

  get pgid(): number {
    return this.processGroup.pgid;
  }

  get session(): Session {
    return this.processGroup.session;
  }

  get sid(): number {
    return this.processGroup.session.sid;
  }

  /** The timer of setitimer(2); made when it is first asked for. */
  intervalTimer(which: number): IntervalTimer {
    this.intervalTimers[which] ??= new (timerSignals().IntervalTimer)(this, which);
    return this.intervalTimers[which];
  }

  /** RLIMIT_CPU has changed: SIGXCPU at the soft limit and every second after it, SIGKILL at the hard one. */
  watchCpuLimit(): void {
    this.cpuLimit ??= new (timerSignals().CpuLimitTimer)(this);
    this.cpuLimit.watch();
  }

  /** exit: no timer of the process fires any more. */
  releaseTimers(): void {
    for (const timer of this.intervalTimers) timer?.disarm();
    this.cpuLimit?.disarm();
    this.releasePosixTimers();
  }

  /** execve: POSIX timers end, itimers go on. */
  releasePosixTimers(): void {
    for (const timer of this.posixTimers.values()) timer.reset();
    this.posixTimers.clear();
  }

  /** CPU time of all threads, living and gone. A fresh object. */
  totalUsage(): Usage {
    const total = new Usage();
    total.add(this.usage);
    for (const task of this.tasks) total.add(task.usage);
    return total;
  }
}
