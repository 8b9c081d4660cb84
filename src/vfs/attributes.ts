// Changing what an inode says about itself (fs/attr.c: setattr_prepare, notify_change; fs/open.c): chmod(2), chown(2),
// utimensat(2), truncate(2). Each returns 0 or -errno.

import { CAP_CHOWN, CAP_FSETID } from "../abi/capability.ts";
import { EINVAL, EISDIR, EPERM, EROFS, ETXTBSY } from "../abi/errno.ts";
import { IN_ATTRIB, IN_MODIFY } from "../abi/inotify.ts";
import { S_IALLUGO, S_IFDIR, S_IFMT, S_IFREG, S_ISGID, S_ISUID, UTIME_NOW, UTIME_OMIT } from "../abi/stat.ts";
import type { FsContext } from "./context.ts";
import type { Credentials } from "./credentials.ts";
import type { Attributes, Inode } from "./inode.ts";
import type { Mount } from "./mount.ts";
import { notify } from "./notify.ts";
import { Dentry, type Path } from "./path.ts";
import { capable, inGroup, MAY_WRITE, ownerOrCapable, withoutPrivilegeBits } from "./permission.ts";

/** What to change: an inode, and the mount and name it was reached by where there are any. */
export interface Target {
  inode: Inode;
  mount: Mount | null;
  dentry: Dentry;
}

export function targetOf(path: Path): Target {
  return { inode: path.dentry.inode, mount: path.mount, dentry: path.dentry };
}

/** An inode without a place: a pipe, a socket. */
export function placeless(inode: Inode): Target {
  return { inode, mount: null, dentry: new Dentry(null, "", inode) };
}

function apply(target: Target, attributes: Attributes, event: number): number {
  const error = target.inode.setAttributes(attributes);
  if (error === 0) notify(target.dentry, event);
  return error;
}

export function changeMode(ctx: FsContext, target: Target, mode: number): number {
  const { inode, mount } = target;
  if (mount?.readOnly) return -EROFS;
  mode &= S_IALLUGO;
  if (!inode.fs.hostChecks) {
    if (!ownerOrCapable(inode, ctx.cred)) return -EPERM;
    if (!inGroup(ctx.cred, inode.gid) && !capable(ctx.cred, CAP_FSETID)) mode &= ~S_ISGID;
  }
  return apply(target, { mode: (inode.mode & S_IFMT) | mode }, IN_ATTRIB);
}

/** `uid` and `gid` are 32-bit; -1 (as 0xffffffff) leaves one alone. */
export function changeOwner(ctx: FsContext, target: Target, uid: number, gid: number): number {
  const { inode, mount } = target;
  if (mount?.readOnly) return -EROFS;
  const attributes: Attributes = {};
  if (uid !== 0xffffffff) attributes.uid = uid;
  if (gid !== 0xffffffff) attributes.gid = gid;
  if (!inode.fs.hostChecks) {
    if (!mayChangeOwner(inode, ctx.cred, attributes)) return -EPERM;
    const mode = inode.mode;
    if ((mode & S_IFMT) !== S_IFDIR && (mode & (S_ISUID | S_ISGID)) !== 0) {
      const kept = withoutPrivilegeBits(mode);
      if (kept !== mode) attributes.mode = kept;
    }
  }
  return apply(target, attributes, IN_ATTRIB);
}

function mayChangeOwner(inode: Inode, cred: Credentials, to: Attributes): boolean {
  if (capable(cred, CAP_CHOWN)) return true;
  const owner = inode.uid === cred.fsuid;
  if (to.uid !== undefined && !(owner && to.uid === inode.uid)) return false;
  return to.gid === undefined || (owner && (to.gid === inode.gid || inGroup(cred, to.gid)));
}

/** Two times of utimensat(2), nanoseconds checked by the caller: UTIME_NOW, UTIME_OMIT or below 10^9. */
export interface FileTimes {
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
}

export function changeTimes(ctx: FsContext, target: Target, times: FileTimes): number {
  const { inode, mount } = target;
  if (mount?.readOnly) return -EROFS;
  const touch = times.atimeNsec === UTIME_NOW && times.mtimeNsec === UTIME_NOW;
  if (!inode.fs.hostChecks && !ownerOrCapable(inode, ctx.cred)) {
    if (!touch) return -EPERM;
    const denied = inode.permission(ctx.cred, MAY_WRITE);
    if (denied !== 0) return denied;
  }
  const attributes: Attributes = {};
  if (times.atimeNsec !== UTIME_OMIT) {
    attributes.atimeSec = times.atimeSec;
    attributes.atimeNsec = times.atimeNsec;
  }
  if (times.mtimeNsec !== UTIME_OMIT) {
    attributes.mtimeSec = times.mtimeSec;
    attributes.mtimeNsec = times.mtimeNsec;
  }
  return apply(target, attributes, IN_ATTRIB);
}

/** Whether truncate(2) may change the size: 0, -EISDIR, -EINVAL, -EROFS, -EACCES, -ETXTBSY. */
export function mayTruncate(ctx: FsContext, target: Target): number {
  const { inode, mount } = target;
  const type = inode.mode & S_IFMT;
  if (type === S_IFDIR) return -EISDIR;
  if (type !== S_IFREG) return -EINVAL;
  if (mount?.readOnly) return -EROFS;
  if (!inode.fs.hostChecks) {
    const denied = inode.permission(ctx.cred, MAY_WRITE);
    if (denied !== 0) return denied;
  }
  return inode.programs > 0 ? -ETXTBSY : 0;
}

/** Sets the size, which is at least 0, after `mayTruncate`. */
export function truncateTarget(ctx: FsContext, target: Target, size: number): number {
  dropPrivileges(target.inode, ctx.cred);
  return apply(target, { size }, IN_MODIFY);
}

/** Clears set-user-ID and set-group-ID before somebody without CAP_FSETID changes the content (file_remove_privs). */
export function dropPrivileges(inode: Inode, cred: Credentials): void {
  const mode = inode.mode;
  if ((mode & (S_ISUID | S_ISGID)) === 0 || capable(cred, CAP_FSETID) || inode.fs.hostChecks) return;
  const kept = withoutPrivilegeBits(mode);
  if (kept !== mode) inode.setAttributes({ mode: kept });
}
