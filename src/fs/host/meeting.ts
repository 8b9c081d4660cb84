// Where guests meet programs of the host: a socket's file in a host directory, and what comes of descriptors that are received there.

import { ECONNREFUSED } from "../../abi/errno.ts";
import { hostIdentity } from "../../host/identity.ts";
import type { HostPoller } from "../../host/poller.ts";
import type { File } from "../../vfs/file.ts";
import type { HostMeeting } from "../../vfs/inode.ts";
import type { HostFileSystem } from "./host-file-system.ts";
import type { HostSpecial } from "./host-special.ts";

export class Meeting implements HostMeeting {
  private readonly fs: HostFileSystem;
  private readonly inode: HostSpecial | null;

  /** `inode`: the socket's file, null while it is being made. */
  constructor(fs: HostFileSystem, inode: HostSpecial | null) {
    this.fs = fs;
    this.inode = inode;
  }

  get poller(): HostPoller {
    return this.fs.poller;
  }

  withAddress(use: (address: Uint8Array) => number): number {
    return this.inode === null ? -ECONNREFUSED : this.inode.withAddress(use);
  }

  adopt(fd: number): File | number {
    // Few programs are ever sent anything.
    const { receivedFile } = require("./received.ts") as typeof import("./received.ts");
    return receivedFile(this.fs, fd);
  }

  ownerAs(uid: number, gid: number): { uid: number; gid: number } {
    const { euid, egid } = hostIdentity();
    const own = { uid: uid < 0 ? euid : uid, gid: gid < 0 ? egid : gid };
    return this.fs.owners?.viewOf(own) ?? own;
  }
}
