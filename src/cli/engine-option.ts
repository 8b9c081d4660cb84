// --cpu: which of the CPUs runs the guest.

import { DEFAULT_ENGINE, ENGINES, type Engine } from "../cpu/cpu.ts";
import { last, type Option, type Parsed, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

export const CPU: Option = { name: "cpu", value: "ENGINE", help: `CPU to use: ${ENGINES.join(" or ")}` };

export function engineOption(parsed: Parsed): Engine {
  const text = last(parsed, CPU.name) ?? DEFAULT_ENGINE;
  const engine = ENGINES.find((name) => name === text);
  if (engine === undefined)
    throw usageError(`--cpu ${printable(text)} is not known; this build has: ${ENGINES.join(", ")}`);
  return engine;
}
