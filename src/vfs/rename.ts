// rename(2) and renameat2(2) (fs/namei.c: do_renameat2, vfs_rename), with the kernel's order of checks.

import { EBUSY, EEXIST, EINVAL, ENOENT, ENOTDIR, ENOTEMPTY, EROFS, EXDEV } from "../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../abi/fcntl.ts";
import type { FsContext } from "./context.ts";
import { LAST_NORM, lookupChild, type Walk } from "./namei.ts";
import { dropped, mayDelete, mayModify } from "./names.ts";
import { notifyMove } from "./notify.ts";
import type { Dentry } from "./path.ts";
import { isDirectory, MAY_WRITE } from "./permission.ts";

/** Whether the flags may be asked for: 0 or -EINVAL. DIFFERS: RENAME_WHITEOUT is refused. */
export function checkRenameFlags(flags: number): number {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return -EINVAL;
  return flags === (RENAME_NOREPLACE | RENAME_EXCHANGE) ? -EINVAL : 0;
}

/** Renames what `from` names (walkParent) to what `to` names. */
export function renameName(ctx: FsContext, from: Walk, to: Walk, flags: number): number {
  if (from.mount !== to.mount) return -EXDEV;
  if (from.type !== LAST_NORM) return -EBUSY;
  if (to.type !== LAST_NORM) return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;
  if (from.mount.readOnly) return -EROFS;
  const source = lookupChild(from.dentry, from.name);
  if (typeof source === "number") return source;
  const found = lookupChild(to.dentry, to.name);
  if (typeof found === "number" && found !== -ENOENT) return found;
  const target = typeof found === "number" ? null : found;
  const error = checkNames(from, source, to, target, flags);
  if (error !== 0) return error;
  if (target !== null && sameInode(source, target)) return 0;
  const denied = checkRights(ctx, from.dentry, source, to.dentry, target, flags);
  if (denied !== 0) return denied;
  return move(from, source, to, target, flags);
}

/** The checks on names and kinds before permissions. */
function checkNames(from: Walk, source: Dentry, to: Walk, target: Dentry | null, flags: number): number {
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  if ((flags & RENAME_NOREPLACE) !== 0 && target !== null) return -EEXIST;
  if (exchange) {
    if (target === null) return -ENOENT;
    if (to.slash && !isDirectory(target.inode.mode)) return -ENOTDIR;
  }
  if (!isDirectory(source.inode.mode)) {
    if (from.slash || (to.slash && !exchange)) return -ENOTDIR;
  }
  if (to.dentry.isWithin(source)) return -EINVAL;
  if (target !== null && from.dentry.isWithin(target)) return exchange ? -EINVAL : -ENOTEMPTY;
  return 0;
}

function sameInode(a: Dentry, b: Dentry): boolean {
  return (
    a.inode === b.inode || (a.inode.ino === b.inode.ino && a.inode.fs === b.inode.fs && !isDirectory(a.inode.mode))
  );
}

function checkRights(
  ctx: FsContext,
  from: Dentry,
  source: Dentry,
  to: Dentry,
  target: Dentry | null,
  flags: number,
): number {
  const directory = isDirectory(source.inode.mode);
  let denied = mayDelete(ctx, from, source, directory);
  if (denied !== 0) return denied;
  if (target === null) denied = mayModify(ctx, to);
  else {
    const exchange = (flags & RENAME_EXCHANGE) !== 0;
    denied = mayDelete(ctx, to, target, exchange ? isDirectory(target.inode.mode) : directory);
  }
  if (denied !== 0) return denied;
  if (from !== to && !from.inode.fs.hostChecks) {
    // A directory's ".." changes: that is a write to the directory itself.
    if (directory) denied = source.inode.permission(ctx.cred, MAY_WRITE);
    if (denied === 0 && target !== null && (flags & RENAME_EXCHANGE) !== 0 && isDirectory(target.inode.mode)) {
      denied = target.inode.permission(ctx.cred, MAY_WRITE);
    }
    if (denied !== 0) return denied;
  }
  return source.mounts !== null || (target !== null && target.mounts !== null) ? -EBUSY : 0;
}

function move(from: Walk, source: Dentry, to: Walk, target: Dentry | null, flags: number): number {
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  if (target !== null && !exchange && target.pins > 0) return -ENOTEMPTY;
  const error = from.dentry.inode.rename(from.name, to.dentry.inode, to.name, flags);
  if (error !== 0) return error;
  if (exchange && target !== null) {
    source.moveTo(to.dentry, to.name);
    target.moveTo(from.dentry, from.name);
    // The second move has taken the first one's old name, and each has kept its own.
    notifyMove(to.dentry, to.name, from.dentry, from.name, target.inode);
  } else {
    if (target !== null) dropped(to.dentry, target, false);
    source.moveTo(to.dentry, to.name);
  }
  notifyMove(from.dentry, from.name, to.dentry, to.name, source.inode);
  return 0;
}
