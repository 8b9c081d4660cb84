// The kernel's one timer heap: every deadline (sleeps, timeouts, itimers, POSIX timers, timerfd) is an entry
// here, on the monotonic clock.

export interface Timer {
  readonly deadlineNs: number;
  readonly fire: () => void;
  /** Index in the heap; -1 when it is not armed. */
  index: number;
}

/** A binary min-heap that knows each entry's place, so that cancelling costs O(log n). */
export class TimerHeap {
  private readonly heap: Timer[] = [];

  get size(): number {
    return this.heap.length;
  }

  /** The earliest deadline in ns, or Infinity. */
  get nextNs(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : this.heap[0]!.deadlineNs;
  }

  /** Calls `fire` once when the monotonic clock has reached `deadlineNs`. */
  add(deadlineNs: number, fire: () => void): Timer {
    const timer: Timer = { deadlineNs, fire, index: this.heap.length };
    this.heap.push(timer);
    this.siftUp(timer.index);
    return timer;
  }

  /** Legal for a timer that has fired or was cancelled. */
  cancel(timer: Timer): void {
    const at = timer.index;
    if (at < 0) return;
    timer.index = -1;
    const last = this.heap.pop()!;
    if (last === timer) return;
    this.place(last, at);
    this.siftDown(at);
    this.siftUp(last.index);
  }

  /** Fires all timers due at `nowNs`, earliest first. Timers added from within fire at the next call. */
  run(nowNs: number): void {
    if (this.nextNs > nowNs) return;
    const due: Timer[] = [];
    while (this.nextNs <= nowNs) {
      const timer = this.heap[0]!;
      this.cancel(timer);
      due.push(timer);
    }
    for (const timer of due) timer.fire();
  }

  private place(timer: Timer, at: number): void {
    this.heap[at] = timer;
    timer.index = at;
  }

  private siftUp(at: number): void {
    const timer = this.heap[at]!;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.heap[parent]!.deadlineNs <= timer.deadlineNs) break;
      this.place(this.heap[parent]!, at);
      at = parent;
    }
    this.place(timer, at);
  }

  private siftDown(at: number): void {
    const timer = this.heap[at]!;
    const size = this.heap.length;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.heap[child + 1]!.deadlineNs < this.heap[child]!.deadlineNs) child += 1;
      if (this.heap[child]!.deadlineNs >= timer.deadlineNs) break;
      this.place(this.heap[child]!, at);
      at = child;
    }
    this.place(timer, at);
  }
}
