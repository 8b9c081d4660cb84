// Directories in memory: a map of names. Each entry has an offset that stays while it lives, so that a listing that is
// interrupted by changes neither repeats nor loses what did not change.

import { EEXIST, EINVAL, EISDIR, EMLINK, ENOENT, ENOTDIR, ENOTEMPTY, EXDEV } from "../../abi/errno.ts";
import { O_NOATIME, RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/fcntl.ts";
import { S_IFLNK, S_IFMT } from "../../abi/stat.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { DirectoryFile } from "../../vfs/directory-file.ts";
import type { File } from "../../vfs/file.ts";
import type { DirectoryEntry, Inode } from "../../vfs/inode.ts";
import { isDirectory, newOwner } from "../../vfs/permission.ts";
import type { MemoryFileSystem, Timestamp } from "./memory-file-system.ts";
import { MemoryInode } from "./memory-inode.ts";
import { MemorySpecial, MemorySymlink } from "./memory-special.ts";

/** What Linux counts for each name in st_size. */
const ENTRY_BYTES = 20;
const FIRST_OFFSET = 2;
const LINK_MAX = 0xffffffff;

export interface Entry {
  readonly inode: MemoryInode;
  readonly offset: number;
}

export class MemoryDirectory extends MemoryInode {
  protected readonly entries = new Map<string, Entry>();
  protected nextOffset = FIRST_OFFSET;
  /** It was removed: nothing can be made in it any more. */
  private removed = false;

  constructor(fs: MemoryFileSystem, ino: number, mode: number, uid: number, gid: number, born?: Timestamp) {
    super(fs, ino, mode, uid, gid, born);
    this.nlink = 2;
  }

  protected override get links(): number {
    return this.removed ? 0 : this.nlink;
  }

  /** The entry of a name, or undefined. */
  protected find(name: string): Entry | undefined {
    return this.entries.get(name);
  }

  /** Whether there is no name in it. */
  protected get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  override get sizeBytes(): number {
    return (this.entries.size + 2) * ENTRY_BYTES;
  }

  override open(flags: number): File {
    return new OpenDirectory(this, flags);
  }

  protected override setSize(): number {
    return -EISDIR;
  }

  override lookup(name: string): Inode | number {
    return this.find(name)?.inode ?? -ENOENT;
  }

  /** Emits entries from `from` on, in the order in which they were made. */
  list(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    for (const [name, { inode, offset }] of this.entries) {
      if (offset < from) continue;
      if (!emit({ name, ino: inode.ino, type: (inode.mode & S_IFMT) >> 12, next: offset + 1 })) break;
    }
    return 0;
  }

  /** `File.writeDirents`. */
  writeDirents(_from: number, _ptr: number, _limit: number): number {
    return 0;
  }
  direntsEnd = 0;
  direntsDone = false;

  private put(name: string, inode: MemoryInode): void {
    this.entries.set(name, { inode, offset: this.nextOffset });
    this.nextOffset += 1;
    if (isDirectory(inode.mode)) this.nlink += 1;
    this.modified();
  }

  protected take(name: string): void {
    const entry = this.find(name);
    if (entry !== undefined && isDirectory(entry.inode.mode)) this.nlink -= 1;
    this.entries.delete(name);
    this.modified();
  }

  /** A new inode under `name`, made by `make` with the owner that the directory gives it. */
  private add(
    name: string,
    mode: number,
    cred: Credentials,
    make: (mode: number, uid: number, gid: number) => MemoryInode,
  ): MemoryInode | number {
    if (this.removed) return -ENOENT;
    if (this.find(name) !== undefined) return -EEXIST;
    const full = this.fs.inodeLeft();
    if (full !== 0) return full;
    const owner = newOwner(this, mode, cred);
    const inode = make(owner.mode, owner.uid, owner.gid);
    if (this.hasDefaultAcl && (mode & S_IFMT) !== S_IFLNK) this.bequeath(inode);
    this.put(name, inode);
    return inode;
  }

  override create(name: string, mode: number, cred: Credentials): Inode | number {
    return this.add(name, mode, cred, (bits, uid, gid) => this.fs.newFile(bits, uid, gid));
  }

  override mkdir(name: string, mode: number, cred: Credentials): Inode | number {
    return this.add(name, mode, cred, (bits, uid, gid) => this.fs.newDirectory(bits, uid, gid));
  }

  override symlink(name: string, target: string, cred: Credentials): Inode | number {
    return this.add(
      name,
      S_IFLNK | 0o777,
      cred,
      (_mode, uid, gid) => new MemorySymlink(this.fs, this.fs.addInode(), uid, gid, target),
    );
  }

  override mknod(name: string, mode: number, rdev: number, cred: Credentials): Inode | number {
    return this.add(
      name,
      mode,
      cred,
      (bits, uid, gid) => new MemorySpecial(this.fs, this.fs.addInode(), bits, uid, gid, rdev),
    );
  }

  override tmpfile(mode: number, cred: Credentials): Inode | number {
    if (this.removed) return -ENOENT;
    const full = this.fs.inodeLeft();
    if (full !== 0) return full;
    const owner = newOwner(this, mode, cred);
    const inode = this.fs.newFile(owner.mode, owner.uid, owner.gid);
    inode.nlink = 0;
    this.bequeath(inode);
    return inode;
  }

  override link(name: string, inode: Inode): number {
    if (!(inode instanceof MemoryInode) || inode.fs !== this.fs) return -EXDEV;
    if (this.removed) return -ENOENT;
    if (this.find(name) !== undefined) return -EEXIST;
    if (inode.nlink >= LINK_MAX) return -EMLINK;
    inode.nlink += 1;
    inode.changed();
    this.put(name, inode);
    return 0;
  }

  override unlink(name: string): number {
    const entry = this.find(name);
    if (entry === undefined) return -ENOENT;
    if (entry.inode instanceof MemoryDirectory) return -EISDIR;
    this.take(name);
    entry.inode.dropLink();
    return 0;
  }

  override rmdir(name: string): number {
    const entry = this.find(name);
    if (entry === undefined) return -ENOENT;
    if (!(entry.inode instanceof MemoryDirectory)) return -ENOTDIR;
    if (!entry.inode.isEmpty) return -ENOTEMPTY;
    this.take(name);
    entry.inode.die();
    return 0;
  }

  private die(): void {
    this.removed = true;
    this.nlink = 1;
    this.dropLink();
  }

  override rename(name: string, newParent: Inode, newName: string, flags: number): number {
    if (!(newParent instanceof MemoryDirectory) || newParent.fs !== this.fs) return -EXDEV;
    const source = this.find(name)?.inode;
    const target = newParent.find(newName)?.inode;
    if (source === undefined || newParent.removed) return -ENOENT;
    if ((flags & RENAME_NOREPLACE) !== 0 && target !== undefined) return -EEXIST;
    if ((flags & RENAME_EXCHANGE) !== 0) {
      if (target === undefined) return -ENOENT;
      this.take(name);
      newParent.take(newName);
      this.put(name, target);
      newParent.put(newName, source);
      target.changed();
      source.changed();
      return 0;
    }
    if (flags > RENAME_NOREPLACE) return -EINVAL;
    if (target !== undefined) {
      const error = target instanceof MemoryDirectory ? newParent.rmdir(newName) : newParent.unlink(newName);
      if (error !== 0) return error;
    }
    this.take(name);
    newParent.put(newName, source);
    source.changed();
    return 0;
  }
}

export abstract class MemoryDirectoryFile extends DirectoryFile {
  abstract override readonly inode: MemoryDirectory;

  protected override readEntries(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    this.accessed();
    return this.inode.list(from, emit);
  }

  override writeDirents(from: number, ptr: number, limit: number): number {
    const bytes = this.inode.writeDirents(from, ptr, limit);
    this.direntsEnd = this.inode.direntsEnd;
    this.direntsDone = this.inode.direntsDone;
    if (bytes > 0 || this.direntsDone) this.accessed();
    return bytes;
  }

  private accessed(): void {
    if ((this.flags & O_NOATIME) === 0) this.inode.accessed();
  }
}

class OpenDirectory extends MemoryDirectoryFile {
  readonly inode: MemoryDirectory;

  constructor(inode: MemoryDirectory, flags: number) {
    super(flags);
    this.inode = inode;
  }
}
