// Exits of the CPU other than calls: page faults go to mm, the rest become signals (arch/arm64/mm/fault.c, kernel/traps.c).

import type { Task } from "./task.ts";

export function handleException(_task: Task, _exit: number): void {}
