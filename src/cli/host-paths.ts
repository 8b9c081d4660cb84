// Options that name paths of the host: what they say is checked before anything starts.

import { statSync } from "node:fs";
import { posix } from "node:path";
import type { Bind } from "../container/boot.ts";
import { bytes, usageError } from "./options.ts";
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
  if (statSync(source, { throwIfNoEntry: false }) === undefined)
    throw usageError(`-v: ${printable(source)} does not exist`);
  return { source: bytes(source), target: bytes(posix.normalize(target)), readOnly: mode === "ro" };
}
