// Making and removing names (fs/namei.c: vfs_mkdir, vfs_mknod, vfs_symlink, vfs_link, vfs_unlink, vfs_rmdir), with the
// kernel's order of checks. Each returns 0 or -errno. rename(2) is in rename.ts.

import { CAP_MKNOD } from "../abi/capability.ts";
import { EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV } from "../abi/errno.ts";
import { IN_ATTRIB, IN_CREATE, IN_DELETE } from "../abi/inotify.ts";
import {
  S_IALLUGO,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
  S_IXGRP,
} from "../abi/stat.ts";
import type { FsContext } from "./context.ts";
import type { HostMeeting, Inode } from "./inode.ts";
import { LAST_DOT, LAST_DOTDOT, LAST_NORM, lookupChild, type Walk, walkParent } from "./namei.ts";
import { isWatched, notifyEntry, notifyGone, notifyInode } from "./notify.ts";
import type { Dentry, Path } from "./path.ts";
import {
  capable,
  checkSticky,
  isDirectory,
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
  newMode,
  ownerOrCapable,
} from "./permission.ts";

/** Whether `ctx` may change the entries of `dir` (may_create): 0, -ENOENT for a removed directory, -EACCES. */
export function mayModify(ctx: FsContext, dir: Dentry): number {
  if (dir.unlinked) return -ENOENT;
  return dir.inode.fs.hostChecks ? 0 : dir.inode.permission(ctx.cred, MAY_WRITE | MAY_EXEC);
}

/** Whether `ctx` may take `victim` out of its directory (may_delete). */
export function mayDelete(ctx: FsContext, dir: Dentry, victim: Dentry, asDirectory: boolean): number {
  const host = dir.inode.fs.hostChecks;
  const denied = host ? 0 : dir.inode.permission(ctx.cred, MAY_WRITE | MAY_EXEC);
  if (denied !== 0) return denied;
  const sticky = host ? 0 : checkSticky(dir.inode, victim.inode, ctx.cred);
  if (sticky !== 0) return sticky;
  if (asDirectory !== isDirectory(victim.inode.mode)) return asDirectory ? -ENOTDIR : -EISDIR;
  return dir.unlinked ? -ENOENT : 0;
}

/** The place of a name to be made (filename_create): the walk stands on its directory. */
function newName(ctx: FsContext, base: Path, path: string, forDirectory: boolean): Walk | number {
  const at = walkParent(ctx, base, path);
  if (typeof at === "number") return at;
  if (at.type !== LAST_NORM) return -EEXIST;
  const child = lookupChild(at.dentry, at.name);
  if (typeof child !== "number") return -EEXIST;
  if (child !== -ENOENT) return child;
  if (at.slash && !forDirectory) return -ENOENT;
  return at.mount.readOnly ? -EROFS : at;
}

export function makeDirectory(ctx: FsContext, base: Path, path: string, mode: number): number {
  const at = newName(ctx, base, path, true);
  if (typeof at === "number") return at;
  const denied = mayModify(ctx, at.dentry);
  if (denied !== 0) return denied;
  const dir = at.dentry.inode;
  const bits = S_IFDIR | newMode(dir, mode & (0o777 | S_ISVTX), ctx.umask);
  return made(at, dir.mkdir(at.name, bits, ctx.cred));
}

/** Whether mknod(2) makes such a type at all: 0, -EPERM for directories, -EINVAL for links and nonsense. */
export function checkNodeType(mode: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return -EPERM;
  return type === 0 || type === S_IFREG || isSpecial(type) ? 0 : -EINVAL;
}

/** `mode` with the checked type of the node; 0 stands for a regular file. `rdev` is the guest's device number. */
export function makeNode(ctx: FsContext, base: Path, path: string, mode: number, rdev: number): number {
  const type = mode & S_IFMT;
  const at = newName(ctx, base, path, false);
  if (typeof at === "number") return at;
  const denied = mayModify(ctx, at.dentry);
  if (denied !== 0) return denied;
  const dir = at.dentry.inode;
  const bits = newMode(dir, mode & S_IALLUGO, ctx.umask);
  if (type === 0 || type === S_IFREG) return made(at, dir.create(at.name, S_IFREG | bits, ctx.cred));
  if ((type === S_IFCHR || type === S_IFBLK) && !dir.fs.hostChecks && !capable(ctx.cred, CAP_MKNOD)) return -EPERM;
  return made(at, dir.mknod(at.name, type | bits, rdev, ctx.cred));
}

/** The file of a socket; `host` as for Inode.bindSocket. */
export function makeSocket(ctx: FsContext, path: string, host: (place: HostMeeting) => number): number {
  const at = newName(ctx, ctx.cwd, path, false);
  if (typeof at === "number") return at;
  const denied = mayModify(ctx, at.dentry);
  if (denied !== 0) return denied;
  // The umask counts beside a default access list too (unix_bind_bsd).
  const mode = S_IFSOCK | (0o777 & ~ctx.umask);
  return made(at, at.dentry.inode.bindSocket(at.name, mode, host, ctx.cred));
}

function isSpecial(type: number): boolean {
  return type === S_IFCHR || type === S_IFBLK || type === S_IFIFO || type === S_IFSOCK;
}

export function makeSymlink(ctx: FsContext, base: Path, path: string, target: string): number {
  const at = newName(ctx, base, path, false);
  if (typeof at === "number") return at;
  const denied = mayModify(ctx, at.dentry);
  if (denied !== 0) return denied;
  return made(at, at.dentry.inode.symlink(at.name, target, ctx.cred));
}

function made(at: Walk, result: object | number): number {
  if (typeof result === "number") return result;
  // The dentry is made by the next lookup.
  const child = lookupChild(at.dentry, at.name);
  notifyEntry(at.dentry, at.name, IN_CREATE, typeof child !== "number" && isDirectory(child.inode.mode));
  return 0;
}

/** Another name for what is at `old`. */
export function makeLink(ctx: FsContext, old: Path, base: Path, path: string): number {
  const at = newName(ctx, base, path, false);
  if (typeof at === "number") return at;
  if (at.mount !== old.mount) return -EXDEV;
  if (!mayLink(ctx, old.dentry.inode)) return -EPERM;
  const denied = mayModify(ctx, at.dentry);
  if (denied !== 0) return denied;
  const inode = old.dentry.inode;
  if (inode.fs !== at.dentry.inode.fs) return -EXDEV;
  if (isDirectory(inode.mode)) return -EPERM;
  if (old.dentry.unlinked && !old.dentry.linkable) {
    const stat = inode.stat();
    if (typeof stat !== "number" && stat.nlink === 0) return -ENOENT;
  }
  const error = at.dentry.inode.link(at.name, inode);
  if (error !== 0) return error;
  notifyInode(inode, IN_ATTRIB);
  notifyEntry(at.dentry, at.name, IN_CREATE, false);
  return 0;
}

/** fs.protected_hardlinks: who neither owns a file nor may read and write it gets no name for it. */
function mayLink(ctx: FsContext, inode: Inode): boolean {
  if (inode.fs.hostChecks || ownerOrCapable(inode, ctx.cred)) return true;
  const { mode } = inode;
  const runsAsGroup = (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
  if ((mode & S_IFMT) !== S_IFREG || (mode & S_ISUID) !== 0 || runsAsGroup) return false;
  return inode.permission(ctx.cred, MAY_READ | MAY_WRITE) === 0;
}

export function removeFile(ctx: FsContext, base: Path, path: string): number {
  const at = walkParent(ctx, base, path);
  if (typeof at === "number") return at;
  if (at.type !== LAST_NORM) return -EISDIR;
  if (at.mount.readOnly) return -EROFS;
  const victim = lookupChild(at.dentry, at.name);
  if (typeof victim === "number") return victim;
  if (at.slash) return isDirectory(victim.inode.mode) ? -EISDIR : -ENOTDIR;
  const denied = mayDelete(ctx, at.dentry, victim, false);
  if (denied !== 0) return denied;
  if (victim.mounts !== null) return -EBUSY;
  const error = at.dentry.inode.unlink(at.name);
  if (error !== 0) return error;
  dropped(at.dentry, victim, true);
  return 0;
}

export function removeDirectory(ctx: FsContext, base: Path, path: string): number {
  const at = walkParent(ctx, base, path);
  if (typeof at === "number") return at;
  if (at.type === LAST_DOTDOT) return -ENOTEMPTY;
  if (at.type === LAST_DOT) return -EINVAL;
  if (at.type !== LAST_NORM) return -EBUSY;
  if (at.mount.readOnly) return -EROFS;
  const victim = lookupChild(at.dentry, at.name);
  if (typeof victim === "number") return victim;
  const denied = mayDelete(ctx, at.dentry, victim, true);
  if (denied !== 0) return denied;
  if (victim.pins > 0) return victim.mounts !== null ? -EBUSY : -ENOTEMPTY;
  const error = at.dentry.inode.rmdir(at.name);
  if (error !== 0) return error;
  dropped(at.dentry, victim, true);
  return 0;
}

/** The name is gone: the dentry leaves the cache, watchers hear of it. Those of the directory only when it was `deleted`. */
export function dropped(dir: Dentry, victim: Dentry, deleted: boolean): void {
  const { inode } = victim;
  const directory = isDirectory(inode.mode);
  dir.forget(victim.name);
  victim.unlinked = true;
  if (isWatched(inode)) {
    if (!directory) notifyInode(inode, IN_ATTRIB);
    if (directory || !inode.isOpen) notifyGone(inode);
  }
  if (deleted) notifyEntry(dir, victim.name, IN_DELETE, directory);
}
