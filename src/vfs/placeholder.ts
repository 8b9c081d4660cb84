// Mount points that the file system below does not have (`-v dir:/no/such/place`): empty directories that nobody can change.

import { EISDIR, ENOENT } from "../abi/errno.ts";
import { O_ACCMODE, O_RDONLY } from "../abi/fcntl.ts";
import { S_IFDIR } from "../abi/stat.ts";
import { DirectoryFile } from "./directory-file.ts";
import type { File } from "./file.ts";
import { FileSystem, type StatFs } from "./file-system.ts";
import { Inode, type Stat } from "./inode.ts";

const TMPFS_MAGIC = 0x01021994;

let lastIno = 1;

export class PlaceholderInode extends Inode {
  readonly fs: FileSystem;
  readonly ino = lastIno++;
  readonly mode = S_IFDIR | 0o555;

  constructor(fs: FileSystem) {
    super();
    this.fs = fs;
  }

  override stat(): Stat {
    return {
      dev: this.fs.dev,
      ino: this.ino,
      mode: this.mode,
      nlink: 2,
      uid: 0,
      gid: 0,
      rdev: 0,
      size: 0,
      blksize: 4096,
      blocks: 0,
      atimeSec: 0,
      atimeNsec: 0,
      mtimeSec: 0,
      mtimeNsec: 0,
      ctimeSec: 0,
      ctimeNsec: 0,
      btimeSec: 0,
      btimeNsec: 0,
    };
  }

  override lookup(): Inode | number {
    return -ENOENT;
  }

  override open(flags: number): File | number {
    return (flags & O_ACCMODE) === O_RDONLY ? new PlaceholderFile(this, flags) : -EISDIR;
  }
}

/** What is mounted inside comes from the mount table. */
class PlaceholderFile extends DirectoryFile {
  readonly inode: Inode;

  constructor(inode: Inode, flags: number) {
    super(flags);
    this.inode = inode;
  }

  protected override readEntries(): number {
    return 0;
  }
}

class PlaceholderFileSystem extends FileSystem {
  readonly type = "none";
  readonly dev = 0;
  readonly root = new PlaceholderInode(this);
  override statfs(): StatFs {
    return {
      type: TMPFS_MAGIC,
      bsize: 4096,
      blocks: 0,
      bfree: 0,
      bavail: 0,
      files: 0,
      ffree: 0,
      fsid: [0, 0],
      namelen: 255,
    };
  }
}

const placeholders = new PlaceholderFileSystem();

export function makePlaceholder(): Inode {
  return new PlaceholderInode(placeholders);
}
