// One mounted file system (struct mount), and how mounts stack on a mount point.

import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../abi/mount.ts";
import { FileSystem } from "./file-system.ts";
import type { Dentry, Path } from "./path.ts";

/** A file system that is made when somebody first enters it. */
export interface LateFileSystem {
  make(): FileSystem;
  /** Time to mount what belongs into it. */
  entered(mount: Mount): void;
}

let nextMountId = 1;

export class Mount {
  /** As /proc/PID/mountinfo and statx report it. */
  readonly id: number;
  private made: FileSystem | null = null;
  private madeRoot: Dentry | null;
  private late: LateFileSystem | null = null;
  /** Where it is mounted; null for the root mount and for mounts that are nowhere (pipes, memfd). */
  at: Path | null;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME ... */
  flags: number;
  /** First field of /proc/mounts. */
  readonly source: string;

  /** A null root is the file system's own. */
  constructor(fs: FileSystem | LateFileSystem, root: Dentry | null, at: Path | null, flags: number, source: string) {
    this.id = nextMountId;
    nextMountId += 1;
    if (fs instanceof FileSystem) this.made = fs;
    else this.late = fs;
    this.madeRoot = root;
    this.at = at;
    this.flags = flags;
    this.source = source;
  }

  get fs(): FileSystem {
    return this.made ?? this.enter(this.late!);
  }

  private enter(late: LateFileSystem): FileSystem {
    const made = late.make();
    this.made = made;
    late.entered(this);
    return made;
  }

  get root(): Dentry {
    this.madeRoot ??= this.fs.rootDentry;
    return this.madeRoot;
  }

  sync(): void {
    this.made?.sync();
  }

  get readOnly(): boolean {
    return (this.flags & MS_RDONLY) !== 0;
  }
  get noExec(): boolean {
    return (this.flags & MS_NOEXEC) !== 0;
  }
  get noSuid(): boolean {
    return (this.flags & MS_NOSUID) !== 0;
  }
  get noDev(): boolean {
    return (this.flags & MS_NODEV) !== 0;
  }
}

/** The mount on top of `dentry` as seen through `mount`, or null. */
export function mountedOn(mount: Mount, dentry: Dentry): Mount | null {
  const mounts = dentry.mounts;
  if (mounts === null) return null;
  for (const child of mounts) if (child.at!.mount === mount) return child;
  return null;
}

/** Crosses every mount stacked on `path`. */
export function topOf(path: Path): Path {
  let { mount, dentry } = path;
  for (let next = mountedOn(mount, dentry); next !== null; next = mountedOn(mount, dentry)) {
    mount = next;
    dentry = next.root;
  }
  return dentry === path.dentry && mount === path.mount ? path : { mount, dentry };
}

/** A mount that hangs nowhere, for inodes without a place in the tree: pipes, sockets, memfd files. */
export function detachedMount(fs: FileSystem): Mount {
  return new Mount(fs, null, null, 0, "none");
}
