// Who may do what (fs/namei.c: generic_permission, check_sticky; fs/attr.c: setattr_prepare; capabilities(7)).

import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID } from "../abi/capability.ts";
import { EACCES, EPERM } from "../abi/errno.ts";
import { S_IFDIR, S_IFMT, S_IRWXG, S_ISGID, S_ISUID, S_ISVTX, S_IXGRP } from "../abi/stat.ts";
import { type Acl, aclAllows } from "../lib/posix-acl.ts";
import type { Credentials } from "./credentials.ts";
import type { Inode } from "./inode.ts";

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

export function capable(cred: Credentials, capability: number): boolean {
  const word = cred.capEffective[capability >> 5]!;
  return ((word >>> (capability & 31)) & 1) !== 0;
}

export function inGroup(cred: Credentials, gid: number): boolean {
  return cred.fsgid === gid || cred.groups.includes(gid);
}

/** Mode bits or access list first, then CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH. 0 or -EACCES. */
export function genericPermission(inode: Inode, cred: Credentials, mask: number): number {
  const mode = inode.mode;
  const acl = inode.accessAcl;
  if (acl !== null) {
    if (listAllows(inode, acl, cred, mask)) return 0;
  } else {
    const everywhere = mask | (mask << 3) | (mask << 6);
    if ((mode & everywhere) === everywhere) return 0;
    if ((classBits(inode, mode, cred) & mask) === mask) return 0;
  }
  if (isDirectory(mode)) {
    if ((mask & MAY_WRITE) === 0 && capable(cred, CAP_DAC_READ_SEARCH)) return 0;
    return capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
  if (mask === MAY_READ && capable(cred, CAP_DAC_READ_SEARCH)) return 0;
  if (((mask & MAY_EXEC) === 0 || (mode & 0o111) !== 0) && capable(cred, CAP_DAC_OVERRIDE)) return 0;
  return -EACCES;
}

/** Owners are a matter of the mode; so is everybody where the group's bits, which are the list's mask, are empty. */
function listAllows(inode: Inode, acl: Acl, cred: Credentials, mask: number): boolean {
  const { mode, uid } = inode;
  if (uid === cred.fsuid || (mode & S_IRWXG) === 0) return (classBits(inode, mode, cred) & mask) === mask;
  return aclAllows(acl, mask, cred.fsuid, inode.gid, (gid) => inGroup(cred, gid));
}

function classBits(inode: Inode, mode: number, cred: Credentials): number {
  if (inode.uid === cred.fsuid) return (mode >> 6) & 7;
  if (((mode >> 3) & 7) !== (mode & 7) && inGroup(cred, inode.gid)) return (mode >> 3) & 7;
  return mode & 7;
}

/** Whether `cred` owns the inode or has CAP_FOWNER. */
export function ownerOrCapable(inode: Inode, cred: Credentials): boolean {
  return inode.uid === cred.fsuid || capable(cred, CAP_FOWNER);
}

/** May a name of `victim` in the directory `dir` be removed or replaced? Sticky directories: only by an owner. */
export function checkSticky(dir: Inode, victim: Inode, cred: Credentials): number {
  if ((dir.mode & S_ISVTX) === 0) return 0;
  if (victim.uid === cred.fsuid || dir.uid === cred.fsuid || capable(cred, CAP_FOWNER)) return 0;
  return -EPERM;
}

/** The mode of a new file in `dir`: the umask counts where no default access list does (posix_acl_create). */
export function newMode(dir: Inode, mode: number, umask: number): number {
  return dir.hasDefaultAcl ? mode : mode & ~umask;
}

export interface NewOwner {
  uid: number;
  gid: number;
  mode: number;
}

/** Owner, group and final mode of an inode made in `dir` (inode_init_owner, mode_strip_sgid). */
export function newOwner(dir: Inode, mode: number, cred: Credentials): NewOwner {
  if ((dir.mode & S_ISGID) === 0) return { uid: cred.fsuid, gid: cred.fsgid, mode };
  const gid = dir.gid;
  if (isDirectory(mode)) mode |= S_ISGID;
  else if ((mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP) && !inGroup(cred, gid) && !capable(cred, CAP_FSETID)) {
    mode &= ~S_ISGID;
  }
  return { uid: cred.fsuid, gid, mode };
}

/** The mode after somebody without CAP_FSETID wrote to, truncated or gave away a file (setattr_should_drop_suidgid). */
export function withoutPrivilegeBits(mode: number): number {
  mode &= ~S_ISUID;
  return (mode & S_IXGRP) !== 0 ? mode & ~S_ISGID : mode;
}
