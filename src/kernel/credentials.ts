// Credentials and what the set*id calls, execve and prctl make of them (capabilities(7), credentials(7)).
// Objects are immutable: every change makes a new one.

import { CAP_LAST_CAP } from "../abi/capability.ts";
import type { Credentials } from "../vfs/credentials.ts";

export type CapSet = readonly [number, number];
export const NO_CAPS: CapSet = [0, 0];
export const ALL_CAPS: CapSet = [0xffffffff, 2 ** (CAP_LAST_CAP - 31) - 1];

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
