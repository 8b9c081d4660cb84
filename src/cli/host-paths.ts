// Options that name paths of the host: what they say is checked before anything starts.

import { openSync, statSync } from "node:fs";
import { usageError } from "./options.ts";
import { printable } from "./user-error.ts";

export function requireDirectory(path: string, option: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw usageError(`${option}: ${printable(path)} does not exist`);
  if (!stat.isDirectory()) throw usageError(`${option}: ${printable(path)} is not a directory`);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "it is not permitted",
  EISDIR: "it is a directory",
  ENOENT: "its directory does not exist",
  ENOTDIR: "its directory does not exist",
  EROFS: "the file system is read-only",
};

/** Opens a file that a command writes its own results to. */
export function openOutput(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usageError(`-o: cannot write ${printable(path)}: ${REASONS[code!] ?? code}`);
  }
}
