// How proc prints numbers and tables (proc(5)).

import type { ProcTask, SignalSet } from "./source.ts";

/** CLK_TCK: 100 ticks a second. */
const TICK_NS = 10_000_000;

export function ticks(ns: number): number {
  return Math.floor(ns / TICK_NS);
}

/** Kibibytes in a column of eight, as status and smaps print them. */
export function kib(bytes: number): string {
  return `${String(Math.ceil(bytes / 1024)).padStart(8)} kB`;
}

/** 16 hex digits. */
export function hex64(set: SignalSet): string {
  return hex8(set[1]) + hex8(set[0]);
}

function hex8(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}

/** CPUs 0 to n - 1 as cpulist and cpumask formats. */
export function cpuList(mask: number): string {
  const parts: string[] = [];
  for (let cpu = 0; cpu < 53; ) {
    if (!hasBit(mask, cpu)) {
      cpu += 1;
      continue;
    }
    const first = cpu;
    while (hasBit(mask, cpu + 1)) cpu += 1;
    parts.push(first === cpu ? `${cpu}` : `${first}-${cpu}`);
    cpu += 1;
  }
  return parts.join(",");
}

function hasBit(mask: number, bit: number): boolean {
  return Math.floor(mask / 2 ** bit) % 2 === 1;
}

export function allCpus(count: number): number {
  return 2 ** count - 1;
}

/** Text in which white space and backslashes are octal escapes (mangle_path). */
export function mangle(text: string): string {
  return text.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

const STATE_NAMES: Readonly<Record<string, string>> = {
  R: "running",
  S: "sleeping",
  D: "disk sleep",
  T: "stopped",
  t: "tracing stop",
  X: "dead",
  Z: "zombie",
};

export function stateText(task: ProcTask): string {
  return `${task.state} (${STATE_NAMES[task.state] ?? "unknown"})`;
}
