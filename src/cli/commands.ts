// The commands: what each is called, takes and does, and the usage texts that citty makes from that.

import { type ArgsDef, type CommandDef, renderUsage } from "citty";
import type { Option, Parsed } from "./options.ts";

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the options, as usage prints it. */
  readonly operands: string;
  readonly options: readonly Option[];
  /** Exit status. Loaded on demand, so that a command pays only for itself. */
  run(parsed: Parsed): number | Promise<number>;
}

export const VERSION = "0.1.0";

const load: Readonly<Record<string, () => Promise<Command>>> = {
  "run-elf": async () => (await import("./run-elf.ts")).command,
  trace: async () => (await import("./trace.ts")).command,
  "compat-report": async () => (await import("./compat-report.ts")).command,
};

export const commandNames: readonly string[] = Object.keys(load);

export function findCommand(name: string): Promise<Command> | undefined {
  return Object.hasOwn(load, name) ? load[name]!() : undefined;
}

/** The usage text of one command. */
export function commandUsage(command: Command): Promise<string> {
  return renderUsage(definition(command), { meta: { name: "carrick" } });
}

/** The usage text of carrick itself. */
export async function mainUsage(): Promise<string> {
  const subCommands: Record<string, CommandDef> = {};
  for (const name of commandNames) subCommands[name] = definition((await findCommand(name))!);
  return renderUsage({
    meta: { name: "carrick", version: VERSION, description: "Runs Linux/ARM64 programs as one ordinary process" },
    subCommands,
  });
}

function definition(command: Command): CommandDef {
  const args: ArgsDef = {};
  for (const option of command.options) {
    args[option.name] = {
      type: option.value === undefined ? "boolean" : "string",
      description: option.help,
      ...(option.short === undefined ? {} : { alias: option.short }),
      ...(option.value === undefined ? {} : { valueHint: option.value }),
    };
  }
  return { meta: { name: `${command.name} ${command.operands}`.trim(), description: command.summary }, args };
}
