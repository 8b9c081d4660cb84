// Which of the guest's CPUs each running task has (kernel/sched/core.c: select_task_rq, affine_move_task). A CPU is a number only: whatever
// thread of the host runs a task, no other one runs with the same number at that time. Nobody keeps count, and this is not loaded, before
// some task may not run everywhere.
// DIFFERS: one task is moved to make room for another, never a chain of them.

import type { Task } from "./task.ts";

export class CpuPlaces {
  private readonly holders: (Task | undefined)[] = [];
  private readonly all: number;

  constructor(cpuCount: number) {
    this.all = 2 ** cpuCount - 1;
  }

  /** Whether the task has a CPU that it may run on, or gets one. */
  take(task: Task): boolean {
    const has = this.holders[task.cpu] === task;
    if (has && allows(task, task.cpu)) return true;
    if (has) this.release(task);
    const cpu = this.find(task);
    if (cpu < 0) return false;
    const other = this.holders[cpu];
    if (other !== undefined) this.put(other, this.free(other));
    this.put(task, cpu);
    return true;
  }

  /** Whether `take` would find one. */
  fits(task: Task): boolean {
    return this.find(task) >= 0;
  }

  /** The task does not run any more. */
  release(task: Task): void {
    if (this.holders[task.cpu] === task) this.holders[task.cpu] = undefined;
  }

  private put(task: Task, cpu: number): void {
    this.release(task);
    this.holders[cpu] = task;
    task.cpu = cpu;
  }

  /** A CPU for the task: where it was, a free one, or one whose task can go elsewhere. -1: none. */
  private find(task: Task): number {
    const free = this.free(task);
    if (free >= 0) return free;
    for (let cpu = 0; 2 ** cpu <= this.all; cpu++) {
      if (allows(task, cpu) && this.free(this.holders[cpu]!) >= 0) return cpu;
    }
    return -1;
  }

  private free(task: Task): number {
    if (this.holders[task.cpu] === undefined && allows(task, task.cpu)) return task.cpu;
    for (let cpu = 0; 2 ** cpu <= this.all; cpu++) {
      if (this.holders[cpu] === undefined && allows(task, cpu)) return cpu;
    }
    return -1;
  }
}

function allows(task: Task, cpu: number): boolean {
  return Math.floor(task.affinity / 2 ** cpu) % 2 === 1;
}
