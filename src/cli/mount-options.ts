// -v, --mount and --tmpfs, as Docker spells them.

import { statSync } from "node:fs";
import { posix, resolve } from "node:path";
import type { BindMount, MountRequest, TmpfsMount } from "../container/run-request.ts";
import { parseTmpfsOptions } from "../fs/tmpfs/tmpfs.ts";
import { bytes } from "../host/command-line.ts";
import { usageError } from "./options.ts";
import { printable, type UserError } from "./user-error.ts";

/** Modes of -v that change nothing here: labels and caching are other systems' business. */
const IGNORED_MODES = ["rw", "z", "Z", "cached", "delegated", "consistent", "nocopy", "rprivate", "private"];
/** Options of --tmpfs that change nothing a program sees: Linux's defaults, and what is about disks. */
const IGNORED_OPTIONS = /^(async|sync|dirsync|atime|diratime|relatime|nostrictatime|nomand|mpol=default(:.*)?)$/;

/**
 * SRC:DST[:MODE,...], or a mere path of the guest that is to exist. As in `docker` run, a SRC that does not look like a path would be a
 * named volume, and is refused, and one that is missing becomes a directory when the run begins.
 */
export function parseVolumeOrPath(text: string, docker = true): BindMount | string {
  const wrong = (why: string): UserError => usageError(`-v ${printable(text)}: ${why}`);
  const [source = "", target, modes = "rw", ...more] = text.split(":");
  if (target === undefined && source !== "") return guestPath(source, wrong);
  if (target === undefined || source === "" || more.length > 0) throw wrong("this is not SRC:DST or SRC:DST:ro");
  if (docker && source.startsWith("~")) throw wrong("only a shell makes a home directory of ~; write $HOME, or ./~");
  if (docker && !/^[./]/.test(source) && !source.includes("/"))
    throw wrong(`carrick has no named volumes; write ./${printable(source)} for a directory`);
  let readOnly = false;
  for (const mode of modes.split(",")) {
    if (mode === "ro") readOnly = true;
    else if (!IGNORED_MODES.includes(mode)) throw wrong(`unknown mode ${printable(mode)}`);
  }
  const mount = { source: hostPath(source, wrong, docker), target: mountPoint(target, wrong), readOnly };
  return { type: "bind", ...mount, ...(docker ? { create: true } : {}) };
}

/** SRC:DST[:MODE,...], where a path of the guest alone means nothing. */
export function parseBind(text: string): BindMount {
  const volume = parseVolumeOrPath(text, false);
  if (typeof volume === "string") throw usageError(`-v ${printable(text)}: this is not SRC:DST or SRC:DST:ro`);
  return volume;
}

const SOURCE_KEYS = ["source", "src"];
const TARGET_KEYS = ["target", "destination", "dst"];
const READ_ONLY_KEYS = ["readonly", "ro"];

/**
 * KEY=VALUE pairs with commas between them; a pair with a comma in it stands in double quotes. A mere path of the guest for a volume
 * without a name.
 */
export function parseMount(text: string): MountRequest | string {
  const wrong = (why: string): UserError => usageError(`--mount ${printable(text)}: ${why}`);
  const fields = new Map<string, string>();
  for (const field of splitFields(text)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const name = SOURCE_KEYS.includes(key)
      ? "source"
      : TARGET_KEYS.includes(key)
        ? "target"
        : READ_ONLY_KEYS.includes(key)
          ? "readonly"
          : key;
    if (equals < 0 && name !== "readonly") throw wrong(`${printable(key)} needs a value`);
    fields.set(name, equals < 0 ? "true" : field.slice(equals + 1));
  }
  const take = (name: string): string | undefined => {
    const value = fields.get(name);
    fields.delete(name);
    return value;
  };
  const type = take("type") ?? "volume";
  const target = mountPoint(take("target") ?? "", wrong);
  const readOnly = isTrue(take("readonly"), wrong);
  let mount: MountRequest | string;
  if (type === "bind") {
    const source = take("source");
    if (source === undefined || source === "") throw wrong("there is no source");
    take("consistency");
    // Mounts of the host below the source are seen, and later ones nobody passes on: Docker's defaults.
    const propagation = take("bind-propagation");
    if (propagation !== undefined && !IGNORED_MODES.includes(propagation))
      throw wrong(`bind-propagation ${printable(propagation)} is not known; there is rprivate`);
    mount = { type, source: hostPath(source, wrong), target, readOnly };
  } else if (type === "tmpfs") {
    const data = [take("tmpfs-size")?.replace(/^/, "size="), take("tmpfs-mode")?.replace(/^/, "mode=")];
    mount = tmpfs(target, [...data.filter((d) => d !== undefined), ...(readOnly ? ["ro"] : [])], wrong);
  } else if (type === "volume") {
    if (fields.has("source")) throw wrong("carrick has no named volumes; type=bind shows a directory of this machine");
    if (readOnly) throw wrong("an empty volume that is read-only is of no use");
    mount = target;
  } else throw wrong(`type ${printable(type)} is not known; there are bind, tmpfs and volume`);
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw wrong(`${printable(unknown)} is not known for ${type}`);
  return mount;
}

/** DST[:OPTION,...] */
export function parseTmpfs(text: string): TmpfsMount {
  const wrong = (why: string): UserError => usageError(`--tmpfs ${printable(text)}: ${why}`);
  const colon = text.indexOf(":");
  const target = mountPoint(colon < 0 ? text : text.slice(0, colon), wrong);
  return tmpfs(target, colon < 0 ? [] : text.slice(colon + 1).split(","), wrong);
}

/** Docker's defaults are noexec, nosuid and nodev. */
function tmpfs(target: string, options: readonly string[], wrong: (why: string) => UserError): TmpfsMount {
  const flags = { readOnly: false, noExec: true, noSuid: true, noDev: true };
  const data: string[] = [];
  for (const option of options) {
    if (option === "ro") flags.readOnly = true;
    else if (option === "rw") flags.readOnly = false;
    else if (option === "exec" || option === "noexec") flags.noExec = option === "noexec";
    else if (option === "suid" || option === "nosuid") flags.noSuid = option === "nosuid";
    else if (option === "dev" || option === "nodev") flags.noDev = option === "nodev";
    else if (IGNORED_OPTIONS.test(option)) continue;
    else if (option !== "" && typeof parseTmpfsOptions(option) === "number")
      throw wrong(`${printable(option)} is not an option of tmpfs`);
    else if (option !== "") data.push(option);
  }
  return { type: "tmpfs", target, ...flags, data: data.join(",") };
}

/** `mayMiss`: it will be made. */
function hostPath(path: string, wrong: (why: string) => UserError, mayMiss = false): string {
  const absolute = resolve(path);
  try {
    // As bytes: a name of the host need not be UTF-8.
    statSync(Buffer.from(bytes(absolute), "latin1"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (mayMiss && code === "ENOENT") return absolute;
    const missing = code === "ENOENT" || code === "ENOTDIR";
    throw wrong(`${printable(absolute)} ${missing ? "does not exist on this machine" : `cannot be used (${code})`}`);
  }
  return absolute;
}

function guestPath(path: string, wrong: (why: string) => UserError): string {
  if (!path.startsWith("/")) throw wrong("the guest's path must be absolute");
  return posix.normalize(path).replace(/(.)\/$/, "$1");
}

function mountPoint(path: string, wrong: (why: string) => UserError): string {
  const target = guestPath(path, wrong);
  if (target === "/") throw wrong("nothing can be mounted over /");
  return target;
}

function isTrue(text: string | undefined, wrong: (why: string) => UserError): boolean {
  if (text === undefined || /^(false|0)$/i.test(text)) return false;
  if (/^(true|1)$/i.test(text)) return true;
  throw wrong("readonly is true or false");
}

/** Fields of one line of CSV. */
function splitFields(text: string): string[] {
  const fields = text.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return fields.map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field));
}
