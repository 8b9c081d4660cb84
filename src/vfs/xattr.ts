// Extended attributes above the file systems (fs/xattr.c, xattr(7)): which name spaces exist and who may use them.

import { CAP_FSETID, CAP_SYS_ADMIN } from "../abi/capability.ts";
import { EACCES, EINVAL, ENODATA, EOPNOTSUPP, EPERM, EROFS } from "../abi/errno.ts";
import { IN_ATTRIB } from "../abi/inotify.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IRWXUGO, S_ISGID, S_ISVTX } from "../abi/stat.ts";
import { ACL_ACCESS, ACL_DEFAULT, isAclName, modeOfAcl, parseAcl } from "../lib/posix-acl.ts";
import type { Target } from "./attributes.ts";
import type { FsContext } from "./context.ts";
import type { Inode } from "./inode.ts";
import { notify } from "./notify.ts";
import { capable, inGroup, isDirectory, MAY_READ, MAY_WRITE, ownerOrCapable } from "./permission.ts";

const NONE = new Uint8Array(0);

/** xattr_permission(): 0 or -errno. */
function mayUse(ctx: FsContext, target: Target, name: string, mask: number): number {
  const { inode, mount } = target;
  const write = mask === MAY_WRITE;
  if (write && mount?.readOnly) return -EROFS;
  if (inode.fs.hostChecks) return checkName(name) === 0 ? 0 : inode.permission(ctx.cred, mask);
  if (name.startsWith("security.") || name.startsWith("system.")) return 0;
  if (name.startsWith("trusted.")) {
    return capable(ctx.cred, CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
  }
  if (!name.startsWith("user.")) return inode.permission(ctx.cred, mask);
  const type = inode.mode & S_IFMT;
  if (type !== S_IFREG && type !== S_IFDIR) return write ? -EPERM : -ENODATA;
  if (type === S_IFDIR && (inode.mode & S_ISVTX) !== 0 && write && !ownerOrCapable(inode, ctx.cred)) return -EPERM;
  return inode.permission(ctx.cred, mask) === 0 ? 0 : -EACCES;
}

/** Whether any handler of the usual file systems takes the name: 0, -EINVAL for a bare prefix, -EOPNOTSUPP. Access lists are apart. */
function checkName(name: string): number {
  for (const prefix of ["user.", "trusted.", "security."]) {
    if (name.startsWith(prefix)) return name.length > prefix.length ? 0 : -EINVAL;
  }
  return -EOPNOTSUPP;
}

/** Reading and writing a security attribute besides needs CAP_SYS_ADMIN (cap_inode_setxattr), but for file capabilities. */
function mayWriteSecurity(ctx: FsContext, target: Target, name: string): number {
  if (!name.startsWith("security.") || target.inode.fs.hostChecks) return 0;
  if (name === "security.capability") return 0;
  return capable(ctx.cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/** Access lists are shown to everybody (vfs_get_acl). */
function getAcl(inode: Inode, name: string): Uint8Array | number {
  return takesAcls(inode) ? inode.getXattr(name) : -EOPNOTSUPP;
}

/**
 * DIFFERS: files of the host have none, as on a file system mounted without them: what theirs say is the host's business, and is
 * neither shown nor changed.
 */
function takesAcls(inode: Inode): boolean {
  return inode.fs.hasAcls && (inode.mode & S_IFMT) !== S_IFLNK;
}

/** do_set_acl(), vfs_set_acl(), set_posix_acl(); an empty `value` takes the list away. XATTR_CREATE and XATTR_REPLACE mean nothing here. */
function setAcl(ctx: FsContext, { inode, mount, dentry }: Target, name: string, value: Uint8Array): number {
  if (mount?.readOnly) return -EROFS;
  const acl = value.length === 0 ? null : parseAcl(value);
  if (typeof acl === "string" && acl !== "order") return acl === "version" ? -EOPNOTSUPP : -EINVAL;
  if (!takesAcls(inode)) return -EOPNOTSUPP;
  if (name === ACL_DEFAULT && !isDirectory(inode.mode)) return acl === null ? 0 : -EACCES;
  if (!ownerOrCapable(inode, ctx.cred)) return -EPERM;
  if (typeof acl === "string") return -EINVAL;
  let { mode } = inode;
  if (name === ACL_ACCESS) {
    if (acl !== null) mode = (mode & ~S_IRWXUGO) | modeOfAcl(acl);
    if (!inGroup(ctx.cred, inode.gid) && !capable(ctx.cred, CAP_FSETID)) mode &= ~S_ISGID;
  }
  const error = inode.setAcl(name, acl, mode);
  if (error === 0) notify(dentry, IN_ATTRIB);
  return error;
}

export function getXattr(ctx: FsContext, target: Target, name: string): Uint8Array | number {
  if (isAclName(name)) return getAcl(target.inode, name);
  const denied = mayUse(ctx, target, name, MAY_READ);
  if (denied !== 0) return denied;
  const error = checkName(name);
  return error !== 0 ? error : target.inode.getXattr(name);
}

export function setXattr(ctx: FsContext, target: Target, name: string, value: Uint8Array, flags: number): number {
  if (isAclName(name)) return setAcl(ctx, target, name, value);
  let error = mayUse(ctx, target, name, MAY_WRITE);
  if (error === 0) error = mayWriteSecurity(ctx, target, name);
  if (error === 0) error = checkName(name);
  if (error !== 0) return error;
  error = target.inode.setXattr(name, value, flags);
  if (error === 0) notify(target.dentry, IN_ATTRIB);
  return error;
}

/** Names that can be asked for, without trusted ones for those who may not read them. */
export function listXattr(ctx: FsContext, target: Target): string[] | number {
  const names = target.inode.listXattr();
  if (typeof names === "number" || names.length === 0) return names;
  const trusted = capable(ctx.cred, CAP_SYS_ADMIN);
  return names.filter((name) => {
    if (isAclName(name)) return takesAcls(target.inode);
    return checkName(name) === 0 && (trusted || !name.startsWith("trusted."));
  });
}

export function removeXattr(ctx: FsContext, target: Target, name: string): number {
  if (isAclName(name)) return setAcl(ctx, target, name, NONE);
  let error = mayUse(ctx, target, name, MAY_WRITE);
  if (error === 0) error = mayWriteSecurity(ctx, target, name);
  if (error === 0) error = checkName(name);
  if (error !== 0) return error;
  error = target.inode.removeXattr(name);
  if (error === 0) notify(target.dentry, IN_ATTRIB);
  return error;
}
