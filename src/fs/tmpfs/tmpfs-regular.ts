// tmpfs regular files: their only store is a page cache without a source. Seals are memfd_create(2)'s (mm/memfd.c).

import { EBUSY, EFBIG, EINVAL, ENOSPC, ENXIO, EOPNOTSUPP, EPERM } from "../../abi/errno.ts";
import {
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
} from "../../abi/fcntl.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { PageCache } from "../../mm/page-cache.ts";
import type { Attributes } from "../../vfs/inode.ts";
import { MAX_BYTES, MemoryRegular } from "../memory/memory-regular.ts";
import type { Tmpfs } from "./tmpfs.ts";

const PAGE = 4096;
const SECTORS_PER_PAGE = 8;
const ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;
const WRITE_SEALS = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
const EXEC_BITS = 0o111;

export class TmpfsRegular extends MemoryRegular {
  readonly cache = new PageCache(null);
  declare readonly fs: Tmpfs;
  /** F_SEAL_* that hold. Files with a name in the tree cannot be sealed. */
  override seals = F_SEAL_SEAL;
  private size = 0;
  /** Pages that the file system has counted. */
  private counted = 0;

  override get sizeBytes(): number {
    return this.size;
  }

  protected override get blocks(): number {
    return this.cache.pageCount * SECTORS_PER_PAGE;
  }

  protected override destroy(): void {
    this.cache.destroy();
    this.count();
  }

  /** Tells the file system how many pages the file has now. */
  private count(): void {
    const pages = this.cache.pageCount;
    this.fs.addPages(pages - this.counted);
    this.counted = pages;
  }

  override pages(): PageCache {
    return this.cache;
  }

  override setAttributes(a: Attributes): number {
    const sealed = (this.seals & F_SEAL_EXEC) !== 0;
    if (sealed && a.mode !== undefined && ((a.mode ^ this.mode) & EXEC_BITS) !== 0) return -EPERM;
    return super.setAttributes(a);
  }

  override setSize(sizeBytes: number): number {
    if (sizeBytes > MAX_BYTES) return -EFBIG;
    if (sizeBytes < this.size && (this.seals & F_SEAL_SHRINK) !== 0) return -EPERM;
    if (sizeBytes > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    if (sizeBytes < this.size) this.cache.truncate(sizeBytes);
    this.size = sizeBytes;
    this.count();
    this.modified();
    return 0;
  }

  override readAt(io: IoBuffer, pos: number): number {
    return pos >= this.size ? 0 : this.cache.read(io, pos, this.size);
  }

  override writeAt(io: IoBuffer, pos: number): number {
    const wanted = io.remaining;
    if (wanted === 0) return 0;
    if (pos > MAX_BYTES) return -EFBIG;
    if ((this.seals & WRITE_SEALS) !== 0) return -EPERM;
    if ((this.seals & F_SEAL_GROW) !== 0 && pos + wanted > this.size) return -EPERM;
    const room = this.roomAt(pos, Math.min(wanted, MAX_BYTES - pos));
    if (room === 0) return -ENOSPC;
    const n = this.cache.write(io, pos, room);
    this.count();
    if (n <= 0) return n;
    if (pos + n > this.size) this.size = pos + n;
    this.modified();
    return n;
  }

  /** How many of `count` bytes from `pos` on find a page before the file system is full. */
  private roomAt(pos: number, count: number): number {
    let left = this.fs.pagesLeft();
    if (left >= Math.ceil(count / PAGE) + 1) return count;
    const end = pos + count;
    for (let at = pos; at < end; at += PAGE - (at % PAGE)) {
      if (this.cache.peek(Math.floor(at / PAGE)) >= 0) continue;
      if (left <= 0) return at - pos;
      left -= 1;
    }
    return count;
  }

  /** lseek(2)'s SEEK_DATA and SEEK_HOLE: pages in memory are data. */
  override seekContent(offset: number, data: boolean): number {
    if (offset < 0 || offset >= this.size) return -ENXIO;
    let index = Math.floor(offset / PAGE);
    if (data) {
      index = this.cache.nextPage(index);
      return index * PAGE >= this.size ? -ENXIO : Math.max(offset, index * PAGE);
    }
    while (this.cache.peek(index) >= 0) index += 1;
    return Math.min(this.size, Math.max(offset, index * PAGE));
  }

  /** fallocate(2). DIFFERS: pages are taken on the first write, so a later write may still find no space. */
  override allocate(mode: number, offset: number, length: number): number {
    const end = offset + length;
    if (mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
      if ((this.seals & WRITE_SEALS) !== 0) return -EPERM;
      this.cache.punch(offset, end);
      this.modified();
      return 0;
    }
    if ((mode & ~FALLOC_FL_KEEP_SIZE) !== 0) return -EOPNOTSUPP;
    if (end > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    if (end > MAX_BYTES) return -EFBIG;
    if (this.roomAt(offset, length) < length) return -ENOSPC;
    if (mode === 0 && end > this.size) this.size = end;
    this.modified();
    return 0;
  }

  override addSeals(seals: number): number {
    if ((seals & ~ALL_SEALS) !== 0) return -EINVAL;
    if ((this.seals & F_SEAL_SEAL) !== 0) return -EPERM;
    if ((seals & F_SEAL_WRITE) !== 0 && (this.seals & F_SEAL_WRITE) === 0 && this.cache.isMappedWritable) return -EBUSY;
    if ((seals & F_SEAL_EXEC) !== 0 && (this.mode & EXEC_BITS) !== 0) {
      seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    }
    this.seals |= seals;
    return 0;
  }
}
