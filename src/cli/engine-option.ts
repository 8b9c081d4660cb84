// --cpu and --cpus: which of the CPUs runs the guest, and how many of them it has.

import { CPUS_MAX, DEFAULT_ENGINE, ENGINES, type Engine } from "../cpu/cpu.ts";
import { last, type Option, type Parsed, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

export const CPU: Option = { name: "cpu", value: "ENGINE", help: `CPU to use: ${ENGINES.join(" or ")}` };
export const CPUS: Option = {
  name: "cpus",
  value: "N",
  help: "Give the guest N CPUs; those of this machine unless given",
};

export function engineOption(parsed: Parsed): Engine {
  const text = last(parsed, CPU.name) ?? DEFAULT_ENGINE;
  for (const engine of ENGINES) if (engine === text) return engine;
  throw usageError(`--cpu ${printable(text)} is not known; this build has: ${ENGINES.join(", ")}`);
}

/** Null: not given. A fraction, which Docker takes, is rounded up. */
export function cpusOption(parsed: Parsed): number | null {
  const text = last(parsed, CPUS.name);
  if (text === undefined) return null;
  const cpus = /^\d{1,4}(\.\d{1,9})?$/.test(text) ? Math.ceil(Number(text)) : 0;
  if (cpus < 1 || cpus > CPUS_MAX) throw usageError(`--cpus ${printable(text)} is not a number from 1 to ${CPUS_MAX}`);
  return cpus;
}
