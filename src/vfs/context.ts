// Who walks a path, and from where (struct fs_struct plus the credentials). vfs takes this instead of a task.

import type { Credentials } from "./credentials.ts";
import type { Path } from "./path.ts";

export interface FsContext {
  root: Path;
  cwd: Path;
  umask: number;
  cred: Credentials;
}
