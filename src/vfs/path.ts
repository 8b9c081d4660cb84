// A place in the guest's name space (struct path): a dentry on a mount.

import type { Inode } from "./inode.ts";
import type { Mount } from "./mount.ts";

/** A name that was looked up (struct dentry). The root of a file system has no parent. */
export interface Dentry {
  readonly parent: Dentry | null;
  /** Byte string; "" for a root. */
  name: string;
  inode: Inode;
}

export interface Path {
  readonly mount: Mount;
  readonly dentry: Dentry;
}
