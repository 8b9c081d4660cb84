// carrick as a process of the host: how it starts, what signals reach it, how it ends.

import { shim } from "./shim.ts";

/**
 * Prepares the process: descriptor limit, umask (the kernel applies the guest's), poller. Idempotent. Returns the
 * umask that carrick was started with, or -errno.
 */
export function startHost(): number {
  return shim.host_start();
}

export const signals = {
  /** Catches the signals that the kernel forwards; returns the set that was ignored at start (bit n-1 for signal n). */
  start(): number {
    return shim.host_signals_init() >>> 0;
  },

  /** The register block to stop when a signal arrives; 0 for none. */
  setRunning(blockPtr: number): void {
    shim.host_set_running(blockPtr);
  },

  /** Ends carrick (or stops it) by a signal with its default action; returns after a stop that was continued. */
  killSelf(signal: number): void {
    shim.host_kill_self(signal);
  },
};

/** Ends the process now; the terminal is restored, nothing else runs. */
export function exitNow(code: number): never {
  shim.host_exit(code);
  throw new Error("unreachable");
}
