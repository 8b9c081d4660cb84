// What files say about themselves: newfstatat(2), fstat(2), statx(2), statfs(2), fstatfs(2), faccessat(2),
// faccessat2(2), readlinkat(2).

import { SECBIT_NO_SETUID_FIXUP } from "../abi/capability.ts";
import { EACCES, EAGAIN, EBADF, EFAULT, EINVAL, ENOENT, EROFS } from "../abi/errno.ts";
import * as fcntl from "../abi/fcntl.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, STATX__RESERVED, Stat64, Statfs64, Statx } from "../abi/stat.ts";
import type { Task } from "../kernel/task.ts";
import type { Target } from "../vfs/attributes.ts";
import type { FsContext } from "../vfs/context.ts";
import type { Credentials } from "../vfs/credentials.ts";
import { newStat } from "../vfs/inode.ts";
import { FOLLOW, walk } from "../vfs/namei.ts";
import { MAY_EXEC, MAY_WRITE } from "../vfs/permission.ts";
import * as quick from "../vfs/quick-walk.ts";
import { baseOf, placeAt, targetAt, targetOfFd } from "./path-args.ts";
import { dirfd, fd, flags, full, int, type Names, outBuf, partial, path, type Row, row, struct } from "./row.ts";
import { encodeStat, encodeStatFs, encodeStatx } from "./stat-layout.ts";

const STAT_FLAGS = fcntl.AT_SYMLINK_NOFOLLOW | fcntl.AT_NO_AUTOMOUNT | fcntl.AT_EMPTY_PATH | fcntl.AT_STATX_SYNC_TYPE;

export function sys_newfstatat(task: Task, dirfd: number, pathAddr: number, out: number, atFlags: number): number {
  if ((atFlags & ~STAT_FLAGS) !== 0) return -EINVAL;
  if ((atFlags & fcntl.AT_EMPTY_PATH) !== 0 && dirfd >= 0) {
    const first = pathAddr === 0 ? 0 : task.mm.copyInBytes(pathAddr, firstByte, 0, 1);
    if (first < 0) return first;
    if (pathAddr === 0 || firstByte[0] === 0) return sys_fstat(task, dirfd, out);
  }
  const base = dirfd === fcntl.AT_FDCWD ? task.fs.cwd : task.files.get(dirfd)?.path;
  if (base != null) {
    const follow = (atFlags & fcntl.AT_SYMLINK_NOFOLLOW) === 0 ? 1 : 0;
    const done = quick.stat(task.fs, base, task.mm.space, pathAddr, follow, out);
    if (done !== quick.WALK) return done;
  }
  const target = targetAt(task, dirfd, pathAddr, atFlags);
  if (typeof target === "number") return target;
  const stat = target.inode.stat(seen);
  if (typeof stat === "number") return stat;
  encodeStat(stat);
  return task.mm.copyOut(out, Stat64.sizeBytes);
}

/** For attributes that nobody keeps. */
const seen = newStat();

const firstByte = new Uint8Array(1);

export function sys_fstat(task: Task, fd: number, out: number): number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  const done = file.statTo(task.mm.space, out);
  if (done !== -EAGAIN) return done;
  const stat = file.stat();
  if (typeof stat === "number") return stat;
  encodeStat(stat);
  return task.mm.copyOut(out, Stat64.sizeBytes);
}

export function sys_statx(
  task: Task,
  dirfd: number,
  pathAddr: number,
  atFlags: number,
  mask: number,
  out: number,
): number {
  if ((atFlags & ~STAT_FLAGS) !== 0 || mask >= STATX__RESERVED) return -EINVAL;
  if ((atFlags & fcntl.AT_STATX_SYNC_TYPE) === fcntl.AT_STATX_SYNC_TYPE) return -EINVAL;
  const base = dirfd === fcntl.AT_FDCWD ? task.fs.cwd : task.files.get(dirfd)?.path;
  if (base != null) {
    const follow = (atFlags & fcntl.AT_SYMLINK_NOFOLLOW) === 0 ? 1 : 0;
    const done = quick.statx(task.fs, base, task.mm.space, pathAddr, follow, out);
    if (done !== quick.WALK) return done;
  }
  const target = targetAt(task, dirfd, pathAddr, atFlags);
  if (typeof target === "number") return target;
  const stat = statOf(task, dirfd, target);
  if (typeof stat === "number") return stat;
  encodeStatx(stat, target.mount, target.mount !== null && target.dentry === target.mount.root);
  return task.mm.copyOut(out, Statx.sizeBytes);
}

/** A descriptor without a place is asked itself: its file may know more than its inode. */
function statOf(task: Task, dirfd: number, target: Target) {
  return target.mount === null ? task.files.get(dirfd)!.stat() : target.inode.stat();
}

export function sys_statfs(task: Task, pathAddr: number, out: number): number {
  const place = placeAt(task, fcntl.AT_FDCWD, pathAddr, FOLLOW);
  if (typeof place === "number") return place;
  const stat = place.mount.fs.statfs();
  if (typeof stat === "number") return stat;
  encodeStatFs(stat, place.mount);
  return task.mm.copyOut(out, Statfs64.sizeBytes);
}

export function sys_fstatfs(task: Task, fd: number, out: number): number {
  const target = targetOfFd(task, fd);
  if (typeof target === "number") return target;
  const stat = target.inode.fs.statfs();
  if (typeof stat === "number") return stat;
  encodeStatFs(stat, target.mount);
  return task.mm.copyOut(out, Statfs64.sizeBytes);
}

export function sys_faccessat(task: Task, dirfd: number, pathAddr: number, mask: number): number {
  return sys_faccessat2(task, dirfd, pathAddr, mask, 0);
}

export function sys_faccessat2(task: Task, dirfd: number, pathAddr: number, mask: number, atFlags: number): number {
  const known = fcntl.AT_EACCESS | fcntl.AT_SYMLINK_NOFOLLOW | fcntl.AT_EMPTY_PATH;
  if ((mask & ~7) !== 0 || (atFlags & ~known) !== 0) return -EINVAL;
  const context = accessContext(task, atFlags);
  const start = dirfd === fcntl.AT_FDCWD ? task.fs.cwd : task.files.get(dirfd)?.path;
  if (start != null && (mask & MAY_WRITE) === 0) {
    const follow = (atFlags & fcntl.AT_SYMLINK_NOFOLLOW) === 0 ? 1 : 0;
    const done = quick.access(context, start, task.mm.space, pathAddr, follow, mask);
    if (done !== quick.WALK) return done;
  }
  const target = accessTarget(task, context, dirfd, pathAddr, atFlags);
  if (typeof target === "number") return target;
  if (mask === 0) return 0;
  const { inode, mount } = target;
  const type = inode.mode & S_IFMT;
  if ((mask & MAY_EXEC) !== 0 && type === S_IFREG && mount?.noExec) return -EACCES;
  const denied = inode.permission(context.cred, mask);
  if (denied !== 0) return denied;
  const ordinary = type === S_IFREG || type === S_IFDIR || type === S_IFLNK;
  return (mask & MAY_WRITE) !== 0 && ordinary && mount?.readOnly ? -EROFS : 0;
}

/** The walk too is made with the real identity. */
function accessTarget(
  task: Task,
  context: FsContext,
  dirfd: number,
  pathAddr: number,
  atFlags: number,
): Target | number {
  const name = task.mm.readPath(pathAddr);
  if (typeof name === "number") return name;
  if (name === "") return targetAt(task, dirfd, pathAddr, atFlags & ~fcntl.AT_EACCESS);
  const base = baseOf(task, dirfd, name);
  if (typeof base === "number") return base;
  const place = walk(context, base, name, (atFlags & fcntl.AT_SYMLINK_NOFOLLOW) !== 0 ? 0 : FOLLOW);
  return typeof place === "number" ? place : { inode: place.dentry.inode, mount: place.mount, dentry: place.dentry };
}

/** access(2) judges by the real user and group, with the capabilities that user would have (access_override_creds). */
function accessContext(task: Task, atFlags: number): FsContext {
  const { fs } = task;
  const cred = fs.cred;
  if ((atFlags & fcntl.AT_EACCESS) !== 0) return fs;
  let effective = cred.capEffective;
  if ((cred.securebits & SECBIT_NO_SETUID_FIXUP) === 0) {
    if (cred.uid === 0) effective = cred.capPermitted;
    else if (effective[0] !== 0 || effective[1] !== 0) effective = [0, 0];
  }
  if (effective === cred.capEffective && cred.uid === cred.fsuid && cred.gid === cred.fsgid) return fs;
  const real: Credentials = { ...cred, fsuid: cred.uid, fsgid: cred.gid, capEffective: effective };
  return { root: fs.root, cwd: fs.cwd, umask: fs.umask, cred: real };
}

export function sys_readlinkat(task: Task, dirfd: number, pathAddr: number, out: number, bytes: number): number {
  if (bytes <= 0) return -EINVAL;
  const base = dirfd === fcntl.AT_FDCWD ? task.fs.cwd : task.files.get(dirfd)?.path;
  if (base != null) {
    const done = quick.readlink(task.fs, base, task.mm.space, pathAddr, out, bytes);
    if (done !== quick.WALK) return done;
  }
  const name = task.mm.readPath(pathAddr);
  if (typeof name === "number") return name;
  const target = targetAt(task, dirfd, pathAddr, fcntl.AT_EMPTY_PATH | fcntl.AT_SYMLINK_NOFOLLOW);
  if (typeof target === "number") return target;
  if ((target.inode.mode & S_IFMT) !== S_IFLNK) return name === "" ? -ENOENT : -EINVAL;
  const text = target.inode.readlink();
  if (typeof text === "number") return text;
  const count = Math.min(text.length, bytes);
  const done = task.mm.copyOutBytes(out, Buffer.from(text, "latin1"), 0, count);
  return done < count ? -EFAULT : count;
}

const atNames = (): Names => (require("../abi/fcntl.ts") as typeof fcntl).AT_FLAGS;
const AT = flags(atNames);
const ACCESS = flags(() => ({ R_OK: 4, W_OK: 2, X_OK: 1 }));
const ACCESS_AT = flags(() => ({ ...atNames(), AT_EACCESS: fcntl.AT_EACCESS }));

export function rows(): Row[] {
  return [
    row(43, sys_statfs, [path, struct("statfs")], full()),
    row(44, sys_fstatfs, [fd, struct("statfs")], full()),
    row(48, sys_faccessat, [dirfd, path, ACCESS], full()),
    row(78, sys_readlinkat, [dirfd, path, outBuf(3), int], full()),
    row(79, sys_newfstatat, [dirfd, path, struct("stat"), AT], full()),
    row(80, sys_fstat, [fd, struct("stat")], full()),
    row(
      291,
      sys_statx,
      [dirfd, path, AT, flags(() => ({ STATX_BASIC_STATS: 0x7ff, STATX_BTIME: 0x800 })), struct("statx")],
      partial("no STATX_DIOALIGN, STATX_SUBVOL and file attribute bits"),
    ),
    row(439, sys_faccessat2, [dirfd, path, ACCESS, ACCESS_AT], full()),
  ];
}
