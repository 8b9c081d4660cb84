// The mount tree (fs/namespace.c): which file system hangs where.

import { EBUSY, EINVAL, ENOTDIR } from "../abi/errno.ts";
import { S_IFMT } from "../abi/stat.ts";
import type { File } from "./file.ts";
import type { FileSystem } from "./file-system.ts";
import type { DirectoryEntry } from "./inode.ts";
import { type LateFileSystem, Mount, topOf } from "./mount.ts";
import { Dentry, type Path } from "./path.ts";
import { isDirectory } from "./permission.ts";
import { makePlaceholder, PlaceholderInode } from "./placeholder.ts";

/** All mounts of one guest system, in mounting order (/proc/mounts). */
export class MountTable {
  readonly root: Mount;
  readonly mounts: Mount[];

  constructor(root: FileSystem, flags: number, source: string) {
    this.root = new Mount(root, null, null, flags, source);
    this.mounts = [this.root];
  }

  get rootPath(): Path {
    return { mount: this.root, dentry: this.root.root };
  }

  /** Mounts a file system on `at`, on top of what is mounted there. */
  mount(fs: FileSystem | LateFileSystem, at: Path, flags: number, source: string): Mount {
    return this.attach(new Mount(fs, null, topOf(at), flags, source));
  }

  /** Makes the tree at `from` visible at `at` too (MS_BIND); mounts inside it do not come along. -ENOTDIR for a mixed pair. */
  bind(from: Path, at: Path, flags: number): Mount | number {
    if (isDirectory(from.dentry.inode.mode) !== isDirectory(at.dentry.inode.mode)) return -ENOTDIR;
    return this.attach(new Mount(from.mount.fs, from.dentry, topOf(at), flags, from.mount.source));
  }

  private attach(mount: Mount): Mount {
    pin(mount.at!.dentry, mount);
    this.mounts.push(mount);
    return mount;
  }

  /** -EINVAL when `path` is no mount's root, -EBUSY for the root and, unless `lazy`, for mounts that have mounts below. */
  unmount(path: Path, lazy = false): number {
    const mount = path.mount;
    if (path.dentry !== mount.root || !this.mounts.includes(mount)) return -EINVAL;
    if (mount.at === null) return -EBUSY;
    for (const other of [...this.mounts]) {
      if (other.at?.mount !== mount) continue;
      if (!lazy) return -EBUSY;
      this.unmount({ mount: other, dentry: other.root }, true);
    }
    unpin(mount.at.dentry, mount);
    this.mounts.splice(this.mounts.indexOf(mount), 1);
    return 0;
  }

  /**
   * A mount point that the file system below does not have: `name` in `parent` becomes an empty directory, which
   * stays as long as something is mounted on it or below it.
   */
  placeholder(parent: Path, name: string): Path {
    const top = topOf(parent);
    const dentry = new Dentry(top.dentry, name, makePlaceholder());
    return { mount: top.mount, dentry };
  }
}

/** Keeps the dentry and everything above it, so that every later walk meets this very mount point. */
function pin(dentry: Dentry, mount: Mount): void {
  dentry.mounts ??= [];
  dentry.mounts.push(mount);
  dentry.inode.covered();
  for (let at = dentry.parent; at !== null; at = at.parent) at.inode.coveredBelow();
  for (let at: Dentry | null = dentry; at !== null; at = at.parent) at.addPins(1);
}

function unpin(dentry: Dentry, mount: Mount): void {
  const mounts = dentry.mounts!;
  mounts.splice(mounts.indexOf(mount), 1);
  if (mounts.length === 0) dentry.mounts = null;
  for (let at: Dentry | null = dentry; at !== null; at = at.parent) {
    at.addPins(-1);
    if (at.pins === 0 && at.inode instanceof PlaceholderInode) at.parent?.forget(at.name);
  }
}

/** Offsets of placeholders in a listing: behind every offset of a file system. */
const PLACEHOLDER_OFFSET = 2 ** 40;

/** `File.readDirectory`, and behind the file system's own names those of placeholders with something mounted on them. */
export function listDirectory(file: File, from: number, emit: (entry: DirectoryEntry) => boolean): number {
  const dentry = file.path?.dentry;
  if (dentry === undefined || dentry.pins === 0) return file.readDirectory(from, emit);
  let more = true;
  if (from < PLACEHOLDER_OFFSET) {
    const error = file.readDirectory(from, (entry) => {
      more = emit(entry);
      return more;
    });
    if (error < 0 || !more) return error;
  }
  let offset = PLACEHOLDER_OFFSET;
  for (const child of dentry.children?.values() ?? []) {
    if (!(child.inode instanceof PlaceholderInode)) continue;
    offset += 1;
    if (offset <= from) continue;
    const shown = child.mounts?.at(-1)?.root.inode ?? child.inode;
    if (!emit({ name: child.name, ino: child.inode.ino, type: (shown.mode & S_IFMT) >> 12, next: offset })) break;
  }
  return 0;
}
