// The one sleep of the kernel: host descriptors, host signals and a deadline in a single wait (epoll(7) on Linux).
// Descriptors are watched edge-triggered: a watcher first tries its operation and waits only after -EAGAIN, so that a ready
// descriptor nobody reads costs one wake and never a loop.

import { pointerOf, shim } from "./shim.ts";

/** Told which EPOLL* events happened; a WaitQueue is one. */
export interface Waker {
  wake(events: number): void;
}

/** `watch` of a file that is always ready (regular files): there is nothing to wait for. */
export const ALWAYS_READY = 0x7fffffff;

const MAX_EVENTS = 64;

export class HostPoller {
  /** Called with the set of signals that carrick got since the last wait (bit n-1 for signal n). */
  onSignals: ((signals: number) => void) | null = null;

  private readonly out = new Uint32Array(1 + 2 * MAX_EVENTS);
  private readonly outPtr = pointerOf(this.out);
  private readonly watched: ({ fd: number; waker: Waker } | undefined)[] = [];
  private readonly free: number[] = [];

  /**
   * Wakes `waker` whenever one of `events` (EPOLLIN, EPOLLOUT, ...) becomes true on `hostFd`, and once if it is true now.
   * A token for `unwatch`, ALWAYS_READY, or -errno. A descriptor can be watched once; duplicates count as others.
   */
  watch(hostFd: number, events: number, waker: Waker): number {
    const token = this.free.pop() ?? this.watched.length;
    const result = shim.host_poll_add(hostFd, events, token);
    if (result !== 0) {
      this.free.push(token);
      if (token === this.watched.length) this.watched.push(undefined);
      return result > 0 ? ALWAYS_READY : result;
    }
    this.watched[token] = { fd: hostFd, waker };
    return token;
  }

  /** Must be called before the descriptor is closed. */
  unwatch(token: number): void {
    const entry = this.watched[token];
    if (entry === undefined) return;
    shim.host_poll_del(entry.fd);
    this.watched[token] = undefined;
    this.free.push(token);
  }

  /** Ready events of a descriptor now, without waiting; -errno. */
  static ready(hostFd: number, events: number): number {
    return shim.host_poll_now(hostFd, events);
  }

  /**
   * Sleeps until an event, a signal, `interrupt` or the timeout (Infinity: none; 0: only looks), then wakes the
   * watchers concerned. Spurious returns are legal.
   */
  wait(timeoutNs: number): void {
    const count = shim.host_wait(timeoutNs, this.outPtr, MAX_EVENTS);
    const signals = this.out[0]!;
    for (let i = 0; i < count; i += 1) {
      // A watcher woken earlier in this batch may have unwatched this one.
      this.watched[this.out[1 + 2 * i]!]?.waker.wake(this.out[2 + 2 * i]!);
    }
    if (signals !== 0 && this.onSignals !== null) this.onSignals(signals);
  }

  /** Ends the current or next wait; from any thread of the shim. */
  interrupt(): void {
    shim.host_wake();
  }
}
