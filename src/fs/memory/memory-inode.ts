// What every kind of inode has whose attributes live in carrick's memory, be it of tmpfs or of an image: owner, mode, times, links
// and extended attributes.

import { EEXIST, ENODATA, ENOSPC } from "../../abi/errno.ts";
import { UTIME_NOW, XATTR_CREATE, XATTR_REPLACE } from "../../abi/stat.ts";
import { type Attributes, Inode, type Stat } from "../../vfs/inode.ts";
import type { MemoryFileSystem, Timestamp } from "./memory-file-system.ts";

const PAGE = 4096;
const DAY_SEC = 86400;
/** Bytes of extended attributes on one inode. */
const MAX_XATTR_BYTES = 1 << 20;

export abstract class MemoryInode extends Inode {
  readonly fs: MemoryFileSystem;
  readonly ino: number;
  mode: number;
  owner: number;
  group: number;
  nlink = 1;
  private atimeSec: number;
  private atimeNsec: number;
  private mtimeSec: number;
  private mtimeNsec: number;
  private ctimeSec: number;
  private ctimeNsec: number;
  private readonly btimeSec: number;
  private readonly btimeNsec: number;
  /** What an image has is not written to when it is only read (ovl_update_time). */
  private untouched: boolean;
  private xattrs: Map<string, Uint8Array> | null = null;
  private xattrBytes = 0;

  /** `ino` is a number that `fs` has given out. What was `born` before now has been in an image. */
  constructor(fs: MemoryFileSystem, ino: number, mode: number, uid: number, gid: number, born?: Timestamp) {
    super();
    this.fs = fs;
    this.ino = ino;
    this.mode = mode;
    this.owner = uid;
    this.group = gid;
    this.untouched = born !== undefined;
    const { sec, nsec } = born ?? fs.clock.realtime();
    this.atimeSec = this.mtimeSec = this.ctimeSec = this.btimeSec = sec;
    this.atimeNsec = this.mtimeNsec = this.ctimeNsec = this.btimeNsec = nsec;
  }

  override get uid(): number {
    return this.owner;
  }
  override get gid(): number {
    return this.group;
  }

  /** Gives the attributes that the inode has from the beginning. */
  initXattrs(xattrs: Map<string, Uint8Array>): void {
    this.xattrs = xattrs;
    for (const [name, value] of xattrs) this.xattrBytes += name.length + value.length;
  }

  /** Names, as st_nlink says. */
  protected get links(): number {
    return this.nlink;
  }

  /** Bytes, as st_size says. */
  abstract get sizeBytes(): number;

  /** In units of 512 bytes. */
  protected get blocks(): number {
    return 0;
  }
  protected get rdev(): number {
    return 0;
  }

  override stat(): Stat {
    return {
      dev: this.fs.dev,
      ino: this.ino,
      mode: this.mode,
      nlink: this.links,
      uid: this.owner,
      gid: this.group,
      rdev: this.rdev,
      size: this.sizeBytes,
      blksize: PAGE,
      blocks: this.blocks,
      atimeSec: this.atimeSec,
      atimeNsec: this.atimeNsec,
      mtimeSec: this.mtimeSec,
      mtimeNsec: this.mtimeNsec,
      ctimeSec: this.ctimeSec,
      ctimeNsec: this.ctimeNsec,
      btimeSec: this.btimeSec,
      btimeNsec: this.btimeNsec,
    };
  }

  /** The inode changed now. */
  changed(): void {
    this.untouched = false;
    const { sec, nsec } = this.fs.clock.realtime();
    this.ctimeSec = sec;
    this.ctimeNsec = nsec;
  }

  /** The content changed now. */
  modified(): void {
    this.changed();
    this.mtimeSec = this.ctimeSec;
    this.mtimeNsec = this.ctimeNsec;
  }

  /** The content was read now: relatime, as every mount has it by default. */
  accessed(): void {
    if (this.untouched) return;
    const fresh = this.isAfter(this.mtimeSec, this.mtimeNsec) && this.isAfter(this.ctimeSec, this.ctimeNsec);
    const { sec, nsec } = this.fs.clock.realtime();
    if (fresh && sec - this.atimeSec < DAY_SEC) return;
    this.atimeSec = sec;
    this.atimeNsec = nsec;
  }

  /** Whether the time of access is later than this one. */
  private isAfter(sec: number, nsec: number): boolean {
    return this.atimeSec > sec || (this.atimeSec === sec && this.atimeNsec > nsec);
  }

  /** A name of the inode is gone. */
  dropLink(): void {
    this.nlink -= 1;
    this.changed();
    if (this.nlink === 0) {
      this.fs.removeInode();
      this.lastLinkGone();
    }
  }

  protected lastLinkGone(): void {}

  /** Sets a regular file's size; 0 or -errno. */
  protected abstract setSize(sizeBytes: number): number;

  override setAttributes(a: Attributes): number {
    if (a.size !== undefined) {
      const error = this.setSize(a.size);
      if (error !== 0) return error;
    }
    if (a.mode !== undefined) this.mode = (this.mode & 0o170000) | (a.mode & 0o7777);
    if (a.uid !== undefined) this.owner = a.uid;
    if (a.gid !== undefined) this.group = a.gid;
    this.changed();
    if (a.atimeNsec !== undefined) {
      this.atimeSec = a.atimeNsec === UTIME_NOW ? this.ctimeSec : a.atimeSec!;
      this.atimeNsec = a.atimeNsec === UTIME_NOW ? this.ctimeNsec : a.atimeNsec;
    }
    if (a.mtimeNsec !== undefined) {
      this.mtimeSec = a.mtimeNsec === UTIME_NOW ? this.ctimeSec : a.mtimeSec!;
      this.mtimeNsec = a.mtimeNsec === UTIME_NOW ? this.ctimeNsec : a.mtimeNsec;
    }
    return 0;
  }

  override getXattr(name: string): Uint8Array | number {
    return this.xattrs?.get(name) ?? -ENODATA;
  }

  override setXattr(name: string, value: Uint8Array, flags: number): number {
    const old = this.xattrs?.get(name);
    if (old === undefined && (flags & XATTR_REPLACE) !== 0) return -ENODATA;
    if (old !== undefined && (flags & XATTR_CREATE) !== 0) return -EEXIST;
    const bytes = this.xattrBytes + value.length - (old === undefined ? -name.length : old.length);
    if (bytes > MAX_XATTR_BYTES) return -ENOSPC;
    this.xattrBytes = bytes;
    this.xattrs ??= new Map();
    this.xattrs.set(name, value);
    this.changed();
    return 0;
  }

  override listXattr(): string[] {
    return this.xattrs === null ? [] : [...this.xattrs.keys()];
  }

  override removeXattr(name: string): number {
    const old = this.xattrs?.get(name);
    if (old === undefined) return -ENODATA;
    this.xattrs!.delete(name);
    this.xattrBytes -= old.length + name.length;
    this.changed();
    return 0;
  }
}
