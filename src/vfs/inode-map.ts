// State of vfs or of a file type that belongs to an inode (i_pipe, i_flctx). It is kept by file system and inode
// number, because some file systems make a fresh Inode object at each lookup.

import type { FileSystem } from "./file-system.ts";
import type { Inode } from "./inode.ts";

export class InodeMap<T> {
  private readonly byFileSystem = new WeakMap<FileSystem, Map<number, T>>();

  get(inode: Inode): T | undefined {
    return this.byFileSystem.get(inode.fs)?.get(inode.ino);
  }

  set(inode: Inode, value: T): void {
    let map = this.byFileSystem.get(inode.fs);
    if (map === undefined) {
      map = new Map();
      this.byFileSystem.set(inode.fs, map);
    }
    map.set(inode.ino, value);
  }

  delete(inode: Inode): void {
    this.byFileSystem.get(inode.fs)?.delete(inode.ino);
  }
}
