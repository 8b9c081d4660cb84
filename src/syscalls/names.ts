// Making, moving and removing names: mkdirat(2), mknodat(2), symlinkat(2), linkat(2), unlinkat(2), renameat2(2).

import { CAP_DAC_READ_SEARCH } from "../abi/capability.ts";
import { EINVAL, ENOENT } from "../abi/errno.ts";
import * as fcntl from "../abi/fcntl.ts";
import type { Task } from "../kernel/task.ts";
import { FOLLOW, walk, walkParent } from "../vfs/namei.ts";
import {
  checkNodeType,
  makeDirectory,
  makeLink,
  makeNode,
  makeSymlink,
  removeDirectory,
  removeFile,
} from "../vfs/names.ts";
import type { Path } from "../vfs/path.ts";
import { capable } from "../vfs/permission.ts";
import { checkRenameFlags, renameName } from "../vfs/rename.ts";
import { baseOf, pathArg, targetOfFd } from "./path-args.ts";
import { dirfd, flags, full, hex, mode, partial, path, type Row, row } from "./row.ts";

export function sys_mkdirat(task: Task, dirfd: number, pathAddr: number, mode: number): number {
  const name = pathArg(task, pathAddr);
  if (typeof name === "number") return name;
  const base = baseOf(task, dirfd, name);
  return typeof base === "number" ? base : makeDirectory(task.fs, base, name, mode);
}

export function sys_mknodat(task: Task, dirfd: number, pathAddr: number, mode: number, dev: number): number {
  const invalid = checkNodeType(mode & 0xffff);
  if (invalid !== 0) return invalid;
  const name = pathArg(task, pathAddr);
  if (typeof name === "number") return name;
  const base = baseOf(task, dirfd, name);
  return typeof base === "number" ? base : makeNode(task.fs, base, name, mode & 0xffff, dev);
}

export function sys_symlinkat(task: Task, targetAddr: number, dirfd: number, pathAddr: number): number {
  const target = pathArg(task, targetAddr);
  if (typeof target === "number") return target;
  const name = pathArg(task, pathAddr);
  if (typeof name === "number") return name;
  const base = baseOf(task, dirfd, name);
  return typeof base === "number" ? base : makeSymlink(task.fs, base, name, target);
}

export function sys_linkat(
  task: Task,
  oldDirfd: number,
  oldAddr: number,
  newDirfd: number,
  newAddr: number,
  atFlags: number,
): number {
  if ((atFlags & ~(fcntl.AT_SYMLINK_FOLLOW | fcntl.AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const old = linkSource(task, oldDirfd, oldAddr, atFlags);
  if (typeof old === "number") return old;
  const name = pathArg(task, newAddr);
  if (typeof name === "number") return name;
  const base = baseOf(task, newDirfd, name);
  return typeof base === "number" ? base : makeLink(task.fs, old, base, name);
}

function linkSource(task: Task, dirfd: number, addr: number, atFlags: number): Path | number {
  const empty = (atFlags & fcntl.AT_EMPTY_PATH) !== 0;
  const name = empty ? task.mm.readPath(addr) : pathArg(task, addr);
  if (typeof name === "number") return name;
  if (name === "") {
    if (!capable(task.cred, CAP_DAC_READ_SEARCH)) return -ENOENT;
    if (dirfd === fcntl.AT_FDCWD) return task.fs.cwd;
    const target = targetOfFd(task, dirfd);
    if (typeof target === "number") return target;
    return target.mount === null ? -ENOENT : { mount: target.mount, dentry: target.dentry };
  }
  const base = baseOf(task, dirfd, name);
  if (typeof base === "number") return base;
  return walk(task.fs, base, name, (atFlags & fcntl.AT_SYMLINK_FOLLOW) !== 0 ? FOLLOW : 0);
}

export function sys_unlinkat(task: Task, dirfd: number, pathAddr: number, atFlags: number): number {
  if ((atFlags & ~fcntl.AT_REMOVEDIR) !== 0) return -EINVAL;
  const name = pathArg(task, pathAddr);
  if (typeof name === "number") return name;
  const base = baseOf(task, dirfd, name);
  if (typeof base === "number") return base;
  return atFlags === 0 ? removeFile(task.fs, base, name) : removeDirectory(task.fs, base, name);
}

export function sys_renameat(task: Task, oldDirfd: number, oldAddr: number, newDirfd: number, newAddr: number): number {
  return sys_renameat2(task, oldDirfd, oldAddr, newDirfd, newAddr, 0);
}

export function sys_renameat2(
  task: Task,
  oldDirfd: number,
  oldAddr: number,
  newDirfd: number,
  newAddr: number,
  how: number,
): number {
  const invalid = checkRenameFlags(how);
  if (invalid !== 0) return invalid;
  const oldName = pathArg(task, oldAddr);
  if (typeof oldName === "number") return oldName;
  const oldBase = baseOf(task, oldDirfd, oldName);
  if (typeof oldBase === "number") return oldBase;
  const from = walkParent(task.fs, oldBase, oldName);
  if (typeof from === "number") return from;
  const newName = pathArg(task, newAddr);
  if (typeof newName === "number") return newName;
  const newBase = baseOf(task, newDirfd, newName);
  if (typeof newBase === "number") return newBase;
  const to = walkParent(task.fs, newBase, newName);
  return typeof to === "number" ? to : renameName(task.fs, from, to, how);
}

const { RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH } = fcntl;

export function rows(): Row[] {
  return [
    row(33, sys_mknodat, [dirfd, path, mode, hex], full()),
    row(34, sys_mkdirat, [dirfd, path, mode], full()),
    row(35, sys_unlinkat, [dirfd, path, flags({ AT_REMOVEDIR })], full()),
    row(36, sys_symlinkat, [path, dirfd, path], full()),
    row(37, sys_linkat, [dirfd, path, dirfd, path, flags({ AT_SYMLINK_FOLLOW, AT_EMPTY_PATH })], full()),
    row(38, sys_renameat, [dirfd, path, dirfd, path], full()),
    row(
      276,
      sys_renameat2,
      [dirfd, path, dirfd, path, flags({ RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT })],
      partial("RENAME_WHITEOUT is refused with EINVAL"),
    ),
  ];
}
