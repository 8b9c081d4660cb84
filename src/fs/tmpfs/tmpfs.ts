// A file system that lives in guest memory (mm/shmem.c, tmpfs(5)): /tmp, /dev/shm, /run, and the nameless files of
// memfd_create(2). This file owns the size limits; the inodes are in the files beside it.

import { EINVAL, ENOSPC } from "../../abi/errno.ts";
import { NAME_MAX } from "../../abi/fcntl.ts";
import { S_IALLUGO, S_IFDIR, S_ISVTX, TMPFS_MAGIC } from "../../abi/stat.ts";
import { hostMemory } from "../../host/identity.ts";
import { anonymousDev, type StatFs } from "../../vfs/file-system.ts";
import { MemoryDirectory } from "../memory/memory-directory.ts";
import { MemoryFileSystem, type TimeSource } from "../memory/memory-file-system.ts";
import { TmpfsRegular } from "./tmpfs-regular.ts";

const PAGE = 4096;
/** Reported where there is no limit. */
const UNLIMITED_PAGES = 2 ** 33;
const UNLIMITED_INODES = 2 ** 31;

export interface TmpfsOptions {
  /** Of the root directory: permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Most bytes of file content, in whole pages; 0 for no limit. */
  sizeBytes: number;
  /** Most inodes; 0 for no limit. */
  inodes: number;
}

export const TMPFS_DEFAULTS: TmpfsOptions = { mode: S_ISVTX | 0o777, uid: 0, gid: 0, sizeBytes: 0, inodes: 0 };

export class Tmpfs extends MemoryFileSystem {
  readonly type = "tmpfs";
  readonly dev = anonymousDev();
  readonly root: MemoryDirectory;
  readonly clock: TimeSource;
  private readonly limits: TmpfsOptions;
  private nextIno = 1;
  private inodes = 0;
  private pages = 0;

  constructor(clock: TimeSource, options: Partial<TmpfsOptions> = {}) {
    super();
    this.clock = clock;
    this.limits = { ...TMPFS_DEFAULTS, ...options };
    const { mode, uid, gid } = this.limits;
    this.root = this.newRoot(S_IFDIR | (mode & S_IALLUGO), uid, gid);
  }

  protected newRoot(mode: number, uid: number, gid: number): MemoryDirectory {
    return this.newDirectory(mode, uid, gid);
  }

  override newFile(mode: number, uid: number, gid: number): TmpfsRegular {
    return new TmpfsRegular(this, this.addInode(), mode, uid, gid);
  }

  override newDirectory(mode: number, uid: number, gid: number): MemoryDirectory {
    return new MemoryDirectory(this, this.addInode(), mode, uid, gid);
  }

  override addInode(): number {
    this.inodes += 1;
    const ino = this.nextIno;
    this.nextIno += 1;
    return ino;
  }

  override removeInode(): void {
    this.inodes -= 1;
  }

  override inodeLeft(): number {
    return this.limits.inodes > 0 && this.inodes >= this.limits.inodes ? -ENOSPC : 0;
  }

  /** Pages that files may still take. */
  pagesLeft(): number {
    return this.limits.sizeBytes === 0 ? Number.POSITIVE_INFINITY : this.maxPages - this.pages;
  }

  /** Files have taken (or given back) pages. */
  addPages(count: number): void {
    this.pages += count;
  }

  private get maxPages(): number {
    return this.limits.sizeBytes === 0 ? UNLIMITED_PAGES : Math.floor(this.limits.sizeBytes / PAGE);
  }

  override statfs(): StatFs {
    const free = Math.max(0, this.maxPages - this.pages);
    const inodes = this.limits.inodes === 0 ? UNLIMITED_INODES : this.limits.inodes;
    return {
      type: TMPFS_MAGIC,
      bsize: PAGE,
      blocks: this.maxPages,
      bfree: free,
      bavail: free,
      files: inodes,
      ffree: inodes - this.inodes,
      fsid: [this.dev, 0],
      namelen: NAME_MAX,
    };
  }

  override options(): string {
    const { sizeBytes, inodes, mode, uid, gid } = this.limits;
    const parts: string[] = [];
    if (sizeBytes > 0) parts.push(`size=${Math.floor(sizeBytes / 1024)}k`);
    if (inodes > 0) parts.push(`nr_inodes=${inodes}`);
    if (mode !== TMPFS_DEFAULTS.mode) parts.push(`mode=${mode.toString(8)}`);
    if (uid !== 0) parts.push(`uid=${uid}`);
    if (gid !== 0) parts.push(`gid=${gid}`);
    return parts.join(",");
  }
}

const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** mount(8) options such as "size=64m,mode=1777"; -EINVAL for unknown ones. */
export function parseTmpfsOptions(data: string): Partial<TmpfsOptions> | number {
  const options: Partial<TmpfsOptions> = {};
  for (const part of data.split(",")) {
    if (part === "") continue;
    const [, name, value] = /^([a-z_]+)=(.*)$/.exec(part) ?? ["", part, ""];
    const error = parseOption(options, name!, value!);
    if (error !== 0) return error;
  }
  return options;
}

function parseOption(options: Partial<TmpfsOptions>, name: string, value: string): number {
  const size = /^(\d+)([kmgt]?)$/i.exec(value);
  const count = size === null ? Number.NaN : Number(size[1]) * (UNITS[size[2]!.toLowerCase()] ?? 1);
  switch (name) {
    case "size": {
      const bytes = value.endsWith("%") ? shareOfMemory(value) : count;
      options.sizeBytes = bytes;
      return Number.isSafeInteger(bytes) ? 0 : -EINVAL;
    }
    case "nr_blocks":
      options.sizeBytes = count * PAGE;
      return Number.isSafeInteger(count * PAGE) ? 0 : -EINVAL;
    case "nr_inodes":
      options.inodes = count;
      return Number.isSafeInteger(count) ? 0 : -EINVAL;
    case "mode":
      options.mode = Number.parseInt(value, 8) & S_IALLUGO;
      return /^[0-7]+$/.test(value) ? 0 : -EINVAL;
    case "uid":
    case "gid":
      options[name] = count;
      return count < 2 ** 32 ? 0 : -EINVAL;
    case "huge":
    case "noswap":
    case "inode64":
      return 0;
    default:
      return -EINVAL;
  }
}

/** "50%" in bytes, whole pages. */
function shareOfMemory(value: string): number {
  const percent = /^(\d+)%$/.exec(value);
  return percent === null ? Number.NaN : Math.floor((hostMemory().total * Number(percent[1])) / 100 / PAGE) * PAGE;
}
