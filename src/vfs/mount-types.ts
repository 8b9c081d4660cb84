// File system types that mount(2) can make (fs/filesystems.c): the rooms of src/fs register theirs when the kernel boots.

import type { FileSystem } from "./file-system.ts";

/** `data`: mount(2)'s comma-separated options. A file system, or -errno for options it does not know. */
export type MountFactory = (source: string, data: string) => FileSystem | number;

const types = new Map<string, MountFactory>();

export function registerMountType(name: string, factory: MountFactory): void {
  types.set(name, factory);
}

export function mountTypeOf(name: string): MountFactory | undefined {
  return types.get(name);
}

/** Names for /proc/filesystems. */
export function mountTypeNames(): string[] {
  return [...types.keys()];
}
