// Counts the system calls of a run by number and by result: the material of `carrick compat-report`.

import { ENOSYS } from "../abi/errno.ts";
import type { Cpu } from "../cpu/cpu.ts";
import { findRow } from "../syscalls/table.ts";
import type { Dispatch, Observer } from "./observer.ts";

interface Count {
  calls: number;
  failed: number;
}

export interface CallReport {
  readonly name: string;
  readonly number: number;
  readonly calls: number;
  readonly failed: number;
  /** "full", "partial" with the reason in `note`, or "missing". */
  readonly coverage: "full" | "partial" | "missing";
  readonly note: string;
}

export class CallCounter implements Observer {
  readonly hooks = null;
  readonly steps = false;
  private readonly counts = new Map<number, Count>();

  cpu(cpu: Cpu): Cpu {
    return cpu;
  }

  around(dispatch: Dispatch): Dispatch {
    return (task) => {
      const number = task.regs.syscallNumber;
      let count = this.counts.get(number);
      if (count === undefined) {
        count = { calls: 0, failed: 0 };
        this.counts.set(number, count);
      }
      count.calls += 1;
      const result = dispatch(task);
      if (result < 0 && result >= -4095) count.failed += 1;
      return result;
    };
  }

  /** One entry for each call that was used, missing ones first, then partial ones, then by name. */
  report(): CallReport[] {
    const order = { missing: 0, partial: 1, full: 2 };
    const entries = Array.from(this.counts, ([number, count]) => describe(number, count));
    return entries.sort((a, b) => order[a.coverage] - order[b.coverage] || a.name.localeCompare(b.name));
  }
}

function describe(number: number, count: Count): CallReport {
  const row = findRow(number);
  if (row === undefined) {
    return {
      name: `syscall_${number}`,
      number,
      ...count,
      coverage: "missing",
      note: `no such call here (errno ${ENOSYS})`,
    };
  }
  return {
    name: row.name,
    number,
    ...count,
    coverage: row.coverage.full ? "full" : "partial",
    note: row.coverage.note,
  };
}
