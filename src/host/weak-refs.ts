// Weak references in a program that never goes back to its event loop.

/** The engine keeps what a WeakRef was made of, or was asked for, until the running job ends; the kernel's never does. This ends it. */
export function releaseWeakRefs(): void {
  const { drainMicrotasks } = require("bun:jsc") as typeof import("bun:jsc");
  drainMicrotasks();
}
