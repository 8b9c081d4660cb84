// Futexes with an owner (kernel/futex/pi.c, requeue.c): the word holds the owner's tid, and unlocking hands the lock to
// the oldest waiter. Waiters sleep in the futex table under the key "pi" + that of the word.
// DIFFERS: priorities are not inherited.

import * as E from "../abi/errno.ts";
import * as F from "../abi/futex.ts";
import type { FutexQueue, FutexWaiter } from "./futex-table.ts";
import { compareExchange, loadWord } from "./futex-word.ts";
import { type Op, Wake } from "./op.ts";
import type { Task } from "./task.ts";

function piKey(task: Task, addr: number, shared: boolean): string | number {
  if (addr % 4 !== 0) return -E.EINVAL;
  const key = task.kernel.futexes.key(task.mm, addr, shared);
  return typeof key === "number" ? key : `pi${key}`;
}

/** FUTEX_LOCK_PI, FUTEX_LOCK_PI2. */
export function lockPi(task: Task, addr: number, shared: boolean, deadlineNs: number): number {
  const key = piKey(task, addr, shared);
  return typeof key === "number" ? key : acquire(task, key, addr, new LockPiOp(task, key, addr, deadlineNs));
}

/** FUTEX_TRYLOCK_PI. */
export function tryLockPi(task: Task, addr: number, shared: boolean): number {
  const key = piKey(task, addr, shared);
  if (typeof key === "number") return key;
  const taken = tryAcquire(task, key, addr, task.tid);
  return taken === 0 ? -E.EAGAIN : taken === 1 ? 0 : taken;
}

/** Takes the lock for `tid`: 1 when taken, 0 when it has an owner (FUTEX_WAITERS is then set), -errno. */
function tryAcquire(task: Task, key: string, addr: number, tid: number): number {
  const { mm } = task;
  for (;;) {
    const word = loadWord(mm, addr);
    if (word < 0) return word;
    const owner = word & F.FUTEX_TID_MASK;
    if (owner === tid) return -E.EDEADLK;
    if (owner !== 0 && task.kernel.pids.task(owner) === undefined && (word & F.FUTEX_OWNER_DIED) === 0) return -E.ESRCH;
    const waiting = task.kernel.futexes.queue(key) !== undefined;
    const free = owner === 0 || task.kernel.pids.task(owner) === undefined;
    const kept = word & F.FUTEX_OWNER_DIED;
    const next = free ? tid | kept | (waiting ? F.FUTEX_WAITERS : 0) : word | F.FUTEX_WAITERS;
    const error = compareExchange(mm, addr, word, next);
    if (error === -E.EAGAIN) continue;
    return error < 0 ? error : free ? 1 : 0;
  }
}

function acquire(task: Task, key: string, addr: number, op: LockPiOp): number {
  const taken = tryAcquire(task, key, addr, task.tid);
  if (taken !== 0) return taken === 1 ? 0 : taken;
  task.kernel.futexes.enqueue(key, op);
  return task.block(op, null, op.deadlineNs);
}

class LockPiOp implements Op, FutexWaiter {
  readonly task: Task;
  readonly bitset = F.FUTEX_BITSET_MATCH_ANY;
  readonly requeuePiAddr = 0;
  readonly deadlineNs: number;
  queue: FutexQueue | null = null;
  readonly key: string;
  readonly addr: number;

  constructor(task: Task, key: string, addr: number, deadlineNs: number) {
    this.task = task;
    this.key = key;
    this.addr = addr;
    this.deadlineNs = deadlineNs;
  }

  /** Out of the queue means that the lock was handed over. */
  resume(task: Task, wake: Wake): number {
    if (this.queue === null) return 0;
    if (wake === Wake.event) return task.block(this, null, this.deadlineNs);
    this.cancel(task);
    return wake === Wake.timeout ? -E.ETIMEDOUT : -E.ERESTARTNOINTR;
  }

  cancel(task: Task): void {
    task.kernel.futexes.leave(this);
  }
}

/** FUTEX_UNLOCK_PI. */
export function unlockPi(task: Task, addr: number, shared: boolean): number {
  const key = piKey(task, addr, shared);
  if (typeof key === "number") return key;
  for (;;) {
    const word = loadWord(task.mm, addr);
    if (word < 0) return word;
    if ((word & F.FUTEX_TID_MASK) !== task.tid) return -E.EPERM;
    const result = handOver(task, key, addr, word, 0);
    if (result !== -E.EAGAIN) return result;
  }
}

/** Makes the oldest waiter the owner, or the word free. 0, -EAGAIN when the word changed, -EFAULT. */
function handOver(task: Task, key: string, addr: number, word: number, flags: number): number {
  const queue = task.kernel.futexes.queue(key);
  const next = queue?.waiters[0];
  const more = queue !== undefined && queue.waiters.length > 1;
  const value = next === undefined ? flags : next.task.tid | flags | (more ? F.FUTEX_WAITERS : 0);
  const error = compareExchange(task.mm, addr, word, value);
  if (error < 0 || next === undefined) return error;
  task.kernel.futexes.leave(next);
  next.task.wake();
  return 0;
}

/** A dying owner leaves a robust PI lock: the next waiter gets it, marked. True when there was one. */
export function abandonPi(task: Task, addr: number, word: number): boolean {
  for (const shared of [true, false]) {
    const key = piKey(task, addr, shared);
    if (typeof key === "number" || task.kernel.futexes.queue(key) === undefined) continue;
    return handOver(task, key, addr, word, F.FUTEX_OWNER_DIED) === 0;
  }
  return false;
}

/** FUTEX_WAIT_REQUEUE_PI: waits on `addr` to be moved to the lock at `target`; returns as its owner. */
export function waitRequeuePi(
  task: Task,
  addr: number,
  shared: boolean,
  expected: number,
  bitset: number,
  deadlineNs: number,
  target: number,
): number {
  if (bitset === 0 || addr === target || addr % 4 !== 0) return -E.EINVAL;
  const { futexes } = task.kernel;
  const key = futexes.key(task.mm, addr, shared);
  const lock = piKey(task, target, shared);
  if (typeof key === "number") return key;
  if (typeof lock === "number") return lock;
  const word = loadWord(task.mm, addr);
  if (word < 0) return word;
  if (word !== expected) return -E.EAGAIN;
  const op = new RequeuePiOp(task, bitset, deadlineNs, target, lock);
  futexes.enqueue(key, op);
  return task.block(op, null, deadlineNs);
}

class RequeuePiOp implements Op, FutexWaiter {
  readonly task: Task;
  readonly bitset: number;
  readonly requeuePiAddr: number;
  queue: FutexQueue | null = null;
  private readonly lockKey: string;
  private readonly deadlineNs: number;

  constructor(task: Task, bitset: number, deadlineNs: number, target: number, lockKey: string) {
    this.task = task;
    this.bitset = bitset;
    this.requeuePiAddr = target;
    this.deadlineNs = deadlineNs;
    this.lockKey = lockKey;
  }

  resume(task: Task, wake: Wake): number {
    if (this.queue === null) return 0;
    if (wake === Wake.event) return task.block(this, null, this.deadlineNs);
    const requeued = this.queue.key === this.lockKey;
    this.cancel(task);
    if (wake === Wake.timeout) return -E.ETIMEDOUT;
    return requeued ? -E.EAGAIN : -E.ERESTARTNOINTR;
  }

  cancel(task: Task): void {
    task.kernel.futexes.leave(this);
  }
}

/** FUTEX_CMP_REQUEUE_PI: the oldest waiter gets the lock if it is free, `requeueCount` others wait for it. */
export function requeuePi(
  task: Task,
  addr: number,
  shared: boolean,
  wakeCount: number,
  requeueCount: number,
  target: number,
  expected: number,
): number {
  if (wakeCount !== 1 || requeueCount < 0 || addr % 4 !== 0) return -E.EINVAL;
  const { futexes } = task.kernel;
  const from = futexes.key(task.mm, addr, shared);
  const lock = piKey(task, target, shared);
  if (typeof from === "number") return from;
  if (typeof lock === "number") return lock;
  const word = loadWord(task.mm, addr);
  if (word < 0) return word;
  if (word !== expected) return -E.EAGAIN;
  const waiters = futexes.queue(from)?.waiters.slice(0, 1 + requeueCount) ?? [];
  let moved = 0;
  for (const waiter of waiters) {
    if (waiter.requeuePiAddr !== target) return moved > 0 ? moved : -E.EINVAL;
    const taken = tryAcquire(task, lock, target, waiter.task.tid);
    if (taken < 0) return moved > 0 ? moved : taken;
    futexes.leave(waiter);
    if (taken === 1) waiter.task.wake();
    else futexes.enqueue(lock, waiter);
    moved += 1;
  }
  return moved;
}
