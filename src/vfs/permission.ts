// Who may do what (fs/namei.c: generic_permission, check_sticky; fs/attr.c: setattr_prepare; capabilities(7)).

import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID } from "../abi/capability.ts";
import { EACCES, EPERM } from "../abi/errno.ts";
import { S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_ISVTX, S_IXGRP } from "../abi/stat.ts";
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

/** Mode bits first, then CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH. 0 or -EACCES. */
export function genericPermission(inode: Inode, cred: Credentials, mask: number): number {
  const mode = inode.mode;
  const everywhere = mask | (mask << 3) | (mask << 6);
  if ((mode & everywhere) === everywhere) return 0;
  if ((classBits(inode, mode, cred) & mask) === mask) return 0;
  if (isDirectory(mode)) {
    if ((mask & MAY_WRITE) === 0 && capable(cred, CAP_DAC_READ_SEARCH)) return 0;
    return capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
  if (mask === MAY_READ && capable(cred, CAP_DAC_READ_SEARCH)) return 0;
  if (((mask & MAY_EXEC) === 0 || (mode & 0o111) !== 0) && capable(cred, CAP_DAC_OVERRIDE)) return 0;
  return -EACCES;
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
