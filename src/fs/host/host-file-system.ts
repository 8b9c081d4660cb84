// A directory (or one file) of the host as a file system: bind mounts and the root of run-elf. The host decides about permissions,
// with the rights of the user who runs carrick, and may change the tree at any time, so that no name is believed without asking.

import { O_DIRECTORY, O_PATH, O_RDONLY } from "../../abi/fcntl.ts";
import { S_IFBLK, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/stat.ts";
import { AT_FDCWD, files } from "../../host/files.ts";
import { hostIdentity } from "../../host/identity.ts";
import type { HostPoller } from "../../host/poller.ts";
import { shim } from "../../host/shim.ts";
import { lookAt, lookNumber, seen, seenStat } from "../../host/stat.ts";
import { assert } from "../../lib/assert.ts";
import { IdlePages } from "../../mm/idle-pages.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { FileSystem, type StatFs } from "../../vfs/file-system.ts";
import type { Stat } from "../../vfs/inode.ts";
import { DirectoryHandles } from "./directory-handles.ts";
import { HostDirectory } from "./host-directory.ts";
import type { HostInode } from "./host-inode.ts";
import { HostRegular } from "./host-regular.ts";
import { HostLink, HostSpecial } from "./host-special.ts";
import { InodeTable } from "./inode-table.ts";
import { type Owner, VirtualOwners } from "./virtual-owners.ts";

const MAX_HANDLES = 256;
/** Files without users whose pages are kept for the next one, and how many pages in all. */
const MAX_IDLE = 64;
const MAX_IDLE_PAGES = 16384;
/** How long the answer of a lookup serves the stat that follows it. */
const FRESH_NS = 100_000;

/** Opens what the user named on the command line, a directory or a file of the host: a descriptor or -errno. */
export function openHostRoot(path: string): number {
  return files.open(AT_FDCWD, path, O_PATH, 0);
}

export interface HostOptions {
  readonly readOnly?: boolean;
  /** For containers: the user whose files those of carrick's user look like. Owners are virtual then. */
  readonly owner?: Owner;
}

export class HostFileSystem extends FileSystem {
  readonly type = "hostfs";
  readonly dev: number;
  /** A directory, or the one file of the mount. */
  readonly root: HostInode;
  /** Not for root: everything is allowed to it on the host, whoever the guest's user has become. */
  override readonly hostChecks: boolean;

  readonly rootFd: number;
  readonly readOnly: boolean;
  /** Null where the guest sees the host's own owners. */
  readonly owners: VirtualOwners | null;
  readonly poller: HostPoller;
  readonly inodes = new InodeTable();
  readonly handles = new DirectoryHandles(MAX_HANDLES);
  readonly idle = new IdlePages<HostRegular>(MAX_IDLE, MAX_IDLE_PAGES);
  /** Host devices met so far; the root's is the first. */
  private readonly devices: number[] = [];
  private readonly privileged: boolean;
  private readonly hostUid: number;
  private readonly hostGid: number;
  private freshInode: HostInode | null = null;
  private freshLook = 0;
  private freshNs = 0;

  /** Takes over `rootFd`, an O_PATH descriptor. */
  constructor(rootFd: number, poller: HostPoller, options: HostOptions = {}) {
    super();
    this.rootFd = rootFd;
    this.poller = poller;
    this.readOnly = options.readOnly === true;
    const { euid, egid } = hostIdentity();
    this.privileged = euid === 0;
    this.owners = options.owner === undefined ? null : new VirtualOwners(options.owner);
    this.hostChecks = !this.privileged && this.owners === null;
    this.hostUid = euid;
    this.hostGid = egid;
    assert(lookAt(rootFd) === 0, "a mount without a descriptor");
    this.dev = seen.dev;
    this.devices.push(this.dev);
    this.root = this.make();
    this.inodes.set(this.root);
  }

  /** Inode numbers of other host devices below the root, told apart from the root device's. */
  uniqueIno(dev: number, hostIno: number): number {
    let index = this.devices.indexOf(dev);
    if (index < 0) index = this.devices.push(dev) - 1;
    return index === 0 ? hostIno : (hostIno % 2 ** 44) + (index % 256) * 2 ** 44;
  }

  /** The inode that the last look met, found as `name` in `parent`. */
  found(parent: HostDirectory, name: string): HostInode {
    const inode = this.seenInode();
    if (inode !== this.root) inode.place(parent, name);
    return inode;
  }

  /** The same for a lookup: a stat that follows at once need not ask again. */
  foundFresh(parent: HostDirectory, name: string): HostInode {
    const inode = this.found(parent, name);
    this.freshInode = inode;
    this.freshLook = lookNumber();
    this.freshNs = shim.host_elapsed_ns();
    return inode;
  }

  /** The same when another file took the place of `old`. */
  foundElsewhere(old: HostInode): HostInode {
    const inode = this.seenInode();
    if (old.parent !== null) inode.place(old.parent, old.name);
    return inode;
  }

  /** The inode behind an open descriptor that was not found by name. */
  adopt(fd: number): HostInode | number {
    const error = lookAt(fd);
    return error < 0 ? error : this.seenInode();
  }

  private seenInode(): HostInode {
    const known = this.inodes.get(seen.dev, seen.ino);
    if (known?.isSeen) {
      known.noteAccess();
      return known;
    }
    const inode = this.make();
    this.inodes.set(inode);
    return inode;
  }

  private make(): HostInode {
    const type = seen.mode & S_IFMT;
    if (type === S_IFDIR) return new HostDirectory(this);
    if (type === S_IFREG || type === S_IFBLK) return new HostRegular(this);
    return type === S_IFLNK ? new HostLink(this) : new HostSpecial(this);
  }

  /** The object that stands for this file now; `inode` itself may have been forgotten by the table. */
  canonical(inode: HostInode): HostInode {
    const known = this.inodes.get(inode.dev, inode.hostIno);
    if (known !== undefined && known.born === inode.born && known.constructor === inode.constructor) return known;
    this.inodes.set(inode);
    return inode;
  }

  /** Whether the host's last answer is about `inode` and so young that a stat need not ask again. */
  takeFresh(inode: HostInode): boolean {
    if (this.freshInode !== inode) return false;
    this.freshInode = null;
    return this.freshLook === lookNumber() && shim.host_elapsed_ns() - this.freshNs < FRESH_NS;
  }

  /** A change of ours made the host's last answer old. */
  forgetFresh(): void {
    this.freshInode = null;
  }

  /** Whether new files must be given to the guest's user because the host would make them carrick's. */
  chownTo(cred: Credentials): boolean {
    return this.privileged && this.owners === null && (cred.fsuid !== this.hostUid || cred.fsgid !== this.hostGid);
  }

  /** Attributes of the file that the last look met, as the guest sees them. */
  seenStat(): Stat {
    const stat = seenStat();
    if (this.owners === null) return stat;
    stat.uid = this.owners.uid;
    stat.gid = this.owners.gid;
    stat.mode = this.owners.mode;
    return stat;
  }

  statfs(): StatFs | number {
    return files.statfs(this.rootFd);
  }

  override sync(): number {
    // An O_PATH descriptor is not enough for syncfs(2).
    const fd = files.reopen(this.rootFd, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return fd;
    const error = files.syncFileSystem(fd);
    files.close(fd);
    return error;
  }

  /** The mount is gone and none of its files is open. */
  close(): void {
    this.idle.clear();
    this.handles.closeAll();
    files.close(this.rootFd);
  }
}
