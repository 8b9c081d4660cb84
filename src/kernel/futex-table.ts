// Futex wait queues (kernel/futex/core.c): who sleeps on which word. A private futex is named by address space and
// address, a shared one by frame and offset, so that mappings of the same memory meet.

import { EFAULT } from "../abi/errno.ts";
import { FUTEX_BITSET_MATCH_ANY } from "../abi/futex.ts";
import { Access } from "../host/shim.gen.ts";
import { shim } from "../host/shim.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { Task } from "./task.ts";

const PAGE = 4096;

/** One sleeper on one word. */
export interface FutexWaiter {
  readonly task: Task;
  readonly bitset: number;
  /** Where it sleeps; null when it was woken or has left. */
  queue: FutexQueue | null;
  /** FUTEX_WAIT_REQUEUE_PI: the address of the PI futex it is to be moved to; 0 otherwise. */
  readonly requeuePiAddr: number;
}

export class FutexQueue {
  readonly key: string;
  /** By falling real-time priority, which tasks without one have as 0; the oldest first among equals. */
  readonly waiters: FutexWaiter[] = [];

  constructor(key: string) {
    this.key = key;
  }

  add(waiter: FutexWaiter): void {
    const { waiters } = this;
    let at = waiters.length;
    while (at > 0 && waiters[at - 1]!.task.rtPriority < waiter.task.rtPriority) at -= 1;
    waiters.splice(at, 0, waiter);
  }
}

export class FutexTable {
  private readonly queues = new Map<string, FutexQueue>();

  /**
   * The name of a futex, or -EFAULT for a shared one that is not mapped. `addr` is a multiple of 4. A word in private
   * memory has two names: who waits without FUTEX_PRIVATE_FLAG is woken without it only (FUT_OFF_MMSHARED).
   */
  key(mm: AddressSpace, addr: number, shared: boolean): string | number {
    if (!shared) return `p${mm.space}:${addr}`;
    const vma = mm.vmas.find(addr);
    if (vma === undefined) return -EFAULT;
    if (!vma.shared) return `m${mm.space}:${addr}`;
    const page = addr - (addr % PAGE);
    let frame = shim.space_frame(mm.space, page);
    if (frame < 0) {
      if (mm.handleFault(addr, Access.read) !== 0) return -EFAULT;
      frame = shim.space_frame(mm.space, page);
    }
    return frame < 0 ? -EFAULT : `s${frame}:${addr % PAGE}`;
  }

  queue(key: string): FutexQueue | undefined {
    return this.queues.get(key);
  }

  enqueue(key: string, waiter: FutexWaiter): void {
    let queue = this.queues.get(key);
    if (queue === undefined) {
      queue = new FutexQueue(key);
      this.queues.set(key, queue);
    }
    queue.add(waiter);
    waiter.queue = queue;
  }

  /** Takes a waiter out, wherever requeueing has brought it. */
  leave(waiter: FutexWaiter): void {
    const queue = waiter.queue;
    if (queue === null) return;
    queue.waiters.splice(queue.waiters.indexOf(waiter), 1);
    waiter.queue = null;
    if (queue.waiters.length === 0) this.queues.delete(queue.key);
  }

  /** Wakes up to `count` waiters whose bitset meets `bitset`, in the order of the queue. The number woken. */
  wake(key: string, count: number, bitset = FUTEX_BITSET_MATCH_ANY): number {
    const queue = this.queues.get(key);
    if (queue === undefined) return 0;
    let woken = 0;
    for (const waiter of [...queue.waiters]) {
      if (woken >= count) break;
      if ((waiter.bitset & bitset) === 0) continue;
      this.leave(waiter);
      waiter.task.wake();
      woken += 1;
    }
    return woken;
  }

  /** Wakes waiters of a word as the kernel itself does, without FUTEX_PRIVATE_FLAG: clear_child_tid and robust lists. */
  wakeAddress(mm: AddressSpace, addr: number, count: number): number {
    const key = this.key(mm, addr, true);
    return typeof key === "string" ? this.wake(key, count) : 0;
  }

  /** Moves up to `count` waiters to another word; the number moved. */
  requeue(from: string, to: string, count: number): number {
    const queue = this.queues.get(from);
    if (queue === undefined || from === to) return 0;
    const moved = queue.waiters.slice(0, count);
    for (const waiter of moved) {
      this.leave(waiter);
      this.enqueue(to, waiter);
    }
    return moved.length;
  }
}
