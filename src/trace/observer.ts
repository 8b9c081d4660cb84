// What can watch a run: a layer around the dispatch of system calls, and the kernel's hooks.

import type { Cpu } from "../cpu/cpu.ts";
import type { KernelHooks } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";

export type Dispatch = (task: Task) => number;

export interface Observer {
  /** A dispatch that watches and calls the given one. */
  around(dispatch: Dispatch): Dispatch;
  readonly hooks: KernelHooks | null;
  /** It watches every instruction: tasks run one at a time, on a software CPU. */
  readonly steps: boolean;
  /** The CPU that the kernel is to use instead of `cpu`. `current` is the task that is entered. */
  cpu(cpu: Cpu, current: () => Task | null): Cpu;
}
