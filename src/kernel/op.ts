// Blocking without blocked frames: a call that must wait returns `task.block(op, ...)`, and the scheduler
// calls `op.resume` after a wake (facts: style-anchors, section 5). An Op keeps all that was resolved at
// entry, so that a retry never reads guest memory again and never restarts a relative timeout.

import type { Task } from "./task.ts";

/** What a handler returns when the task sleeps. Outside -4095..-1 and below every result. */
export const BLOCKED = -0x1000000;

/** What a handler returns when it has left the registers as the guest shall see them: rt_sigreturn, execve, exit. */
export const NO_RESULT = -0x1000001;

/** Why `resume` is called. An event is preferred when several reasons came together. */
export const Wake = { event: 0, timeout: 1, signal: 2 } as const;
export type Wake = (typeof Wake)[keyof typeof Wake];

export interface Op {
  /** A result, -errno, a restart code, or BLOCKED (through `task.block`) to sleep again. Spurious wakes are legal. */
  resume(task: Task, wake: Wake): number;
  /** The task dies or leaves the call without `resume`: drop reservations. Wait queues are left by the task itself. */
  cancel?(task: Task): void;
  /** Only a fatal signal ends the wait, and then through `cancel` (TASK_KILLABLE): vfork. */
  readonly killableOnly?: boolean;
}

/** A call that only has its result to give. */
export class Result implements Op {
  private readonly result: number;

  constructor(result: number) {
    this.result = result;
  }

  resume(): number {
    return this.result;
  }
}
