// The pieces of file systems whose content the kernel makes up: proc, sys, devpts (fs/libfs.c, fs/seq_file.c). Text is
// made when a reader starts at offset 0 and stays the same while it reads on.

import { EACCES, EINVAL, EIO, ENOENT, EPERM } from "../../abi/errno.ts";
import { O_RDONLY, SEEK_CUR, SEEK_SET } from "../../abi/fcntl.ts";
import { DT_DIR, DT_LNK, DT_REG, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/stat.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { KernelBuffer } from "../../mm/kernel-buffer.ts";
import type { FsContext } from "../../vfs/context.ts";
import { DirectoryFile } from "../../vfs/directory-file.ts";
import { File } from "../../vfs/file.ts";
import { anonymousDev, FileSystem, type StatFs } from "../../vfs/file-system.ts";
import { type Attributes, type DirectoryEntry, Inode, type Stat } from "../../vfs/inode.ts";
import type { Path } from "../../vfs/path.ts";

/** Seconds since the epoch, for the times of inodes. */
export type NowSec = () => number;

export abstract class PseudoFileSystem extends FileSystem {
  readonly dev = anonymousDev();
  readonly nowSec: NowSec;
  /** What those hear who want to make, remove or rename a name: proc says that there is no such thing. */
  readonly changeErrno: number = EPERM;
  /** st_blksize of every inode. */
  readonly blockBytes: number;
  private readonly magic: number;
  private lastIno = 1;

  constructor(magic: number, blockBytes: number, nowSec: NowSec) {
    super();
    this.magic = magic;
    this.blockBytes = blockBytes;
    this.nowSec = nowSec;
  }

  /** A number for an inode that is made once and kept. */
  nextIno(): number {
    this.lastIno += 1;
    return this.lastIno;
  }

  override statfs(): StatFs {
    const bsize = 4096;
    return {
      type: this.magic,
      bsize,
      blocks: 0,
      bfree: 0,
      bavail: 0,
      files: 0,
      ffree: 0,
      fsid: [this.dev, 0],
      namelen: 255,
    };
  }
}

export interface Ownership {
  uid: number;
  gid: number;
}

const ROOT: Ownership = { uid: 0, gid: 0 };

export abstract class PseudoInode extends Inode {
  readonly fs: PseudoFileSystem;
  readonly ino: number;
  mode: number;
  /** Who owns it now: processes change their ids. */
  private readonly ownership: () => Ownership;
  private readonly madeSec: number;

  constructor(fs: PseudoFileSystem, ino: number, mode: number, ownership: () => Ownership = () => ROOT) {
    super();
    this.fs = fs;
    this.ino = ino;
    this.mode = mode;
    this.ownership = ownership;
    this.madeSec = fs.nowSec();
  }

  override get uid(): number {
    return this.ownership().uid;
  }
  override get gid(): number {
    return this.ownership().gid;
  }

  protected get sizeBytes(): number {
    return 0;
  }
  protected get links(): number {
    return 1;
  }
  protected get rdev(): number {
    return 0;
  }

  override stat(): Stat | number {
    const { uid, gid } = this.ownership();
    return {
      dev: this.fs.dev,
      ino: this.ino,
      mode: this.mode,
      nlink: this.links,
      uid,
      gid,
      rdev: this.rdev,
      size: this.sizeBytes,
      blksize: this.fs.blockBytes,
      blocks: 0,
      atimeSec: this.madeSec,
      atimeNsec: 0,
      mtimeSec: this.madeSec,
      mtimeNsec: 0,
      ctimeSec: this.madeSec,
      ctimeNsec: 0,
      btimeSec: 0,
      btimeNsec: 0,
    };
  }

  /** Truncation and time stamps are accepted and forgotten; nothing else can be changed. */
  override setAttributes(attributes: Attributes): number {
    return attributes.mode === undefined && attributes.uid === undefined && attributes.gid === undefined ? 0 : -EACCES;
  }
}

/** What a text file is made of. */
export interface TextContent {
  /** The whole text as a byte string, or -errno. */
  read: () => string | Uint8Array | number;
  /** Takes what one write(2) brings: 0 or -errno. Absent: the file cannot be written. */
  write?: (text: string) => number;
  /** st_size: sysfs says 4096, proc 0. */
  sizeBytes?: number;
}

export class TextInode extends PseudoInode {
  readonly content: TextContent;

  constructor(fs: PseudoFileSystem, ino: number, mode: number, content: TextContent, ownership?: () => Ownership) {
    super(fs, ino, S_IFREG | mode, ownership);
    this.content = content;
  }

  protected override get sizeBytes(): number {
    return this.content.sizeBytes ?? 0;
  }

  override open(flags: number): File {
    return new TextFile(this, flags);
  }
}

/** Largest write that a text file takes at once. */
const WRITE_MAX = 65536;

class TextFile extends File {
  readonly inode: TextInode;
  private text: Uint8Array | null = null;

  constructor(inode: TextInode, flags: number) {
    super(flags);
    this.inode = inode;
  }

  override read(io: IoBuffer): number {
    const n = this.readAt(io, this.pos);
    if (n > 0) this.pos += n;
    return n;
  }

  override readAt(io: IoBuffer, pos: number): number {
    if (this.text === null || pos === 0) {
      const made = this.inode.content.read();
      if (typeof made === "number") return made;
      this.text = typeof made === "string" ? Buffer.from(made, "latin1") : made;
    }
    if (pos >= this.text.length || io.remaining === 0) return 0;
    return io.put(this.text, pos, Math.min(io.remaining, this.text.length - pos));
  }

  override write(io: IoBuffer): number {
    const n = this.writeAt(io, this.pos);
    if (n > 0) this.pos += n;
    return n;
  }

  override writeAt(io: IoBuffer, _pos: number): number {
    const write = this.inode.content.write;
    if (write === undefined) return -EIO;
    const bytes = new Uint8Array(Math.min(io.remaining, WRITE_MAX));
    const n = io.take(bytes, 0, bytes.length);
    if (n < 0) return n;
    const error = write(Buffer.from(bytes.buffer, 0, n).toString("latin1"));
    this.text = null;
    return error < 0 ? error : n;
  }

  override seek(offset: number, whence: number): number {
    // Text that is made on reading has no end to seek to (seq_lseek).
    if (whence !== SEEK_SET && whence !== SEEK_CUR) return -EINVAL;
    const to = whence === SEEK_CUR ? this.pos + offset : offset;
    if (to < 0) return -EINVAL;
    this.pos = to;
    return to;
  }

  override truncate(): number {
    return 0;
  }

  override sync(): number {
    return -EINVAL;
  }
}

/** The text of an inode as the kernel's own reader gets it. */
export function textOf(inode: Inode): string | number {
  const file = inode.open(O_RDONLY);
  if (typeof file === "number") return file;
  const io = new KernelBuffer(new Uint8Array(1 << 20));
  const n = file.read(io);
  file.unref();
  return n < 0 ? n : Buffer.from(io.bytes.buffer, 0, n).toString("latin1");
}

/** A symbolic link; with `follow` a magic one, that leads to a place and not to its text. */
export class LinkInode extends PseudoInode {
  private readonly target: () => string | number;
  private readonly follow: ((ctx: FsContext) => Path | number) | null;

  constructor(
    fs: PseudoFileSystem,
    ino: number,
    target: () => string | number,
    follow: ((ctx: FsContext) => Path | number) | null = null,
    ownership?: () => Ownership,
    mode = 0o777,
  ) {
    super(fs, ino, S_IFLNK | mode, ownership);
    this.target = target;
    this.follow = follow;
  }

  override open(): number {
    return -ENOENT;
  }
  override readlink(): string | number {
    return this.target();
  }
  override followLink(ctx: FsContext): Path | number | null {
    return this.follow === null ? null : this.follow(ctx);
  }
}

export abstract class PseudoDirectory extends PseudoInode {
  constructor(fs: PseudoFileSystem, ino: number, mode = 0o555, ownership?: () => Ownership) {
    super(fs, ino, S_IFDIR | mode, ownership);
  }

  protected override get links(): number {
    return 2;
  }

  abstract override lookup(name: string): Inode | number;

  override create(): number {
    return -this.fs.changeErrno;
  }
  override mkdir(): number {
    return -this.fs.changeErrno;
  }
  override symlink(): number {
    return -this.fs.changeErrno;
  }
  override mknod(): number {
    return -this.fs.changeErrno;
  }
  override rename(): number {
    return -this.fs.changeErrno;
  }

  /** Names with DT_* types and inode numbers, in a stable order. -errno when the directory's subject is gone. */
  abstract list(): readonly Named[] | number;

  override open(flags: number): File {
    return new PseudoDirectoryFile(this, flags);
  }
}

export interface Named {
  name: string;
  type: number;
  ino: number;
  /** Its offset in the directory, 2 or more and rising, where entries come and go while they are read; else its place. */
  at?: number;
}

class PseudoDirectoryFile extends DirectoryFile {
  readonly inode: PseudoDirectory;

  constructor(inode: PseudoDirectory, flags: number) {
    super(flags);
    this.inode = inode;
  }

  protected override readEntries(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    const entries = this.inode.list();
    if (typeof entries === "number") return entries;
    for (let i = 0; i < entries.length; i++) {
      const { name, type, ino, at = i + 2 } = entries[i]!;
      if (at >= from && !emit({ name, ino, type, next: at + 1 })) break;
    }
    return 0;
  }
}

export function typeOf(inode: Inode): number {
  const type = inode.mode & S_IFMT;
  return type === S_IFDIR ? DT_DIR : type === S_IFLNK ? DT_LNK : type === S_IFREG ? DT_REG : type >>> 12;
}
