// The tail of every call and exception (arch/arm64/kernel/signal.c do_notify_resume): signals, restarts, stops, exits.

import type { Task } from "./task.ts";

/** False: the task does not go back to the guest now. */
export function finishCall(_task: Task, _result: number): boolean {
  return true;
}
