// Tasks that wait for a CPU, in the order of the time that they have had (kernel/sched/fair.c): who has had least is next. So a task that
// sleeps most of the time runs as soon as the one that computes stops, and not after all others that compute.
// DIFFERS: a policy and a real-time priority are remembered only; a nice value changes a task's share.

import type { Task } from "./task.ts";

/** How far a task that has slept may be behind the others: it goes first, and for no longer than this. */
const CREDIT_NS = 3e6;

export class RunQueue {
  /** By rising `vruntimeNs`. */
  readonly tasks: Task[] = [];
  /** The least that a task had when it was taken; never falls. */
  private leastNs = 0;

  get length(): number {
    return this.tasks.length;
  }

  add(task: Task): void {
    task.vruntimeNs = Math.max(task.vruntimeNs, this.leastNs - CREDIT_NS);
    const { tasks } = this;
    let low = 0;
    for (let high = tasks.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (tasks[middle]!.vruntimeNs <= task.vruntimeNs) low = middle + 1;
      else high = middle;
    }
    tasks.splice(low, 0, task);
  }

  /** Takes the task that is at `index`. */
  take(index: number): Task {
    const task = this.tasks.splice(index, 1)[0]!;
    if (index === 0 && task.vruntimeNs > this.leastNs) this.leastNs = task.vruntimeNs;
    return task;
  }

  /** The task is to be behind all that wait now. */
  yield(task: Task): void {
    const last = this.tasks[this.tasks.length - 1];
    if (last !== undefined && last.vruntimeNs > task.vruntimeNs) task.vruntimeNs = last.vruntimeNs;
  }

  /** The task has run for so long. */
  static charge(task: Task, ns: number): void {
    task.vruntimeNs += task.nice === 0 ? ns : ns * 1.25 ** task.nice;
  }
}
