// Regular files of an image, and new ones of a run. Bytes go straight between the host's files and guest memory; where a file is mapped
// too, writes of mappings are flushed before its bytes are read, and cached pages are refreshed after it was written.

import { EFBIG, EINVAL, ENXIO, EOPNOTSUPP } from "../../abi/errno.ts";
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from "../../abi/fcntl.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { PageCache } from "../../mm/page-cache.ts";
import type { File } from "../../vfs/file.ts";
import type { Timestamp } from "../memory/memory-file-system.ts";
import { MAX_BYTES, MemoryRegular } from "../memory/memory-regular.ts";
import type { ImageContent } from "./image-content.ts";
import type { ImageFileSystem } from "./image-file-system.ts";
import type { Place } from "./image-layers.ts";
import { PAGE } from "./scratch-store.ts";

export class ImageRegular extends MemoryRegular {
  declare readonly fs: ImageFileSystem;
  /** The pages that mappings see, made by the first one. */
  cache: PageCache | null = null;
  /** Where the image describes the file; null for one of the run's own. */
  private readonly place: Place | null;
  private made: ImageContent | null = null;

  constructor(
    fs: ImageFileSystem,
    ino: number,
    mode: number,
    uid: number,
    gid: number,
    place: Place | null,
    born?: Timestamp,
  ) {
    super(fs, ino, mode, uid, gid, born);
    this.place = place;
  }

  /** Made when somebody wants more than the file's attributes. */
  private get content(): ImageContent {
    this.made ??= this.fs.contentOf(this.place);
    return this.made;
  }

  override get sizeBytes(): number {
    if (this.made !== null || this.place === null) return this.content.size;
    return this.fs.layers.index(this.place).size(this.place.entry);
  }

  protected override get blocks(): number {
    if (this.made !== null || this.place === null) return this.content.blocks;
    const index = this.fs.layers.index(this.place);
    const sparse = index.sparse(this.place.entry);
    const bytes = sparse?.reduce((sum, value, i) => sum + (i % 2) * value, 0) ?? this.sizeBytes;
    return Math.ceil(bytes / PAGE) * (PAGE / 512);
  }

  override opened(flags: number): File {
    if (this.cache !== null) this.fs.idle.delete(this);
    return super.opened(flags);
  }

  override closed(): void {
    if (this.opens === 1 && this.cache !== null && this.nlink > 0) {
      this.cache.writeBack();
      this.fs.idle.add(this);
    }
    super.closed();
    // Found by number, it has no name in the cache that would keep it.
    if (this.opens === 0 && this.dentry === null && this.isPristine) this.fs.forget(this);
  }

  dropCache(): void {
    this.cache?.destroy();
    this.cache = null;
    this.evicted();
  }

  protected override get isPristine(): boolean {
    return this.cache === null && super.isPristine;
  }

  protected override destroy(): void {
    this.fs.idle.delete(this);
    this.dropCache();
    this.made?.destroy();
  }

  override pages(): PageCache {
    if (this.cache === null) {
      this.cache = new PageCache(this.content);
      if (this.nlink > 0) this.fs.retain(this);
      this.content.onWriteBack = () => this.modified();
    }
    return this.cache;
  }

  override readAt(io: IoBuffer, pos: number): number {
    const { content, cache } = this;
    if (pos >= content.size) return 0;
    if (cache?.hasDirtyPages) cache.writeBack();
    return content.read(io, pos);
  }

  override writeAt(io: IoBuffer, pos: number): number {
    if (io.remaining === 0) return 0;
    if (pos > MAX_BYTES) return -EFBIG;
    const { content, cache } = this;
    if (cache !== null) cache.writeBack();
    const before = content.size;
    const n = content.write(io, pos, MAX_BYTES - pos);
    if (n <= 0) return n;
    if (cache !== null) {
      if (pos + n > before) cache.clearTail(before);
      cache.refresh(pos, pos + n);
    }
    this.modified();
    return n;
  }

  override setSize(sizeBytes: number): number {
    if (sizeBytes > MAX_BYTES) return -EFBIG;
    this.cache?.writeBack();
    const before = this.content.size;
    const error = this.content.truncate(sizeBytes);
    if (error < 0) return error;
    if (sizeBytes > before) this.cache?.clearTail(before);
    this.cache?.truncate(sizeBytes);
    this.modified();
    return 0;
  }

  override seekContent(offset: number, data: boolean): number {
    if (offset < 0 || offset >= this.content.size) return -ENXIO;
    this.cache?.writeBack();
    const found = this.content.seek(offset, data);
    return found === Number.POSITIVE_INFINITY ? -ENXIO : found;
  }

  /** DIFFERS: space is taken on the first write, so a later write may still find none. */
  override allocate(mode: number, offset: number, length: number): number {
    const end = offset + length;
    if (end > MAX_BYTES) return -EFBIG;
    if (mode === FALLOC_FL_COLLAPSE_RANGE || mode === FALLOC_FL_INSERT_RANGE) {
      return this.shift(offset, length, mode === FALLOC_FL_INSERT_RANGE);
    }
    const punch = mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
    const zero = (mode & ~FALLOC_FL_KEEP_SIZE) === FALLOC_FL_ZERO_RANGE;
    if (!punch && !zero && (mode & ~FALLOC_FL_KEEP_SIZE) !== 0) return -EOPNOTSUPP;
    this.cache?.writeBack();
    if (punch || zero) {
      const error = this.content.punch(offset, end);
      if (error < 0) return error;
      this.cache?.refresh(offset, Math.min(end, this.content.size));
    }
    if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && end > this.content.size) return this.setSize(end);
    this.modified();
    return 0;
  }

  /** Takes [offset, offset + length) out of the file, or makes room there: what lies behind moves, holes and all. */
  private shift(offset: number, length: number, insert: boolean): number {
    const { content } = this;
    const { size } = content;
    if (offset % PAGE !== 0 || length % PAGE !== 0) return -EINVAL;
    if (insert ? offset >= size : offset + length >= size) return -EINVAL;
    if (insert && size + length > MAX_BYTES) return -EFBIG;
    this.cache?.writeBack();
    const from = insert ? offset : offset + length;
    const error = content.move(from, size, insert ? length : -length);
    if (error < 0) return error;
    if (insert) content.punch(offset, offset + length);
    else content.truncate(size - length);
    this.cache?.drop(Math.floor(offset / PAGE));
    this.modified();
    return 0;
  }
}
