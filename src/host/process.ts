// carrick as a process of the host: how it starts, what signals reach it, how it ends.

import { AT_FDCWD, files } from "./files.ts";
import { pointerOf, shim } from "./shim.ts";
import { lookAt, seen } from "./stat.ts";

/**
 * Prepares the process: descriptor limit, umask (the kernel applies the guest's), poller. Idempotent. Returns the
 * umask that carrick was started with, or -errno.
 */
export function startHost(): number {
  return shim.host_start();
}

/** Descriptors of carrick's own are never below this (shim/host/linux/files.zig). */
const FIRST_OWN = 64;
const TYPE = 0o170000;
const CHARACTER = 0o020000;
const SHARABLE = [0o010000, CHARACTER, 0o100000, 0o140000];
const NULL_DEVICE = 0x103;
const O_NOCTTY = 0o400;

/**
 * Descriptors beyond the standard streams that carrick was started with, as a shell gives them to a command for
 * `3<file` and `<(list)`. What the runtime opens for itself (anonymous files, /dev/null) is not among them.
 */
export function inheritedDescriptors(): number[] {
  const found: number[] = [];
  const open = new Int32Array(FIRST_OWN);
  const count = shim.host_open_fds(3, FIRST_OWN, pointerOf(open));
  for (let i = 0; i < count; i += 1) {
    const fd = open[i]!;
    if (lookAt(fd) < 0 || !SHARABLE.includes(seen.mode & TYPE)) continue;
    if ((seen.mode & TYPE) !== CHARACTER || seen.rdev !== NULL_DEVICE) found.push(fd);
  }
  return found;
}

/** Whether a shell may be there that would continue carrick after a stop: there is a controlling terminal. */
export function underJobControl(): boolean {
  const fd = files.open(AT_FDCWD, "/dev/tty", O_NOCTTY, 0);
  if (fd >= 0) files.close(fd);
  return fd >= 0;
}

export const signals = {
  /** Catches the signals that the kernel forwards; returns the set that was ignored at start (bit n-1 for signal n). */
  start(): number {
    return shim.host_signals_init() >>> 0;
  },

  /** Those of the same signals that are ignored now, in the same form. */
  ignored(): number {
    return shim.host_ignored_signals() >>> 0;
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

/** Times more often than the engine would ask must code have run to be compiled: most guests end within a second. */
const JIT_POLICY = 4;

/** From here on code runs often enough to be worth compiling (the executable is built with a policy that waits longer). */
export function startIsOver(): void {
  Bun.unsafe.setJITPolicy(JIT_POLICY);
}

/** Added to the number of a signal: the status of a command that was killed by it. */
export const KILLED_BY = 256;

/** Ends the process with an exit status, or by the signal that the guest died of, so that a shell sees a native command. */
export function end(status: number): never {
  if (status < KILLED_BY) exitNow(status);
  const signal = status - KILLED_BY;
  signals.killSelf(signal);
  return exitNow(128 + signal);
}

/** Ends the process now; the terminal is restored, nothing else runs. */
export function exitNow(code: number): never {
  shim.host_exit(code);
  throw new Error("unreachable");
}
