// -e and --env-file, as Docker reads them: NAME=VALUE sets, NAME alone passes the variable on from here. Files have one
// entry a line, "#" begins a comment only at a line's start, and nothing is quoted.

import { readFileSync } from "node:fs";
import { usageError } from "./options.ts";
import { printable } from "./user-error.ts";

/** The variables of carrick itself: most runs ask for none. */
type Host = () => ReadonlyMap<string, string>;

/** Entries in order of rising priority; NAME alone takes a variable away. */
export function environment(files: readonly string[], entries: readonly string[], host: Host): string[] {
  return [...files.flatMap((file) => readEnvFile(file, host)), ...entries.map((entry) => parseEntry(entry, host))];
}

function parseEntry(entry: string, host: Host): string {
  if (entry === "" || entry.startsWith("=")) throw usageError(`-e ${printable(entry)} has no name`);
  if (entry.includes("=")) return entry;
  const value = host().get(entry);
  // As with Docker, a variable that is not set here is taken away from the image's.
  return value === undefined ? entry : `${entry}=${value}`;
}

function readEnvFile(path: string, host: Host): string[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw usageError(`--env-file: ${printable(path)} does not exist`);
    if (code === undefined || code.startsWith("ERR_ENCODING"))
      throw usageError(`--env-file: ${printable(path)} is not UTF-8 text`);
    throw usageError(`--env-file: ${printable(path)} cannot be read (${code})`);
  }
  const entries: string[] = [];
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trimStart();
    if (line === "" || line.startsWith("#")) return;
    const where = `--env-file: ${printable(path)}, line ${i + 1}`;
    const equals = line.indexOf("=");
    const name = equals < 0 ? line : line.slice(0, equals);
    if (name === "") throw usageError(`${where}: there is no name before the =`);
    if (/\s/.test(name)) throw usageError(`${where}: the name ${printable(name)} has a space in it`);
    if (line.includes("\0")) throw usageError(`${where}: there is a NUL in it`);
    if (equals >= 0) entries.push(line);
    else if (host().has(name)) entries.push(`${name}=${host().get(name)}`);
  });
  return entries;
}
