// argv -> command -> exit status. Messages go to stderr; stdout belongs to the guest and to what was asked for.

import { writeErr } from "../host/stdio.ts";
import { commandNames, findCommand, VERSION } from "./commands.ts";
import { HELP, isOn, nearest, parseOptions, usageError } from "./options.ts";
import { EXIT_FAILED, printable, UserError } from "./user-error.ts";

/** Runs one command line (without the program's name). Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await runCommand(argv);
  } catch (error) {
    if (!(error instanceof UserError)) {
      writeErr(`carrick: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      return EXIT_FAILED;
    }
    if (error.message !== "") writeErr(`carrick: ${error.message}\n${error.hint === "" ? "" : `${error.hint}\n`}`);
    return error.exitCode;
  }
}

async function runCommand(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    writeErr(`${await (await usage()).mainUsage()}\n`);
    return EXIT_FAILED;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    await print(`${await (await usage()).mainUsage()}\n`);
    return 0;
  }
  if (name === "--version" || name === "-V" || name === "version") {
    await print(`carrick ${VERSION}\n`);
    return 0;
  }
  const command = await findCommand(name);
  if (command === undefined) {
    const near = nearest(name, commandNames);
    throw usageError(`unknown command ${printable(name)}${near === undefined ? "" : `; did you mean ${near}?`}`);
  }
  const parsed = parseOptions([...command.options, HELP], rest, command.mixed);
  if (isOn(parsed, HELP.name)) {
    await print(`${await (await usage()).commandUsage(command)}\n`);
    return 0;
  }
  return command.run(parsed);
}

/** Both are loaded only when somebody asks. */
async function print(text: string): Promise<void> {
  (await import("./print.ts")).print(text);
}

function usage(): Promise<typeof import("./usage.ts")> {
  return import("./usage.ts");
}
