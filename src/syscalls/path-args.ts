// How the path calls turn (dirfd, path, AT_* flags) into what they act on.

import { EBADF, ENOENT, ENOTDIR } from "../abi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_PATH } from "../abi/fcntl.ts";
import type { Task } from "../kernel/task.ts";
import { placeless, type Target, targetOf } from "../vfs/attributes.ts";
import type { File } from "../vfs/file.ts";
import { FOLLOW, walk } from "../vfs/namei.ts";
import type { Path } from "../vfs/path.ts";

const SLASH = 0x2f;

/** A path argument that must not be empty. */
export function pathArg(task: Task, addr: number): string | number {
  const path = task.mm.readPath(addr);
  return path === "" ? -ENOENT : path;
}

/** Where a walk of `path` starts; an absolute path does not look at `dirfd`. */
export function baseOf(task: Task, dirfd: number, path: string): Path | number {
  return path.charCodeAt(0) === SLASH ? task.fs.cwd : directoryOf(task, dirfd);
}

/** The place of a directory descriptor. */
export function directoryOf(task: Task, dirfd: number): Path | number {
  if (dirfd === AT_FDCWD) return task.fs.cwd;
  const file = task.files.get(dirfd);
  if (file === undefined) return -EBADF;
  return file.path ?? -ENOTDIR;
}

/** The place that (dirfd, path) names. `flags`: FOLLOW, DIRECTORY. */
export function placeAt(task: Task, dirfd: number, addr: number, flags: number): Path | number {
  const path = pathArg(task, addr);
  if (typeof path === "number") return path;
  const base = baseOf(task, dirfd, path);
  return typeof base === "number" ? base : walk(task.fs, base, path, flags);
}

/**
 * What an *at call acts on. `atFlags`: AT_SYMLINK_NOFOLLOW, and AT_EMPTY_PATH with which an empty path (or a null one)
 * stands for the descriptor itself, whatever it is.
 */
export function targetAt(task: Task, dirfd: number, addr: number, atFlags: number): Target | number {
  const empty = (atFlags & AT_EMPTY_PATH) !== 0;
  const path = empty && addr === 0 ? "" : task.mm.readPath(addr);
  if (typeof path === "number") return path;
  if (path === "") {
    if (!empty) return -ENOENT;
    return dirfd === AT_FDCWD ? targetOf(task.fs.cwd) : targetOfFd(task, dirfd);
  }
  const base = baseOf(task, dirfd, path);
  if (typeof base === "number") return base;
  const place = walk(task.fs, base, path, (atFlags & AT_SYMLINK_NOFOLLOW) !== 0 ? 0 : FOLLOW);
  return typeof place === "number" ? place : targetOf(place);
}

/** What a descriptor refers to, O_PATH ones included. */
export function targetOfFd(task: Task, fd: number): Target | number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  return file.path !== null ? targetOf(file.path) : placeless(file.inode);
}

/** An open file that is not O_PATH, or -EBADF. */
export function openFile(task: Task, fd: number): File | number {
  const file = task.files.get(fd);
  return file === undefined || (file.flags & O_PATH) !== 0 ? -EBADF : file;
}

/** Like `targetOfFd` for the f* calls that refuse O_PATH. */
export function targetOfOpenFile(task: Task, fd: number): Target | number {
  const file = openFile(task, fd);
  if (typeof file === "number") return file;
  return file.path !== null ? targetOf(file.path) : placeless(file.inode);
}
