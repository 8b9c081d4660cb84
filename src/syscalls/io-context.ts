// The rows of asynchronous input and output. Few programs use it: what the calls do is loaded when the first one is made.

import type { Task } from "../kernel/task.ts";
import { addr, full, off, partial, type Row, row, struct, u32 } from "./row.ts";

function calls(): typeof import("./aio.ts") {
  return require("./aio.ts");
}

export function sys_io_setup(task: Task, count: number, context: number): number {
  return calls().ioSetup(task, count, context);
}
export function sys_io_destroy(task: Task, context: number): number {
  return calls().ioDestroy(task, context);
}
export function sys_io_submit(task: Task, context: number, count: number, list: number): number {
  return calls().ioSubmit(task, context, count, list);
}
export function sys_io_cancel(task: Task, _context: number, request: number): number {
  return calls().ioCancel(task, request);
}
export function sys_io_getevents(
  task: Task,
  context: number,
  min: number,
  max: number,
  events: number,
  timeout: number,
): number {
  return calls().ioGetevents(task, context, min, max, events, timeout);
}
export function sys_io_pgetevents(
  task: Task,
  context: number,
  min: number,
  max: number,
  events: number,
  timeout: number,
  mask: number,
): number {
  return calls().ioPgetevents(task, context, min, max, events, timeout, mask);
}

const AT_ONCE = partial("regular files only, done at once; no IOCB_CMD_POLL, no flags");

export function rows(): Row[] {
  return [
    row(0, sys_io_setup, [u32, addr], full()),
    row(1, sys_io_destroy, [addr], full()),
    row(2, sys_io_submit, [addr, off, addr], AT_ONCE),
    row(3, sys_io_cancel, [addr, struct("iocb"), addr], full()),
    row(4, sys_io_getevents, [addr, off, off, struct("io_event"), struct("timespec")], full()),
    row(292, sys_io_pgetevents, [addr, off, off, struct("io_event"), struct("timespec"), struct("aio_sigset")], full()),
  ];
}
