// What can watch a run: a layer around the dispatch of system calls, and the kernel's hooks.

import type { KernelHooks } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";

export type Dispatch = (task: Task) => number;

export interface Observer {
  /** A dispatch that watches and calls the given one. */
  around(dispatch: Dispatch): Dispatch;
  readonly hooks: KernelHooks | null;
}
