// An open directory whose entries the kernel knows (fs/libfs.c: dcache_dir_operations, dir_emit_dots). Offsets 0 and 1
// are "." and ".."; a file system's own offsets start at 2.

import { EINVAL, EISDIR } from "../abi/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../abi/fcntl.ts";
import { DT_DIR } from "../abi/stat.ts";
import { File } from "./file.ts";
import type { DirectoryEntry } from "./inode.ts";

export abstract class DirectoryFile extends File {
  /** Emits the entries from offset `from` (2 and more) until `emit` returns false. 0 or -errno. */
  protected abstract readEntries(from: number, emit: (entry: DirectoryEntry) => boolean): number;

  /**
   * Writes entries from offset `from` (2 and more) on as linux_dirent64 records to the host's memory, where the file system can do that
   * without naming each: the bytes, and in `direntsEnd` the offset to continue from. 0 where it cannot; `readEntries` can always.
   */
  writeDirents(_from: number, _ptr: number, _limit: number): number {
    return 0;
  }
  direntsEnd = 0;
  /** Set when `writeDirents` wrote nothing because there are no more entries. */
  direntsDone = false;

  /** The inode number of "..". */
  get parentIno(): number {
    return (this.path?.dentry.parent?.inode ?? this.inode).ino;
  }

  override readDirectory(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    if (from < 1 && !emit({ name: ".", ino: this.inode.ino, type: DT_DIR, next: 1 })) return 0;
    if (from < 2 && !emit({ name: "..", ino: this.parentIno, type: DT_DIR, next: 2 })) return 0;
    return this.readEntries(Math.max(from, 2), emit);
  }

  override seek(offset: number, whence: number): number {
    const to = whence === SEEK_SET ? offset : whence === SEEK_CUR ? this.pos + offset : -1;
    if (to < 0) return -EINVAL;
    this.pos = to;
    return to;
  }

  override read(): number {
    return -EISDIR;
  }
  override readAt(): number {
    return -EISDIR;
  }
  override sync(_dataOnly: boolean): number {
    return 0;
  }
}
