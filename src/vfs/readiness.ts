// Readiness of an open file in poll's terms (vfs_poll).

import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../abi/poll.ts";
import type { File } from "./file.ts";

/** Ready events now. "Normal" data counts as data, whichever of the two names a file reports. */
export function readiness(file: File): number {
  const events = file.poll();
  const normal = ((events & POLLIN) !== 0 ? POLLRDNORM : 0) | ((events & POLLOUT) !== 0 ? POLLWRNORM : 0);
  return events | normal;
}
