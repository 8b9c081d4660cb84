// The mount tree and what carrick has no part of: mount(2), umount2(2), pivot_root(2), file handles, quotas, fanotify.

import { CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN } from "../abi/capability.ts";
import { EBUSY, EINVAL, ENODEV, ENOSYS, ENOTDIR, EOPNOTSUPP, EPERM } from "../abi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW } from "../abi/fcntl.ts";
import * as M from "../abi/mount.ts";
import type { Task } from "../kernel/task.ts";
import { fileOfMapping } from "../vfs/file-mapping.ts";
import { mountTypeOf } from "../vfs/mount-types.ts";
import { FOLLOW } from "../vfs/namei.ts";
import type { Path } from "../vfs/path.ts";
import { capable, isDirectory } from "../vfs/permission.ts";
import { placeAt, targetAt } from "./path-args.ts";
import { addr, dirfd, fd, flags, hex, int, partial, path, type Row, row } from "./row.ts";

const PAGE = 4096;
/** Flags that a mount keeps. */
const KEPT = M.MS_RDONLY | M.MS_NOSUID | M.MS_NODEV | M.MS_NOEXEC | M.MS_NOATIME | M.MS_NODIRATIME;
const PROPAGATION = M.MS_SHARED | M.MS_PRIVATE | M.MS_SLAVE | M.MS_UNBINDABLE;

export function sys_mount(
  task: Task,
  sourceAddr: number,
  targetAddr: number,
  typeAddr: number,
  how: number,
  dataAddr: number,
): number {
  const type = typeAddr === 0 ? "" : task.mm.readString(typeAddr, PAGE);
  if (typeof type === "number") return type;
  const source = sourceAddr === 0 ? "" : task.mm.readString(sourceAddr, PAGE);
  if (typeof source === "number") return source;
  const options = dataAddr === 0 ? "" : task.mm.readString(dataAddr, PAGE);
  const data = typeof options === "number" ? "" : options;
  const at = placeAt(task, AT_FDCWD, targetAddr, FOLLOW);
  if (typeof at === "number") return at;
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((how & M.MS_REMOUNT) !== 0) return remount(task, at, how);
  if ((how & M.MS_BIND) !== 0) return bind(task, sourceAddr, at, how);
  // Every mount is private here, which is what most callers ask for.
  if ((how & PROPAGATION) !== 0) return (how & M.MS_SHARED) !== 0 ? -EINVAL : 0;
  if ((how & M.MS_MOVE) !== 0) return -EINVAL;
  return mountNew(task, source, at, type, how, data);
}

/** Whether files on the mount are open for writing. */
function hasWriters(task: Task, at: Path): boolean {
  for (const { alive, files } of task.kernel.pids.allTasks()) {
    if (!alive) continue;
    for (const [, file] of files) if (file.canWrite && file.path?.mount === at.mount) return true;
  }
  return false;
}

function remount(task: Task, at: Path, how: number): number {
  if (at.dentry !== at.mount.root) return -EINVAL;
  if ((how & ~at.mount.flags & M.MS_RDONLY) !== 0 && hasWriters(task, at)) return -EBUSY;
  at.mount.flags = (at.mount.flags & ~KEPT) | (how & KEPT);
  return 0;
}

function bind(task: Task, sourceAddr: number, at: Path, how: number): number {
  const from = placeAt(task, AT_FDCWD, sourceAddr, FOLLOW);
  if (typeof from === "number") return from;
  const mount = task.kernel.mounts.bind(from, at, from.mount.flags | (how & KEPT));
  return typeof mount === "number" ? mount : 0;
}

function mountNew(task: Task, source: string, at: Path, type: string, how: number, data: string): number {
  if (type === "") return -EINVAL;
  const factory = mountTypeOf(type);
  if (factory === undefined) return -ENODEV;
  if (!isDirectory(at.dentry.inode.mode)) return -ENOTDIR;
  const fs = factory(source, data);
  if (typeof fs === "number") return fs;
  task.kernel.mounts.mount(fs, at, how & KEPT, source === "" ? "none" : source);
  return 0;
}

export function sys_umount2(task: Task, targetAddr: number, how: number): number {
  const known = M.MNT_FORCE | M.MNT_DETACH | M.MNT_EXPIRE | M.UMOUNT_NOFOLLOW;
  if ((how & ~known) !== 0) return -EINVAL;
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  const at = placeAt(task, AT_FDCWD, targetAddr, (how & M.UMOUNT_NOFOLLOW) !== 0 ? 0 : FOLLOW);
  if (typeof at === "number") return at;
  if (at.dentry !== at.mount.root) return -EINVAL;
  const lazy = (how & M.MNT_DETACH) !== 0;
  if (!lazy && isInUse(task, at)) return -EBUSY;
  return task.kernel.mounts.unmount(at, lazy);
}

/** Whether anybody stands on the mount, holds files of it, or runs a program from it. DIFFERS: other mappings do not count. */
function isInUse(task: Task, at: Path): boolean {
  for (const { alive, fs, files, mm } of task.kernel.pids.allTasks()) {
    if (!alive) continue;
    if (fs.cwd.mount === at.mount || fs.root.mount === at.mount) return true;
    for (const [, file] of files) if (file.path?.mount === at.mount) return true;
    if (mm.exe !== null && fileOfMapping(mm.exe)?.path?.mount === at.mount) return true;
  }
  return false;
}

/** DIFFERS: there is one mount name space, whose root stays. */
export function sys_pivot_root(task: Task, _newRoot: number, _putOld: number): number {
  return capable(task.cred, CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
}

export function sys_name_to_handle_at(
  task: Task,
  dirfd: number,
  pathAddr: number,
  _handle: number,
  _mountId: number,
  atFlags: number,
): number {
  if ((atFlags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const follow = (atFlags & AT_SYMLINK_FOLLOW) !== 0 ? 0 : AT_SYMLINK_NOFOLLOW;
  const target = targetAt(task, dirfd, pathAddr, (atFlags & AT_EMPTY_PATH) | follow);
  return typeof target === "number" ? target : -EOPNOTSUPP;
}

export function sys_open_by_handle_at(task: Task, _mountFd: number, _handle: number, _flags: number): number {
  return capable(task.cred, CAP_DAC_READ_SEARCH) ? -EOPNOTSUPP : -EPERM;
}

export function sys_quotactl(_task: Task, _command: number, _special: number, _id: number, _addr: number): number {
  return -ENOSYS;
}

export function sys_fanotify_init(task: Task, _how: number, _eventFlags: number): number {
  return capable(task.cred, CAP_SYS_ADMIN) ? -ENOSYS : -EPERM;
}

const NO_HANDLES = partial("file systems give no handles: EOPNOTSUPP");

export function rows(): Row[] {
  return [
    row(39, sys_umount2, [path, hex], partial("mapped files do not keep a mount busy")),
    row(40, sys_mount, [path, path, path, flags(M.MOUNT_FLAGS), addr], partial("no MS_MOVE and no shared propagation")),
    row(41, sys_pivot_root, [path, path], partial("refused: there is one mount name space")),
    row(60, sys_quotactl, [hex, path, int, addr], partial("no quotas: ENOSYS")),
    row(262, sys_fanotify_init, [hex, hex], partial("refused")),
    row(264, sys_name_to_handle_at, [dirfd, path, addr, addr, hex], NO_HANDLES),
    row(265, sys_open_by_handle_at, [fd, addr, hex], NO_HANDLES),
  ];
}
