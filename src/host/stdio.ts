// carrick's own words to the user: whole strings to stdout and stderr, by plain write(2). process.stdout is not
// used, because it makes the shared description non-blocking under other processes' hands.

import { pointerOf, shim } from "./shim.ts";

const EAGAIN = 11;
const EINTR = 4;
const EIO = 5;
const POLLOUT = 4;

/** Writes all of it, however long that takes. 0 or -errno. */
export function writeAll(fd: number, text: string): number {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length === 0) return 0;
  const ptr = pointerOf(bytes);
  for (let done = 0; done < bytes.length; ) {
    const n = shim.host_write(fd, ptr + done, bytes.length - done, -1);
    if (n > 0) done += n;
    else if (n === -EAGAIN) while (shim.host_poll_now(fd, POLLOUT) === 0) Bun.sleepSync(1);
    else if (n !== -EINTR) return n < 0 ? n : -EIO;
  }
  return 0;
}

/** 0, or -errno of what could not be written. */
export function writeOut(text: string): number {
  return writeAll(1, text);
}

export function writeErr(text: string): void {
  writeAll(2, text);
}
