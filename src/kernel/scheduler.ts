// The run loop: enter the guest, look at the exit, run the call, one tail, next task (facts: style-anchors,
// section 1, starnix). Tasks take turns in slices of a few milliseconds; timers and host events are looked
// at between slices, and waited for when nothing can run.
//
// With more than one task runnable, those that compute go to CPU threads; those that mostly call stay here, where a call costs no
// hand-over. When a task comes back, the one that runs here stops at once and waits until the exit is handled.
//
// Where tasks may not run on every CPU (cpu-places.ts), one whose CPUs all have tasks waits in the queue, and others pass it.

import { Registers } from "../cpu/registers.ts";
import { RegisterBlock as at, Exit } from "../host/shim.gen.ts";
import type { CpuPlaces } from "./cpu-places.ts";
import { CpuThreads } from "./cpu-threads.ts";
import { handleException } from "./exceptions.ts";
import type { Kernel } from "./kernel.ts";
import { BLOCKED, NO_RESULT } from "./op.ts";
import { RunQueue } from "./run-queue.ts";
import type { Task } from "./task.ts";
import { TaskState, Work } from "./task.ts";
import { finishCall } from "./task-run.ts";

/** How long a task runs before timers, host events and other tasks get their turn. */
const SLICE_NS = 3e6;
const BUDGET_MIN = 20_000;
const BUDGET_MAX = 100_000_000;
/** How long a task runs at a time while others wait and a CPU thread is free: then it is known to compute. */
const PROBE_NS = 100_000;
/** Traps that the running task still gets when another one waits for a free CPU thread. */
const TRAPS_SHARED = 8;
/** A task that a CPU thread runs comes back now and then, after so many slices. */
const AWAY_SLICES = 32;
const TRAPS_MIN = 4;
const TRAPS_MAX = 4096;
const INSTRUCTION_BYTES = 4;
/** Results above this are plain: neither restart codes nor BLOCKED nor NO_RESULT. */
const PLAIN_RESULT = -512;
const RETIRED = at.retired >> 2;

/** What tasks have that are gone. */
const noRegisters = new Registers();

/** It has nothing left to do in the kernel before guest code. */
function isReady(task: Task): boolean {
  return task.state === TaskState.runnable && task.op === null && task.work === 0 && task.restart === 0;
}

export class Scheduler {
  readonly threads: CpuThreads;
  /** Which CPU each running task has; null while all may run everywhere. */
  private places: CpuPlaces | null = null;
  private readonly kernel: Kernel;
  private readonly queue = new RunQueue();
  /** The task whose guest code or call is being run; null between tasks. */
  current: Task | null = null;
  /** The current task has asked to be put behind the others (sched_yield). */
  yielding = false;
  private halted = false;

  /** Guest instructions, and traps, that take about one slice; adapted to what is measured. A CPU that knows the time is told it. */
  private budget = 1_000_000;
  private trapsPerSlice = 256;
  private trapsLeft = 0;
  /** What `trapsLeft` was at the start of the stretch. */
  private trapsGiven = 0;
  private sliceStartNs = 0;
  /** When timers and the host were last looked at. */
  private polledNs = 0;
  /** Up to when time has been added to the current task. */
  private accountedNs = 0;
  /** The current task's count of instructions then. */
  private accountedInstructions = 0;
  /** The stretch that passes had traps in it: only what its instructions take is guest code's time. */
  private inKernel = false;
  /** What an instruction takes, learnt from stretches without traps. */
  private nsPerInstruction = 3;

  constructor(kernel: Kernel, cpuThreads: number) {
    this.kernel = kernel;
    this.threads = new CpuThreads(kernel, cpuThreads);
    if (!kernel.cpu.isTimed) return;
    this.budget = SLICE_NS;
    this.nsPerInstruction = 1;
  }

  get runnableCount(): number {
    return this.queue.length + this.threads.busy + this.threads.returned.length + (this.current === null ? 0 : 1);
  }

  /** Makes a runnable task wait for its turn. */
  enqueue(task: Task): void {
    if (task.queued || task === this.current || task.cpuThread >= 0 || task.exit !== 0) return;
    task.queued = true;
    this.queue.add(task);
    if (this.trapsLeft > TRAPS_SHARED && this.threads.free > 0) {
      this.trapsGiven -= this.trapsLeft - TRAPS_SHARED;
      this.trapsLeft = TRAPS_SHARED;
    }
  }

  /** The task's mask of CPUs is a new one. */
  affinityChanged(task: Task): void {
    if (this.places === null) {
      const { CpuPlaces } = require("./cpu-places.ts") as typeof import("./cpu-places.ts");
      this.places = new CpuPlaces(this.kernel.cpuCount);
    }
    this.threads.kick(task);
  }

  /** Ends `run` after the current step. */
  halt(): void {
    this.halted = true;
  }

  run(): void {
    while (!this.halted) {
      if (this.threads.busy > 0) this.threads.collect();
      const task = this.threads.returned.shift() ?? this.next();
      if (task === undefined) {
        this.idle();
        continue;
      }
      task.queued = false;
      if (task.state !== TaskState.runnable) continue;
      this.current = task;
      this.beginSlice(task);
      this.runTask(task);
      this.account();
      this.current = null;
      if (this.places !== null && task.cpuThread < 0) this.places.release(task);
      if (this.kernel.departed.length > 0 && !this.halted) this.releaseDeparted();
      if (task.state === TaskState.runnable) this.enqueue(task);
      else task.usage.voluntarySwitches += 1;
      if (this.accountedNs - this.polledNs > SLICE_NS) this.poll();
    }
  }

  /** The first in the queue that may run now. */
  private next(): Task | undefined {
    const { queue, places } = this;
    if (places === null) return queue.length > 0 ? queue.take(0) : undefined;
    const leaves = (task: Task) => task.state !== TaskState.runnable || (task.work & Work.exit) !== 0;
    const at = queue.tasks.findIndex((task) => leaves(task) || places.take(task));
    return at < 0 ? undefined : queue.take(at);
  }

  /** Whether one of the queue may run beside the tasks that do. */
  private get anyFits(): boolean {
    const { queue, places } = this;
    return places === null ? queue.length > 0 : queue.tasks.some((task) => places.fits(task));
  }

  /** Whether all CPUs of one of the queue have tasks. */
  private get anyBarred(): boolean {
    const { queue, places } = this;
    return places !== null && !queue.tasks.every((task) => places.fits(task));
  }

  /** Nobody runs: the register blocks of those who have exited go back. */
  private releaseDeparted(): void {
    for (const task of this.kernel.departed) {
      task.regs.release();
      task.regs = noRegisters;
    }
    this.kernel.departed.length = 0;
  }

  /** Sleeps until a timer or the host has something; host events wake tasks from within the wait. */
  private idle(): void {
    const kernel = this.kernel;
    kernel.timers.run(kernel.clock.monotonicNs());
    if (this.anyFits || this.halted) return;
    const barred = this.queue.length > 0;
    const next = kernel.timers.nextNs;
    const timeoutNs = next === Number.POSITIVE_INFINITY ? next : Math.max(0, next - kernel.clock.monotonicNs());
    // Timers on CPU clocks go on while tasks are away.
    const watching = kernel.cpuTimers.size > 0 && this.threads.busy > 0;
    kernel.poller.wait(watching || barred ? Math.min(timeoutNs, SLICE_NS) : timeoutNs);
    this.polledNs = kernel.clock.monotonicNs();
    kernel.timers.run(this.polledNs);
    if (barred) this.threads.rotate(SLICE_NS, this.queue.length);
    if (!watching) return;
    this.threads.account(this.polledNs);
    for (const timer of kernel.cpuTimers) timer.check();
  }

  /** Takes in what the host has, and fires timers, without waiting. */
  private poll(): void {
    this.polledNs = this.accountedNs;
    this.kernel.poller.wait(0);
    this.kernel.timers.run(this.polledNs);
  }

  private beginSlice(task: Task): void {
    this.accountedInstructions = task.regs.u32[RETIRED]!;
    this.sliceStartNs = this.kernel.clock.monotonicNs();
    this.accountedNs = this.sliceStartNs;
    this.trapsLeft = this.trapsPerSlice;
    this.trapsGiven = this.trapsLeft;
    this.yielding = false;
    this.inKernel = true;
  }

  /** Runs a task until it cannot or may not go on. */
  private runTask(task: Task): void {
    // What a CPU thread left to be done.
    let exit = task.exit;
    task.exit = 0;
    if (exit === Exit.syscall && task.work !== 0) {
      // What came while it was away interrupts it before this call, as it would have on a CPU of its own.
      task.regs.pc -= INSTRUCTION_BYTES;
      exit = 0;
    }
    if (exit === 0 || (task.work & Work.exit) !== 0) {
      if (!this.beginTask(task)) return;
    }
    const kernel = this.kernel;
    const cpu = kernel.cpu;
    const regs = task.regs;
    let probing = exit !== 0;
    if (exit === 0 && this.queue.length > 0 && this.share(task)) return;
    cpu.select(regs);
    let retired = regs.u32[RETIRED]!;
    for (;;) {
      if (exit === 0) {
        regs.clearMonitor();
        if (this.places !== null && !this.places.take(task)) return;
        probing = this.threads.free > 0 && this.anyFits;
        exit = cpu.enter(regs, probing ? Math.ceil(PROBE_NS / this.nsPerInstruction) : this.budget);
      }
      const reason = exit;
      exit = 0;
      if (reason === Exit.syscall) {
        task.origX0Lo = regs.i32[0]!;
        task.origX0Hi = regs.i32[1]!;
        const result = kernel.dispatch(task);
        if (result > PLAIN_RESULT && task.work === 0) regs.setX(0, result);
        else if (!finishCall(task, result)) return;
        this.trapsLeft -= 1;
        const spent = (regs.u32[RETIRED]! - retired) >>> 0 > this.budget;
        if (this.yielding) {
          this.yielding = false;
          if (this.queue.length > 0) {
            this.accountNow();
            this.queue.yield(task);
            return;
          }
        }
        if (this.trapsLeft > 0 && !spent) continue;
        this.inKernel = !spent;
      } else if (reason === Exit.budget || reason === Exit.kicked) {
        this.inKernel = false;
        if (reason === Exit.budget && !probing) this.adaptBudget();
      } else {
        handleException(task, reason);
        if (task.work !== 0 && !finishCall(task, NO_RESULT)) return;
        this.trapsLeft -= 1;
        if (this.trapsLeft > 0) continue;
        this.inKernel = false;
      }
      if (!this.endSlice(task)) return;
      if (this.queue.length > 0 && (this.share(task) || this.queue.length > 0)) return;
      retired = regs.u32[RETIRED]!;
    }
  }

  /** Gives tasks that compute to free CPU threads: those that wait, then the current one if others still do. True: it has gone. */
  private share(task: Task): boolean {
    const { threads, queue } = this;
    if (threads.free === 0) return false;
    for (let i = 0; i < queue.length && threads.free > 0; ) {
      const other = queue.tasks[i]!;
      if (isReady(other) && CpuThreads.worthwhile(other) && this.send(other)) {
        other.queued = false;
        queue.take(i);
      } else {
        i += 1;
      }
    }
    if (!this.anyFits || threads.free === 0 || !CpuThreads.worthwhile(task)) return false;
    this.account();
    this.current = null;
    if (this.send(task)) return true;
    this.current = task;
    return false;
  }

  private send(task: Task): boolean {
    const { threads, places } = this;
    if (places !== null && !places.take(task)) return false;
    if (threads.send(task, this.budget * AWAY_SLICES)) return true;
    places?.release(task);
    return false;
  }

  /** Goes on with the call that a task had blocked in, if any. False: it does not come to run guest code. */
  private beginTask(task: Task): boolean {
    if (task.op === null || (task.work & Work.exit) !== 0) return finishCall(task, NO_RESULT);
    const result = task.resumeOp();
    if (result !== BLOCKED) this.kernel.hooks?.resumed(task, result);
    return finishCall(task, result);
  }

  /** Lets timers, the host and other tasks have their turn. False: another task is to run. */
  private endSlice(task: Task): boolean {
    const { threads } = this;
    this.account();
    this.trapsLeft = this.trapsPerSlice;
    this.trapsGiven = this.trapsLeft;
    const back = threads.busy > 0 ? threads.collect() : 0;
    if (back === 0 || this.accountedNs - this.polledNs > SLICE_NS) this.poll();
    if (task.work !== 0 && !finishCall(task, NO_RESULT)) return false;
    if (this.halted) return false;
    if (this.queue.length > 0 && threads.busy > 0 && (threads.free === 0 || this.anyBarred))
      threads.rotate(SLICE_NS, this.queue.length);
    if (threads.returned.length > 0) return false;
    if (this.queue.length === 0 || (threads.free > 0 && CpuThreads.worthwhile(task) && this.anyFits)) return true;
    task.usage.involuntarySwitches += 1;
    return false;
  }

  /** Brings the current task's usage up to date, for CPU clocks. */
  accountNow(): void {
    const task = this.current;
    const now = this.kernel.clock.monotonicNs();
    this.threads.account(now);
    if (task === null) return;
    const elapsed = now - this.accountedNs;
    this.accountedNs = now;
    const instructions = (task.regs.u32[RETIRED]! - this.accountedInstructions) >>> 0;
    this.accountedInstructions = task.regs.u32[RETIRED]!;
    RunQueue.charge(task, elapsed);
    const share = this.inKernel ? Math.min(elapsed, instructions * this.nsPerInstruction) : elapsed;
    task.usage.utimeNs += share;
    task.usage.stimeNs += elapsed - share;
    if (!this.inKernel && instructions > BUDGET_MIN && !this.kernel.cpu.isTimed)
      this.nsPerInstruction = elapsed / instructions;
    this.measureBurst(task, instructions * this.nsPerInstruction);
    // Who asks for CPU time, trap after trap, may be far beyond its slice, with timers on CPU clocks due.
    if (now - this.sliceStartNs > 2 * SLICE_NS && this.trapsLeft > 1) this.trapsLeft = this.trapsGiven = 1;
  }

  /** Learns how long the task runs from trap to trap, from a stretch in which it ran guest code for `ns`. */
  private measureBurst(task: Task, ns: number): void {
    const traps = this.trapsGiven - this.trapsLeft;
    this.trapsGiven = this.trapsLeft;
    if (traps > 0) task.burstNs = (task.burstNs + ns / traps) / 2;
    else if (ns > task.burstNs) task.burstNs = ns;
  }

  /** Ends a stretch of running: accounts it, checks CPU-time timers, and adapts the number of traps in a slice. */
  private account(): void {
    this.accountNow();
    this.inKernel = true;
    for (const timer of this.kernel.cpuTimers) timer.check();
    const elapsed = this.accountedNs - this.sliceStartNs;
    this.sliceStartNs = this.accountedNs;
    if (elapsed > 2 * SLICE_NS) {
      const share = (this.trapsPerSlice * SLICE_NS) / elapsed;
      this.trapsPerSlice = Math.max(TRAPS_MIN, Math.floor(share));
    } else if (this.trapsLeft <= 0 && elapsed > 0 && elapsed < SLICE_NS / 2) {
      this.trapsPerSlice = Math.min(TRAPS_MAX, this.trapsPerSlice * 2);
    }
  }

  private adaptBudget(): void {
    if (this.kernel.cpu.isTimed) return;
    const elapsed = this.kernel.clock.monotonicNs() - this.sliceStartNs;
    if (elapsed > 2 * SLICE_NS) this.budget = Math.max(BUDGET_MIN, this.budget >> 1);
    else if (elapsed > 0 && elapsed < SLICE_NS / 2) this.budget = Math.min(BUDGET_MAX, this.budget * 2);
  }
}
