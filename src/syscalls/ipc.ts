// The rows of System V IPC. Few programs use it: what the calls do is loaded when the first one is made.

import {
  IPC_CREAT,
  IPC_EXCL,
  IPC_NOWAIT,
  MSG_EXCEPT,
  MSG_NOERROR,
  SHM_RDONLY,
  SHM_REMAP,
  SHM_RND,
} from "../abi/ipc.ts";
import type { Task } from "../kernel/task.ts";
import { addr, flags, full, hex, int, off, partial, type Row, row, size, struct } from "./row.ts";

function segments(): typeof import("./shm.ts") {
  return require("./shm.ts");
}
function semaphores(): typeof import("./sem.ts") {
  return require("./sem.ts");
}
function queues(): typeof import("./msg.ts") {
  return require("./msg.ts");
}

export function sys_msgget(task: Task, key: number, flags: number): number {
  return queues().msgget(task, key, flags);
}
export function sys_msgctl(task: Task, id: number, command: number, addr: number): number {
  return queues().msgctl(task, id, command, addr);
}
export function sys_msgrcv(task: Task, id: number, addr: number, size: number, type: number, flags: number): number {
  return queues().msgrcv(task, id, addr, size, type, flags);
}
export function sys_msgsnd(task: Task, id: number, addr: number, size: number, flags: number): number {
  return queues().msgsnd(task, id, addr, size, flags);
}
export function sys_semget(task: Task, key: number, count: number, flags: number): number {
  return semaphores().semget(task, key, count, flags);
}
export function sys_semctl(task: Task, id: number, num: number, command: number, arg: number): number {
  return semaphores().semctl(task, id, num, command, arg);
}
export function sys_semtimedop(task: Task, id: number, addr: number, count: number, timeout: number): number {
  return semaphores().semtimedop(task, id, addr, count, timeout);
}
export function sys_semop(task: Task, id: number, addr: number, count: number): number {
  return semaphores().semtimedop(task, id, addr, count, 0);
}
export function sys_shmget(task: Task, key: number, size: number, flags: number): number {
  return segments().shmget(task, key, size, flags);
}
export function sys_shmctl(task: Task, id: number, command: number, addr: number): number {
  return segments().shmctl(task, id, command, addr);
}
export function sys_shmat(task: Task, id: number, addr: number, flags: number): number {
  return segments().shmat(task, id, addr, flags);
}
export function sys_shmdt(task: Task, addr: number): number {
  return segments().shmdt(task, addr);
}

const key = hex;
const get = flags({ IPC_CREAT, IPC_EXCL });
const command = int;

export function rows(): Row[] {
  return [
    row(186, sys_msgget, [key, get], full()),
    row(187, sys_msgctl, [int, command, struct("msqid_ds")], full()),
    row(
      188,
      sys_msgrcv,
      [int, struct("msgbuf"), size, off, flags({ IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT })],
      partial("no MSG_COPY"),
    ),
    row(189, sys_msgsnd, [int, struct("msgbuf"), size, flags({ IPC_NOWAIT })], full()),
    row(190, sys_semget, [key, int, get], full()),
    row(191, sys_semctl, [int, int, command, addr], full()),
    row(192, sys_semtimedop, [int, struct("sembuf"), size, struct("timespec")], full()),
    row(193, sys_semop, [int, struct("sembuf"), size], full()),
    row(194, sys_shmget, [key, size, get], partial("no huge pages")),
    row(195, sys_shmctl, [int, command, struct("shmid_ds")], partial("SHM_LOCK is remembered only")),
    row(196, sys_shmat, [int, addr, flags({ SHM_RDONLY, SHM_RND, SHM_REMAP })], full()),
    row(197, sys_shmdt, [addr], full()),
  ];
}
