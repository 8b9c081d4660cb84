// What every kind of inode has whose attributes live in carrick's memory, be it of tmpfs or of an image: owner, mode, times, links
// and extended attributes.

import { EEXIST, ENODATA, ENOSPC } from "../../abi/errno.ts";
import { S_IFMT, S_IRWXUGO, XATTR_CREATE, XATTR_REPLACE } from "../../abi/stat.ts";
import {
  ACL_ACCESS,
  ACL_DEFAULT,
  type Acl,
  aclWithMode,
  encodeAcl,
  inheritAcl,
  isMinimal,
  modeOfAcl,
  parseAcl,
} from "../../lib/posix-acl.ts";
import { type Attributes, Inode, newStat, type Stat } from "../../vfs/inode.ts";
import { isDirectory } from "../../vfs/permission.ts";
import {
  CHANGED_COVERED,
  CHANGED_ITSELF,
  CHANGED_RIGHTS,
  type MemoryFileSystem,
  type Timestamp,
} from "./memory-file-system.ts";
import { setTimes, Times } from "./times.ts";

const PAGE = 4096;
/** Bytes of extended attributes on one inode. */
const MAX_XATTR_BYTES = 1 << 20;

export abstract class MemoryInode extends Inode {
  readonly fs: MemoryFileSystem;
  readonly ino: number;
  mode: number;
  owner: number;
  group: number;
  nlink = 1;
  private readonly born: Timestamp;
  /** Null while all are the time of birth. */
  private times: Times | null = null;
  /** What an image has is not written to when it is only read (ovl_update_time). */
  private untouched: boolean;
  private xattrs: Map<string, Uint8Array> | null = null;
  private xattrBytes = 0;
  /** What the attributes of these names say. */
  private accessList: Acl | null = null;
  private defaultList: Acl | null = null;

  /** `ino` is a number that `fs` has given out. What was `born` before now has been in an image. */
  constructor(fs: MemoryFileSystem, ino: number, mode: number, uid: number, gid: number, born?: Timestamp) {
    super();
    this.fs = fs;
    this.ino = ino;
    this.mode = mode;
    this.owner = uid;
    this.group = gid;
    this.untouched = born !== undefined;
    this.born = born ?? fs.clock.realtime();
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
    for (const name of [ACL_ACCESS, ACL_DEFAULT]) {
      const value = xattrs.get(name);
      if (value === undefined) continue;
      xattrs.delete(name);
      const acl = parseAcl(value);
      // The mode that the archive has is the newer word.
      if (acl !== null && typeof acl !== "string")
        this.storeAcl(name, name === ACL_ACCESS ? aclWithMode(acl, this.mode) : acl);
    }
    for (const [name, value] of xattrs) this.xattrBytes += name.length + value.length;
  }

  override get accessAcl(): Acl | null {
    return this.accessList;
  }

  override get hasDefaultAcl(): boolean {
    return this.defaultList !== null;
  }

  override setAcl(name: string, acl: Acl | null, mode: number): number {
    this.fs.noteChange(this, CHANGED_RIGHTS);
    this.mode = mode;
    this.storeAcl(name, acl);
    this.changed();
    return 0;
  }

  /** A list that says no more than the mode is none. */
  private storeAcl(name: string, acl: Acl | null): void {
    const isAccess = name === ACL_ACCESS;
    const kept = isAccess && acl !== null && isMinimal(acl) ? null : acl;
    if (isAccess) this.accessList = kept;
    else this.defaultList = kept;
    if (kept === null) {
      this.xattrs?.delete(name);
      return;
    }
    this.xattrs ??= new Map();
    this.xattrs.set(name, encodeAcl(kept));
  }

  /** Gives a new inode the list that this directory has for its files (simple_acl_create). */
  protected bequeath(inode: MemoryInode): void {
    const acl = this.defaultList;
    if (acl === null) return;
    const inherited = inheritAcl(acl, inode.mode);
    inode.mode = (inode.mode & ~S_IRWXUGO) | modeOfAcl(inherited);
    inode.storeAcl(ACL_ACCESS, inherited);
    if (isDirectory(inode.mode)) inode.storeAcl(ACL_DEFAULT, acl);
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

  override stat(into: Stat = newStat()): Stat {
    into.dev = this.fs.dev;
    into.ino = this.ino;
    into.mode = this.mode;
    into.nlink = this.links;
    into.uid = this.owner;
    into.gid = this.group;
    into.rdev = this.rdev;
    into.size = this.sizeBytes;
    into.blksize = PAGE;
    into.blocks = this.blocks;
    setTimes(into, this.born);
    this.times?.tell(into);
    return into;
  }

  /** The times, to be changed. */
  private get ownTimes(): Times {
    this.times ??= new Times(this.born);
    return this.times;
  }

  /** Whether it is as it was made from an image, so that another one can be. */
  protected get isPristine(): boolean {
    return this.untouched;
  }

  override evicted(): void {
    if (this.isPristine) this.fs.mayForget(this);
  }

  override covered(): void {
    this.fs.noteChange(this, CHANGED_COVERED);
  }
  override coveredBelow(): void {
    this.fs.noteChange(this, CHANGED_ITSELF);
  }

  private touch(): void {
    if (!this.untouched) return;
    this.untouched = false;
    this.fs.retain(this);
    this.fs.noteChange(this, CHANGED_ITSELF);
  }

  /** The inode changed now. */
  changed(): void {
    this.touch();
    this.ownTimes.change(this.fs.clock.realtime());
  }

  /** The content changed now. */
  modified(): void {
    if (this.untouched) this.touch();
    this.times ??= new Times(this.born);
    this.times.modify(this.fs.clock.realtime());
  }

  /** The content was read now. */
  accessed(): void {
    if (!this.untouched) this.ownTimes.access(this.fs.clock.realtime());
  }

  /** A name of the inode is gone. */
  dropLink(): void {
    this.nlink -= 1;
    this.changed();
    if (this.nlink === 0) {
      this.fs.removeInode(this);
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
    if (a.mode !== undefined || a.uid !== undefined || a.gid !== undefined) this.fs.noteChange(this, CHANGED_RIGHTS);
    if (a.mode !== undefined) this.mode = (this.mode & S_IFMT) | (a.mode & 0o7777);
    if (a.mode !== undefined && this.accessList !== null)
      this.storeAcl(ACL_ACCESS, aclWithMode(this.accessList, a.mode));
    if (a.uid !== undefined) this.owner = a.uid;
    if (a.gid !== undefined) this.group = a.gid;
    this.changed();
    this.ownTimes.set(a);
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
