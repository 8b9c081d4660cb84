// An open directory of the host (readdir(3), getdents64(2)). The host's own offsets may need 63 bits; the guest sees the
// ordinal of each entry instead, which stays valid because entries once read are remembered until a rewind.

import { SEEK_SET } from "../../abi/fcntl.ts";
import { files, type HostDirent } from "../../host/files.ts";
import { lookAt } from "../../host/stat.ts";
import { DirectoryFile } from "../../vfs/directory-file.ts";
import type { DirectoryEntry, Stat } from "../../vfs/inode.ts";
import type { HostDirectory } from "./host-directory.ts";

/** Offset of the first entry behind "." and "..", which tell about the guest's tree and not about the host's. */
const FIRST = 2;

export class HostDirectoryFile extends DirectoryFile {
  readonly inode: HostDirectory;
  private readonly fd: number;
  private readonly entries: HostDirent[] = [];
  private complete = false;

  /** Takes over `fd`, which is open for reading. */
  constructor(inode: HostDirectory, flags: number, fd: number) {
    super(flags);
    this.inode = inode;
    this.fd = fd;
  }

  override stat(): Stat | number {
    const error = lookAt(this.fd);
    return error < 0 ? error : this.inode.fs.seenStat();
  }

  protected override readEntries(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    if (from === FIRST) this.rewind();
    for (let at = from - FIRST; ; at += 1) {
      while (at >= this.entries.length) {
        if (this.complete) return 0;
        const count = this.load();
        if (count < 0) return count;
      }
      const { name, ino, type } = this.entries[at]!;
      if (!emit({ name, ino, type, next: at + FIRST + 1 })) return 0;
    }
  }

  private load(): number {
    const before = this.entries.length;
    const count = files.readDirectory(this.fd, this.entries);
    if (count === 0) this.complete = true;
    for (let i = this.entries.length - 1; i >= before; i -= 1) {
      const { name } = this.entries[i]!;
      if (name === "." || name === "..") this.entries.splice(i, 1);
    }
    return count;
  }

  private rewind(): void {
    if (this.entries.length === 0 && !this.complete) return;
    this.entries.length = 0;
    this.complete = false;
    files.seek(this.fd, 0, SEEK_SET);
  }

  override sync(dataOnly: boolean): number {
    return files.sync(this.fd, dataOnly);
  }

  protected override release(): void {
    files.close(this.fd);
  }
}
