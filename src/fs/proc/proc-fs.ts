// The proc file system (proc(5)): processes and the system's state as text.

import { ENOENT } from "../../abi/errno.ts";
import { PROC_SUPER_MAGIC } from "../../abi/stat.ts";
import type { Inode } from "../../vfs/inode.ts";
import { LateDirectory } from "../pseudo/late-directory.ts";
import { PseudoFileSystem } from "../pseudo/pseudo-inode.ts";
import type { ProcSource } from "./source.ts";

export class ProcFileSystem extends PseudoFileSystem {
  readonly type = "proc";
  readonly root: Inode;
  override readonly changeErrno = ENOENT;

  constructor(source: () => ProcSource, nowSec: () => number) {
    super(PROC_SUPER_MAGIC, 1024, nowSec);
    this.root = new LateDirectory(this, () => {
      const { ProcRoot } = require("./proc-root.ts") as typeof import("./proc-root.ts");
      return new ProcRoot(this, source());
    });
  }
}
