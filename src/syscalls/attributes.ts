// Changing files' attributes and sizes: fchmodat2(2), fchownat(2), utimensat(2), truncate(2), fallocate(2).

import { EBADF, EFAULT, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, ESPIPE } from "../abi/errno.ts";
import * as fcntl from "../abi/fcntl.ts";
import { IN_MODIFY } from "../abi/inotify.ts";
import { RLIMIT_FSIZE } from "../abi/resource.ts";
import { SI_USER, SIGXFSZ } from "../abi/signal.ts";
import { S_IFBLK, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, UTIME_NOW, UTIME_OMIT } from "../abi/stat.ts";
import { scratch } from "../host/scratch.ts";
import { SigInfo } from "../kernel/sig-info.ts";
import type { Task } from "../kernel/task.ts";
import {
  changeMode,
  changeOwner,
  changeTimes,
  dropPrivileges,
  type FileTimes,
  mayTruncate,
  type Target,
  truncateTarget,
} from "../vfs/attributes.ts";
import type { Inode } from "../vfs/inode.ts";
import { notify } from "../vfs/notify.ts";
import { openFile, targetAt, targetOfOpenFile } from "./path-args.ts";
import { dirfd, fd, flags, full, mode, off, partial, path, type Row, row, struct, u32 } from "./row.ts";

const NOFOLLOW_OR_EMPTY = fcntl.AT_SYMLINK_NOFOLLOW | fcntl.AT_EMPTY_PATH;
const TIMESPECS_BYTES = 32;
const MAX_OFFSET = 2 ** 53;

export function sys_fchmod(task: Task, fd: number, mode: number): number {
  const target = targetOfOpenFile(task, fd);
  return typeof target === "number" ? target : changeMode(task.fs, target, mode);
}

export function sys_fchmodat(task: Task, dirfd: number, pathAddr: number, mode: number): number {
  return sys_fchmodat2(task, dirfd, pathAddr, mode, 0);
}

export function sys_fchmodat2(task: Task, dirfd: number, pathAddr: number, mode: number, atFlags: number): number {
  if ((atFlags & ~NOFOLLOW_OR_EMPTY) !== 0) return -EINVAL;
  const target = targetAt(task, dirfd, pathAddr, atFlags);
  if (typeof target === "number") return target;
  if ((target.inode.mode & S_IFMT) === S_IFLNK) return -EOPNOTSUPP;
  return changeMode(task.fs, target, mode);
}

export function sys_fchown(task: Task, fd: number, uid: number, gid: number): number {
  const target = targetOfOpenFile(task, fd);
  return typeof target === "number" ? target : changeOwner(task.fs, target, uid, gid);
}

export function sys_fchownat(
  task: Task,
  dirfd: number,
  pathAddr: number,
  uid: number,
  gid: number,
  atFlags: number,
): number {
  if ((atFlags & ~NOFOLLOW_OR_EMPTY) !== 0) return -EINVAL;
  const target = targetAt(task, dirfd, pathAddr, atFlags);
  return typeof target === "number" ? target : changeOwner(task.fs, target, uid, gid);
}

export function sys_utimensat(task: Task, dirfd: number, pathAddr: number, timesAddr: number, atFlags: number): number {
  const times = readTimes(task, timesAddr);
  if (times === null) return 0;
  if (typeof times === "number") return times;
  let target: Target | number;
  if (pathAddr === 0 && dirfd !== fcntl.AT_FDCWD) {
    if (atFlags !== 0) return -EINVAL;
    target = targetOfOpenFile(task, dirfd);
  } else {
    if ((atFlags & ~NOFOLLOW_OR_EMPTY) !== 0) return -EINVAL;
    target = pathAddr === 0 ? -EFAULT : targetAt(task, dirfd, pathAddr, atFlags);
  }
  if (typeof target === "number") return target;
  if (!isValidNsec(times.atimeNsec) || !isValidNsec(times.mtimeNsec)) return -EINVAL;
  return changeTimes(task.fs, target, times);
}

/** The two struct timespec; both "now" without an address, null when both are to be left alone. */
function readTimes(task: Task, addr: number): FileTimes | number | null {
  if (addr === 0) return { atimeSec: 0, atimeNsec: UTIME_NOW, mtimeSec: 0, mtimeNsec: UTIME_NOW };
  const error = task.mm.copyIn(addr, TIMESPECS_BYTES);
  if (error < 0) return error;
  const times = {
    atimeSec: scratch.getI64(0),
    atimeNsec: scratch.getI64(8),
    mtimeSec: scratch.getI64(16),
    mtimeNsec: scratch.getI64(24),
  };
  return times.atimeNsec === UTIME_OMIT && times.mtimeNsec === UTIME_OMIT ? null : times;
}

function isValidNsec(nsec: number): boolean {
  return nsec === UTIME_NOW || nsec === UTIME_OMIT || (nsec >= 0 && nsec < 1e9);
}

/** RLIMIT_FSIZE for a file that is to grow (inode_newsize_ok): 0, or -EFBIG with SIGXFSZ. */
function checkGrowth(task: Task, inode: Inode, sizeBytes: number): number {
  if (sizeBytes <= task.group.limits.get(RLIMIT_FSIZE)) return 0;
  const stat = inode.stat();
  if (typeof stat === "number" || stat.size >= sizeBytes) return 0;
  task.sendSignal(SIGXFSZ, SigInfo.from(SIGXFSZ, SI_USER, task.tgid, task.cred.uid));
  return -EFBIG;
}

export function sys_truncate(task: Task, pathAddr: number, length: number): number {
  if (length < 0) return -EINVAL;
  const target = targetAt(task, fcntl.AT_FDCWD, pathAddr, 0);
  if (typeof target === "number") return target;
  if (length >= MAX_OFFSET) return -EFBIG;
  const denied = mayTruncate(task.fs, target);
  if (denied !== 0) return denied;
  const tooLarge = checkGrowth(task, target.inode, length);
  return tooLarge !== 0 ? tooLarge : truncateTarget(task.fs, target, length);
}

export function sys_ftruncate(task: Task, fd: number, length: number): number {
  if (length < 0) return -EINVAL;
  const file = openFile(task, fd);
  if (typeof file === "number") return file;
  if ((file.inode.mode & S_IFMT) !== S_IFREG || !file.canWrite) return -EINVAL;
  const tooLarge = length >= MAX_OFFSET ? -EFBIG : checkGrowth(task, file.inode, length);
  if (tooLarge !== 0) return tooLarge;
  dropPrivileges(file.inode, task.cred);
  const error = file.truncate(length);
  if (error === 0 && file.path !== null) notify(file.path.dentry, IN_MODIFY);
  return error;
}

const { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_COLLAPSE_RANGE } = fcntl;
const { FALLOC_FL_ZERO_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_WRITE_ZEROES } = fcntl;
const FALLOC_FLAGS = {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_WRITE_ZEROES,
};

export function sys_fallocate(task: Task, fd: number, how: number, offset: number, length: number): number {
  const file = openFile(task, fd);
  if (typeof file === "number") return file;
  if (offset < 0 || length <= 0) return -EINVAL;
  const operation = how & ~FALLOC_FL_KEEP_SIZE;
  // One operation at a time (vfs_fallocate's switch); a hole keeps the size.
  const single = (operation & (operation - 1)) === 0 && operation <= FALLOC_FL_WRITE_ZEROES && operation !== 4;
  if (!single || (operation === FALLOC_FL_PUNCH_HOLE && how === operation)) return -EOPNOTSUPP;
  if (operation === FALLOC_FL_WRITE_ZEROES && how !== operation) return -EOPNOTSUPP;
  if (operation === FALLOC_FL_COLLAPSE_RANGE || operation === FALLOC_FL_INSERT_RANGE) {
    if (how !== operation) return -EOPNOTSUPP;
  }
  if (!file.canWrite) return -EBADF;
  const type = file.inode.mode & S_IFMT;
  if (type === S_IFIFO) return -ESPIPE;
  if (type === S_IFDIR) return -EISDIR;
  if (type !== S_IFREG && type !== S_IFBLK) return -ENODEV;
  if (offset + length >= MAX_OFFSET) return -EFBIG;
  const tooLarge = (how & FALLOC_FL_KEEP_SIZE) !== 0 ? 0 : checkGrowth(task, file.inode, offset + length);
  if (tooLarge !== 0) return tooLarge;
  dropPrivileges(file.inode, task.cred);
  const error = file.allocate(how, offset, length);
  if (error === 0 && file.path !== null) notify(file.path.dentry, IN_MODIFY);
  return error;
}

const { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH } = fcntl;
const AT = flags({ AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });

export function rows(): Row[] {
  return [
    row(45, sys_truncate, [path, off], full()),
    row(46, sys_ftruncate, [fd, off], full()),
    row(47, sys_fallocate, [fd, flags(FALLOC_FLAGS), off, off], partial("tmpfs allocates on the first write")),
    row(52, sys_fchmod, [fd, mode], full()),
    row(53, sys_fchmodat, [dirfd, path, mode], full()),
    row(54, sys_fchownat, [dirfd, path, u32, u32, AT], full()),
    row(55, sys_fchown, [fd, u32, u32], full()),
    row(88, sys_utimensat, [dirfd, path, struct("timespec[2]"), AT], full()),
    row(452, sys_fchmodat2, [dirfd, path, mode, AT], full()),
  ];
}
