// The host's random numbers (getrandom(2)).

import { pointerOf, shim } from "./shim.ts";

export const hostRandom = {
  /** Fills the whole array. */
  fill(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const error = shim.host_random(pointerOf(bytes), bytes.length);
    if (error < 0) throw new Error(`the host gives no random numbers (errno ${-error})`);
  },
};
