// A wait queue as in include/linux/wait.h: whoever waits for a condition adds a waiter, whoever makes the
// condition true wakes the queue. Wakes may be spurious; a waiter always looks again.

/** Told that the condition may hold now. Must not add itself to the same queue again from within. */
export interface Waiter {
  /** `events`: poll bits that became true (EPOLLIN, ...), or all ones when the waker does not say. */
  wake(events: number): void;
}

export const EVENTS_ANY = 0x7fffffff;

export class WaitQueue {
  private readonly waiters = new Set<Waiter>();

  get empty(): boolean {
    return this.waiters.size === 0;
  }

  add(waiter: Waiter): void {
    this.waiters.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.waiters.delete(waiter);
  }

  /** Wakes every waiter, oldest first. */
  wake(events: number = EVENTS_ANY): void {
    if (this.waiters.size === 0) return;
    for (const waiter of this.waiters) waiter.wake(events);
  }
}
