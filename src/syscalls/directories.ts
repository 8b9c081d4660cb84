// Directories and where a process stands: getdents64(2), getcwd(2), chdir(2), fchdir(2), chroot(2), umask(2).

import { CAP_SYS_CHROOT } from "../abi/capability.ts";
import { EAGAIN, EBADF, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, ERANGE } from "../abi/errno.ts";
import { AT_FDCWD, PATH_MAX } from "../abi/fcntl.ts";
import { Dirent64, DT_DIR } from "../abi/stat.ts";
import { lastingBytes, pointerOf } from "../host/shim.ts";
import type { Task } from "../kernel/task.ts";
import { DirectoryFile } from "../vfs/directory-file.ts";
import type { File } from "../vfs/file.ts";
import type { DirectoryEntry } from "../vfs/inode.ts";
import { listDirectory } from "../vfs/mount-table.ts";
import { DIRECTORY, FOLLOW } from "../vfs/namei.ts";
import type { Path } from "../vfs/path.ts";
import { isUnlinked, pathBelow, pathString } from "../vfs/path-string.ts";
import { capable, isDirectory, MAY_EXEC } from "../vfs/permission.ts";
import { openFile, placeAt } from "./path-args.ts";
import { fd, full, mode, outBuf, path, type Row, row, size } from "./row.ts";

/** Entries are collected here: what a file system reads for them may pass through the scratch block. */
const listing = lastingBytes(64 * 1024);
const halves = new Uint16Array(listing.buffer, listing.byteOffset, listing.length / 2);
const listingPtr = pointerOf(listing);
/** Offset of the first entry behind "." and "..". */
const FIRST = 2;
/** The record of "." or "..", and its word with length, type and the first letter of the name. */
const DOT_BYTES = 24;
const DOT = 0x2e;
const DOT_WORD = DOT_BYTES | (DT_DIR << 16) | (DOT << 24);
const words = new Uint32Array(listing.buffer, listing.byteOffset, listing.length / 4);

export function sys_getdents64(task: Task, fd: number, out: number, bytes: number): number {
  const file = openFile(task, fd);
  if (typeof file === "number") return file;
  const done = file.direntsTo(task.mm.space, out, bytes);
  return done !== -EAGAIN ? done : listInto(task, file, out, bytes);
}

function listInto(task: Task, file: File, out: number, bytes: number): number {
  if (!isDirectory(file.inode.mode)) return -ENOTDIR;
  if (file.path?.dentry.unlinked) return -ENOENT;
  const collected = collect(file, Math.min(bytes, listing.length));
  if (collected <= 0) return collected;
  const start = file.pos;
  file.pos = collectedNext;
  const done = task.mm.copyOutBytes(out, listing, 0, collected);
  if (done === collected) return collected;
  file.pos = start;
  return -EFAULT;
}

/** d_off of the last entry that `collect` took. */
let collectedNext = 0;

/** Entries from the file's position on in `listing`. Bytes, 0 at the end, -EINVAL when not one fits. */
function collect(file: File, limit: number): number {
  collectedNext = file.pos;
  const used = file.pos === 0 ? dots(file, limit) : file.pos < FIRST ? name(file, 0, limit, FIRST) : 0;
  if (used < 0 || collectedNext < FIRST) return used;
  // Only mount points that the directory itself does not have must be named one by one.
  if (file instanceof DirectoryFile && file.path?.dentry.pins === 0) {
    const bytes = file.writeDirents(collectedNext, listingPtr + used, limit - used);
    if (bytes > 0) {
      collectedNext = file.direntsEnd;
      return used + bytes;
    }
    if (file.direntsDone) return used;
  }
  return name(file, used, limit, Number.POSITIVE_INFINITY);
}

/** Writes "." and "..", or as many as fit; bytes. */
function dots(file: File, limit: number): number {
  if (!(file instanceof DirectoryFile) || limit < 2 * DOT_BYTES) return name(file, 0, limit, FIRST);
  putU64(Dirent64.d_ino, file.inode.ino);
  putU64(Dirent64.d_off, 1);
  words[4] = DOT_WORD;
  words[5] = 0;
  putU64(DOT_BYTES + Dirent64.d_ino, file.parentIno);
  putU64(DOT_BYTES + Dirent64.d_off, FIRST);
  words[10] = DOT_WORD;
  words[11] = DOT;
  collectedNext = FIRST;
  return 2 * DOT_BYTES;
}

/** Writes the entries from `collectedNext` on, those before offset `end`, behind `used` bytes: bytes in all. */
function name(file: File, used: number, limit: number, end: number): number {
  let full = false;
  const error = listDirectory(file, collectedNext, (entry) => {
    const length = putEntry(entry, used, limit);
    if (length === 0) {
      full = true;
      return false;
    }
    used += length;
    collectedNext = entry.next;
    return collectedNext < end;
  });
  if (error < 0 && used === 0) return error;
  return used === 0 && full ? -EINVAL : used;
}

/** One linux_dirent64 at `at`; its length, or 0 when it does not end before `limit`. */
function putEntry(entry: DirectoryEntry, at: number, limit: number): number {
  const length = (Dirent64.d_name + entry.name.length + 1 + 7) & ~7;
  if (at + length > limit) return 0;
  // The last word first: it has the zeros behind the name.
  putU64(at + length - 8, 0);
  putU64(at + Dirent64.d_ino, entry.ino);
  putU64(at + Dirent64.d_off, entry.next);
  halves[(at + Dirent64.d_reclen) >>> 1] = length;
  listing[at + Dirent64.d_type] = entry.type;
  listing.write(entry.name, at + Dirent64.d_name, "latin1");
  return length;
}

function putU64(at: number, value: number): void {
  words[at >>> 2] = value;
  words[(at >>> 2) + 1] = Math.floor(value / 4294967296);
}

export function sys_getcwd(task: Task, out: number, bytes: number): number {
  const { cwd, root } = task.fs;
  if (isUnlinked(cwd.dentry)) return -ENOENT;
  const text = pathBelow(cwd, root) ?? pathString(cwd, root);
  const length = text.length + 1;
  if (length > PATH_MAX) return -ENAMETOOLONG;
  if (length > bytes) return -ERANGE;
  const done = task.mm.copyOutBytes(out, Buffer.from(`${text}\0`, "latin1"), 0, length);
  return done === length ? length : -EFAULT;
}

function enterable(task: Task, place: Path): number {
  const { inode } = place.dentry;
  if (!isDirectory(inode.mode)) return -ENOTDIR;
  return inode.permission(task.cred, MAY_EXEC);
}

export function sys_chdir(task: Task, pathAddr: number): number {
  const place = placeAt(task, AT_FDCWD, pathAddr, FOLLOW | DIRECTORY);
  if (typeof place === "number") return place;
  const error = enterable(task, place);
  if (error !== 0) return error;
  place.dentry.inode.hold();
  task.fs.cwd = place;
  return 0;
}

export function sys_fchdir(task: Task, fd: number): number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (file.path === null) return -ENOTDIR;
  const error = enterable(task, file.path);
  if (error !== 0) return error;
  file.path.dentry.inode.hold();
  task.fs.cwd = file.path;
  return 0;
}

export function sys_chroot(task: Task, pathAddr: number): number {
  const place = placeAt(task, AT_FDCWD, pathAddr, FOLLOW | DIRECTORY);
  if (typeof place === "number") return place;
  const error = enterable(task, place);
  if (error !== 0) return error;
  if (!capable(task.cred, CAP_SYS_CHROOT)) return -EPERM;
  place.dentry.inode.hold();
  task.fs.root = place;
  return 0;
}

export function sys_umask(task: Task, mask: number): number {
  const old = task.fs.umask;
  task.fs.umask = mask & 0o777;
  return old;
}

export function rows(): Row[] {
  return [
    row(17, sys_getcwd, [outBuf(1), size], full()),
    row(49, sys_chdir, [path], full()),
    row(50, sys_fchdir, [fd], full()),
    row(51, sys_chroot, [path], full()),
    row(61, sys_getdents64, [fd, outBuf(2), size], full()),
    row(166, sys_umask, [mode], full()),
  ];
}
