// An open directory of the host (readdir(3), getdents64(2)). The host's own offsets may need 63 bits; the guest sees the
// ordinal of each entry instead, which stays valid because entries once read are remembered until a rewind.

import { EINVAL, EISDIR } from "../../abi/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../../abi/fcntl.ts";
import { files, type HostDirent } from "../../host/files.ts";
import { lookAt, seenStat } from "../../host/stat.ts";
import { File } from "../../vfs/file.ts";
import type { DirectoryEntry, Stat } from "../../vfs/inode.ts";
import type { HostDirectory } from "./host-directory.ts";

export class HostDirectoryFile extends File {
  readonly inode: HostDirectory;
  private readonly fd: number;
  private readonly entries: HostDirent[] = [];
  private complete = false;

  constructor(inode: HostDirectory, flags: number, fd: number) {
    super(flags);
    this.inode = inode;
    this.fd = fd;
  }

  override stat(): Stat | number {
    const error = lookAt(this.fd);
    return error < 0 ? error : seenStat();
  }

  override readDirectory(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    if (from === 0 && this.entries.length > 0) this.rewind();
    for (let at = from; ; at += 1) {
      while (at >= this.entries.length) {
        if (this.complete) return 0;
        const count = files.readDirectory(this.fd, this.entries);
        if (count < 0) return count;
        if (count === 0) this.complete = true;
      }
      const { name, ino, type } = this.entries[at]!;
      // ".." of the mount's root would tell about the host above it.
      const shown = name === ".." && this.inode.parent === null ? this.inode.hostIno : ino;
      if (!emit({ name, ino: shown, type, next: at + 1 })) return 0;
    }
  }

  private rewind(): void {
    this.entries.length = 0;
    this.complete = false;
    files.seek(this.fd, 0, SEEK_SET);
  }

  override seek(offset: number, whence: number): number {
    const position = whence === SEEK_CUR ? this.pos + offset : offset;
    if ((whence !== SEEK_SET && whence !== SEEK_CUR) || position < 0) return -EINVAL;
    this.pos = position;
    return position;
  }

  override read(): number {
    return -EISDIR;
  }
  override readAt(): number {
    return -EISDIR;
  }

  override sync(dataOnly: boolean): number {
    return files.sync(this.fd, dataOnly);
  }

  protected override release(): void {
    files.close(this.fd);
  }
}
