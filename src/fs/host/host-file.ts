// An open regular file (or block device) of the host. Bytes go straight between the host's descriptor and guest memory;
// the position is kept here. Where the file is mapped too, writes of mappings are flushed before the host is read, and
// cached pages are refreshed after it was written.

import { EINVAL, ENODEV, ENXIO } from "../../abi/errno.ts";
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_APPEND,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from "../../abi/fcntl.ts";
import { S_IFREG } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { lookAt, seen } from "../../host/stat.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import type { PageCache } from "../../mm/page-cache.ts";
import { File } from "../../vfs/file.ts";
import type { Stat } from "../../vfs/inode.ts";
import type { HostRegular } from "./host-regular.ts";

const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

export class HostFile extends File {
  readonly inode: HostRegular;
  readonly fd: number;
  /** Whether the host's description appends. */
  private appending = false;

  /** Takes over `fd`. */
  constructor(inode: HostRegular, flags: number, fd: number) {
    super(flags);
    this.inode = inode;
    this.fd = fd;
    inode.opened(this);
  }

  override get hostFd(): number {
    return this.fd;
  }

  override stat(): Stat | number {
    const error = lookAt(this.fd);
    return error < 0 ? error : this.inode.fs.seenStat();
  }

  override sizeBytes(): number {
    return lookAt(this.fd) < 0 ? 0 : seen.size;
  }

  override read(io: IoBuffer): number {
    const n = this.readAt(io, this.pos);
    if (n > 0) this.pos += n;
    return n;
  }

  override readAt(io: IoBuffer, pos: number): number {
    const { cache } = this.inode;
    if (cache !== null && cache.hasDirtyPages) cache.writeBack();
    return io.hostRead(this.fd, pos);
  }

  override write(io: IoBuffer): number {
    if ((this.flags & O_APPEND) !== 0) return this.append(io);
    const n = this.put(io, this.pos);
    if (n > 0) this.pos += n;
    return n;
  }

  override writeAt(io: IoBuffer, pos: number): number {
    // As on Linux, O_APPEND wins over the position of pwrite(2), which does not move the file's own.
    if ((this.flags & O_APPEND) === 0) return this.put(io, pos);
    const { pos: before } = this;
    const n = this.append(io);
    this.pos = before;
    return n;
  }

  /** The host appends, so that other processes of the host may append too. */
  private append(io: IoBuffer): number {
    this.setAppending(true);
    const { inode } = this;
    inode.cache?.writeBack();
    const n = io.hostWrite(this.fd, -1);
    if (n <= 0) return n;
    const end = files.seek(this.fd, 0, SEEK_CUR);
    inode.cache?.refresh(end - n, end);
    inode.changed();
    this.pos = end;
    return n;
  }

  private put(io: IoBuffer, pos: number): number {
    if (this.appending) this.setAppending(false);
    const { inode } = this;
    const { cache } = inode;
    if (cache === null) return io.hostWrite(this.fd, pos);
    cache.writeBack();
    const n = io.hostWrite(this.fd, pos);
    if (n > 0) cache.refresh(pos, pos + n);
    inode.changed();
    return n;
  }

  private setAppending(on: boolean): void {
    if (this.appending === on) return;
    files.setFlags(this.fd, on ? O_APPEND : 0);
    this.appending = on;
  }

  override seek(offset: number, whence: number): number {
    let position = offset;
    if (whence === SEEK_CUR) position = this.pos + offset;
    else if (whence === SEEK_END) position = this.endPosition() + offset;
    else if (whence !== SEEK_SET) position = offset < 0 ? -ENXIO : this.seekData(offset, whence);
    if (position < 0) return whence > SEEK_END ? position : -EINVAL;
    if (position > MAX_OFFSET) return -EINVAL;
    this.pos = position;
    return position;
  }

  /** Size of a file, length of a device. */
  private endPosition(): number {
    return this.inode.type === S_IFREG ? this.sizeBytes() : files.seek(this.fd, 0, SEEK_END);
  }

  /** SEEK_DATA and SEEK_HOLE; the host refuses other values. */
  private seekData(offset: number, whence: number): number {
    this.inode.cache?.writeBack();
    return files.seek(this.fd, offset, whence);
  }

  override truncate(size: number): number {
    return this.canWrite ? this.inode.truncateBy(this.fd, size) : -EINVAL;
  }

  override allocate(mode: number, offset: number, len: number): number {
    const { cache } = this.inode;
    cache?.writeBack();
    const error = files.allocate(this.fd, mode, offset, len);
    if (error < 0) return error;
    if (cache !== null) {
      if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) !== 0) cache.punch(offset, offset + len);
      else if ((mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) !== 0)
        cache.drop(Math.floor(offset / 4096));
    }
    this.inode.changed();
    return 0;
  }

  override sync(dataOnly: boolean): number {
    const error = this.inode.cache?.writeBack() ?? 0;
    return error < 0 ? error : files.sync(this.fd, dataOnly);
  }

  override pages(): PageCache | number {
    return this.inode.type === S_IFREG ? this.inode.pagesFor(this) : -ENODEV;
  }

  protected override release(): void {
    this.inode.closed(this);
    files.close(this.fd);
  }
}
