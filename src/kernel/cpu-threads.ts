// Tasks that CPU threads of the shim run while the kernel's own thread does something else. Such a task is runnable and stands in
// no queue; its register block belongs to its thread until it has come back with an exit, which the scheduler then handles.

import type { Cpu } from "../cpu/cpu.ts";
import { RegisterBlock as at, Exit } from "../host/shim.gen.ts";
import type { Kernel } from "./kernel.ts";
import { RunQueue } from "./run-queue.ts";
import type { Task } from "./task.ts";

/** A task that runs at least this long from trap to trap is worth the hand-over, which costs a few microseconds both ways. */
const WORTH_NS = 25_000;
const EXIT = at.exit >> 2;

export class CpuThreads {
  /** How many there may be; 0: guest code runs on the kernel's thread only. */
  readonly limit: number;
  /** Those that have a task. */
  busy = 0;
  /** Tasks that have come back, in that order; their `exit` is to be handled. */
  readonly returned: Task[] = [];
  private readonly kernel: Kernel;
  private readonly cpu: Cpu;
  /** By id. */
  private readonly away: (Task | undefined)[] = [];

  constructor(kernel: Kernel, limit: number) {
    this.kernel = kernel;
    this.cpu = kernel.cpu;
    this.limit = limit;
  }

  get free(): number {
    return this.limit - this.busy;
  }

  /** Whether the task computes more than it calls. */
  static worthwhile(task: Task): boolean {
    return task.burstNs >= WORTH_NS;
  }

  /** Hands a task over that is ready to run guest code. False: no thread is free. */
  send(task: Task, budget: number): boolean {
    if (task.trace?.isStepping === true) return false;
    let id = this.away.indexOf(undefined);
    if (id < 0) id = this.away.length;
    task.regs.clearMonitor();
    if (!this.cpu.dispatch(task.regs, id, budget, this.limit)) return false;
    this.away[id] = task;
    this.busy += 1;
    task.cpuThread = id;
    task.sentNs = this.kernel.clock.monotonicNs();
    task.accountedAwayNs = 0;
    return true;
  }

  /** Takes in the tasks that have had their exits. How many. */
  collect(): number {
    let count = 0;
    for (let id = this.cpu.collect(); id >= 0; id = this.cpu.collect()) {
      const task = this.away[id]!;
      this.away[id] = undefined;
      this.busy -= 1;
      task.cpuThread = -1;
      task.exit = task.regs.u32[EXIT]!;
      const ranNs = this.cpu.collectedNs();
      RunQueue.charge(task, ranNs);
      task.usage.utimeNs += Math.max(0, ranNs - task.accountedAwayNs);
      if (task.exit !== Exit.kicked) task.burstNs = (task.burstNs + ranNs) / 2;
      this.returned.push(task);
      count += 1;
    }
    return count;
  }

  /** Makes a task that is away come back soon: something waits for it. */
  kick(task: Task): void {
    if (task.cpuThread >= 0) this.cpu.kick(task.regs);
  }

  /** Makes tasks come back at once; other tasks may come with them. */
  recall(tasks: Iterable<Task>): void {
    if (this.busy === 0) return;
    const all: Task[] = [];
    for (const task of tasks) {
      if (task.cpuThread < 0) continue;
      this.cpu.kick(task.regs);
      all.push(task);
    }
    for (const task of all) {
      while (task.cpuThread >= 0) {
        this.cpu.settle();
        this.collect();
      }
    }
  }

  /** Calls the tasks back that have been away for longer than `ns`, at most `count`, so that others have their turn. */
  rotate(ns: number, count: number): void {
    let left = count;
    const since = this.kernel.clock.monotonicNs() - ns;
    for (const task of this.away) {
      if (left <= 0) return;
      if (task === undefined || task.sentNs > since) continue;
      this.cpu.kick(task.regs);
      left -= 1;
    }
  }

  /** Adds to the usage of tasks that are away what they have run so far, for CPU clocks. */
  account(now: number): void {
    if (this.busy === 0) return;
    for (const task of this.away) {
      if (task === undefined) continue;
      const more = now - task.sentNs - task.accountedAwayNs;
      if (more <= 0) continue;
      task.accountedAwayNs += more;
      task.usage.utimeNs += more;
    }
  }
}
