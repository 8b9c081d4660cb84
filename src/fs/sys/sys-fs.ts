// The sys file system, as far as runtimes look (sysfs(5)).

import { SYSFS_MAGIC } from "../../abi/stat.ts";
import type { Inode } from "../../vfs/inode.ts";
import { LateDirectory } from "../pseudo/late-directory.ts";
import { PseudoFileSystem } from "../pseudo/pseudo-inode.ts";

/** What sys asks the kernel. */
export interface SysSource {
  readonly cpuCount: number;
  /** Bytes of memory in all. */
  readonly memoryBytes: number;
  readonly nowSec: number;
}

const PAGE = 4096;

export class SysFileSystem extends PseudoFileSystem {
  readonly type = "sysfs";
  readonly root: Inode;

  constructor(source: SysSource) {
    super(SYSFS_MAGIC, PAGE, () => source.nowSec);
    this.root = new LateDirectory(this, () => {
      const { sysRoot } = require("./sys-tree.ts") as typeof import("./sys-tree.ts");
      return sysRoot(this, source);
    });
  }
}
