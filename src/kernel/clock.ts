// The clocks that the kernel reads. Monotonic time starts with carrick: the guest's boot.

import { NSEC_PER_SEC } from "../abi/time.ts";

/** A point in time or a span: whole seconds and 0 <= nsec < 10^9. */
export interface TimeParts {
  sec: number;
  nsec: number;
}

export interface Clock {
  /** CLOCK_MONOTONIC in ns. */
  monotonicNs(): number;
  /** CLOCK_REALTIME. A fresh object. */
  realtime(): TimeParts;
}

/** The monotonic time in ns at which CLOCK_REALTIME reads `sec`.`nsec`, if nobody steps it; may be negative. */
export function realtimeToMonotonic(clock: Clock, sec: number, nsec: number): number {
  const now = clock.realtime();
  return clock.monotonicNs() + (sec - now.sec) * NSEC_PER_SEC + (nsec - now.nsec);
}

/** A clock that moves only when told to: tests and replay. */
export class ManualClock implements Clock {
  nowNs: number;
  private readonly bootSec: number;

  constructor(nowNs = 0, bootSec = 1_700_000_000) {
    this.nowNs = nowNs;
    this.bootSec = bootSec;
  }

  monotonicNs(): number {
    return this.nowNs;
  }

  realtime(): TimeParts {
    const sec = Math.floor(this.nowNs / NSEC_PER_SEC);
    return { sec: sec + this.bootSec, nsec: this.nowNs - sec * NSEC_PER_SEC };
  }
}
