// The device numbers of terminals: /dev/tty, /dev/console, /dev/ptmx.

import { EIO, ENXIO } from "../abi/errno.ts";
import { O_NOCTTY } from "../abi/fcntl.ts";
import { registerCharacterDevice } from "../vfs/devices.ts";
import type { DevPts } from "./devpts.ts";
import type { JobControl } from "./job-control.ts";
import type { Terminal } from "./terminal.ts";

const TTYAUX_MAJOR = 5;

/** `ours`: what /dev/console is; null when carrick has no terminal. */
export function registerTerminals(jobs: JobControl, pts: DevPts, ours: () => Terminal | null): void {
  registerCharacterDevice(TTYAUX_MAJOR, 0, (inode, flags) => jobs.terminal?.open(inode, flags | O_NOCTTY) ?? -ENXIO);
  registerCharacterDevice(TTYAUX_MAJOR, 1, (inode, flags) => ours()?.open(inode, flags) ?? -EIO);
  registerCharacterDevice(TTYAUX_MAJOR, 2, (inode, flags) => pts.openMaster(inode, flags));
}
