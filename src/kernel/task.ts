// A thread (struct task_struct): its registers, its share of memory, files and signals, and what it waits for.
// The methods here are the interface for other rooms; the work is done in the task-*.ts files, one per aspect.

import { AUDIT_UNSET } from "../abi/audit.ts";
import { ERESTART_RESTARTBLOCK } from "../abi/errno.ts";
import { SS_DISABLE } from "../abi/signal.ts";
import type { Registers } from "../cpu/registers.ts";
import type { Waiter, WaitQueue } from "../lib/wait-queue.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import type { TaskFs } from "./fs-context.ts";
import type { Kernel } from "./kernel.ts";
import type { Op } from "./op.ts";
import { BLOCKED, Wake } from "./op.ts";
import type { Trace } from "./ptrace.ts";
import type { Seccomp } from "./seccomp.ts";
import { PendingQueue, type SigInfo } from "./sig-info.ts";
import { forceSignal, sendSignal } from "./task-signals.ts";
import type { ThreadGroup } from "./thread-group.ts";
import type { Timer } from "./timers.ts";
import { Usage } from "./usage.ts";

export const TaskState = { runnable: 0, blocked: 1, stopped: 2, traced: 3, zombie: 4, dead: 5 } as const;
export type TaskState = (typeof TaskState)[keyof typeof TaskState];

/** Bits of `Task.work`: what the tail has to look at before guest code runs again. */
export const Work = {
  /** A signal may be deliverable, or a job-control stop is due. */
  signal: 1,
  /** The task exits with `exitStatus`. */
  exit: 2,
  /** `savedMask` is to be put back (sigsuspend, ppoll, ...). */
  restoreMask: 4,
  /** The result of the call goes to a tracer first. */
  call: 8,
} as const;

/** Bits of `Task.callWork`. */
export const CallWork = {
  /** Stops at entry and exit of calls (PTRACE_SYSCALL). */
  trace: 1,
  /** Stops at the entry, and the call is not made (PTRACE_SYSEMU). */
  emulate: 2,
  /** One instruction at a time: a call is one. */
  step: 4,
  /** seccomp(2). */
  filter: 8,
} as const;

export class Task implements Waiter {
  readonly kernel: Kernel;
  /** Changes only when a thread that is not the leader calls execve. */
  tid: number;
  group!: ThreadGroup;
  /** Shared by all tasks that are gone. */
  regs: Registers;
  mm: AddressSpace;
  files: FdTable;
  fs: TaskFs;
  /** Byte string of at most 15 bytes. */
  comm: string;

  state: TaskState = TaskState.runnable;
  work = 0;
  /** Whether it stands in the run queue. */
  queued = false;
  /** Which hand-over to a CPU thread it is away with: its registers are not to be touched. -1: none. */
  cpuThread = -1;
  /** The exit that it came back with and that was not handled yet; 0: none. */
  exit = 0;
  /** The time that it has had, as run-queue.ts counts it. */
  vruntimeNs = 0;
  /** How long it runs from trap to trap, about. */
  burstNs = 0;
  /** When it was handed over, and what of that time is in its usage already. */
  sentNs = 0;
  accountedAwayNs = 0;
  exitStatus = 0;

  /** What the task waits for, or what it has to be resumed with. */
  op: Op | null = null;
  private wakeReason: Wake = Wake.event;
  private readonly queues: WaitQueue[] = [];
  private timer: Timer | null = null;
  private readonly onDeadline = (): void => this.wakeFor(Wake.timeout);
  /** Restart code of the interrupted call, until the tail has decided; 0 when there is none. */
  restart = 0;
  /** What restart_syscall(2) continues. */
  restartOp: Op | null = null;
  /** x0 at the trap, as lanes. */
  origX0Lo = 0;
  origX0Hi = 0;

  /** Signals sent to this thread. */
  readonly pending = new PendingQueue();
  blockedLo = 0;
  blockedHi = 0;
  savedLo = 0;
  savedHi = 0;
  /** The blocked mask proper while sigtimedwait has lifted the signals that it waits for; else zero. */
  realBlockedLo = 0;
  realBlockedHi = 0;
  altStackSp = 0;
  altStackSize = 0;
  altStackFlags = SS_DISABLE;
  /** thread.fault_address and fault_code of arm64, as lanes: what the next signal frame reports. */
  faultAddrLo = 0;
  faultAddrHi = 0;
  faultCodeLo = 0;
  faultCodeHi = 0;
  /** This thread has to take part in a group stop. */
  stopPending = false;

  /** Who traces it, and how; and whom it traces. */
  trace: Trace | null = null;
  tracees: Set<Task> | null = null;
  /** Bits of CallWork: its calls are watched; 0: nobody cares. */
  callWork = 0;
  /** Which calls it may make; inherited, and kept over execve. */
  seccomp: Seccomp | null = null;

  /** set_tid_address(2); 0 for none. */
  clearChildTid = 0;
  robustList = 0;
  /** The vfork parent that sleeps until this task execs or exits. */
  vforkParent: Task | null = null;

  readonly usage = new Usage();
  readonly startNs: number;
  nice = 0;
  policy = 0;
  rtPriority = 0;
  resetOnFork = false;
  ioPriority = 0;
  /** Bits of the CPUs it may run on. */
  affinity: number;
  /** The one that it runs on, or ran on last. */
  cpu = 0;
  timerSlackNs = 50000;
  parentDeathSignal = 0;
  noNewPrivs = false;
  personality = 0;
  /** set_mempolicy(2): a mode with its flags, and its nodes as bits. */
  memoryPolicy = 0;
  memoryNodes = 0;
  /** Who logged in, and the number of that session (audit): the same for all that descends from there. */
  loginUid = AUDIT_UNSET;
  auditSession = AUDIT_UNSET;
  /** PR_SET_TAGGED_ADDR_CTRL: remembered; tags are ignored either way. */
  taggedAddresses = false;

  constructor(
    kernel: Kernel,
    tid: number,
    regs: Registers,
    mm: AddressSpace,
    files: FdTable,
    fs: TaskFs,
    comm: string,
  ) {
    this.kernel = kernel;
    this.tid = tid;
    this.regs = regs;
    this.mm = mm;
    this.files = files;
    this.fs = fs;
    this.comm = comm;
    this.startNs = kernel.clock.monotonicNs();
    this.affinity = 2 ** kernel.cpuCount - 1;
  }

  /** Gives the result of a call that asks who this is; an engine may give it from now on, if nobody watches. */
  answer(call: number, value: number): number {
    if (!this.kernel.isObserved && this.callWork === 0) this.regs.answered(call, value);
    return value;
  }

  /** Says how its calls are watched from now on. */
  setCallWork(bits: number): void {
    this.callWork = bits;
    if (bits !== 0) this.regs.forgetAnswers();
  }

  get cred(): Credentials {
    return this.fs.cred;
  }

  get tgid(): number {
    return this.group.tgid;
  }

  /** It has not exited. */
  get alive(): boolean {
    return this.state < TaskState.zombie;
  }

  /**
   * Puts the running task to sleep. `op.resume` runs after `queue` was woken, after `deadlineNs` on the
   * monotonic clock, or for a signal. The caller has just seen that it would have to wait. Returns BLOCKED.
   */
  block(op: Op, queue: WaitQueue | null, deadlineNs = Number.POSITIVE_INFINITY): number {
    if (queue !== null) {
      queue.add(this);
      this.queues.push(queue);
    }
    return this.sleep(op, deadlineNs);
  }

  /** `block` on several queues. */
  blockOn(op: Op, queues: readonly WaitQueue[], deadlineNs = Number.POSITIVE_INFINITY): number {
    for (const queue of queues) {
      queue.add(this);
      this.queues.push(queue);
    }
    return this.sleep(op, deadlineNs);
  }

  /** Wraps the op that the task has just been put to sleep with: a call made of others goes on with them. Returns BLOCKED. */
  replaceOp(wrap: (op: Op) => Op): number {
    this.op = wrap(this.op!);
    return BLOCKED;
  }

  private sleep(op: Op, deadlineNs: number): number {
    this.op = op;
    this.state = TaskState.blocked;
    if (deadlineNs !== Number.POSITIVE_INFINITY) {
      this.timer = this.kernel.timers.add(deadlineNs, this.onDeadline);
    }
    return BLOCKED;
  }

  /** Waiter: what the task waits for may have come true. */
  wake(): void {
    this.wakeFor(Wake.event);
  }

  /** Makes a blocked task look at its signals, when it may be interrupted at all. */
  interrupt(): void {
    if (this.state === TaskState.blocked && this.op?.killableOnly !== true) this.wakeFor(Wake.signal);
  }

  wakeFor(reason: Wake): void {
    if (this.state === TaskState.blocked) {
      this.wakeReason = reason;
      this.setRunnable();
    } else if (reason === Wake.event) {
      this.wakeReason = reason;
    }
  }

  setRunnable(): void {
    this.state = TaskState.runnable;
    this.kernel.scheduler.enqueue(this);
  }

  /** Leaves all queues and continues the call. The result is that of `Op.resume`. */
  resumeOp(): number {
    return this.resumeWith(this.wakeReason);
  }

  resumeWith(reason: Wake): number {
    const op = this.leave();
    if (op === null) return 0;
    const result = op.resume(this, reason);
    if (result === -ERESTART_RESTARTBLOCK) this.restartOp = op;
    return result;
  }

  /** Gives the interrupted call up: exit, execve by a sibling. */
  cancelOp(): void {
    this.leave()?.cancel?.(this);
    this.restartOp = null;
  }

  private leave(): Op | null {
    const op = this.op;
    this.op = null;
    for (const queue of this.queues) queue.remove(this);
    this.queues.length = 0;
    if (this.timer !== null) this.kernel.timers.cancel(this.timer);
    this.timer = null;
    if (this.state === TaskState.blocked) this.state = TaskState.runnable;
    return op;
  }

  /** Sends a signal from the kernel to this thread (SI_KERNEL, or `info`). May be ignored or blocked. */
  sendSignal(signal: number, info?: SigInfo): void {
    sendSignal(this, signal, info);
  }

  /** A signal that the running instruction or call has caused: cannot be ignored or blocked. */
  forceSignal(info: SigInfo): void {
    forceSignal(this, info);
  }
}
