// A mounted file system as vfs sees it (struct super_block).

import type { Inode } from "./inode.ts";

/** struct kstatfs, sizes in blocks of `bsize` bytes. */
export interface StatFs {
  type: number;
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  fsid: [number, number];
  namelen: number;
}

export abstract class FileSystem {
  /** Name as /proc/mounts prints it: "tmpfs", "proc", "overlay". */
  abstract readonly type: string;
  /** st_dev of inodes that have no device of their own. */
  abstract readonly dev: number;
  abstract readonly root: Inode;
  abstract statfs(): StatFs | number;
  /**
   * Whether a name that was found once is found again without asking (kernel-owned trees), or must be looked
   * up anew because somebody else may change the tree (host directories, proc).
   */
  readonly cacheNames: boolean = false;
}
