// Files of memfd_create(2) (mm/memfd.c): tmpfs files on a mount that hangs nowhere.

import { F_SEAL_EXEC, F_SEAL_SEAL, O_LARGEFILE, O_RDWR } from "../../abi/fcntl.ts";
import { S_IFREG } from "../../abi/stat.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import type { File } from "../../vfs/file.ts";
import { detachedMount, type Mount } from "../../vfs/mount.ts";
import { Dentry } from "../../vfs/path.ts";
import type { TimeSource } from "../memory/memory-file-system.ts";
import { Tmpfs } from "./tmpfs.ts";

export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const MFD_HUGETLB = 4;
export const MFD_NOEXEC_SEAL = 8;
export const MFD_EXEC = 16;

/** The internal mount of each kernel, known by its clock. */
const mounts = new WeakMap<TimeSource, Mount>();

function mountFor(clock: TimeSource): Mount {
  let mount = mounts.get(clock);
  if (mount === undefined) {
    mount = detachedMount(new Tmpfs(clock));
    mounts.set(clock, mount);
  }
  return mount;
}

/** An open nameless file. `flags`: MFD_*, already checked. */
export function createMemfd(clock: TimeSource, name: string, flags: number, cred: Credentials): File {
  const mount = mountFor(clock);
  const noExec = (flags & MFD_NOEXEC_SEAL) !== 0;
  const mode = S_IFREG | (noExec ? 0o666 : 0o777);
  const inode = (mount.fs as Tmpfs).newFile(mode, cred.fsuid, cred.fsgid);
  inode.nlink = 0;
  if ((flags & MFD_ALLOW_SEALING) !== 0) inode.seals &= ~F_SEAL_SEAL;
  if (noExec) inode.seals = (inode.seals & ~F_SEAL_SEAL) | F_SEAL_EXEC;
  const file = inode.opened(O_RDWR | O_LARGEFILE);
  file.path = { mount, dentry: new Dentry(null, `/memfd:${name} (deleted)`, inode) };
  return file;
}
