// Files of an image layout or archive by their names in it: a folder of the host, or the members of a tar, which are read
// where they lie. Names of members are only looked up, never used as paths of the host.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join, posix } from "node:path";
import { OciError, reason } from "./oci-error.ts";
import type { OpenContent } from "./source.ts";
import { TarReader } from "./tar-reader.ts";

export interface FileTree {
  /** For sentences. */
  readonly name: string;
  /** Null when there is no such file. */
  find(path: string): TreeFile | null;
}

/** A range of a host file. */
export interface TreeFile {
  readonly hostPath: string;
  readonly offset: number;
  readonly size: number;
}

const CHUNK_BYTES = 256 * 1024;
const MAX_MEMBERS = 100_000;
const MAX_LINKS = 8;

export function openTreeFile(file: TreeFile): OpenContent {
  return async function* (from: number): AsyncGenerator<Uint8Array> {
    const fd = openForReading(file.hostPath);
    try {
      for (let at = from; at < file.size; ) {
        // Each piece is a buffer of its own: who takes it may keep it.
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, file.size - at));
        const n = readSync(fd, chunk, 0, chunk.length, file.offset + at);
        if (n === 0) throw new OciError(`${file.hostPath} ends too early`);
        at += n;
        yield chunk.subarray(0, n);
      }
    } finally {
      closeSync(fd);
    }
  };
}

export function readTreeFile(file: TreeFile, maxBytes: number, what: string): Uint8Array {
  if (file.size > maxBytes)
    throw new OciError(`${what} has ${file.size} bytes; more than ${maxBytes} are not accepted`);
  const fd = openForReading(file.hostPath);
  try {
    const bytes = new Uint8Array(file.size);
    for (let done = 0; done < bytes.length; ) {
      const n = readSync(fd, bytes, done, bytes.length - done, file.offset + done);
      if (n === 0) throw new OciError(`${file.hostPath} ends too early`);
      done += n;
    }
    return bytes;
  } finally {
    closeSync(fd);
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new OciError(code === "ENOENT" ? `${path} does not exist` : `${path} cannot be read (${reason(error)})`);
  }
}

export class FolderTree implements FileTree {
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  find(path: string): TreeFile | null {
    const hostPath = join(this.name, path);
    let fd: number;
    try {
      fd = openSync(hostPath, "r");
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "ENOENT" || code === "ENOTDIR") return null;
      throw new OciError(`${hostPath} cannot be read (${code})`);
    }
    try {
      const stat = fstatSync(fd);
      return stat.isFile() ? { hostPath, offset: 0, size: stat.size } : null;
    } finally {
      closeSync(fd);
    }
  }
}

/** The members of a tar on the host, found by going from header to header. */
export class ArchiveTree implements FileTree {
  readonly name: string;
  private readonly files = new Map<string, TreeFile>();
  private readonly links = new Map<string, string>();

  /** `name`: what the user called it, when `path` is only a copy. */
  constructor(path: string, name: string) {
    this.name = name;
    const reader = new TarReader((entry) => {
      const member = memberName(entry.name);
      if (this.files.size + this.links.size >= MAX_MEMBERS) throw new OciError(`${name} has too many members`);
      if (entry.type === "file" && entry.sparse === null)
        this.files.set(member, { hostPath: path, offset: entry.dataOffset, size: entry.sizeBytes });
      else if (entry.type === "symlink") this.links.set(member, memberName(posix.join(member, "..", entry.link)));
      else if (entry.type === "link") this.links.set(member, memberName(entry.link));
    });
    scan(path, name, reader);
  }

  /** docker save wrote layers that images share as links. */
  find(path: string): TreeFile | null {
    let at = memberName(path);
    for (let hops = 0; hops < MAX_LINKS; hops += 1) {
      const file = this.files.get(at);
      if (file !== undefined) return file;
      const next = this.links.get(at);
      if (next === undefined) return null;
      at = next;
    }
    return null;
  }
}

/** Without "./" and what goes above the archive. */
function memberName(name: string): string {
  return posix.normalize(`/${name}`).slice(1).replace(/\/$/, "");
}

function scan(path: string, name: string, reader: TarReader): void {
  const fd = openForReading(path);
  try {
    const { size } = fstatSync(fd);
    const chunk = new Uint8Array(CHUNK_BYTES);
    let at = 0;
    while (at < size) {
      const n = readSync(fd, chunk, 0, chunk.length, at);
      if (n === 0) break;
      reader.push(chunk.subarray(0, n));
      at += n + reader.skippable;
      reader.skip();
    }
    if (at > size) throw new OciError(`${name} ends too early`);
    reader.finish();
  } catch (error) {
    if (error instanceof OciError) throw new OciError(`${name} is not an image archive: ${error.message}`);
    throw new OciError(`${name} cannot be read (${reason(error)})`);
  } finally {
    closeSync(fd);
  }
}
