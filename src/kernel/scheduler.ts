// The run loop: enter the guest, look at the exit, run the call, one tail, next task (facts: style-anchors,
// section 1, starnix). Tasks take turns in slices of a few milliseconds; timers and host events are looked
// at between slices, and waited for when nothing can run.

import { Exit } from "../host/shim.gen.ts";
import { handleException } from "./exceptions.ts";
import type { Kernel } from "./kernel.ts";
import { BLOCKED, NO_RESULT } from "./op.ts";
import type { Task } from "./task.ts";
import { TaskState } from "./task.ts";
import { finishCall } from "./task-run.ts";

/** How long a task runs before timers, host events and other tasks get their turn. */
const SLICE_NS = 3e6;
const BUDGET_MIN = 20_000;
const BUDGET_MAX = 400_000_000;
const TRAPS_MIN = 4;
const TRAPS_MAX = 32_768;
/** Results above this are plain: neither restart codes nor BLOCKED nor NO_RESULT. */
const PLAIN_RESULT = -512;

export class Scheduler {
  private readonly kernel: Kernel;
  private readonly queue: Task[] = [];
  /** The task whose guest code or call is being run; null between tasks. */
  current: Task | null = null;
  /** The current task has asked to be put behind the others (sched_yield). */
  yielding = false;
  private halted = false;

  /** Guest instructions, and traps, that take about one slice; adapted to what is measured. */
  private budget = 1_000_000;
  private trapsPerSlice = 256;
  private trapsLeft = 0;
  private sliceStartNs = 0;
  /** Up to when time has been added to the current task. */
  private accountedNs = 0;
  /** The last exit of the slice was a call: its time is accounted to the kernel. */
  private inKernel = false;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get runnableCount(): number {
    return this.queue.length + (this.current === null ? 0 : 1);
  }

  /** Makes a runnable task wait for its turn. */
  enqueue(task: Task): void {
    if (task.queued || task === this.current) return;
    task.queued = true;
    this.queue.push(task);
  }

  /** Ends `run` after the current step. */
  halt(): void {
    this.halted = true;
  }

  run(): void {
    while (!this.halted) {
      const task = this.queue.shift();
      if (task === undefined) {
        this.idle();
        continue;
      }
      task.queued = false;
      if (task.state !== TaskState.runnable) continue;
      this.current = task;
      this.beginSlice();
      this.runTask(task);
      this.account();
      this.current = null;
      if (task.state === TaskState.runnable) this.enqueue(task);
      else task.usage.voluntarySwitches += 1;
    }
  }

  /** Sleeps until a timer or the host has something; host events wake tasks from within the wait. */
  private idle(): void {
    const kernel = this.kernel;
    kernel.timers.run(kernel.clock.monotonicNs());
    if (this.queue.length > 0 || this.halted) return;
    const next = kernel.timers.nextNs;
    kernel.poller.wait(next === Number.POSITIVE_INFINITY ? next : Math.max(0, next - kernel.clock.monotonicNs()));
    kernel.timers.run(kernel.clock.monotonicNs());
  }

  private beginSlice(): void {
    this.sliceStartNs = this.kernel.clock.monotonicNs();
    this.accountedNs = this.sliceStartNs;
    this.trapsLeft = this.trapsPerSlice;
    this.yielding = false;
  }

  /** Runs a task until it cannot or may not go on. */
  private runTask(task: Task): void {
    const kernel = this.kernel;
    const cpu = kernel.cpu;
    const regs = task.regs;
    cpu.select(regs);
    this.inKernel = true;
    const pending = task.op === null ? NO_RESULT : task.resumeOp();
    if (!this.finish(task, pending, true)) return;
    for (;;) {
      regs.clearMonitor();
      const exit = cpu.enter(regs, this.budget);
      if (exit === Exit.syscall) {
        task.origX0Lo = regs.i32[0]!;
        task.origX0Hi = regs.i32[1]!;
        const result = kernel.dispatch(task);
        if (result > PLAIN_RESULT && task.work === 0) regs.setX(0, result);
        else if (!this.finish(task, result, false)) return;
        this.trapsLeft -= 1;
        if (this.trapsLeft > 0 && !this.yielding) continue;
        this.inKernel = true;
      } else if (exit === Exit.budget || exit === Exit.kicked) {
        this.inKernel = false;
        this.adaptBudget(exit);
      } else {
        handleException(task, exit);
        if (task.work !== 0 && !this.finish(task, NO_RESULT, false)) return;
        this.trapsLeft -= 1;
        if (this.trapsLeft > 0) continue;
        this.inKernel = false;
      }
      if (!this.endSlice(task)) return;
    }
  }

  /** The tail of a call or exception. False: the task does not go back to the guest now. */
  private finish(task: Task, result: number, resumed: boolean): boolean {
    if (result !== BLOCKED && resumed && result !== NO_RESULT) this.kernel.hooks?.resumed(task, result);
    return finishCall(task, result);
  }

  /** Lets timers, the host and other tasks have their turn. False: another task is to run. */
  private endSlice(task: Task): boolean {
    const kernel = this.kernel;
    this.account();
    const now = this.sliceStartNs;
    this.trapsLeft = this.trapsPerSlice;
    kernel.poller.wait(0);
    kernel.timers.run(now);
    if (task.work !== 0 && !finishCall(task, NO_RESULT)) return false;
    if (this.halted) return false;
    if (this.queue.length === 0) {
      this.yielding = false;
      return true;
    }
    if (!this.yielding) task.usage.involuntarySwitches += 1;
    return false;
  }

  /** Brings the current task's usage up to date, for CPU clocks. */
  accountNow(): void {
    const task = this.current;
    if (task === null) return;
    const now = this.kernel.clock.monotonicNs();
    const elapsed = now - this.accountedNs;
    this.accountedNs = now;
    if (this.inKernel) task.usage.stimeNs += elapsed;
    else task.usage.utimeNs += elapsed;
  }

  /** Ends a stretch of running: accounts it, checks CPU-time timers, and adapts the number of traps in a slice. */
  private account(): void {
    this.accountNow();
    for (const timer of this.kernel.cpuTimers) timer.check();
    const elapsed = this.accountedNs - this.sliceStartNs;
    this.sliceStartNs = this.accountedNs;
    if (this.trapsLeft > 0 || elapsed <= 0) return;
    if (elapsed > SLICE_NS) this.trapsPerSlice = Math.max(TRAPS_MIN, this.trapsPerSlice >> 1);
    else if (elapsed < SLICE_NS / 3) this.trapsPerSlice = Math.min(TRAPS_MAX, this.trapsPerSlice << 1);
  }

  private adaptBudget(exit: number): void {
    if (exit !== Exit.budget) return;
    const elapsed = this.kernel.clock.monotonicNs() - this.sliceStartNs;
    if (elapsed > 2 * SLICE_NS) this.budget = Math.max(BUDGET_MIN, this.budget >> 1);
    else if (elapsed > 0 && elapsed < SLICE_NS / 2) this.budget = Math.min(BUDGET_MAX, this.budget * 2);
  }
}
