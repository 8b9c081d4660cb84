// The host's clocks (clock_gettime(2)).

import type { HostPoller } from "./poller.ts";
import { pointerOf, shim } from "./shim.ts";

const CLOCK_REALTIME = 0;
const EPOLLIN = 1;

export class HostClock {
  /** Wall-clock time when this clock was made: the guest's boot. */
  readonly bootRealtimeSec: number;
  readonly bootRealtimeNsec: number;

  private readonly out = new Float64Array(2);
  private readonly outPtr = pointerOf(this.out);
  private readonly startNs: number;

  constructor() {
    this.startNs = shim.host_elapsed_ns();
    const { sec, nsec } = this.realtime();
    this.bootRealtimeSec = sec;
    this.bootRealtimeNsec = nsec;
  }

  /** Nanoseconds since this clock was made; exact for a hundred days. */
  monotonicNs(): number {
    return shim.host_elapsed_ns() - this.startNs;
  }

  /** The host's own monotonic clock, this clock's time, and the wall clock minus it, all at one moment. */
  sample(): { hostNs: bigint; monotonicNs: bigint; realtimeOffsetNs: bigint } {
    const out = new BigUint64Array(3);
    shim.host_clock_sample(pointerOf(out));
    const monotonicNs = out[1]! - BigInt(this.startNs);
    return { hostNs: out[0]!, monotonicNs, realtimeOffsetNs: out[2]! + out[0]! - monotonicNs };
  }

  /** Calls `changed` whenever somebody sets the host's wall clock. */
  onSet(poller: HostPoller, changed: () => void): void {
    const fd = shim.host_clock_watch(-1);
    if (fd < 0) return;
    const wake = (): void => {
      shim.host_clock_watch(fd);
      changed();
    };
    poller.watch(fd, EPOLLIN, { wake });
  }

  realtime(): { sec: number; nsec: number } {
    return this.read(CLOCK_REALTIME);
  }

  /** Any clock by its Linux number, for CPU times. */
  read(id: number): { sec: number; nsec: number } {
    const error = shim.host_clock(id, this.outPtr);
    return error < 0 ? { sec: 0, nsec: 0 } : { sec: this.out[0]!, nsec: this.out[1]! };
  }
}
