// tmpfs inodes without content of their own: symbolic links, device nodes, FIFOs, socket names.

import { EINVAL, ELOOP, ENXIO } from "../../abi/errno.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT } from "../../abi/stat.ts";
import { openCharacterDevice, openFifo } from "../../vfs/devices.ts";
import type { File } from "../../vfs/file.ts";
import type { Tmpfs } from "./tmpfs.ts";
import { TmpfsInode } from "./tmpfs-inode.ts";

export class TmpfsSymlink extends TmpfsInode {
  private readonly target: string;

  constructor(fs: Tmpfs, mode: number, uid: number, gid: number, target: string) {
    super(fs, mode, uid, gid);
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

export class TmpfsSpecial extends TmpfsInode {
  private readonly device: number;

  constructor(fs: Tmpfs, mode: number, uid: number, gid: number, rdev: number) {
    super(fs, mode, uid, gid);
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
    return type === S_IFIFO ? openFifo(this, flags) : -ENXIO;
  }

  protected override setSize(): number {
    return -EINVAL;
  }
}
