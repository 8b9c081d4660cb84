// The usage texts, which citty makes from the commands' declarations.

import { type ArgsDef, type CommandDef, renderUsage } from "citty";
import { type Command, commandNames, findCommand, VERSION } from "./commands.ts";

/** The usage text of one command. */
export async function commandUsage(command: Command): Promise<string> {
  const text = await plain(renderUsage(definition(command), { meta: { name: "carrick" } }));
  // citty puts [OPTIONS] last, where they would be the guest's.
  return command.operands.includes("[OPTIONS]") ? text.replace(/^(USAGE .*) \[OPTIONS\] *$/m, "$1") : text;
}

/** The usage text of carrick itself. */
export async function mainUsage(): Promise<string> {
  const subCommands: Record<string, CommandDef> = {};
  for (const name of commandNames) subCommands[name] = definition((await findCommand(name))!);
  return plain(
    renderUsage({
      meta: { name: "carrick", version: VERSION, description: "Runs Linux/ARM64 programs as one ordinary process" },
      subCommands,
    }),
  );
}

/** Without the escape sequences that citty always adds: the text may go to a pipe, a file or a screen reader. */
async function plain(usage: Promise<string>): Promise<string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins an escape sequence.
  return (await usage).replace(/\u001b\[[0-9;]*m/g, "");
}

function definition(command: Command): CommandDef {
  const args: ArgsDef = {};
  for (const option of command.options) {
    if (option.refused !== undefined) continue;
    args[option.name] = {
      type: option.value === undefined ? "boolean" : "string",
      description: option.help,
      ...(option.short === undefined ? {} : { alias: option.short }),
      ...(option.value === undefined ? {} : { valueHint: option.value }),
    };
  }
  return { meta: { name: `${command.name} ${command.operands}`.trim(), description: command.summary }, args };
}
