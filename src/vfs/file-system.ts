// A mounted file system as vfs sees it (struct super_block).

import type { File } from "./file.ts";
import type { Inode } from "./inode.ts";
import { Dentry } from "./path.ts";

/** struct kstatfs, sizes in blocks of `bsize` bytes. */
export interface StatFs {
  type: number;
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  fsid: [number, number];
  namelen: number;
}

export abstract class FileSystem {
  /** Name as /proc/mounts prints it: "tmpfs", "proc", "overlay". */
  abstract readonly type: string;
  /** st_dev of inodes that have no device of their own. */
  abstract readonly dev: number;
  abstract readonly root: Inode;
  abstract statfs(): StatFs | number;
  /**
   * Whether a name that was found once is found again without asking (kernel-owned trees), or must be looked
   * up anew because somebody else may change the tree (host directories, proc).
   */
  readonly cacheNames: boolean = false;
  /**
   * Whether the file system decides about permissions, sticky directories and special files itself, with the
   * rights of the user who runs carrick (host directories). vfs then checks nothing by the guest's credentials.
   */
  readonly hostChecks: boolean = false;

  /** Whether its files may have access lists (SB_POSIXACL). */
  readonly hasAcls: boolean = false;

  /** The shim's handle of the layers that it is made of (vfs/quick-walk.ts); 0 for none. */
  layersPtr = 0;

  /** Opens a regular file of the layers, or a directory that lies in the one with number `above`, which is 0 for a file. */
  openNumbered(_ino: number, _above: number, flags: number): File | number {
    return this.root.open(flags);
  }

  /** Where an inode of the layers with one name is, by whichever name it has now. */
  dentryOf(_inode: Inode): Dentry {
    return this.rootDentry;
  }

  private rootDentryMade: Dentry | null = null;

  /** The one dentry of the root, shared by all mounts. */
  get rootDentry(): Dentry {
    if (this.rootDentryMade === null) {
      this.rootDentryMade = new Dentry(null, "", this.root);
      this.root.dentry = this.rootDentryMade;
    }
    return this.rootDentryMade;
  }

  /** syncfs(2): 0 or -errno. */
  sync(): number {
    return 0;
  }

  /** Options of /proc/mounts beside the mount's own flags: "size=65536k,mode=755" or "". */
  options(): string {
    return "";
  }
}

/** The host counts its own from 1, and guests see those too, in host directories. */
const FIRST_ANONYMOUS = 1 << 18;
let nextAnonymousDev = FIRST_ANONYMOUS;

/** A device number for a file system without a device (get_anon_bdev): major 0, minors counted up. */
export function anonymousDev(): number {
  const minor = nextAnonymousDev;
  nextAnonymousDev += 1;
  return (minor & 0xff) + (minor >>> 8) * 0x100000;
}
