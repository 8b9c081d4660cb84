// Options that name paths of the host: what they say is checked before anything starts.

import { openSync, statSync } from "node:fs";
import { posix } from "node:path";
import type { Bind } from "../container/boot.ts";
import { bytes } from "../host/command-line.ts";
import { usageError } from "./options.ts";
import { printable } from "./user-error.ts";

export function requireDirectory(path: string, option: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw usageError(`${option}: ${printable(path)} does not exist`);
  if (!stat.isDirectory()) throw usageError(`${option}: ${printable(path)} is not a directory`);
}

/** SRC:DST, SRC:DST:ro or SRC:DST:rw. */
export function parseVolume(text: string): Bind {
  const [source, target, mode, ...more] = text.split(":");
  if (source === undefined || source === "" || target === undefined || more.length > 0) {
    throw usageError(`-v ${printable(text)} is not SRC:DST or SRC:DST:ro`);
  }
  if (!target.startsWith("/")) throw usageError(`-v ${printable(text)}: the guest's path must be absolute`);
  if (mode !== undefined && mode !== "ro" && mode !== "rw")
    throw usageError(`-v ${printable(text)}: unknown mode ${printable(mode)}`);
  if (posix.normalize(target) === "/")
    throw usageError(`-v ${printable(text)}: the guest's / cannot be replaced; --rootfs does that`);
  if (statSync(source, { throwIfNoEntry: false }) === undefined)
    throw usageError(`-v: ${printable(source)} does not exist`);
  return { source: bytes(source), target: bytes(posix.normalize(target)), readOnly: mode === "ro" };
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
