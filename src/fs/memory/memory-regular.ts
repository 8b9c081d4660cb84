// Regular files of a tree in memory: what an open one does with its position and flags, and when a nameless one ends. Where
// the bytes are is up to the file system.

import { EINVAL, EPERM } from "../../abi/errno.ts";
import { O_APPEND, O_NOATIME, O_TRUNC, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../../abi/fcntl.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import { MemoryInode } from "./memory-inode.ts";

/** Offsets are exact Numbers below this. */
export const MAX_BYTES = 2 ** 53 - 4096;
/** What a call's offset is when its 64 bits say more. */
const IMPOSSIBLE = 2 ** 53;

export abstract class MemoryRegular extends MemoryInode {
  /** Open files. */
  protected opens = 0;

  abstract readAt(io: IoBuffer, pos: number): number;
  abstract writeAt(io: IoBuffer, pos: number): number;
  /** lseek(2)'s SEEK_DATA and SEEK_HOLE. */
  abstract seekContent(offset: number, data: boolean): number;
  /** fallocate(2). */
  abstract allocate(mode: number, offset: number, length: number): number;
  abstract override setSize(sizeBytes: number): number;
  /** Gives the content's memory back: nobody can reach the file any more. */
  protected abstract destroy(): void;

  addSeals(_seals: number): number {
    return -EINVAL;
  }
  /** F_SEAL_* that hold, or -EINVAL where files are never sealed. */
  seals = -EINVAL;

  override get isOpen(): boolean {
    return this.opens > 0;
  }

  override open(flags: number): File | number {
    const error = (flags & O_TRUNC) !== 0 ? this.setSize(0) : 0;
    return error < 0 ? error : this.opened(flags);
  }

  /** A new description, when nothing is left that may fail. */
  opened(flags: number): File {
    this.opens += 1;
    return new MemoryFile(this, flags);
  }

  /** A file of it was released. */
  closed(): void {
    this.opens -= 1;
    if (this.opens === 0 && this.nlink === 0) this.destroy();
  }

  protected override lastLinkGone(): void {
    if (this.opens === 0) this.destroy();
  }
}

class MemoryFile extends File {
  readonly inode: MemoryRegular;

  constructor(inode: MemoryRegular, flags: number) {
    super(flags);
    this.inode = inode;
  }

  override read(io: IoBuffer): number {
    const n = this.readAt(io, this.pos);
    if (n > 0) this.pos += n;
    return n;
  }

  override readAt(io: IoBuffer, pos: number): number {
    if (pos >= IMPOSSIBLE) return -EINVAL;
    const n = this.inode.readAt(io, pos);
    if (n >= 0 && (this.flags & O_NOATIME) === 0) this.inode.accessed();
    return n;
  }

  override write(io: IoBuffer): number {
    const pos = (this.flags & O_APPEND) !== 0 ? this.inode.sizeBytes : this.pos;
    const n = this.inode.writeAt(io, pos);
    if (n > 0) this.pos = pos + n;
    return n;
  }

  /** As on Linux, O_APPEND wins over the position of pwrite(2). */
  override writeAt(io: IoBuffer, pos: number): number {
    if (pos >= IMPOSSIBLE) return -EINVAL;
    return this.inode.writeAt(io, (this.flags & O_APPEND) !== 0 ? this.inode.sizeBytes : pos);
  }

  override seek(offset: number, whence: number): number {
    const to = this.target(offset, whence);
    if (to < 0) return to;
    this.pos = to;
    return to;
  }

  private target(offset: number, whence: number): number {
    if (whence === SEEK_DATA || whence === SEEK_HOLE) return this.inode.seekContent(offset, whence === SEEK_DATA);
    const from = whence === SEEK_SET ? 0 : whence === SEEK_CUR ? this.pos : this.inode.sizeBytes;
    const to = whence > SEEK_END || whence < 0 ? -1 : from + offset;
    return to < 0 || to > MAX_BYTES ? -EINVAL : to;
  }

  override sizeBytes(): number {
    return this.inode.sizeBytes;
  }

  override truncate(size: number): number {
    return this.inode.setSize(size);
  }

  override allocate(mode: number, offset: number, len: number): number {
    return this.inode.allocate(mode, offset, len);
  }

  override sync(): number {
    return 0;
  }

  override addSeals(seals: number): number {
    return this.canWrite ? this.inode.addSeals(seals) : -EPERM;
  }

  override seals(): number {
    return this.inode.seals;
  }

  protected override release(): void {
    this.inode.closed();
  }
}
