// What execve(2) makes of the credentials: set-user-ID and set-group-ID bits, file capabilities, root's privilege (fs/exec.c:
// bprm_fill_uid; security/commoncap.c: cap_bprm_creds_from_file; capabilities(7), "Transformation of capabilities during execve").

import { SECBIT_NOROOT } from "../abi/capability.ts";
import { EPERM } from "../abi/errno.ts";
import { S_ISGID, S_ISUID, S_IXGRP } from "../abi/stat.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { File } from "../vfs/file.ts";
import { ALL_CAPS, type CapSet, capAnd, capOr, capSubset, NO_CAPS } from "./credentials.ts";

interface FileCaps {
  readonly permitted: CapSet;
  readonly inheritable: CapSet;
  readonly effective: boolean;
}

const REVISION_MASK = 0xff000000;
const REVISION_2 = 0x02000000;
const REVISION_3 = 0x03000000;
const EFFECTIVE = 1;
const REVISION_2_BYTES = 20;
const REVISION_3_BYTES = 24;

/** struct vfs_cap_data of security.capability; null when the file has none that counts here. */
function fileCaps(file: File): FileCaps | null {
  const value = file.inode.getXattr("security.capability");
  if (typeof value === "number" || value.length < REVISION_2_BYTES) return null;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const word = (i: number): number => view.getUint32(4 * i, true);
  const revision = (word(0) & REVISION_MASK) >>> 0;
  const plain = revision === REVISION_2 && value.length === REVISION_2_BYTES;
  // Revision 3 belongs to a user name space: the only one here is root's.
  if (!plain && !(revision === REVISION_3 && value.length === REVISION_3_BYTES && word(5) === 0)) return null;
  return {
    permitted: capAnd([word(1), word(3)], ALL_CAPS),
    inheritable: capAnd([word(2), word(4)], ALL_CAPS),
    effective: (word(0) & EFFECTIVE) !== 0,
  };
}

export interface ExecCredentials {
  readonly cred: Credentials;
  /** AT_SECURE: the program has more rights than whoever started it. */
  readonly secure: boolean;
}

/** `trusted`: neither no_new_privs nor a nosuid mount forbids the file to give rights. -EPERM for capabilities out of reach. */
export function credentialsAfterExec(old: Credentials, file: File, trusted: boolean): ExecCredentials | number {
  const stat = trusted ? file.stat() : 0;
  let { euid, egid } = old;
  let caps: FileCaps | null = null;
  if (typeof stat !== "number") {
    if ((stat.mode & S_ISUID) !== 0) euid = stat.uid;
    if ((stat.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP)) egid = stat.gid;
    caps = fileCaps(file);
  }
  const setsId = euid !== old.uid || egid !== old.gid;
  let permitted = NO_CAPS;
  let effective = false;
  if (caps !== null) {
    permitted = capOr(capAnd(old.capBounding, caps.permitted), capAnd(old.capInheritable, caps.inheritable));
    if (caps.effective && !capSubset(caps.permitted, permitted)) return -EPERM;
    ({ effective } = caps);
  }
  // A set-user-ID-root file with capabilities of its own gives just those.
  const root = (old.securebits & SECBIT_NOROOT) === 0 && !(caps !== null && euid === 0 && old.uid !== 0);
  if (root && (euid === 0 || old.uid === 0)) permitted = capOr(old.capBounding, old.capInheritable);
  if (root && euid === 0) effective = true;
  const changed = euid !== old.euid || egid !== old.egid;
  const ambient = caps !== null || changed ? NO_CAPS : old.capAmbient;
  permitted = capOr(permitted, ambient);
  const cred: Credentials = {
    ...old,
    euid,
    egid,
    suid: euid,
    sgid: egid,
    fsuid: euid,
    fsgid: egid,
    capPermitted: permitted,
    capEffective: effective ? permitted : ambient,
    capAmbient: ambient,
  };
  return { cred, secure: setsId || (old.uid !== 0 && (effective || !capSubset(permitted, ambient))) };
}
