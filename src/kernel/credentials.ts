// Credentials and what the set*id calls and prctl make of them (kernel/sys.c, security/commoncap.c, capabilities(7)).
// Objects are immutable: every change makes a new one.

import {
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
  CAP_LAST_CAP,
  CAP_LINUX_IMMUTABLE,
  CAP_MKNOD,
  SECBIT_KEEP_CAPS,
  SECBIT_NO_SETUID_FIXUP,
} from "../abi/capability.ts";
import type { Credentials } from "../vfs/credentials.ts";

export type CapSet = readonly [number, number];
export const NO_CAPS: CapSet = [0, 0];
export const ALL_CAPS: CapSet = [0xffffffff, 2 ** (CAP_LAST_CAP - 31) - 1];

/** Capabilities that follow fsuid (CAP_FS_SET and the NFSD ones). */
const FS_CAPS =
  (1 << CAP_CHOWN) |
  (1 << CAP_DAC_OVERRIDE) |
  (1 << CAP_DAC_READ_SEARCH) |
  (1 << CAP_FOWNER) |
  (1 << CAP_FSETID) |
  (1 << CAP_LINUX_IMMUTABLE) |
  (1 << CAP_MKNOD);

/** Credentials of user `uid`: all capabilities for root, none for others. */
export function userCredentials(
  uid: number,
  gid: number,
  groups: readonly number[] = [],
  bounding: CapSet = ALL_CAPS,
): Credentials {
  const held = uid === 0 ? bounding : NO_CAPS;
  return {
    uid,
    gid,
    euid: uid,
    egid: gid,
    suid: uid,
    sgid: gid,
    fsuid: uid,
    fsgid: gid,
    groups,
    capEffective: held,
    capPermitted: held,
    capInheritable: NO_CAPS,
    capBounding: bounding,
    capAmbient: NO_CAPS,
    securebits: 0,
  };
}

export function hasCap(set: CapSet, cap: number): boolean {
  return ((set[cap >> 5]! >>> (cap & 31)) & 1) === 1;
}

export function withCap(set: CapSet, cap: number): CapSet {
  const word = (set[cap >> 5]! | (1 << (cap & 31))) >>> 0;
  return cap < 32 ? [word, set[1]] : [set[0], word];
}

export function withoutCap(set: CapSet, cap: number): CapSet {
  const word = (set[cap >> 5]! & ~(1 << (cap & 31))) >>> 0;
  return cap < 32 ? [word, set[1]] : [set[0], word];
}

export function capAnd(a: CapSet, b: CapSet): CapSet {
  return [(a[0] & b[0]) >>> 0, (a[1] & b[1]) >>> 0];
}

export function capOr(a: CapSet, b: CapSet): CapSet {
  return [(a[0] | b[0]) >>> 0, (a[1] | b[1]) >>> 0];
}

/** Every capability of `a` is in `b`. */
export function capSubset(a: CapSet, b: CapSet): boolean {
  return (a[0] & ~b[0]) === 0 && (a[1] & ~b[1]) === 0;
}

/** The new credentials after a change of user ids (cap_task_fix_setuid): leaving root drops capabilities. */
export function withUserIds(old: Credentials, uid: number, euid: number, suid: number): Credentials {
  const next = { ...old, uid, euid, suid, fsuid: euid };
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  const wasRoot = old.uid === 0 || old.euid === 0 || old.suid === 0;
  const isRoot = uid === 0 || euid === 0 || suid === 0;
  if (wasRoot && !isRoot) {
    if ((old.securebits & SECBIT_KEEP_CAPS) === 0) {
      next.capPermitted = NO_CAPS;
      next.capEffective = NO_CAPS;
    }
    next.capAmbient = NO_CAPS;
  }
  if (old.euid === 0 && euid !== 0) next.capEffective = NO_CAPS;
  if (old.euid !== 0 && euid === 0) next.capEffective = next.capPermitted;
  return next;
}

/** setfsuid(2): file capabilities follow. */
export function withFsuid(old: Credentials, fsuid: number): Credentials {
  const next = { ...old, fsuid };
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  const [lo, hi] = old.capEffective;
  if (old.fsuid === 0 && fsuid !== 0) next.capEffective = [(lo & ~FS_CAPS) >>> 0, hi];
  if (old.fsuid !== 0 && fsuid === 0) next.capEffective = [(lo | (old.capPermitted[0] & FS_CAPS)) >>> 0, hi];
  return next;
}
