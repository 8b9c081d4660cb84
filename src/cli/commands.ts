// The commands: what each is called, takes and does.

import type { Option, Parsed } from "./options.ts";

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the options, as usage prints it. */
  readonly operands: string;
  readonly options: readonly Option[];
  /** Options may stand behind the operands too, because no guest's are there. */
  readonly mixed?: boolean;
  /** Exit status. Loaded on demand, so that a command pays only for itself. */
  run(parsed: Parsed): number | Promise<number>;
}

export const VERSION = "0.1.0";

const load: Readonly<Record<string, () => Promise<Command>>> = {
  "run-elf": async () => (await import("./run-elf.ts")).command,
  run: async () => (await import("./run.ts")).command,
  pull: async () => (await import("./pull.ts")).command,
  images: async () => (await import("./images.ts")).command,
  rmi: async () => (await import("./rmi.ts")).command,
  prune: async () => (await import("./prune.ts")).command,
  load: async () => (await import("./load.ts")).command,
  inspect: async () => (await import("./inspect.ts")).command,
  trace: async () => (await import("./trace.ts")).command,
  doctor: async () => (await import("./doctor.ts")).command,
  selftest: async () => (await import("./selftest.ts")).command,
  "compat-report": async () => (await import("./compat-report.ts")).command,
};

export const commandNames: readonly string[] = Object.keys(load);

export function findCommand(name: string): Promise<Command> | undefined {
  return Object.hasOwn(load, name) ? load[name]!() : undefined;
}
