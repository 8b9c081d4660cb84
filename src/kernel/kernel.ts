// The kernel of one container: everything that its tasks share, and everything that it is given from outside.
// Clock, random source, host poller and CPU are constructor arguments, so that a run can be repeated.

import type { Cpu } from "../cpu/cpu.ts";
import { Registers } from "../cpu/registers.ts";
import type { HostPoller } from "../host/poller.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import type { Clock } from "./clock.ts";
import type { TaskFs } from "./fs-context.ts";
import { FutexTable } from "./futex-table.ts";
import { Limits } from "./limits.ts";
import { Pids } from "./pids.ts";
import type { RandomSource } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { SigActions } from "./sig-actions.ts";
import { Task } from "./task.ts";
import type { ExecImage, ExecRequest } from "./task-exec.ts";
import { sendHostSignals } from "./task-signals.ts";
import { ThreadGroup } from "./thread-group.ts";
import type { CpuTimer } from "./timer-signals.ts";
import { TimerHeap } from "./timers.ts";

export interface KernelOptions {
  cpu: Cpu;
  clock: Clock;
  random: RandomSource;
  poller: HostPoller;
  /** CPUs that guests see and that affinity masks may name. */
  cpuCount: number;
  /** Threads besides the kernel's own that may run guest code. */
  cpuThreads: number;
  hostname: string;
  /** Guests reach no network but each other's loopback. */
  isolated: boolean;
  /** Executes the system call in the task's registers: a result, -errno, a restart code, BLOCKED or NO_RESULT. */
  dispatch: (task: Task) => number;
  /** Opens and reads a program into a fresh address space; the task is not touched. */
  load: (task: Task, request: ExecRequest) => ExecImage | number;
}

/** Called by the run loop for tracing; null when nobody listens. */
export interface KernelHooks {
  /** A call that had blocked has ended with `result`. */
  resumed(task: Task, result: number): void;
  /** A signal is delivered: to a handler, or as the end of the process. */
  signal(task: Task, signal: number): void;
  exited(task: Task, status: number): void;
}

/** Who is the parent of the first process. */
export interface Outside {
  /** Whether it would continue the first process after a stop, as a shell does. */
  continues(): boolean;
  /** The first process has stopped, by this signal: nobody in here can continue it. */
  stopped(signal: number): void;
}

export class Kernel {
  readonly cpu: Cpu;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly poller: HostPoller;
  readonly cpuCount: number;
  readonly isolated: boolean;
  dispatch: (task: Task) => number;
  readonly load: (task: Task, request: ExecRequest) => ExecImage | number;
  hooks: KernelHooks | null = null;
  /** Somebody counts or shows the calls, so that every one of them has to come here. */
  isObserved = false;
  outside: Outside | null = null;
  private callsWatched = false;
  /** Logins so far. */
  auditSessions = 0;

  hostname: string;
  domainname = "(none)";
  /** Set by the container before the first task. */
  mounts!: MountTable;

  readonly timers = new TimerHeap();
  /** Armed timers on CPU clocks: looked at whenever time is accounted. */
  readonly cpuTimers = new Set<CpuTimer>();
  readonly pids = new Pids();
  readonly futexes = new FutexTable();
  readonly scheduler: Scheduler;
  /** Monotonic time of the start. */
  readonly bootNs: number;

  /** The first process: the parent of orphans. When it ends, everything ends. */
  init: ThreadGroup | null = null;
  /** Status word of the first process, once it has ended. */
  exitStatus = -1;
  /** Tasks that have exited and still hold their register blocks: the scheduler takes those when it is done with them. */
  readonly departed: Task[] = [];

  constructor(options: KernelOptions) {
    this.cpu = options.cpu;
    this.clock = options.clock;
    this.random = options.random;
    this.poller = options.poller;
    this.cpuCount = options.cpuCount;
    this.hostname = options.hostname;
    this.isolated = options.isolated;
    this.dispatch = options.dispatch;
    this.load = options.load;
    this.bootNs = this.clock.monotonicNs();
    this.scheduler = new Scheduler(this, options.cpuThreads);
    this.poller.onSignals = (signals) => sendHostSignals(this, signals, 0);
  }

  /** Makes the first process, in its own session. It is not runnable until `execTask` has given it a program. */
  createInit(mm: AddressSpace, files: FdTable, fs: TaskFs, limits = Limits.initial()): Task {
    const task = new Task(this, this.pids.allocate(), new Registers(), mm, files, fs, "carrick");
    const group = new ThreadGroup(task, null, limits, new SigActions(), this.bootNs);
    task.group = group;
    group.tasks.push(task);
    group.isInit = true;
    this.init = group;
    this.pids.addTask(task);
    this.pids.addGroup(group);
    this.pids.newSession(group);
    return task;
  }

  /** Somebody traces or filters: all calls go through a layer that knows whose are watched. */
  watchCalls(): void {
    if (this.callsWatched) return;
    this.callsWatched = true;
    this.dispatch = (require("./call-work.ts") as typeof import("./call-work.ts")).watched(this.dispatch);
  }

  /** Runs until the first process has ended. Returns its status word as wait4 would. */
  run(): number {
    this.scheduler.run();
    return this.exitStatus;
  }
}
