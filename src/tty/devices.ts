// The device numbers of terminals: /dev/tty, /dev/console, /dev/ptmx.

import { EIO, ENXIO } from "../abi/errno.ts";
import { O_NOCTTY } from "../abi/fcntl.ts";
import { registerCharacterDevice } from "../vfs/devices.ts";
import type { DevPts } from "./devpts.ts";
import type { JobControl } from "./job-control.ts";
import type { Terminal } from "./terminal.ts";

const TTYAUX_MAJOR = 5;

/** The terminals of a run. */
export interface TerminalSet {
  readonly jobs: JobControl;
  readonly pts: DevPts;
  /** What /dev/console is; null when carrick has no terminal. */
  readonly ours: Terminal | null;
}

export function registerTerminals(set: TerminalSet): void {
  registerCharacterDevice(
    TTYAUX_MAJOR,
    0,
    (inode, flags) => set.jobs.terminal?.open(inode, flags | O_NOCTTY) ?? -ENXIO,
  );
  registerCharacterDevice(TTYAUX_MAJOR, 1, (inode, flags) => set.ours?.open(inode, flags) ?? -EIO);
  registerCharacterDevice(TTYAUX_MAJOR, 2, (inode, flags) => set.pts.openMaster(inode, flags));
}
