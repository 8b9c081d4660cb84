// A descriptor that only names a place: open(2) with O_PATH.

import { EBADF } from "../abi/errno.ts";
import type { PageCache } from "../mm/page-cache.ts";
import { File } from "./file.ts";
import type { Inode } from "./inode.ts";
import type { Path } from "./path.ts";

export class PathFile extends File {
  readonly inode: Inode;

  constructor(flags: number, path: Path) {
    super(flags);
    this.path = path;
    this.inode = path.dentry.inode;
    this.inode.hold();
  }

  protected override release(): void {
    this.inode.letGo();
  }

  override get canRead(): boolean {
    return false;
  }
  override get canWrite(): boolean {
    return false;
  }
  override read(): number {
    return -EBADF;
  }
  override write(): number {
    return -EBADF;
  }
  override readAt(): number {
    return -EBADF;
  }
  override writeAt(): number {
    return -EBADF;
  }
  override seek(): number {
    return -EBADF;
  }
  override truncate(): number {
    return -EBADF;
  }
  override allocate(): number {
    return -EBADF;
  }
  override sync(): number {
    return -EBADF;
  }
  override readDirectory(): number {
    return -EBADF;
  }
  override ioctl(): number {
    return -EBADF;
  }
  override pages(): PageCache | number {
    return -EBADF;
  }
}
