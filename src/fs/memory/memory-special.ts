// Inodes in memory without content of their own: symbolic links, device nodes, FIFOs, socket names.

import { EINVAL, ELOOP, ENXIO } from "../../abi/errno.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFLNK, S_IFMT, S_IRWXUGO } from "../../abi/stat.ts";
import { openCharacterDevice } from "../../vfs/devices.ts";
import type { File } from "../../vfs/file.ts";
import type { MemoryFileSystem, Timestamp } from "./memory-file-system.ts";
import { MemoryInode } from "./memory-inode.ts";

export class MemorySymlink extends MemoryInode {
  private readonly target: string;

  constructor(fs: MemoryFileSystem, ino: number, uid: number, gid: number, target: string, born?: Timestamp) {
    super(fs, ino, S_IFLNK | S_IRWXUGO, uid, gid, born);
    this.target = target;
  }

  override get sizeBytes(): number {
    return this.target.length;
  }

  override readlink(): string {
    this.accessed();
    return this.target;
  }

  override open(): number {
    return -ELOOP;
  }

  protected override setSize(): number {
    return -EINVAL;
  }
}

/** Pipes are loaded when the first one is made or opened. */
function fifos(): typeof import("../pipe/fifo.ts") {
  return require("../pipe/fifo.ts");
}

export class MemorySpecial extends MemoryInode {
  private readonly device: number;

  constructor(
    fs: MemoryFileSystem,
    ino: number,
    mode: number,
    uid: number,
    gid: number,
    rdev: number,
    born?: Timestamp,
  ) {
    super(fs, ino, mode, uid, gid, born);
    const type = mode & S_IFMT;
    this.device = type === S_IFCHR || type === S_IFBLK ? rdev : 0;
  }

  protected override get rdev(): number {
    return this.device;
  }

  override get sizeBytes(): number {
    return 0;
  }

  /** There are no block devices; sockets are reached with connect(2) only. */
  override open(flags: number): File | number {
    const type = this.mode & S_IFMT;
    if (type === S_IFCHR) return openCharacterDevice(this, this.device, flags);
    return type === S_IFIFO ? fifos().openFifo(this, flags) : -ENXIO;
  }

  protected override setSize(): number {
    return -EINVAL;
  }
}
