// One Inode object for each host file that has state of ours (open files, cached pages, FIFO ends), found by device
// and inode number. Objects without such state are kept for a while and then forgotten: a later lookup makes new ones.

import type { HostInode } from "./host-inode.ts";

const MIN_LIMIT = 8192;

export class InodeTable {
  private readonly devices = new Map<number, Map<number, HostInode>>();
  private count = 0;
  private limit = MIN_LIMIT;

  get(dev: number, ino: number): HostInode | undefined {
    return this.devices.get(dev)?.get(ino);
  }

  set(inode: HostInode): void {
    if (this.count >= this.limit) this.sweep();
    let inodes = this.devices.get(inode.dev);
    if (inodes === undefined) {
      inodes = new Map();
      this.devices.set(inode.dev, inodes);
    }
    const before = inodes.size;
    inodes.set(inode.hostIno, inode);
    this.count += inodes.size - before;
  }

  /** Forgets every inode that nobody would miss. */
  private sweep(): void {
    this.count = 0;
    for (const inodes of this.devices.values()) {
      for (const inode of inodes.values()) if (!inode.pinned) inodes.delete(inode.hostIno);
      this.count += inodes.size;
    }
    this.limit = Math.max(MIN_LIMIT, 2 * this.count);
  }
}
