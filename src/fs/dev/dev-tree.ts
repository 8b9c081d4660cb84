// What stands in /dev of a container: devices, links to the descriptors of whoever looks, mount points.

import { S_IFCHR, S_IFDIR } from "../../abi/stat.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { makeDev } from "../../vfs/devices.ts";
import type { DirectoryEntry } from "../../vfs/inode.ts";
import { type Entry, MemoryDirectory } from "../memory/memory-directory.ts";
import type { TimeSource } from "../memory/memory-file-system.ts";
import { Tmpfs, type TmpfsOptions } from "../tmpfs/tmpfs.ts";

const DEVICES: readonly [name: string, major: number, minor: number, mode: number][] = [
  ["console", 5, 1, 0o620],
  ["full", 1, 7, 0o666],
  ["null", 1, 3, 0o666],
  ["random", 1, 8, 0o666],
  ["tty", 5, 0, 0o666],
  ["urandom", 1, 9, 0o666],
  ["zero", 1, 5, 0o666],
];

const LINKS: readonly [name: string, target: string][] = [
  ["core", "/proc/kcore"],
  ["fd", "/proc/self/fd"],
  ["ptmx", "pts/ptmx"],
  ["stderr", "/proc/self/fd/2"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
];

/** Directories that other file systems are mounted on: those of every guest are there from the start. */
const MOUNT_POINTS = ["pts", "shm"];
const DIRECTORIES = ["mqueue"];
const DIRECTORY = S_IFDIR | 0o755;

/** A tmpfs that is filled at the first look: most guests take none. */
export class DevFileSystem extends Tmpfs {
  /** Whose everything is. */
  readonly cred: Credentials;

  constructor(clock: TimeSource, options: Partial<TmpfsOptions>, cred: Credentials) {
    super(clock, options);
    this.cred = cred;
    for (const name of MOUNT_POINTS) this.root.mkdir(name, DIRECTORY, cred);
  }

  protected override newRoot(mode: number, uid: number, gid: number): MemoryDirectory {
    return new DevDirectory(this, this.addInode(), mode, uid, gid);
  }
}

class DevDirectory extends MemoryDirectory {
  declare readonly fs: DevFileSystem;
  private filled = false;

  private fill(): void {
    if (this.filled) return;
    this.filled = true;
    const { cred } = this.fs;
    for (const [name, major, minor, mode] of DEVICES) this.mknod(name, S_IFCHR | mode, makeDev(major, minor), cred);
    for (const [name, target] of LINKS) this.symlink(name, target, cred);
    for (const name of DIRECTORIES) this.mkdir(name, DIRECTORY, cred);
  }

  protected override find(name: string): Entry | undefined {
    if (!MOUNT_POINTS.includes(name)) this.fill();
    return super.find(name);
  }

  protected override get links(): number {
    this.fill();
    return super.links;
  }

  override get sizeBytes(): number {
    this.fill();
    return super.sizeBytes;
  }

  override list(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    this.fill();
    return super.list(from, emit);
  }
}
