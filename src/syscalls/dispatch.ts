// From a trap to its handler: the call number picks a row, the row decodes and calls.

import { ENOSYS } from "../abi/errno.ts";
import type { Task } from "../kernel/task.ts";
import { findRow, table } from "./table.ts";

/** Executes the call in the task's registers. The handler's result, or -ENOSYS for a number without a row. */
export function dispatch(task: Task): number {
  const regs = task.regs;
  const number = regs.syscallNumber;
  const row = table[number] ?? findRow(number);
  return row === undefined ? -ENOSYS : row.call(task, regs);
}
