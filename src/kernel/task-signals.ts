// Sending signals (kernel/signal.c).

import type { Kernel } from "./kernel.ts";
import type { SigInfo } from "./sig-info.ts";
import type { Task } from "./task.ts";

export function sendSignal(_task: Task, _signal: number, _info?: SigInfo): void {}
export function forceSignal(_task: Task, _info: SigInfo): void {}
export function sendHostSignals(_kernel: Kernel, _lo: number, _hi: number): void {}
