// Resource limits of a process (getrlimit(2)). RLIM_INFINITY is Infinity here.

import * as R from "../abi/resource.ts";

const MIB = 1024 * 1024;

export class Limits {
  private readonly soft = new Float64Array(R.RLIM_NLIMITS).fill(R.RLIM_INFINITY);
  private readonly hard = new Float64Array(R.RLIM_NLIMITS).fill(R.RLIM_INFINITY);

  /** What a container of a usual Linux host starts with. */
  static initial(): Limits {
    const limits = new Limits();
    limits.set(R.RLIMIT_STACK, 8 * MIB, R.RLIM_INFINITY);
    limits.set(R.RLIMIT_CORE, 0, R.RLIM_INFINITY);
    limits.set(R.RLIMIT_NPROC, R.RLIM_INFINITY, R.RLIM_INFINITY);
    limits.set(R.RLIMIT_NOFILE, 1024, 1048576);
    limits.set(R.RLIMIT_MEMLOCK, 8 * MIB, 8 * MIB);
    limits.set(R.RLIMIT_SIGPENDING, 31488, 31488);
    limits.set(R.RLIMIT_MSGQUEUE, 819200, 819200);
    limits.set(R.RLIMIT_NICE, 0, 0);
    limits.set(R.RLIMIT_RTPRIO, 0, 0);
    return limits;
  }

  get(resource: number): number {
    return this.soft[resource]!;
  }

  max(resource: number): number {
    return this.hard[resource]!;
  }

  set(resource: number, soft: number, hard: number): void {
    this.soft[resource] = soft;
    this.hard[resource] = hard;
  }

  get stackBytes(): number {
    return this.soft[R.RLIMIT_STACK]!;
  }
  get dataBytes(): number {
    return this.soft[R.RLIMIT_DATA]!;
  }
  get addressSpaceBytes(): number {
    return this.soft[R.RLIMIT_AS]!;
  }

  copy(): Limits {
    const limits = new Limits();
    limits.soft.set(this.soft);
    limits.hard.set(this.hard);
    return limits;
  }
}
