// The times of an inode in memory (fs/inode.c: inode_update_timestamps, relatime_need_update).

import { UTIME_NOW } from "../../abi/stat.ts";
import type { Attributes, Stat } from "../../vfs/inode.ts";
import type { Timestamp } from "./memory-file-system.ts";

const DAY_SEC = 86400;

export class Times {
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
  ctimeSec: number;
  ctimeNsec: number;

  constructor({ sec, nsec }: Timestamp) {
    this.atimeSec = this.mtimeSec = this.ctimeSec = sec;
    this.atimeNsec = this.mtimeNsec = this.ctimeNsec = nsec;
  }

  change({ sec, nsec }: Timestamp): void {
    this.ctimeSec = sec;
    this.ctimeNsec = nsec;
  }

  modify({ sec, nsec }: Timestamp): void {
    this.mtimeSec = this.ctimeSec = sec;
    this.mtimeNsec = this.ctimeNsec = nsec;
  }

  /** relatime, as every mount has it by default. */
  access({ sec, nsec }: Timestamp): void {
    const fresh =
      this.accessedAfter(this.mtimeSec, this.mtimeNsec) && this.accessedAfter(this.ctimeSec, this.ctimeNsec);
    if (fresh && sec - this.atimeSec < DAY_SEC) return;
    this.atimeSec = sec;
    this.atimeNsec = nsec;
  }

  private accessedAfter(sec: number, nsec: number): boolean {
    return this.atimeSec > sec || (this.atimeSec === sec && this.atimeNsec > nsec);
  }

  tell(stat: Stat): void {
    stat.atimeSec = this.atimeSec;
    stat.atimeNsec = this.atimeNsec;
    stat.mtimeSec = this.mtimeSec;
    stat.mtimeNsec = this.mtimeNsec;
    stat.ctimeSec = this.ctimeSec;
    stat.ctimeNsec = this.ctimeNsec;
  }

  /** What utimensat(2) asks for, after a `change` to now. */
  set(a: Attributes): void {
    if (a.atimeNsec !== undefined) {
      this.atimeSec = a.atimeNsec === UTIME_NOW ? this.ctimeSec : a.atimeSec!;
      this.atimeNsec = a.atimeNsec === UTIME_NOW ? this.ctimeNsec : a.atimeNsec;
    }
    if (a.mtimeNsec !== undefined) {
      this.mtimeSec = a.mtimeNsec === UTIME_NOW ? this.ctimeSec : a.mtimeSec!;
      this.mtimeNsec = a.mtimeNsec === UTIME_NOW ? this.ctimeNsec : a.mtimeNsec;
    }
  }
}

/** All times as they are at birth. */
export function setTimes(stat: Stat, { sec, nsec }: Timestamp): void {
  stat.atimeSec = stat.mtimeSec = stat.ctimeSec = stat.btimeSec = sec;
  stat.atimeNsec = stat.mtimeNsec = stat.ctimeNsec = stat.btimeNsec = nsec;
}
