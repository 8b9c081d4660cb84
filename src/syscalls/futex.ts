// futex(2), futex_waitv(2), futex2 calls (kernel/futex/syscalls.c).

import { EFAULT, EINVAL, ENOSYS } from "../abi/errno.ts";
import * as F from "../abi/futex.ts";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "../abi/time.ts";
import { scratch } from "../host/scratch.ts";
import { absoluteDeadline } from "../kernel/clocks.ts";
import { futexRequeue, futexWait, futexWaitv, futexWake, futexWakeOp, type WaitvEntry } from "../kernel/futex.ts";
import { lockPi, requeuePi, tryLockPi, unlockPi, waitRequeuePi } from "../kernel/futex-pi.ts";
import type { Task } from "../kernel/task.ts";
import { readTimespec, spanNs } from "../kernel/timespec.ts";
import { addr, flags, full, hex, int, partial, type Row, row, size, struct, u32 } from "./row.ts";

const OP_NAMES = {
  FUTEX_PRIVATE_FLAG: F.FUTEX_PRIVATE_FLAG,
  FUTEX_CLOCK_REALTIME: F.FUTEX_CLOCK_REALTIME,
  FUTEX_WAIT_BITSET: F.FUTEX_WAIT_BITSET,
  FUTEX_WAKE_BITSET: F.FUTEX_WAKE_BITSET,
  FUTEX_WAKE: F.FUTEX_WAKE,
};
const COMMAND_MASK = ~(F.FUTEX_PRIVATE_FLAG | F.FUTEX_CLOCK_REALTIME);

const MAY_BE_REALTIME: ReadonlySet<number> = new Set([F.FUTEX_WAIT_BITSET, F.FUTEX_WAIT_REQUEUE_PI, F.FUTEX_LOCK_PI2]);

export function sys_futex(
  task: Task,
  word: number,
  op: number,
  value: number,
  timeout: number,
  word2: number,
  value3: number,
): number {
  const command = op & COMMAND_MASK;
  const shared = (op & F.FUTEX_PRIVATE_FLAG) === 0;
  const realtime = (op & F.FUTEX_CLOCK_REALTIME) !== 0;
  const count2 = timeout | 0;
  if (realtime && !MAY_BE_REALTIME.has(command)) return -ENOSYS;
  switch (command) {
    case F.FUTEX_WAKE:
      return futexWake(task, word, shared, value | 0, F.FUTEX_BITSET_MATCH_ANY);
    case F.FUTEX_WAKE_BITSET:
      return futexWake(task, word, shared, value | 0, value3);
    case F.FUTEX_REQUEUE:
      return futexRequeue(task, word, shared, value | 0, count2, word2, -1);
    case F.FUTEX_CMP_REQUEUE:
      return futexRequeue(task, word, shared, value | 0, count2, word2, value3);
    case F.FUTEX_WAKE_OP:
      return futexWakeOp(task, word, shared, value | 0, count2, word2, value3);
    case F.FUTEX_UNLOCK_PI:
      return unlockPi(task, word, shared);
    case F.FUTEX_TRYLOCK_PI:
      return tryLockPi(task, word, shared);
    case F.FUTEX_CMP_REQUEUE_PI:
      return requeuePi(task, word, shared, value | 0, count2, word2, value3);
    case F.FUTEX_WAIT:
    case F.FUTEX_WAIT_BITSET:
    case F.FUTEX_LOCK_PI:
    case F.FUTEX_LOCK_PI2:
    case F.FUTEX_WAIT_REQUEUE_PI:
      return wait(task, command, word, shared, value, timeout, realtime, word2, value3);
    default:
      return -ENOSYS;
  }
}

function wait(
  task: Task,
  command: number,
  word: number,
  shared: boolean,
  value: number,
  timeout: number,
  realtime: boolean,
  word2: number,
  value3: number,
): number {
  const deadlineNs = timeout === 0 ? Number.POSITIVE_INFINITY : deadline(task, command, timeout, realtime);
  if (deadlineNs < 0) return deadlineNs;
  switch (command) {
    case F.FUTEX_WAIT:
      return futexWait(task, word, shared, value, F.FUTEX_BITSET_MATCH_ANY, deadlineNs);
    case F.FUTEX_WAIT_BITSET:
      return futexWait(task, word, shared, value, value3, deadlineNs);
    case F.FUTEX_WAIT_REQUEUE_PI:
      return waitRequeuePi(task, word, shared, value, F.FUTEX_BITSET_MATCH_ANY, deadlineNs, word2);
    default:
      return lockPi(task, word, shared, deadlineNs);
  }
}

/** The deadline on the monotonic clock; FUTEX_WAIT's timeout is relative, all others are absolute. -EFAULT, -EINVAL. */
function deadline(task: Task, command: number, timeoutAddr: number, realtime: boolean): number {
  const time = readTimespec(task.mm, timeoutAddr);
  if (typeof time === "number") return time;
  const { clock } = task.kernel;
  if (command === F.FUTEX_WAIT) return clock.monotonicNs() + spanNs(time);
  const onRealtime = realtime || command === F.FUTEX_LOCK_PI;
  const id = onRealtime ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  return Math.max(0, absoluteDeadline(clock, id, time.sec, time.nsec));
}

export function sys_futex_waitv(
  task: Task,
  entriesAddr: number,
  count: number,
  how: number,
  timeoutAddr: number,
  clockId: number,
): number {
  if (how !== 0 || count === 0 || count > F.FUTEX_WAITV_MAX) return -EINVAL;
  const deadlineNs = absoluteTimeout(task, timeoutAddr, clockId);
  if (deadlineNs < 0) return deadlineNs;
  const at = F.FutexWaitv;
  if (task.mm.copyIn(entriesAddr, count * at.sizeBytes) < 0) return -EFAULT;
  const entries: WaitvEntry[] = [];
  for (let base = 0; base < count * at.sizeBytes; base += at.sizeBytes) {
    const wordFlags = scratch.u32[(base + at.flags) >> 2]!;
    if ((wordFlags & ~(F.FUTEX2_SIZE_MASK | F.FUTEX2_PRIVATE)) !== 0) return -EINVAL;
    if ((wordFlags & F.FUTEX2_SIZE_MASK) !== F.FUTEX2_SIZE_U32) return -EINVAL;
    if (scratch.u32[(base + at.reserved) >> 2] !== 0) return -EINVAL;
    const addr = task.mm.untag(scratch.getU64(base + at.uaddr));
    if (addr % 4 !== 0) return -EINVAL;
    entries.push({ addr, expected: scratch.getU64(base + at.val), shared: (wordFlags & F.FUTEX2_PRIVATE) === 0 });
  }
  return futexWaitv(task, entries, deadlineNs);
}

function absoluteTimeout(task: Task, timeoutAddr: number, clockId: number): number {
  if (timeoutAddr === 0) return Number.POSITIVE_INFINITY;
  if (clockId !== CLOCK_MONOTONIC && clockId !== CLOCK_REALTIME) return -EINVAL;
  const time = readTimespec(task.mm, timeoutAddr);
  if (typeof time === "number") return time;
  return Math.max(0, absoluteDeadline(task.kernel.clock, clockId, time.sec, time.nsec));
}

/** Flags of the futex2 calls: 32-bit words only. */
function isFutex2(how: number): boolean {
  return (how & ~(F.FUTEX2_SIZE_MASK | F.FUTEX2_PRIVATE)) === 0 && (how & F.FUTEX2_SIZE_MASK) === F.FUTEX2_SIZE_U32;
}

export function sys_futex_wake(task: Task, word: number, mask: number, count: number, how: number): number {
  if (!isFutex2(how) || mask > 0xffffffff) return -EINVAL;
  if (count <= 0) return 0;
  return futexWake(task, word, (how & F.FUTEX2_PRIVATE) === 0, count, mask);
}

export function sys_futex_wait(
  task: Task,
  word: number,
  value: number,
  mask: number,
  how: number,
  timeoutAddr: number,
  clockId: number,
): number {
  if (!isFutex2(how) || mask > 0xffffffff || value > 0xffffffff) return -EINVAL;
  const deadlineNs = absoluteTimeout(task, timeoutAddr, clockId);
  if (deadlineNs < 0) return deadlineNs;
  return futexWait(task, word, (how & F.FUTEX2_PRIVATE) === 0, value, mask, deadlineNs);
}

export function rows(): Row[] {
  return [
    row(98, sys_futex, [addr, flags(OP_NAMES), u32, addr, addr, u32], partial("PI locks do not lend priorities")),
    row(449, sys_futex_waitv, [struct("futex_waitv"), u32, hex, struct("timespec"), int], full()),
    row(454, sys_futex_wake, [addr, size, int, hex], full()),
    row(455, sys_futex_wait, [addr, size, size, hex, struct("timespec"), int], full()),
  ];
}
