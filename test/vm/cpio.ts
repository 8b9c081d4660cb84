// Writes an initramfs: a "newc" cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst).

import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface Entry {
  /** Without a leading slash. */
  readonly name: string;
  readonly mode: number;
  readonly body: Uint8Array | string | null;
}

const DIR = 0o40755;

export const directory = (name: string): Entry => ({ name, mode: DIR, body: null });
export const file = (name: string, body: Uint8Array | string, mode = 0o755): Entry => ({
  name,
  mode: 0o100000 | mode,
  body,
});
export const symlink = (name: string, target: string): Entry => ({ name, mode: 0o120777, body: target });
/** A file of this machine. */
export const copy = (name: string, path: string, mode = 0o755): Entry => file(name, readFileSync(path), mode);

/** A folder of this machine with all that is below it, but for what `leaves` names. */
export function tree(name: string, path: string, leaves: readonly string[] = []): Entry[] {
  return readdirSync(path).flatMap((entry): Entry[] => {
    const from = join(path, entry);
    const to = `${name}/${entry}`;
    if (leaves.includes(to)) return [];
    const stat = lstatSync(from);
    if (stat.isDirectory()) return [directory(to), ...tree(to, from, leaves)];
    if (stat.isSymbolicLink()) return [symlink(to, readlinkSync(from))];
    return stat.isFile() ? [copy(to, from, stat.mode & 0o777)] : [];
  });
}

function header(ino: number, mode: number, size: number, nameSize: number): string {
  const fields = [ino, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, nameSize, 0];
  return `070701${fields.map((n) => n.toString(16).padStart(8, "0")).join("")}`;
}

function padded(bytes: Uint8Array): Uint8Array {
  return bytes.length % 4 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - (bytes.length % 4))]);
}

/** Parents of every name are made. */
export function writeArchive(path: string, entries: readonly Entry[]): void {
  const fd = openSync(path, "w");
  const made = new Set<string>();
  let ino = 1;
  const put = (entry: Entry): void => {
    const slash = entry.name.lastIndexOf("/");
    if (slash > 0 && !made.has(entry.name.slice(0, slash))) put(directory(entry.name.slice(0, slash)));
    if (made.has(entry.name)) return;
    made.add(entry.name);
    const body = entry.body === null ? new Uint8Array(0) : Buffer.from(entry.body as Uint8Array);
    const name = Buffer.from(`${entry.name}\0`);
    const head = Buffer.concat([Buffer.from(header(ino, entry.mode, body.length, name.length)), name]);
    ino += 1;
    writeSync(fd, padded(head));
    writeSync(fd, padded(body));
  };
  for (const entry of entries) put(entry);
  put({ name: "TRAILER!!!", mode: 0, body: null });
  closeSync(fd);
}
