// The mount tree (struct mount): which file system hangs where.

import type { FileSystem } from "./file-system.ts";
import type { Dentry, Path } from "./path.ts";

export interface Mount {
  readonly id: number;
  readonly fs: FileSystem;
  readonly root: Dentry;
  /** Where it is mounted; null for the root mount. */
  readonly at: Path | null;
  readonly readOnly: boolean;
  /** First field of /proc/mounts. */
  readonly source: string;
}
