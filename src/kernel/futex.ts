// Waiting on futexes, and the operations that are not about ownership (kernel/futex/waitwake.c, requeue.c).

import { EAGAIN, EFAULT, EINVAL, ENOSYS, ERESTART_RESTARTBLOCK, ERESTARTSYS, ETIMEDOUT } from "../abi/errno.ts";
import * as F from "../abi/futex.ts";
import { Atomic } from "../host/shim.gen.ts";
import type { FutexQueue, FutexWaiter } from "./futex-table.ts";
import { loadWord, updateWord } from "./futex-word.ts";
import { type Op, Wake } from "./op.ts";
import type { Task } from "./task.ts";

/** Sleeps while the word is `expected`. `deadlineNs` is on the monotonic clock, Infinity for none. */
export function futexWait(
  task: Task,
  addr: number,
  shared: boolean,
  expected: number,
  bitset: number,
  deadlineNs: number,
): number {
  if (bitset === 0) return -EINVAL;
  if (addr % 4 !== 0) return -EINVAL;
  return new FutexWaitOp(task, addr, shared, expected, bitset, deadlineNs).start();
}

class FutexWaitOp implements Op, FutexWaiter {
  readonly task: Task;
  readonly bitset: number;
  readonly requeuePiAddr = 0;
  queue: FutexQueue | null = null;
  private readonly addr: number;
  private readonly shared: boolean;
  private readonly expected: number;
  private readonly deadlineNs: number;
  private waiting = false;

  constructor(task: Task, addr: number, shared: boolean, expected: number, bitset: number, deadlineNs: number) {
    this.task = task;
    this.addr = addr;
    this.shared = shared;
    this.expected = expected;
    this.bitset = bitset;
    this.deadlineNs = deadlineNs;
  }

  start(): number {
    const { task } = this;
    const key = task.kernel.futexes.key(task.mm, this.addr, this.shared);
    if (typeof key === "number") return key;
    const word = loadWord(task.mm, this.addr);
    if (word < 0) return word;
    if (word !== this.expected) return -EAGAIN;
    task.kernel.futexes.enqueue(key, this);
    this.waiting = true;
    return task.block(this, null, this.deadlineNs);
  }

  resume(task: Task, wake: Wake): number {
    if (!this.waiting) return this.start();
    if (this.queue === null) return 0;
    if (wake === Wake.event) return task.block(this, null, this.deadlineNs);
    this.cancel(task);
    if (wake === Wake.timeout) return -ETIMEDOUT;
    return this.deadlineNs === Number.POSITIVE_INFINITY ? -ERESTARTSYS : -ERESTART_RESTARTBLOCK;
  }

  cancel(task: Task): void {
    task.kernel.futexes.leave(this);
    this.waiting = false;
  }
}

export function futexWake(task: Task, addr: number, shared: boolean, count: number, bitset: number): number {
  if (bitset === 0) return -EINVAL;
  if (addr % 4 !== 0) return -EINVAL;
  const { futexes } = task.kernel;
  const key = futexes.key(task.mm, addr, shared);
  return typeof key === "number" ? key : futexes.wake(key, Math.max(1, count), bitset);
}

/** FUTEX_REQUEUE and FUTEX_CMP_REQUEUE (`expected` >= 0). */
export function futexRequeue(
  task: Task,
  addr: number,
  shared: boolean,
  wakeCount: number,
  requeueCount: number,
  target: number,
  expected: number,
): number {
  if (wakeCount < 0 || requeueCount < 0) return -EINVAL;
  if (addr % 4 !== 0 || target % 4 !== 0) return -EINVAL;
  const { futexes } = task.kernel;
  const from = futexes.key(task.mm, addr, shared);
  const to = futexes.key(task.mm, target, shared);
  if (typeof from === "number") return from;
  if (typeof to === "number") return to;
  if (expected >= 0) {
    const word = loadWord(task.mm, addr);
    if (word < 0) return word;
    if (word !== expected) return -EAGAIN;
  }
  const woken = futexes.wake(from, wakeCount);
  const moved = from === to ? 0 : futexes.requeue(from, to, requeueCount);
  return woken + moved;
}

/** FUTEX_WAKE_OP: changes the second word, wakes on the first, and on the second when its old value compares. */
export function futexWakeOp(
  task: Task,
  addr: number,
  shared: boolean,
  count: number,
  count2: number,
  addr2: number,
  encoded: number,
): number {
  if (addr % 4 !== 0 || addr2 % 4 !== 0) return -EINVAL;
  const { futexes } = task.kernel;
  const key = futexes.key(task.mm, addr, shared);
  const key2 = futexes.key(task.mm, addr2, shared);
  if (typeof key === "number") return key;
  if (typeof key2 === "number") return key2;
  const op = ATOMICS[(encoded >>> 28) & 7];
  if (op === undefined) return -ENOSYS;
  let arg = (encoded << 8) >> 20;
  if ((encoded & 0x80000000) !== 0) arg = 1 << (arg & 31);
  const old = updateWord(task.mm, addr2, op, arg);
  if (old < 0) return -EFAULT;
  const matches = compare((encoded >>> 24) & 15, old | 0, (encoded << 20) >> 20);
  if (matches < 0) return matches;
  const woken = futexes.wake(key, Math.max(1, count));
  return matches === 1 ? woken + futexes.wake(key2, Math.max(1, count2)) : woken;
}

/** FUTEX_OP_SET, ADD, OR, ANDN, XOR. */
const ATOMICS: readonly (number | undefined)[] = [Atomic.set, Atomic.add, Atomic.or, Atomic.andn, Atomic.xor];

/** FUTEX_OP_CMP_*: 1 or 0, -ENOSYS for an unknown one. */
function compare(operator: number, old: number, arg: number): number {
  switch (operator) {
    case 0:
      return Number(old === arg);
    case 1:
      return Number(old !== arg);
    case 2:
      return Number(old < arg);
    case 3:
      return Number(old <= arg);
    case 4:
      return Number(old > arg);
    case 5:
      return Number(old >= arg);
    default:
      return -ENOSYS;
  }
}

/** One word of futex_waitv(2). */
export interface WaitvEntry {
  addr: number;
  expected: number;
  shared: boolean;
}

/** futex_waitv(2): sleeps until one of the words is woken; its index. */
export function futexWaitv(task: Task, entries: readonly WaitvEntry[], deadlineNs: number): number {
  return new WaitvOp(task, entries, deadlineNs).start();
}

class WaitvOp implements Op {
  private readonly task: Task;
  private readonly entries: readonly WaitvEntry[];
  private readonly deadlineNs: number;
  private waiters: FutexWaiter[] = [];

  constructor(task: Task, entries: readonly WaitvEntry[], deadlineNs: number) {
    this.task = task;
    this.entries = entries;
    this.deadlineNs = deadlineNs;
  }

  start(): number {
    const { task } = this;
    for (const entry of this.entries) {
      const key = task.kernel.futexes.key(task.mm, entry.addr, entry.shared);
      const word = typeof key === "number" ? key : loadWord(task.mm, entry.addr);
      if (typeof key === "number" || word !== entry.expected) return this.giveUp(word < 0 ? word : -EAGAIN);
      const waiter: FutexWaiter = { task, bitset: F.FUTEX_BITSET_MATCH_ANY, queue: null, requeuePiAddr: 0 };
      task.kernel.futexes.enqueue(key, waiter);
      this.waiters.push(waiter);
    }
    return task.block(this, null, this.deadlineNs);
  }

  /** A wake that came before the failure still counts. */
  private giveUp(error: number): number {
    const woken = this.woken();
    this.cancel(this.task);
    return woken >= 0 ? woken : error;
  }

  private woken(): number {
    return this.waiters.findIndex((waiter) => waiter.queue === null);
  }

  resume(task: Task, wake: Wake): number {
    const woken = this.woken();
    if (woken < 0 && wake === Wake.event) return task.block(this, null, this.deadlineNs);
    this.cancel(task);
    if (woken >= 0) return woken;
    return wake === Wake.timeout ? -ETIMEDOUT : -ERESTARTSYS;
  }

  cancel(task: Task): void {
    for (const waiter of this.waiters) task.kernel.futexes.leave(waiter);
    this.waiters = [];
  }
}
