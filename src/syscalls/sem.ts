// semget(2), semctl(2), semop(2), semtimedop(2) (ipc/sem.c).

import { E2BIG, EFAULT, EFBIG, EINVAL, ERANGE } from "../abi/errno.ts";
import * as I from "../abi/ipc.ts";
import { ipcOf } from "../kernel/ipc/ipc.ts";
import { SemaphoreSet, SemOp, type SemOperation } from "../kernel/ipc/semaphores.ts";
import { Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { readTimespec, spanNs } from "../kernel/timespec.ts";
import { GET_NAMES, Layout, READ, updatePerm, WRITE } from "./ipc-layout.ts";
import { addr, flags, full, hex, int, type Row, row, size, struct } from "./row.ts";

export function sys_semget(task: Task, key: number, count: number, flags: number): number {
  if (count < 0 || count > I.SEMMSL) return -EINVAL;
  const { kernel, cred } = task;
  const make = (): SemaphoreSet | number =>
    count === 0 ? -EINVAL : new SemaphoreSet(key | 0, flags, cred, count, kernel.clock.realtime().sec);
  const fits = (set: SemaphoreSet): number => (count > set.values.length ? -EINVAL : 0);
  return ipcOf(kernel).semaphores.get(key | 0, flags, cred, make, fits);
}

const SEMBUF_BYTES = 6;

export function sys_semtimedop(task: Task, id: number, addr: number, count: number, timeoutAddr: number): number {
  if (count < 1 || id < 0) return -EINVAL;
  if (count > I.SEMOPM) return -E2BIG;
  const bytes = new Uint8Array(count * SEMBUF_BYTES);
  if (task.mm.copyInBytes(addr, bytes, 0, bytes.length) !== bytes.length) return -EFAULT;
  let deadlineNs = Number.POSITIVE_INFINITY;
  if (timeoutAddr !== 0) {
    const time = readTimespec(task.mm, timeoutAddr);
    if (typeof time === "number") return time;
    deadlineNs = task.kernel.clock.monotonicNs() + spanNs(time);
  }
  const view = new DataView(bytes.buffer);
  const operations: SemOperation[] = [];
  for (let at = 0; at < bytes.length; at += SEMBUF_BYTES) {
    operations.push({
      num: view.getUint16(at, true),
      change: view.getInt16(at + 2, true),
      flags: view.getUint16(at + 4, true),
    });
  }
  const set = ipcOf(task.kernel).semaphores.find(id);
  if (typeof set === "number") return set;
  if (operations.some(({ num }) => num >= set.values.length)) return -EFBIG;
  const alters = operations.some(({ change }) => change !== 0);
  const denied = set.check(task.cred, alters ? WRITE : READ);
  return denied !== 0 ? denied : new SemOp(set, operations, deadlineNs).resume(task, Wake.event);
}

export function sys_semctl(task: Task, id: number, num: number, command: number, arg: number): number {
  const { semaphores } = ipcOf(task.kernel);
  switch (command) {
    case I.IPC_INFO:
    case I.SEM_INFO:
      return info(task, command, arg);
    case I.SEM_STAT:
    case I.SEM_STAT_ANY:
    case I.IPC_STAT: {
      const set = command === I.IPC_STAT ? semaphores.find(id) : semaphores.at(id);
      if (typeof set === "number") return set;
      const denied = command === I.SEM_STAT_ANY ? 0 : set.check(task.cred, READ);
      return denied !== 0 ? denied : stat(task, set, arg, command === I.IPC_STAT ? 0 : set.id);
    }
  }
  const set = semaphores.find(id);
  if (typeof set === "number") return set;
  switch (command) {
    case I.IPC_RMID:
    case I.IPC_SET:
      return change(task, set, command, arg);
    case I.GETALL:
    case I.SETALL:
      return all(task, set, command, arg);
    case I.SETVAL:
    case I.GETVAL:
    case I.GETPID:
    case I.GETNCNT:
    case I.GETZCNT:
      return one(task, set, num, command, arg);
  }
  return -EINVAL;
}

function change(task: Task, set: SemaphoreSet, command: number, addr: number): number {
  const layout = new Layout(I.SEMID.bytes);
  const error = command === I.IPC_SET ? layout.copyIn(task, addr) : 0;
  if (error < 0) return error;
  const denied = set.checkOwner(task.cred);
  if (denied !== 0) return denied;
  if (command === I.IPC_SET) {
    set.changedSec = task.kernel.clock.realtime().sec;
    return updatePerm(set, layout);
  }
  ipcOf(task.kernel).semaphores.remove(set);
  set.changed.wake();
  return 0;
}

function all(task: Task, set: SemaphoreSet, command: number, addr: number): number {
  const denied = set.check(task.cred, command === I.SETALL ? WRITE : READ);
  if (denied !== 0) return denied;
  const bytes = new Uint8Array(set.values.length * 2);
  const values = new Uint16Array(bytes.buffer);
  if (command === I.GETALL) {
    values.set(set.values);
    return task.mm.copyOutBytes(addr, bytes, 0, bytes.length) === bytes.length ? 0 : -EFAULT;
  }
  if (task.mm.copyInBytes(addr, bytes, 0, bytes.length) !== bytes.length) return -EFAULT;
  if (values.some((value) => value > I.SEMVMX)) return -ERANGE;
  for (const [num, value] of values.entries()) setValue(task, set, num, value);
  set.changed.wake();
  return 0;
}

function setValue(task: Task, set: SemaphoreSet, num: number, value: number): void {
  set.values[num] = value;
  set.pids[num] = task.tgid;
  set.forgetUndo(num);
  set.changedSec = task.kernel.clock.realtime().sec;
}

function one(task: Task, set: SemaphoreSet, num: number, command: number, arg: number): number {
  if (num < 0 || num >= set.values.length) return -EINVAL;
  const denied = set.check(task.cred, command === I.SETVAL ? WRITE : READ);
  if (denied !== 0) return denied;
  switch (command) {
    case I.GETVAL:
      return set.values[num]!;
    case I.GETPID:
      return set.pids[num]!;
    case I.GETNCNT:
      return set.growing[num]!;
    case I.GETZCNT:
      return set.zeroing[num]!;
  }
  // The argument is an int in a union of the size of a pointer.
  const value = (arg % 2 ** 32) | 0;
  if (value < 0 || value > I.SEMVMX) return -ERANGE;
  setValue(task, set, num, value);
  set.changed.wake();
  return 0;
}

function stat(task: Task, set: SemaphoreSet, addr: number, result: number): number {
  const layout = new Layout(I.SEMID.bytes);
  layout.putPerm(set);
  layout.i64(I.SEMID.otime, set.operatedSec);
  layout.i64(I.SEMID.ctime, set.changedSec);
  layout.i64(I.SEMID.nsems, set.values.length);
  return layout.copyOut(task, addr, result);
}

/** struct seminfo. */
function info(task: Task, command: number, addr: number): number {
  const { semaphores } = ipcOf(task.kernel);
  let total = 0;
  for (const set of semaphores) total += set.values.length;
  const now = command === I.SEM_INFO;
  const layout = new Layout(40);
  const fields = [
    ...[I.SEMMNS, I.SEMMNI, I.SEMMNS, I.SEMMNS, I.SEMMSL, I.SEMOPM, I.SEMOPM],
    ...[now ? semaphores.count : 20, I.SEMVMX, now ? total : I.SEMVMX],
  ];
  for (const [i, value] of fields.entries()) layout.i32(i * 4, value);
  return layout.copyOut(task, addr, semaphores.maxIndex);
}

export function sys_semop(task: Task, id: number, addr: number, count: number): number {
  return sys_semtimedop(task, id, addr, count, 0);
}

export function rows(): Row[] {
  return [
    row(190, sys_semget, [hex, int, flags(GET_NAMES)], full()),
    row(191, sys_semctl, [int, int, int, addr], full()),
    row(192, sys_semtimedop, [int, struct("sembuf"), size, struct("timespec")], full()),
    row(193, sys_semop, [int, struct("sembuf"), size], full()),
  ];
}
