// inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2).

import { EBADF, EINVAL } from "../abi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK } from "../abi/fcntl.ts";
import * as N from "../abi/inotify.ts";
import { InotifyFile } from "../fs/inotify/inotify-file.ts";
import type { Task } from "../kernel/task.ts";
import { timersOf } from "../kernel/timer-service.ts";
import { DIRECTORY, FOLLOW } from "../vfs/namei.ts";
import { MAY_READ } from "../vfs/permission.ts";
import { openFile, placeAt } from "./path-args.ts";
import { fd, flags, int, partial, path, type Row, row } from "./row.ts";

const KNOWN =
  N.IN_ALL_EVENTS |
  N.IN_UNMOUNT |
  N.IN_Q_OVERFLOW |
  N.IN_IGNORED |
  N.IN_ONLYDIR |
  N.IN_DONT_FOLLOW |
  N.IN_EXCL_UNLINK |
  N.IN_MASK_CREATE |
  N.IN_MASK_ADD |
  N.IN_ISDIR |
  N.IN_ONESHOT;

export function sys_inotify_init1(task: Task, how: number): number {
  if ((how & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const file = new InotifyFile(how & O_NONBLOCK, timersOf(task.kernel));
  const fd = task.files.install(file, (how & O_CLOEXEC) !== 0);
  if (fd < 0) file.unref();
  return fd;
}

export function sys_inotify_add_watch(task: Task, fd: number, pathAddr: number, mask: number): number {
  if ((mask & ~KNOWN) !== 0 || mask === 0) return -EINVAL;
  const file = openFile(task, fd);
  if (typeof file === "number") return -EBADF;
  if ((mask & N.IN_MASK_ADD) !== 0 && (mask & N.IN_MASK_CREATE) !== 0) return -EINVAL;
  if (!(file instanceof InotifyFile)) return -EINVAL;
  const how = ((mask & N.IN_DONT_FOLLOW) === 0 ? FOLLOW : 0) | ((mask & N.IN_ONLYDIR) !== 0 ? DIRECTORY : 0);
  const place = placeAt(task, AT_FDCWD, pathAddr, how);
  if (typeof place === "number") return place;
  const { inode } = place.dentry;
  const denied = inode.permission(task.cred, MAY_READ);
  return denied !== 0 ? denied : file.watch(inode, mask);
}

export function sys_inotify_rm_watch(task: Task, fd: number, wd: number): number {
  const file = openFile(task, fd);
  if (typeof file === "number") return -EBADF;
  return file instanceof InotifyFile ? file.unwatch(wd) : -EINVAL;
}

const NOTE = partial(
  "changes that other processes of the host make are seen a quarter of a second later, and not their reads",
);

export function rows(): Row[] {
  return [
    row(26, sys_inotify_init1, [flags({ IN_CLOEXEC: O_CLOEXEC, IN_NONBLOCK: O_NONBLOCK })], NOTE),
    row(27, sys_inotify_add_watch, [fd, path, flags(N.WATCH_FLAGS)], NOTE),
    row(28, sys_inotify_rm_watch, [fd, int], NOTE),
  ];
}
