// Semaphore sets (ipc/sem.c): operations that happen together or not at all, and what the end of a process undoes.

import { EAGAIN, EIDRM, EINTR, ERANGE } from "../../abi/errno.ts";
import { IPC_NOWAIT, SEM_UNDO, SEMVMX } from "../../abi/ipc.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { type Op, Wake } from "../op.ts";
import type { Task } from "../task.ts";
import type { ThreadGroup } from "../thread-group.ts";
import { IpcObject } from "./objects.ts";

/** struct sembuf. */
export interface SemOperation {
  readonly num: number;
  readonly change: number;
  readonly flags: number;
}

export class SemaphoreSet extends IpcObject {
  readonly values: Int32Array;
  readonly pids: Int32Array;
  /** Tasks that wait for a semaphore to grow, and to become zero. */
  readonly growing: Int32Array;
  readonly zeroing: Int32Array;
  readonly changed = new WaitQueue();
  operatedSec = 0;
  changedSec: number;
  private readonly undos = new Map<ThreadGroup, Int32Array>();

  constructor(key: number, mode: number, cred: Credentials, count: number, nowSec: number) {
    super(key, mode, cred);
    this.values = new Int32Array(count);
    this.pids = new Int32Array(count);
    this.growing = new Int32Array(count);
    this.zeroing = new Int32Array(count);
    this.changedSec = nowSec;
  }

  /** All operations at once: 0, -ERANGE, or in `stuckAt` the first that would have to wait, with -EAGAIN. */
  attempt(task: Task, operations: readonly SemOperation[]): number {
    const values = this.values.slice();
    for (const [i, { num, change }] of operations.entries()) {
      const value = values[num]!;
      if ((change === 0 && value !== 0) || value + change < 0) {
        this.stuckAt = i;
        return -EAGAIN;
      }
      if (value + change > SEMVMX) return -ERANGE;
      values[num] = value + change;
    }
    const error = this.remember(task.group, operations);
    if (error !== 0) return error;
    this.values.set(values);
    for (const { num } of operations) this.pids[num] = task.tgid;
    this.operatedSec = task.kernel.clock.realtime().sec;
    if (operations.some(({ change }) => change !== 0)) this.changed.wake();
    return 0;
  }
  stuckAt = 0;

  /** Adds what the end of the process is to undo: 0 or -ERANGE. */
  private remember(group: ThreadGroup, operations: readonly SemOperation[]): number {
    const kept = operations.filter(({ flags, change }) => (flags & SEM_UNDO) !== 0 && change !== 0);
    if (kept.length === 0) return 0;
    const undo = this.undos.get(group)?.slice() ?? new Int32Array(this.values.length);
    for (const { num, change } of kept) {
      undo[num] = undo[num]! - change;
      if (Math.abs(undo[num]!) > SEMVMX) return -ERANGE;
    }
    this.undos.set(group, undo);
    group.semaphoreUndos ??= new Set();
    group.semaphoreUndos.add(this);
    return 0;
  }

  /** SETVAL and SETALL take back what was to be undone for a semaphore. */
  forgetUndo(num: number): void {
    for (const undo of this.undos.values()) undo[num] = 0;
  }

  /** The process has ended (exit_sem). */
  groupEnded(group: ThreadGroup): void {
    const undo = this.undos.get(group);
    this.undos.delete(group);
    if (undo === undefined || this.removed) return;
    for (let i = 0; i < undo.length; i++) {
      if (undo[i] === 0) continue;
      this.values[i] = Math.max(0, Math.min(SEMVMX, this.values[i]! + undo[i]!));
      this.pids[i] = group.tgid;
    }
    this.changed.wake();
  }
}

/** A semop(2) that waits. */
export class SemOp implements Op {
  private readonly set: SemaphoreSet;
  private readonly operations: readonly SemOperation[];
  private readonly deadlineNs: number;
  private counted: Int32Array | null = null;
  private countedAt = 0;

  constructor(set: SemaphoreSet, operations: readonly SemOperation[], deadlineNs: number) {
    this.set = set;
    this.operations = operations;
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    this.uncount();
    if (this.set.removed) return -EIDRM;
    const n = this.set.attempt(task, this.operations);
    if (n !== -EAGAIN) return n;
    const stuck = this.operations[this.set.stuckAt]!;
    if ((stuck.flags & IPC_NOWAIT) !== 0 || wake === Wake.timeout) return -EAGAIN;
    if (wake === Wake.signal) return -EINTR;
    this.counted = stuck.change === 0 ? this.set.zeroing : this.set.growing;
    this.countedAt = stuck.num;
    this.counted[stuck.num] = this.counted[stuck.num]! + 1;
    return task.block(this, this.set.changed, this.deadlineNs);
  }

  private uncount(): void {
    if (this.counted !== null) this.counted[this.countedAt] = this.counted[this.countedAt]! - 1;
    this.counted = null;
  }

  cancel(): void {
    this.uncount();
  }
}
