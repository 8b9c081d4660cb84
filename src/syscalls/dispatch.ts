// From a trap to its handler: the call number picks a row, the row decodes and calls.

import { ENOSYS } from "../abi/errno.ts";
import type { Task } from "../kernel/task.ts";
import { table } from "./table.ts";

/** Executes the call in the task's registers. The handler's result, or -ENOSYS for a number without a row. */
export function dispatch(task: Task): number {
  const regs = task.regs;
  const row = table[regs.syscallNumber];
  return row === undefined ? -ENOSYS : row.call(task, regs);
}
