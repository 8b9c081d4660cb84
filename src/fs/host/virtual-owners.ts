// Owners and set-id bits of a bind mount as a container sees them: what it changes with chown(2) and chmod(2) is remembered for the
// run and never reaches the host, where the files stay those of the user who runs carrick. Files are known by their identity
// on the host.

import { S_IALLUGO, S_IFMT, S_ISGID, S_ISUID } from "../../abi/stat.ts";
import { hostIdentity } from "../../host/identity.ts";
import { seen } from "../../host/stat.ts";

/** Bits that never go to the host: its programs would act on them. */
const SET_ID = S_ISUID | S_ISGID;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Known {
  readonly born: number;
  uid: number;
  gid: number;
  /** Bits of the mode that `mask` covers are these. */
  bits: number;
  mask: number;
}

export class VirtualOwners {
  private readonly known = new Map<string, Known>();
  private readonly hostUid: number;
  private readonly hostGid: number;
  private readonly user: Owner;

  /** Files of whoever runs carrick look like `user`'s, unless that is root, whose files look like root's. */
  constructor(user: Owner) {
    const { euid, egid } = hostIdentity();
    this.hostUid = euid;
    this.hostGid = egid;
    this.user = euid === 0 ? { uid: 0, gid: 0 } : user;
  }

  /** What is known of the file that the last look met. */
  private get found(): Known | undefined {
    if (this.known.size === 0) return undefined;
    const known = this.known.get(`${seen.dev}:${seen.ino}`);
    return known !== undefined && known.born === seen.born ? known : undefined;
  }

  /** Of the file that the last look met. */
  get uid(): number {
    return this.found?.uid ?? (seen.uid === this.hostUid ? this.user.uid : seen.uid);
  }
  get gid(): number {
    return this.found?.gid ?? (seen.gid === this.hostGid ? this.user.gid : seen.gid);
  }
  /** A user of the host as a container sees one. */
  viewOf({ uid, gid }: Owner): Owner {
    return { uid: uid === this.hostUid ? this.user.uid : uid, gid: gid === this.hostGid ? this.user.gid : gid };
  }
  get mode(): number {
    const known = this.found;
    return known === undefined ? seen.mode : (seen.mode & ~known.mask) | known.bits;
  }

  private note(): Known {
    let known = this.found;
    if (known === undefined) {
      known = { born: seen.born, uid: this.uid, gid: this.gid, bits: 0, mask: 0 };
      this.known.set(`${seen.dev}:${seen.ino}`, known);
    }
    return known;
  }

  /** Gives the file that the last look met to somebody. */
  setOwner(uid: number, gid: number): void {
    if (uid === this.uid && gid === this.gid) return;
    const known = this.note();
    known.uid = uid;
    known.gid = gid;
  }

  /** The mode of the file that the last look met is `mode` from now on; the host has taken its bits `onHost`. */
  setMode(mode: number, onHost: number): void {
    const mask = (mode ^ onHost) & S_IALLUGO;
    const known = mask === 0 ? this.found : this.note();
    if (known === undefined) return;
    known.mask = mask;
    known.bits = mode & mask;
  }

  /** What of a mode the host may see. */
  static hostMode(mode: number): number {
    return mode & ~SET_ID & ~S_IFMT;
  }
}
