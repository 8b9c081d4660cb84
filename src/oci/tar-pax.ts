// Extended headers (POSIX.1-2024 pax, "pax Extended Header"): records "LENGTH KEY=VALUE\n". Keys and values are byte
// strings here, whatever the standard says about UTF-8: names in archives are names of files.

import { isAclName } from "../lib/posix-acl.ts";
import { LayerError } from "./layer-error.ts";

/** Most bytes of one extended header. */
export const MAX_PAX_BYTES = 1 << 20;
const XATTR_PREFIX = "SCHILY.xattr.";
const MAX_XATTR_NAME = 255;
const MAX_XATTR_VALUE = 65536;
const NUL_FREE = new Set(["path", "linkpath", "GNU.sparse.name"]);

/** The records of one header; the pairs of sparse format 0.0 repeat, so that they are kept apart. */
export interface PaxRecords {
  readonly values: Map<string, string>;
  readonly sparse: string[];
}

const bad = (): LayerError => new LayerError("the archive has a malformed extended header");

/** Reads all records into `into`, later ones replacing earlier ones. Throws LayerError. */
export function parsePax(bytes: Buffer, into: PaxRecords): void {
  let at = 0;
  while (at < bytes.length) {
    // Some writers fill up with zeros.
    if (bytes[at] === 0) return;
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 || space > at + 8 ? "" : bytes.toString("latin1", at, space);
    if (!/^[0-9]+$/.test(digits)) throw bad();
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    if (end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) throw bad();
    record(into, bytes.toString("latin1", space + 1, equals), bytes.toString("latin1", equals + 1, end - 1));
    at = end;
  }
}

function record(into: PaxRecords, key: string, value: string): void {
  if (NUL_FREE.has(key) && value.includes("\0"))
    throw new LayerError("the archive has a name with a NUL character in it");
  if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") into.sparse.push(value);
  else into.values.set(key, value);
}

/** A decimal number from `key`, or undefined when there is no such record. */
export function paxNumber(values: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = values.get(key);
  if (text === undefined || text === "") return undefined;
  const value = /^-?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new LayerError(`the archive has an extended header with an absurd ${key}`);
  return value;
}

export interface Timestamp {
  sec: number;
  nsec: number;
}

/** "1700000000.123456789", also negative: seconds rounded down and the rest. */
export function paxTime(values: ReadonlyMap<string, string>): Timestamp | undefined {
  const text = values.get("mtime");
  if (text === undefined || text === "") return undefined;
  const [, minus, whole, , fraction] = /^(-?)([0-9]+)(\.([0-9]*))?$/.exec(text) ?? [];
  if (whole === undefined || !Number.isSafeInteger(Number(whole)))
    throw new LayerError("the archive has an extended header with an absurd mtime");
  const nsec = Number((fraction ?? "").slice(0, 9).padEnd(9, "0"));
  const sec = Number(whole);
  if (minus === "") return { sec, nsec };
  return nsec === 0 ? { sec: 0 - sec, nsec: 0 } : { sec: -sec - 1, nsec: 1_000_000_000 - nsec };
}

/** Name spaces whose attributes a guest may see. What overlay mounts keep for themselves is nobody else's. */
function isKept(name: string): boolean {
  if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) return false;
  return /^(user|security|trusted)\../s.test(name) || isAclName(name);
}

/** The extended attributes among the records; null when there are none. */
export function paxXattrs(values: ReadonlyMap<string, string>): Map<string, Buffer> | null {
  let xattrs: Map<string, Buffer> | null = null;
  for (const [key, value] of values) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    // GNU tar writes "=" and "%" of a name that way.
    const name = key.slice(XATTR_PREFIX.length).replaceAll("%3D", "=").replaceAll("%25", "%");
    if (!isKept(name)) continue;
    if (name.length > MAX_XATTR_NAME || value.length > MAX_XATTR_VALUE || name.includes("\0"))
      throw new LayerError("the archive has an extended attribute that is too long");
    xattrs ??= new Map();
    xattrs.set(name, Buffer.from(value, "latin1"));
  }
  return xattrs;
}
