// The CPU as the kernel sees it: it runs guest code out of a register block until something happens. More than one block can be
// run at a time: the calling thread's by `enter`, others by CPU threads of the shim.

import { pointerOf, shim } from "../host/shim.ts";
import type { Registers } from "./registers.ts";

export interface Cpu {
  /** Budgets, and what registers count as retired, are nanoseconds instead of instructions. */
  readonly isTimed: boolean;
  /** Runs at most about `budget` instructions. Returns one of Exit. */
  enter(regs: Registers, budget: number): number;
  /** Names the block that is entered from now on: the one to stop when a host signal arrives. */
  select(regs: Registers): void;
  /**
   * Gives the block to a CPU thread, of which there may be `threads`. False when none is free. Until `collect` has given `id` back
   * nobody else touches the block, but for `kick`. The poller's wait ends when there is something to collect, and so does `enter`.
   */
  dispatch(regs: Registers, id: number, budget: number, threads: number): boolean;
  /** The id of a dispatched block that has had its exit, or -1. */
  collect(): number;
  /** For how long the block of the last `collect` was run. */
  collectedNs(): number;
  /** Makes the block exit soon. */
  kick(regs: Registers): void;
  /** Waits until there is something to collect. A block must be out. */
  settle(): void;
  /** Full memory barrier on every CPU thread that runs the space (0: any). */
  barrier(space: number): void;
}

/** The engines that a shim may have, by `cpu_engine`'s numbers. */
export const ENGINES = ["interp", "jit", "hvf"] as const;
export type Engine = (typeof ENGINES)[number];
/** Hypervisor.framework on a Mac, else the translator where there is one. */
export const DEFAULT_ENGINE: Engine = ENGINES[shim.cpu_engine_default()]!;

/** The most CPUs that a guest can have: the affinity masks that it sees are exact numbers. */
export const CPUS_MAX = 53;

let chosen: Engine = "interp";

/** Chooses the engine, before anything runs. Null, or why this host cannot run it. */
export function useEngine(engine: Engine): string | null {
  if (shim.cpu_engine(ENGINES.indexOf(engine)) === 0) {
    chosen = engine;
    return null;
  }
  return engineReason() ?? UNAVAILABLE[engine];
}

/** What the engine says of its last failure; null when there is no more to say. */
export function engineReason(): string | null {
  const text = new Uint8Array(256);
  const length = shim.cpu_engine_reason(pointerOf(text), text.length);
  return length > 0 ? Buffer.from(text.subarray(0, length)).toString("latin1") : null;
}

const UNAVAILABLE: Readonly<Record<Engine, string>> = {
  interp: "the host gives no memory for the CPU",
  jit: "the translator needs an x86-64 host",
  hvf: "Hypervisor.framework needs a Mac with Apple silicon",
};

/** The guest's counter at a moment of the host's monotonic clock. */
export function counterAt(hostNs: bigint, counterHz: number): bigint {
  const pair = new BigUint64Array(2);
  shim.cpu_counter_sample(pointerOf(pair));
  return pair[0]! + ((hostNs - pair[1]!) * BigInt(counterHz)) / 1_000_000_000n;
}

/** The shim's engine. */
export const shimCpu: Cpu = {
  get isTimed(): boolean {
    return chosen === "hvf";
  },
  enter(regs: Registers, budget: number): number {
    return shim.cpu_enter(regs.ptr, budget);
  },
  select(regs: Registers): void {
    shim.host_set_running(regs.ptr);
  },
  dispatch(regs: Registers, id: number, budget: number, threads: number): boolean {
    return shim.cpu_dispatch(regs.ptr, id, budget, threads) === 0;
  },
  collect(): number {
    return shim.cpu_collect();
  },
  collectedNs(): number {
    return shim.cpu_collected_ns();
  },
  kick(regs: Registers): void {
    shim.cpu_kick(regs.ptr);
  },
  settle(): void {
    shim.cpu_settle();
  },
  barrier(space: number): void {
    shim.cpu_barrier(space);
  },
};
