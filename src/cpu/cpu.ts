// The CPU as the kernel sees it: it runs guest code out of a register block until something happens.

import { shim } from "../host/shim.ts";
import type { Registers } from "./registers.ts";

export interface Cpu {
  /** Runs at most about `budget` instructions. Returns one of Exit. */
  enter(regs: Registers, budget: number): number;
  /** Names the block that is entered from now on: the one to stop when a host signal arrives. */
  select(regs: Registers): void;
}

/** The engines that a shim may have, by `cpu_engine`'s numbers. */
export const ENGINES = ["interp", "jit"] as const;
export type Engine = (typeof ENGINES)[number];
export const DEFAULT_ENGINE: Engine = "interp";

/** Chooses the engine, before anything runs. False where this host has no such one. */
export function useEngine(engine: Engine): boolean {
  return shim.cpu_engine(ENGINES.indexOf(engine)) === 0;
}

/** The shim's engine, on the calling thread. */
export const shimCpu: Cpu = {
  enter(regs: Registers, budget: number): number {
    return shim.cpu_enter(regs.ptr, budget);
  },
  select(regs: Registers): void {
    shim.host_set_running(regs.ptr);
  },
};
