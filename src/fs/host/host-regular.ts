// A regular file of the host: its open files, and the page cache that mappings share with read(2) and write(2).

import { ENODEV, ENOENT, ENXIO, EROFS } from "../../abi/errno.ts";
import {
  O_ACCMODE,
  O_DSYNC,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDWR,
  O_SYNC,
  O_TRUNC,
  O_WRONLY,
} from "../../abi/fcntl.ts";
import { S_IFMT } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { lookAt, seen } from "../../host/stat.ts";
import { PageCache } from "../../mm/page-cache.ts";
import type { File } from "../../vfs/file.ts";
import { HostFile } from "./host-file.ts";
import { HostInode } from "./host-inode.ts";
import { HostPageSource } from "./host-page-source.ts";

/**
 * The flags with which the host opens a file on behalf of a guest's open. O_APPEND is set when the guest first writes with
 * it; O_DIRECT is left out, since guest buffers need not be aligned as the host wants; O_NONBLOCK keeps a name that turned
 * into a FIFO from stopping carrick.
 */
export function hostOpenFlags(flags: number): number {
  return (flags & (O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC | O_NOATIME)) | O_NONBLOCK;
}

export class HostRegular extends HostInode {
  /** The page cache, made by the first mapping or kernel reader. */
  cache: PageCache | null = null;
  private source: HostPageSource | null = null;
  private readonly openFiles: HostFile[] = [];
  /** Descriptor of an unnamed file (O_TMPFILE) or of an adopted stream. */
  private anchorFd = -1;
  /** Size and times when the cached pages were known to be the file's; "" after changes of our own. */
  private stamp = "";

  override get pinned(): boolean {
    return this.openFiles.length > 0 || this.cache !== null || this.anchorFd >= 0;
  }

  override get isOpen(): boolean {
    return this.openFiles.length > 0;
  }

  override get openFd(): number {
    if (this.openFiles.length > 0) return this.openFiles[0]!.fd;
    return this.anchorFd >= 0 ? this.anchorFd : super.openFd;
  }

  /** Keeps `fd`, the only way to this file, until its last open file is closed. */
  anchor(fd: number): void {
    this.anchorFd = fd;
  }

  override open(flags: number): File | number {
    if (this.fs.readOnly && (flags & (O_ACCMODE | O_TRUNC)) !== 0) return -EROFS;
    const fd = this.openHost(hostOpenFlags(flags));
    if (fd < 0) return fd;
    // Right after its lookup, and without state of ours, a file is taken for what it was.
    if (!this.pinned && this.fs.takeFresh(this)) return new HostFile(this, flags, fd);
    const inode = lookAt(fd) < 0 ? null : this.identify();
    if (inode === null) {
      files.close(fd);
      return -ENXIO;
    }
    inode.validate();
    if ((flags & O_TRUNC) !== 0) inode.cache?.truncate(0);
    return new HostFile(inode, flags, fd);
  }

  /** The inode of what was opened: the host may have put another file under the name since the lookup. */
  private identify(): HostRegular | null {
    const inode = this.isSeen ? this.fs.canonical(this) : this.fs.foundElsewhere(this);
    return inode instanceof HostRegular ? inode : null;
  }

  private openHost(how: number): number {
    if (this.anchorFd >= 0) return files.reopen(this.anchorFd, how);
    if (this.parent === null) return this.openFd < 0 ? -ENOENT : files.reopen(this.openFd, how);
    const dirFd = this.parent.directoryFd();
    if (dirFd < 0) return dirFd;
    const fd = files.open(dirFd, this.name, how | O_NOFOLLOW, 0);
    // Removed or renamed by the host, but still open here.
    if (fd === -ENOENT && this.openFd >= 0) return files.reopen(this.openFd, how);
    return fd;
  }

  /** Drops cached pages when the last look shows that somebody outside changed the file. */
  private validate(): void {
    if (this.cache === null) return;
    const now = `${seen.size} ${seen.mtime} ${seen.ctime}`;
    if (this.stamp !== "" && this.stamp !== now && !this.cache.hasDirtyPages) this.cache.drop(0);
    this.stamp = now;
  }

  /** Our own write or truncation made the recorded times worthless. */
  changed(): void {
    this.stamp = "";
  }

  opened(file: HostFile): void {
    this.openFiles.push(file);
    this.fs.idle.delete(this);
  }

  closed(file: HostFile): void {
    const at = this.openFiles.indexOf(file);
    if (at >= 0) this.openFiles.splice(at, 1);
    if (this.openFiles.length > 0) return;
    if (this.anchorFd >= 0) {
      files.close(this.anchorFd);
      this.anchorFd = -1;
      this.dropCache();
    } else if (this.cache !== null) {
      this.cache.writeBack();
      if (lookAt(file.fd) < 0 || seen.nlink === 0) this.dropCache();
      else {
        if (this.stamp === "") this.stamp = `${seen.size} ${seen.mtime} ${seen.ctime}`;
        this.fs.idle.add(this);
      }
    }
  }

  /** Gives the pages and the descriptors behind them back. Nothing maps the file. */
  dropCache(): void {
    this.cache?.destroy();
    this.cache = null;
    this.source?.close();
    this.source = null;
    this.stamp = "";
  }

  /** The page cache for a mapping through `file`; -errno when the host gives no descriptor for it. */
  pagesFor(file: HostFile): PageCache | number {
    if (this.cache === null && (lookAt(file.fd) < 0 || !this.isSeen)) return -ENODEV;
    this.source ??= new HostPageSource(this);
    const error = this.source.attach(file.fd, (file.flags & O_ACCMODE) === O_RDWR);
    if (error < 0) return error;
    this.cache ??= new PageCache(this.source);
    return this.cache;
  }

  override pages(): PageCache | number {
    if (this.cache !== null) return this.cache;
    const first = this.openFiles.find((file) => file.canRead);
    return first === undefined ? super.pages() : this.pagesFor(first);
  }

  protected override setSize(sizeBytes: number): number {
    for (const file of this.openFiles) {
      if ((file.flags & O_ACCMODE) !== 0) return this.truncateBy(file.fd, sizeBytes);
    }
    const fd = this.openHost(O_WRONLY | O_NONBLOCK);
    if (fd < 0) return fd;
    const error = this.truncateBy(fd, sizeBytes);
    files.close(fd);
    return error;
  }

  /** ftruncate(2) through a writable descriptor, pages included. */
  truncateBy(fd: number, sizeBytes: number): number {
    const { cache } = this;
    cache?.writeBack();
    const before = cache === null ? 0 : cache.sourceBytes;
    const error = files.truncate(fd, sizeBytes);
    if (error < 0) return error;
    if (sizeBytes > before) cache?.clearTail(before);
    cache?.truncate(sizeBytes);
    this.changed();
    return 0;
  }

  get type(): number {
    return this.mode & S_IFMT;
  }
}
