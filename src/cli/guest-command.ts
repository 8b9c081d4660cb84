// The commands that run a guest, for those that watch one: `trace run ...`, `compat-report -- run-elf ...`.

import type { Observer } from "../trace/observer.ts";
import { findCommand } from "./commands.ts";
import { parseOptions, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

/** Runs the command that `words` say, under an observer. `watcher` names the command that does this. */
export async function runWatched(words: readonly string[], observer: Observer, watcher: string): Promise<number> {
  const [name, ...rest] = words;
  if (name === "run-elf") {
    const { command, runElf } = await import("./run-elf.ts");
    return runElf(parseOptions(command.options, rest), observer);
  }
  if (name === "run") {
    const { command, runInImage } = await import("./run.ts");
    return runInImage(parseOptions(command.options, rest), observer);
  }
  const known = name !== undefined && findCommand(name) !== undefined ? " runs nothing" : " is none of them";
  throw usageError(
    `${watcher} needs the command run or run-elf${name === undefined ? "" : `; ${printable(name)}${known}`}`,
  );
}
