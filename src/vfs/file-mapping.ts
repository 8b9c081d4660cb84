// An open file as mm holds it for a mapping.

import type { PageCache } from "../mm/page-cache.ts";
import type { MappedFile } from "../mm/vma.ts";
import type { File } from "./file.ts";

class FileMapping implements MappedFile {
  readonly cache: PageCache;
  readonly dev: number;
  readonly ino: number;
  readonly file: File;
  readonly writable: boolean;

  constructor(file: File, cache: PageCache) {
    this.file = file;
    this.cache = cache;
    this.writable = file.canWrite && file.canRead && !file.isWriteSealed;
    const stat = file.stat();
    this.dev = typeof stat === "number" ? 0 : stat.dev;
    this.ino = typeof stat === "number" ? 0 : stat.ino;
  }

  sizeBytes(): number {
    return this.file.sizeBytes();
  }

  name(): string {
    return this.file.name();
  }

  ref(): void {
    this.file.ref();
  }

  unref(): void {
    this.file.unref();
  }

  countProgram(change: number): void {
    this.file.inode.programs += change;
  }
}

/** One mapping object for each open file, so that neighbouring areas of it can join; a new one once it is sealed. */
const mappings = new WeakMap<File, FileMapping>();

/** The mapping of an open file; -ENODEV, -EACCES where it cannot be mapped. */
export function mappingOf(file: File): MappedFile | number {
  let mapping = mappings.get(file);
  if (mapping === undefined || (mapping.writable && file.isWriteSealed)) {
    const cache = file.pages();
    if (typeof cache === "number") return cache;
    mapping = new FileMapping(file, cache);
    mappings.set(file, mapping);
  }
  return mapping;
}

/** The open file behind a mapping; null for memory that no file backs. */
export function fileOfMapping(mapping: MappedFile): File | null {
  return mapping instanceof FileMapping ? mapping.file : null;
}

/** The open file behind a mapping. */
export function openFileOf(mapping: MappedFile): File | null {
  return mapping instanceof FileMapping ? mapping.file : null;
}
