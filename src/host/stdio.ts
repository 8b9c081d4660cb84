// carrick's own words to the user: whole strings to stdout and stderr, by plain write(2). process.stdout is not
// used, because it makes the shared description non-blocking under other processes' hands.

import { pointerOf, shim } from "./shim.ts";

const EAGAIN = 11;
const EINTR = 4;
const POLLOUT = 4;

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length === 0) return;
  const ptr = pointerOf(bytes);
  for (let done = 0; done < bytes.length; ) {
    const n = shim.host_write(fd, ptr + done, bytes.length - done, -1);
    if (n > 0) done += n;
    else if (n === -EAGAIN) while (shim.host_poll_now(fd, POLLOUT) === 0) Bun.sleepSync(1);
    else if (n !== -EINTR) return;
  }
}

export function writeOut(text: string): void {
  writeAll(1, text);
}

export function writeErr(text: string): void {
  writeAll(2, text);
}
