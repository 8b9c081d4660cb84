// The inode as every file system offers it (include/linux/fs.h: struct inode, inode_operations). vfs calls
// these methods after it has resolved names and checked permissions; file systems do no path walking.

import { EACCES, EINVAL, ENODEV, ENOTDIR, EOPNOTSUPP, EPERM } from "../abi/errno.ts";
import type { HostPoller } from "../host/poller.ts";
import type { Acl } from "../lib/posix-acl.ts";
import type { PageCache } from "../mm/page-cache.ts";
import type { FsContext } from "./context.ts";
import type { Credentials } from "./credentials.ts";
import type { File } from "./file.ts";
import type { FileSystem } from "./file-system.ts";
import type { Dentry, Path } from "./path.ts";
import { genericPermission } from "./permission.ts";

/** struct kstat. Sizes in bytes, times as seconds plus nanoseconds since the epoch. */
export interface Stat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blksize: number;
  /** In units of 512 bytes. */
  blocks: number;
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
  ctimeSec: number;
  ctimeNsec: number;
  /** Birth time; zero when unknown. */
  btimeSec: number;
  btimeNsec: number;
}

export function newStat(): Stat {
  return {
    dev: 0,
    ino: 0,
    mode: 0,
    nlink: 0,
    uid: 0,
    gid: 0,
    rdev: 0,
    size: 0,
    blksize: 0,
    blocks: 0,
    atimeSec: 0,
    atimeNsec: 0,
    mtimeSec: 0,
    mtimeNsec: 0,
    ctimeSec: 0,
    ctimeNsec: 0,
    btimeSec: 0,
    btimeNsec: 0,
  };
}

/** struct iattr: the attributes to change; absent ones stay. A nanosecond value of UTIME_NOW means the time of the change. */
export interface Attributes {
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atimeSec?: number;
  atimeNsec?: number;
  mtimeSec?: number;
  mtimeNsec?: number;
}

/** One name met by `readDirectory`. */
export interface DirectoryEntry {
  name: string;
  ino: number;
  /** DT_* */
  type: number;
  /** Offset to continue behind this entry (d_off). */
  next: number;
}

/** A record of the index of an image's layer. */
export interface LayerRecord {
  readonly layer: number;
  readonly entry: number;
}

/** A socket's file in a directory of the host, where guests meet programs of the host. */
export interface HostMeeting {
  readonly poller: HostPoller;
  /** The result of `use`, given the struct sockaddr_un that means this file to the host's calls; -errno when it is gone. */
  withAddress(use: (address: Uint8Array) => number): number;
  /** An open file for a descriptor that came from the host, which it takes over. */
  adopt(fd: number): File | number;
  /** How the guest sees a user of the host; -1 is carrick's own. */
  ownerAs(uid: number, gid: number): { uid: number; gid: number };
}

/** Names are byte strings without "/", never "." or "..". Results: an object or value, or -errno. */
export abstract class Inode {
  abstract readonly fs: FileSystem;
  abstract readonly ino: number;
  /** Type and permission bits (S_IF*), as of the last look. */
  abstract readonly mode: number;

  /** The access list that counts beside the mode; null for none. */
  get accessAcl(): Acl | null {
    return null;
  }
  /** Whether new files get their access list from this directory's; the umask does not count then. */
  get hasDefaultAcl(): boolean {
    return false;
  }
  /** An access list of either name (lib/posix-acl.ts), or none, and the mode to go with it. The caller has checked the list and who asks. */
  setAcl(_name: string, _acl: Acl | null, _mode: number): number {
    return -EOPNOTSUPP;
  }

  /** vfs's own: where a directory or an open file was last found, on file systems that do not keep names, or where it is in an image. */
  dentry: Dentry | null = null;
  /** Open files that may write it, and address spaces whose program it is: each side is refused while the other is. */
  writers = 0;
  programs = 0;

  /** The records of its file system's layers that a directory is made of, topmost first (vfs/quick-walk.ts). */
  get records(): readonly LayerRecord[] {
    return [];
  }

  /** Something was mounted on it, or on a name below it that it may not have. */
  covered(): void {}
  coveredBelow(): void {}

  /** Whether files of it are open. */
  get isOpen(): boolean {
    return false;
  }

  /** Current attributes, or -errno: in a fresh object the caller may keep, or perhaps in `into`. */
  abstract stat(into?: Stat): Stat | number;

  /**
   * Opens an existing inode. `flags` are O_* without O_CREAT, O_EXCL, O_NOFOLLOW; permission is already checked.
   * With O_TRUNC a regular file is emptied. Character devices and FIFOs go to vfs/devices.ts.
   */
  abstract open(flags: number): File | number;

  /**
   * An O_PATH descriptor names it, or somebody goes to stand in it: it must stay reachable when its name is gone.
   * `letGo` when the descriptor is closed.
   */
  hold(): void {}
  letGo(): void {}

  /** A name of it went from the cache (iput, where nobody uses the inode): what can be made anew need not be kept. */
  evicted(): void {}

  /** Owner, for permission checks; as of the last look. */
  get uid(): number {
    const stat = this.stat();
    return typeof stat === "number" ? 0 : stat.uid;
  }
  get gid(): number {
    const stat = this.stat();
    return typeof stat === "number" ? 0 : stat.gid;
  }

  /** Whether `cred` may do `mask` (MAY_*): 0 or -EACCES. Read-only mounts are vfs's business. */
  permission(cred: Credentials, mask: number): number {
    return genericPermission(this, cred, mask);
  }

  /** Where a magic link (/proc/PID/fd/N, exe, cwd, root) jumps to, -errno, or null for every other inode. */
  followLink(_ctx: FsContext): Path | number | null {
    return null;
  }

  /**
   * Creates a regular file that did not exist and opens it, whatever its mode allows: open(2) with O_CREAT.
   * -EEXIST when somebody else was quicker. The file's `inode` is the new one.
   */
  createOpen(name: string, mode: number, flags: number, cred: Credentials): File | number {
    const inode = this.create(name, mode, cred);
    return typeof inode === "number" ? inode : inode.open(flags);
  }

  lookup(_name: string): Inode | number {
    return -ENOTDIR;
  }
  /**
   * The directory that `path`, names below this one, led to when it was learnt, if that is where it leads still; null: walk. For file
   * systems that must ask somebody for each name, so that they need to ask once.
   */
  leap(_path: string): Dentry | null {
    return null;
  }
  learn(_path: string, _to: Dentry): void {}
  /** Creates a regular file. */
  create(_name: string, _mode: number, _cred: Credentials): Inode | number {
    return -EACCES;
  }
  mkdir(_name: string, _mode: number, _cred: Credentials): Inode | number {
    return -EPERM;
  }
  symlink(_name: string, _target: string, _cred: Credentials): Inode | number {
    return -EPERM;
  }
  /** Devices, FIFOs and sockets; `mode` has the type bits. */
  mknod(_name: string, _mode: number, _rdev: number, _cred: Credentials): Inode | number {
    return -EPERM;
  }
  /**
   * bind(2) of a socket: its file. Where programs of the host look too, `host` is asked for a socket of the host that they are to find
   * there, and -errno when it has none.
   */
  bindSocket(name: string, mode: number, _host: (place: HostMeeting) => number, cred: Credentials): Inode | number {
    return this.mknod(name, mode, 0, cred);
  }
  /** For a socket's file. */
  get hostMeeting(): HostMeeting | null {
    return null;
  }
  /** An unnamed regular file in this directory (O_TMPFILE). */
  tmpfile(_mode: number, _cred: Credentials): Inode | number {
    return -EOPNOTSUPP;
  }
  /** Makes `name` in this directory another name of `inode`, which belongs to the same file system. */
  link(_name: string, _inode: Inode): number {
    return -EPERM;
  }
  unlink(_name: string): number {
    return -EPERM;
  }
  rmdir(_name: string): number {
    return -EPERM;
  }
  /** renameat2 within one file system; `flags` are RENAME_*. */
  rename(_name: string, _newParent: Inode, _newName: string, _flags: number): number {
    return -EPERM;
  }
  /** The target of a symbolic link. */
  readlink(): string | number {
    return -EINVAL;
  }
  setAttributes(_attributes: Attributes): number {
    return -EPERM;
  }

  /** The pages of a regular file, for mmap and for kernel readers; -ENODEV style errno when it cannot be mapped. */
  pages(): PageCache | number {
    return -ENODEV;
  }

  getXattr(_name: string): Uint8Array | number {
    return -EOPNOTSUPP;
  }
  /** `flags`: XATTR_CREATE, XATTR_REPLACE. */
  setXattr(_name: string, _value: Uint8Array, _flags: number): number {
    return -EOPNOTSUPP;
  }
  listXattr(): string[] | number {
    return [];
  }
  removeXattr(_name: string): number {
    return -EOPNOTSUPP;
  }
}
