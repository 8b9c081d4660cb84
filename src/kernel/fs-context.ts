// A task's view of the file system (struct fs_struct plus struct cred): root, working directory and umask are
// shared by CLONE_FS, credentials belong to the task alone.

import type { FsContext } from "../vfs/context.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { Path } from "../vfs/path.ts";

interface Shared {
  root: Path;
  cwd: Path;
  umask: number;
}

export class TaskFs implements FsContext {
  cred: Credentials;
  /** What CLONE_FS shares; compared by kcmp(2). */
  shared: Shared;

  constructor(root: Path, cwd: Path, umask: number, cred: Credentials) {
    this.shared = { root, cwd, umask };
    this.cred = cred;
  }

  get root(): Path {
    return this.shared.root;
  }
  set root(path: Path) {
    this.shared.root = path;
  }

  get cwd(): Path {
    return this.shared.cwd;
  }
  set cwd(path: Path) {
    this.shared.cwd = path;
  }

  get umask(): number {
    return this.shared.umask;
  }
  set umask(mask: number) {
    this.shared.umask = mask;
  }

  /** For a clone: the same directories when `share` (CLONE_FS), a copy otherwise. */
  fork(share: boolean): TaskFs {
    const fs = new TaskFs(this.root, this.cwd, this.umask, this.cred);
    if (share) fs.shared = this.shared;
    return fs;
  }

  /** unshare(CLONE_FS). */
  unshare(): void {
    this.shared = { ...this.shared };
  }
}
