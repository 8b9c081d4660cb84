// A file system whose tree lives in carrick's memory: tmpfs, and images with what a run changes of them.

import { FileSystem } from "../../vfs/file-system.ts";
import type { MemoryDirectory } from "./memory-directory.ts";
import type { MemoryInode } from "./memory-inode.ts";

export interface Timestamp {
  sec: number;
  nsec: number;
}

/** CLOCK_REALTIME. */
export interface TimeSource {
  realtime(): Timestamp;
}

/** shim/image/walk.zig: attributes or further names; mode or owner; names of the layers that do not show; something is mounted on it. */
export const CHANGED_ITSELF = 1;
export const CHANGED_RIGHTS = 2;
export const CHANGED_HIDES = 4;
export const CHANGED_COVERED = 8;

export abstract class MemoryFileSystem extends FileSystem {
  override readonly cacheNames: boolean = true;
  override readonly hasAcls: boolean = true;
  abstract readonly clock: TimeSource;

  /** The inode has become more than what it was made from says, or stops being so. */
  retain(_inode: MemoryInode): void {}
  mayForget(_inode: MemoryInode): void {}
  /** What the layers of an image say is not true of the inode any more: CHANGED_*. */
  noteChange(_inode: MemoryInode, _what: number): void {}
  /** A number for a new inode. */
  abstract addInode(): number;
  /** Its last name is gone. */
  abstract removeInode(inode: MemoryInode): void;
  /** 0, or -ENOSPC when no inode is left. */
  abstract inodeLeft(): number;
  /** A new regular file, in no directory yet. */
  abstract newFile(mode: number, uid: number, gid: number): MemoryInode;
  abstract newDirectory(mode: number, uid: number, gid: number): MemoryDirectory;
}
