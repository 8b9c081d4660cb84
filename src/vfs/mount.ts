// One mounted file system (struct mount), and how mounts stack on a mount point.

import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../abi/mount.ts";
import type { FileSystem } from "./file-system.ts";
import type { Dentry, Path } from "./path.ts";

let nextMountId = 1;

export class Mount {
  /** As /proc/PID/mountinfo and statx report it. */
  readonly id: number;
  readonly fs: FileSystem;
  readonly root: Dentry;
  /** Where it is mounted; null for the root mount and for mounts that are nowhere (pipes, memfd). */
  at: Path | null;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME ... */
  flags: number;
  /** First field of /proc/mounts. */
  readonly source: string;

  constructor(fs: FileSystem, root: Dentry, at: Path | null, flags: number, source: string) {
    this.id = nextMountId;
    nextMountId += 1;
    this.fs = fs;
    this.root = root;
    this.at = at;
    this.flags = flags;
    this.source = source;
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
  return new Mount(fs, fs.rootDentry, null, 0, "none");
}
