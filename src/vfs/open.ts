// From a path to an open file (fs/namei.c: path_openat; fs/open.c; open(2), openat2(2)).

import { EACCES, EAGAIN, EEXIST, EISDIR, ELOOP, ENOENT, ENOTDIR, EPERM, EROFS, ETXTBSY } from "../abi/errno.ts";
import {
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE_BIT,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_CACHED,
} from "../abi/fcntl.ts";
import { IN_CREATE, IN_MODIFY, IN_OPEN } from "../abi/inotify.ts";
import { S_IALLUGO, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../abi/stat.ts";
import type { FsContext } from "./context.ts";
import type { File } from "./file.ts";
import { DIRECTORY, FOLLOW, isLink, LAST_NORM, lookupChild, Walk, walk } from "./namei.ts";
import { anyWatchers, notify, notifyEntry } from "./notify.ts";
import { Dentry, type Path } from "./path.ts";
import { MAY_EXEC, MAY_READ, MAY_WRITE, newMode, ownerOrCapable } from "./permission.ts";
import * as quick from "./quick-walk.ts";

/** What open(2) acts on and forgets: not part of F_GETFL. */
const ONCE = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC;
/** A name that a host process makes and removes under our hands is looked up this often. */
const RACES = 8;

/**
 * Opens `path` from `base`. `flags` are O_* in a combination that the call layer has checked, without O_CLOEXEC;
 * `mode` for new files before the umask; `resolve` RESOLVE_*. The file may still have to wait for a peer: see
 * File.openPending.
 */
export function openPath(
  ctx: FsContext,
  base: Path,
  path: string,
  flags: number,
  mode: number,
  resolve = 0,
): File | number {
  if ((resolve & RESOLVE_CACHED) !== 0) return -EAGAIN;
  const follow = (flags & O_NOFOLLOW) === 0 && (flags & (O_CREAT | O_EXCL)) !== (O_CREAT | O_EXCL);
  if ((flags & O_PATH) !== 0) return openName(ctx, base, path, flags, resolve);
  if ((flags & O_TMPFILE_BIT) !== 0) return openUnnamed(ctx, base, path, flags, mode, resolve);
  const at = new Walk(ctx, base, resolve);
  let error = at.toLast(path);
  if (error !== 0) return error;
  if ((flags & O_CREAT) !== 0) return openOrCreate(ctx, at, flags, mode, follow);
  error = at.last(follow);
  return error !== 0 ? error : openExisting(ctx, at.path, flags);
}

function openName(ctx: FsContext, base: Path, path: string, flags: number, resolve: number): File | number {
  const how = ((flags & O_NOFOLLOW) === 0 ? FOLLOW : 0) | ((flags & O_DIRECTORY) !== 0 ? DIRECTORY : 0);
  const place = walk(ctx, base, path, how, resolve);
  if (typeof place === "number") return place;
  pathFiles ??= require("./path-file.ts") as typeof import("./path-file.ts");
  return new pathFiles.PathFile(flags, place);
}

/** Loaded when a name is first opened alone; kept, because `require` takes 2 us however often it is asked. */
let pathFiles: typeof import("./path-file.ts") | undefined;

function openOrCreate(ctx: FsContext, at: Walk, flags: number, mode: number, follow: boolean): File | number {
  for (let races = 0; ; ) {
    if (at.type !== LAST_NORM) {
      const error = at.last(follow);
      if (error !== 0) return error;
      return openFound(ctx, at, flags);
    }
    if (at.slash) return -EISDIR;
    const child = lookupChild(at.dentry, at.name);
    if (child === -ENOENT) {
      const file = create(ctx, at, flags, mode);
      if (file !== -EEXIST || (flags & O_EXCL) !== 0) return file;
      races += 1;
      if (races === RACES) return -EEXIST;
    } else if (typeof child === "number") {
      return child;
    } else if (isLink(child) && follow) {
      const error = at.followLast(child);
      if (error !== 0) return error;
    } else {
      const error = at.enter(child);
      return error !== 0 ? error : openFound(ctx, at, flags);
    }
  }
}

/** O_CREAT met something that exists. */
function openFound(ctx: FsContext, at: Walk, flags: number): File | number {
  if ((flags & O_EXCL) !== 0) return -EEXIST;
  if ((at.dentry.inode.mode & S_IFMT) === S_IFDIR) return -EISDIR;
  return openExisting(ctx, at.path, flags);
}

function create(ctx: FsContext, at: Walk, flags: number, mode: number): File | number {
  const parent = at.dentry;
  const dir = parent.inode;
  if (at.mount.readOnly) return -EROFS;
  if (parent.unlinked) return -ENOENT;
  if (!dir.fs.hostChecks) {
    const denied = dir.permission(ctx.cred, MAY_WRITE | MAY_EXEC);
    if (denied !== 0) return denied;
  }
  const file = dir.createOpen(
    at.name,
    S_IFREG | newMode(dir, mode & S_IALLUGO, ctx.umask),
    withoutOnce(flags),
    ctx.cred,
  );
  if (typeof file === "number") return file;
  const dentry = new Dentry(parent, at.name, file.inode);
  if (dir.fs.cacheNames) parent.keep(dentry);
  else file.inode.dentry = dentry;
  notifyEntry(parent, at.name, IN_CREATE, false);
  file.created = true;
  return finish(file, { mount: at.mount, dentry }, flags);
}

/**
 * A regular file or directory of an image that nobody has changed, opened for reading by the path in guest memory; `flags` have nothing that
 * makes more of it. Null when it must be walked to.
 */
export function openUnchanged(
  ctx: FsContext,
  base: Path,
  space: number,
  pathAddr: number,
  flags: number,
): File | number | null {
  if (anyWatchers()) return null;
  const follow = (flags & O_NOFOLLOW) === 0 ? 1 : 0;
  const ino = quick.find(ctx, base, space, pathAddr, follow, (flags & O_DIRECTORY) === 0 ? 0 : 1);
  if (ino < 0) return ino === quick.WALK ? null : ino;
  const file = quick.fs!.openNumbered(ino, quick.foundBelow(), withoutOnce(flags));
  if (typeof file === "number") return file;
  file.flags = (flags & ~ONCE) | O_LARGEFILE;
  file.openedThrough(quick.mount!);
  return file;
}

function withoutOnce(flags: number): number {
  return flags & ~(ONCE | O_NOFOLLOW);
}

function finish(file: File, path: Path, flags: number): File {
  file.flags = (flags & ~ONCE) | O_LARGEFILE;
  file.path = path;
  file.countWriter();
  notify(path.dentry, IN_OPEN);
  return file;
}

/** O_TMPFILE: a file without a name in the directory `path`. */
function openUnnamed(
  ctx: FsContext,
  base: Path,
  path: string,
  flags: number,
  mode: number,
  resolve: number,
): File | number {
  const dir = walk(ctx, base, path, (flags & O_NOFOLLOW) === 0 ? FOLLOW | DIRECTORY : DIRECTORY, resolve);
  if (typeof dir === "number") return dir;
  const parent = dir.dentry.inode;
  if (dir.mount.readOnly) return -EROFS;
  if (!parent.fs.hostChecks) {
    const denied = parent.permission(ctx.cred, MAY_WRITE | MAY_EXEC);
    if (denied !== 0) return denied;
  }
  const inode = parent.tmpfile(S_IFREG | newMode(parent, mode & S_IALLUGO, ctx.umask), ctx.cred);
  if (typeof inode === "number") return inode;
  const file = inode.open(withoutOnce(flags) & ~(O_TMPFILE_BIT | O_DIRECTORY));
  if (typeof file === "number") return file;
  const dentry = new Dentry(dir.dentry, `#${inode.ino}`, inode);
  dentry.unlinked = true;
  dentry.linkable = (flags & O_EXCL) === 0;
  return finish(file, { mount: dir.mount, dentry }, flags);
}

/** MAY_* bits that an open with these flags needs. */
function accessMask(flags: number): number {
  const access = flags & O_ACCMODE;
  const mask = access === O_RDONLY ? MAY_READ : access === O_WRONLY ? MAY_WRITE : MAY_READ | MAY_WRITE;
  return (flags & O_TRUNC) !== 0 ? mask | MAY_WRITE : mask;
}

/** Opens the inode at `path` after the checks of may_open(). */
export function openExisting(ctx: FsContext, path: Path, flags: number): File | number {
  const inode = path.dentry.inode;
  const type = inode.mode & S_IFMT;
  if ((flags & O_DIRECTORY) !== 0 && type !== S_IFDIR) return -ENOTDIR;
  const mask = accessMask(flags);
  if (type === S_IFLNK) return -ELOOP;
  if (type === S_IFDIR && (mask & MAY_WRITE) !== 0) return -EISDIR;
  if ((type === S_IFCHR || type === S_IFBLK) && path.mount.noDev) return -EACCES;
  if ((mask & MAY_WRITE) !== 0 && type === S_IFREG && path.mount.readOnly) return -EROFS;
  if ((mask & MAY_WRITE) !== 0 && inode.programs > 0) return -ETXTBSY;
  if (!inode.fs.hostChecks) {
    const denied = inode.permission(ctx.cred, mask);
    if (denied !== 0) return denied;
    if ((flags & O_NOATIME) !== 0 && !ownerOrCapable(inode, ctx.cred)) return -EPERM;
  }
  const keep = type === S_IFREG ? flags & (O_TRUNC | O_NOCTTY) : flags & O_NOCTTY;
  const file = inode.open(withoutOnce(flags) | keep);
  if (typeof file === "number") return file;
  finish(file, path, flags);
  if ((keep & O_TRUNC) !== 0) notify(path.dentry, IN_MODIFY);
  return file;
}

/** Opens a program for execve(2) and for its interpreter: a regular file that `ctx` may execute. */
export function openExecutable(ctx: FsContext, base: Path, path: string, follow: boolean): File | number {
  const place = walk(ctx, base, path, follow ? FOLLOW : 0);
  return typeof place === "number" ? place : openExecutableAt(ctx, place);
}

export function openExecutableAt(ctx: FsContext, place: Path): File | number {
  const inode = place.dentry.inode;
  const type = inode.mode & S_IFMT;
  if (type === S_IFLNK) return -ELOOP;
  if (type !== S_IFREG || place.mount.noExec) return -EACCES;
  const denied = inode.permission(ctx.cred, MAY_EXEC);
  if (denied !== 0) return denied;
  const file = inode.open(O_RDONLY);
  return typeof file === "number" ? file : finish(file, place, O_RDONLY);
}
