// POSIX.1e access control lists as the kernel has them (fs/posix_acl.c, include/uapi/linux/posix_acl_xattr.h; acl(5)): the value of
// the attributes system.posix_acl_access and system.posix_acl_default, what a list says beside the mode of a file, and how
// the two follow each other. Data only: who may do what is vfs's business.

export const ACL_ACCESS = "system.posix_acl_access";
export const ACL_DEFAULT = "system.posix_acl_default";

export const AclTag = { userObj: 1, user: 2, groupObj: 4, group: 8, mask: 16, other: 32 } as const;

const TAGS: readonly number[] = Object.values(AclTag);

export interface AclEntry {
  readonly tag: number;
  /** Read 4, write 2, execute 1. */
  readonly perm: number;
  /** Of users and groups; NO_ID for the others. */
  readonly id: number;
}

/** In the kernel's order: owner, users, group, groups, mask, others. */
export type Acl = readonly AclEntry[];

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const NO_ID = 0xffffffff;

/** Of another version; no list at all; a list whose entries do not go together. */
export type AclFault = "version" | "malformed" | "order";

export function isAclName(name: string): boolean {
  return name === ACL_ACCESS || name === ACL_DEFAULT;
}

/** posix_acl_from_xattr() and posix_acl_valid(). Null for a list without entries, which stands for no list. */
export function parseAcl(value: Uint8Array): Acl | null | AclFault {
  if (value.length < HEADER_BYTES) return "malformed";
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (view.getUint32(0, true) !== VERSION) return "version";
  if ((value.length - HEADER_BYTES) % ENTRY_BYTES !== 0) return "malformed";
  const acl: AclEntry[] = [];
  for (let at = HEADER_BYTES; at < value.length; at += ENTRY_BYTES) {
    const tag = view.getUint16(at, true);
    const named = tag === AclTag.user || tag === AclTag.group;
    const id = named ? view.getUint32(at + 4, true) : NO_ID;
    if (!TAGS.includes(tag) || (named && id === NO_ID)) return "malformed";
    acl.push({ tag, perm: view.getUint16(at + 2, true), id });
  }
  if (acl.length === 0) return null;
  return isValid(acl) ? acl : "order";
}

/** Which tags may follow each tag; the list begins with the owner and ends with the others. */
const FOLLOWERS: Readonly<Record<number, readonly number[]>> = {
  [AclTag.userObj]: [AclTag.user, AclTag.groupObj],
  [AclTag.user]: [AclTag.user, AclTag.groupObj],
  [AclTag.groupObj]: [AclTag.group, AclTag.mask, AclTag.other],
  [AclTag.group]: [AclTag.group, AclTag.mask],
  [AclTag.mask]: [AclTag.other],
  [AclTag.other]: [],
};

function isValid(acl: Acl): boolean {
  if (acl[0]!.tag !== AclTag.userObj || acl.at(-1)!.tag !== AclTag.other) return false;
  const masked = hasMask(acl);
  return acl.every(({ tag, perm }, i) => {
    const named = tag === AclTag.user || tag === AclTag.group;
    if (perm > 7 || (named && !masked)) return false;
    return i === 0 || (FOLLOWERS[acl[i - 1]!.tag] ?? []).includes(tag);
  });
}

/** posix_acl_to_xattr(). */
export function encodeAcl(acl: Acl): Uint8Array {
  const value = new Uint8Array(HEADER_BYTES + ENTRY_BYTES * acl.length);
  const view = new DataView(value.buffer);
  view.setUint32(0, VERSION, true);
  acl.forEach(({ tag, perm, id }, i) => {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, perm, true);
    view.setUint32(at + 4, id, true);
  });
  return value;
}

/** How far a tag's bits are from the right of a mode; -1 for named users and groups. The mask, where there is one, stands for the group. */
function shiftOf(tag: number, hasMask: boolean): number {
  if (tag === AclTag.userObj) return 6;
  if (tag === AclTag.other) return 0;
  return tag === (hasMask ? AclTag.mask : AclTag.groupObj) ? 3 : -1;
}

const hasMask = (acl: Acl): boolean => acl.some(({ tag }) => tag === AclTag.mask);

/** The permission bits that a file with this list shows. */
export function modeOfAcl(acl: Acl): number {
  const masked = hasMask(acl);
  let mode = 0;
  for (const { tag, perm } of acl) {
    const shift = shiftOf(tag, masked);
    if (shift >= 0) mode |= perm << shift;
  }
  return mode;
}

/** Whether the permission bits say all that the list does (posix_acl_equiv_mode). */
export function isMinimal(acl: Acl): boolean {
  return acl.length === 3;
}

/** The list of a file whose mode has been set (posix_acl_chmod). */
export function aclWithMode(acl: Acl, mode: number): Acl {
  const masked = hasMask(acl);
  return acl.map((entry) => {
    const shift = shiftOf(entry.tag, masked);
    return shift < 0 ? entry : { ...entry, perm: (mode >> shift) & 7 };
  });
}

/** What a new file gets from the default list of its directory when it is made with `mode` (posix_acl_create_masq). */
export function inheritAcl(acl: Acl, mode: number): Acl {
  const masked = hasMask(acl);
  return acl.map((entry) => {
    const shift = shiftOf(entry.tag, masked);
    return shift < 0 ? entry : { ...entry, perm: entry.perm & ((mode >> shift) & 7) };
  });
}

/** Whether the list allows `want` (of 7) to somebody who does not own the file (posix_acl_permission). */
export function aclAllows(
  acl: Acl,
  want: number,
  uid: number,
  gid: number,
  inGroup: (gid: number) => boolean,
): boolean {
  let isMember = false;
  for (const { tag, perm, id } of acl) {
    const allows = (perm & want) === want;
    if (tag === AclTag.user && id === uid) return allows && maskAllows(acl, want);
    if ((tag === AclTag.groupObj && inGroup(gid)) || (tag === AclTag.group && inGroup(id))) {
      if (allows) return maskAllows(acl, want);
      isMember = true;
    }
    if (tag === AclTag.other) return !isMember && allows;
  }
  return false;
}

function maskAllows(acl: Acl, want: number): boolean {
  const mask = acl.find(({ tag }) => tag === AclTag.mask);
  return mask === undefined || (mask.perm & want) === want;
}
