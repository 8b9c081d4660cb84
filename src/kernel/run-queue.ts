// Tasks that wait for a CPU, in the order of the time that they have had (kernel/sched/fair.c): who has had least is next. So a task that
// sleeps most of the time runs as soon as the one that computes stops, and not after all others that compute.
// DIFFERS: a policy is remembered only, and a real-time priority orders those who wait for a futex, not these; a nice value changes a task's share.

import type { Task } from "./task.ts";

/** How far a task that has slept may be behind the others: it goes first, and for no longer than this. */
const CREDIT_NS = 3e6;
/** How far one may be ahead, at nice 0: nobody has to make up for what he had while others slept, or at another nice value. */
const DEBT_NS = 30e6;

/** How much more a task's time counts for its nice value, as Linux weighs it. */
function weightOf(nice: number): number {
  return nice === 0 ? 1 : 1.25 ** nice;
}

export class RunQueue {
  /** By rising `vruntimeNs`. */
  readonly tasks: Task[] = [];
  /** The least that a task had when it was taken; never falls. */
  private leastNs = 0;

  get length(): number {
    return this.tasks.length;
  }

  add(task: Task): void {
    const most = this.leastNs + DEBT_NS * weightOf(task.nice);
    task.vruntimeNs = Math.min(Math.max(task.vruntimeNs, this.leastNs - CREDIT_NS), most);
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
    task.vruntimeNs += ns * weightOf(task.nice);
  }
}
