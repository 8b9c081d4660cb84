// The rows of POSIX message queues. Few programs use them: what the calls do is loaded when the first one is made.

import { OPEN_FLAGS } from "../abi/fcntl.ts";
import type { Task } from "../kernel/task.ts";
import { addr, fd, flags, full, inBuf, mode, outBuf, partial, path, type Row, row, size, struct, u32 } from "./row.ts";

function queues(): typeof import("./mq.ts") {
  return require("./mq.ts");
}

export function sys_mq_open(task: Task, name: number, flags: number, mode: number, attr: number): number {
  return queues().mqOpen(task, name, flags, mode, attr);
}
export function sys_mq_unlink(task: Task, name: number): number {
  return queues().mqUnlink(task, name);
}
export function sys_mq_timedsend(
  task: Task,
  fd: number,
  addr: number,
  length: number,
  priority: number,
  timeout: number,
): number {
  return queues().mqTimedsend(task, fd, addr, length, priority, timeout);
}
export function sys_mq_timedreceive(
  task: Task,
  fd: number,
  addr: number,
  length: number,
  priority: number,
  timeout: number,
): number {
  return queues().mqTimedreceive(task, fd, addr, length, priority, timeout);
}
export function sys_mq_notify(task: Task, fd: number, event: number): number {
  return queues().mqNotify(task, fd, event);
}
export function sys_mq_getsetattr(task: Task, fd: number, next: number, old: number): number {
  return queues().mqGetsetattr(task, fd, next, old);
}

export function rows(): Row[] {
  return [
    row(
      180,
      sys_mq_open,
      [path, flags(OPEN_FLAGS), mode, struct("mq_attr")],
      partial("the queues are in no file system"),
    ),
    row(181, sys_mq_unlink, [path], full()),
    row(182, sys_mq_timedsend, [fd, inBuf(2), size, u32, struct("timespec")], full()),
    row(183, sys_mq_timedreceive, [fd, outBuf(2), size, addr, struct("timespec")], full()),
    row(184, sys_mq_notify, [fd, struct("sigevent")], partial("no SIGEV_THREAD")),
    row(185, sys_mq_getsetattr, [fd, struct("mq_attr"), struct("mq_attr")], full()),
  ];
}
