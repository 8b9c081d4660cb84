// A place in the guest's name space (struct path): a dentry on a mount.

import { addToLru, findGone, forgetGone } from "./dentry-lru.ts";
import type { FileSystem } from "./file-system.ts";
import type { Inode, LayerRecord } from "./inode.ts";
import type { Mount } from "./mount.ts";

/**
 * A name that was looked up (struct dentry). The root of a file system has no parent. On a file system with
 * `cacheNames` there is one dentry for each name; elsewhere one for each directory inode and a fresh one for each
 * lookup of a file, and only mount points and the directories above them are kept by name.
 */
export class Dentry {
  parent: Dentry | null;
  /** Byte string; "" for a root. */
  name: string;
  inode: Inode;
  /** Kept names below this directory. */
  children: Map<string, Dentry> | null = null;
  /** What is mounted on this dentry, seen through whichever mount; null on all but mount points. */
  mounts: Mount[] | null = null;
  /** Mount points in this subtree, itself included. */
  pins = 0;
  /** The name was removed; the inode lives on while it is open. */
  unlinked = false;
  /** vfs/dentry-lru.ts. */
  lru = 0;
  /** An O_TMPFILE file without O_EXCL: linkat(2) may still give it a name. */
  linkable = false;

  constructor(parent: Dentry | null, name: string, inode: Inode) {
    this.parent = parent;
    this.name = name;
    this.inode = inode;
  }

  keep(child: Dentry): void {
    this.children ??= new Map();
    this.children.set(child.name, child);
    if (child.lru === 0 && this.inode.fs.cacheNames) addToLru(child);
  }

  forget(name: string): void {
    if (!this.children?.delete(name)) forgetGone(this, name);
  }

  /** Whether its directory keeps it. */
  get isKept(): boolean {
    return this.parent?.children?.get(this.name) === this;
  }

  /** The dentry of a name of this directory that went from the cache but is in use: it is kept again. */
  recall(name: string): Dentry | undefined {
    const found = findGone(this, name);
    if (found === undefined) return undefined;
    forgetGone(this, name);
    this.keep(found);
    return found;
  }

  /** rename(2): the dentry and all below it move. */
  moveTo(parent: Dentry, name: string): void {
    const from = this.parent!;
    if (this.isKept || findGone(from, this.name) === this) from.forget(this.name);
    for (let at: Dentry | null = from; at !== null; at = at.parent) at.addPins(-this.pins);
    this.parent = parent;
    this.name = name;
    for (let at: Dentry | null = parent; at !== null; at = at.parent) at.addPins(this.pins);
    if (this.pins > 0 || parent.inode.fs.cacheNames) parent.keep(this);
  }

  /** Adds mount points below; a dentry that is kept for them alone comes and goes with them. */
  addPins(count: number): void {
    this.pins += count;
    if (count === 0 || this.parent === null) return;
    if (this.pins > 0) this.parent.keep(this);
    else if (!this.parent.inode.fs.cacheNames) this.parent.forget(this.name);
  }

  /** Whether plain names lead here from the directory `base`, and meet no mount on their way. */
  isAt(base: Dentry, path: string): boolean {
    let at: Dentry = this;
    for (let end = path.length; ; ) {
      const start = path.lastIndexOf("/", end - 1) + 1;
      const { parent, name } = at;
      if (parent === null || name.length !== end - start || !path.startsWith(name, start)) return false;
      if (start === 0) return parent === base;
      if (parent.mounts !== null) return false;
      at = parent;
      end = start - 1;
    }
  }

  /** Whether `other` is this dentry or lies above it. */
  isWithin(other: Dentry): boolean {
    for (let at: Dentry | null = this; at !== null; at = at.parent) if (at === other) return true;
    return false;
  }
}

export interface Path {
  readonly mount: Mount;
  readonly dentry: Dentry;
}

/** What a `NumberedPath` asks for its dentry. */
export interface Numbered {
  readonly inode: Inode;
  readonly records: readonly LayerRecord[];
}

/** Where a directory is that was opened by number (vfs/quick-walk.ts): its dentry is found when somebody asks. */
export class NumberedPath implements Path {
  readonly mount: Mount;
  readonly fs: FileSystem;
  private readonly directory: Numbered;
  private found: Dentry | null = null;

  constructor(mount: Mount, fs: FileSystem, directory: Numbered) {
    this.mount = mount;
    this.fs = fs;
    this.directory = directory;
  }

  get dentry(): Dentry {
    this.found ??= this.fs.dentryOf(this.directory.inode);
    return this.found;
  }
  get records(): readonly LayerRecord[] {
    return this.directory.records;
  }
}

export function samePath(a: Path, b: Path): boolean {
  return a.dentry === b.dentry && a.mount === b.mount;
}
