// The host's files (openat(2) and its family). Names are byte strings; a name of "" means the descriptor itself
// where the call allows that. Flags, modes and errnos are Linux/arm64's on every host. Links are never followed in the
// last name unless the caller leaves O_NOFOLLOW out of `open`.

import { EIO, ENAMETOOLONG, ERANGE } from "../abi/errno.ts";
import { nativeString, secondNativeString } from "./native-strings.ts";
import { lastingBytes, pointerOf, shim } from "./shim.ts";
import { foldInode } from "./stat.ts";

/** "The current directory" as a directory descriptor. Only for paths that the user gave on the command line. */
export const AT_FDCWD = -100;

export const AT_EMPTY_PATH = 0x1000;
export const AT_REMOVEDIR = 0x200;

export const O_PATH = 0o10000000;
export const O_DIRECTORY = 0o40000;
export const O_NOFOLLOW = 0o100000;

const BUFFER_BYTES = 64 * 1024;
const memory = lastingBytes(BUFFER_BYTES + 128);
const bufferPtr = pointerOf(memory);
const statfsPtr = bufferPtr + BUFFER_BYTES;
const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
const HIGH = 4294967296;

function wide(offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * HIGH;
}

function setTime(offset: number, sec: number, nsec: number): void {
  view.setUint32(offset, sec >>> 0, true);
  view.setInt32(offset + 4, Math.floor(sec / HIGH), true);
  view.setUint32(offset + 8, nsec, true);
  view.setUint32(offset + 12, 0, true);
}

/** One record of getdents64(2). */
export interface HostDirent {
  name: string;
  ino: number;
  /** DT_* */
  type: number;
}

/** struct statfs. */
export interface HostStatFs {
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

export const files = {
  /** A new descriptor or -errno. */
  open(dirFd: number, name: string, flags: number, mode: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_open(dirFd, ptr, flags, mode);
  },

  /** Opens a relative path of several names beneath a directory; -ELOOP when it meets a symbolic link. */
  walk(dirFd: number, path: string, flags: number, mode: number): number {
    const ptr = nativeString(path);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_walk(dirFd, ptr, flags, mode);
  },

  /**
   * open(2) of a FIFO that waits for its other end, without making the caller wait: a descriptor to watch for POLLIN, from
   * which `slowResult` takes the outcome; or -errno.
   */
  openSlowly(dirFd: number, name: string, flags: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_open_slowly(dirFd, ptr, flags);
  },

  /** The outcome of a slow open: a descriptor (O_NONBLOCK), -EAGAIN while it waits, or another -errno. */
  slowResult(pending: number): number {
    const n = shim.host_read(pending, bufferPtr, 4, -1);
    if (n < 0) return n;
    return n < 4 ? -EIO : view.getInt32(0, true);
  },

  close(fd: number): void {
    shim.host_close(fd);
  },

  duplicate(fd: number): number {
    return shim.host_dup(fd);
  },

  /** Another open file description for the same file, with its own flags and offset. */
  reopen(fd: number, flags: number): number {
    return shim.host_reopen(fd, flags);
  },

  mkdir(dirFd: number, name: string, mode: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_mkdir(dirFd, ptr, mode);
  },

  /** `flags`: 0 or AT_REMOVEDIR. */
  unlink(dirFd: number, name: string, flags: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_unlink(dirFd, ptr, flags);
  },

  rename(oldDirFd: number, oldName: string, newDirFd: number, newName: string, flags: number): number {
    const from = nativeString(oldName);
    const to = secondNativeString(newName);
    return from === 0 || to === 0 ? -ENAMETOOLONG : shim.host_rename(oldDirFd, from, newDirFd, to, flags);
  },

  /** With `oldName` "" and AT_EMPTY_PATH, `oldDirFd` is the file itself. */
  link(oldDirFd: number, oldName: string, newDirFd: number, newName: string, flags: number): number {
    const from = nativeString(oldName);
    const to = secondNativeString(newName);
    return from === 0 || to === 0 ? -ENAMETOOLONG : shim.host_link(oldDirFd, from, newDirFd, to, flags);
  },

  symlink(target: string, dirFd: number, name: string): number {
    const what = nativeString(target);
    const where = secondNativeString(name);
    return what === 0 || where === 0 ? -ENAMETOOLONG : shim.host_symlink(what, dirFd, where);
  },

  readlink(dirFd: number, name: string): string | number {
    const ptr = nativeString(name);
    if (ptr === 0) return -ENAMETOOLONG;
    const n = shim.host_readlink(dirFd, ptr, bufferPtr, BUFFER_BYTES);
    return n < 0 ? n : memory.toString("latin1", 0, n);
  },

  /** The host's name of an open descriptor, "" when it has none. For devices only: other names are the host's business. */
  describe(fd: number): string {
    const n = shim.host_describe(fd, bufferPtr, BUFFER_BYTES);
    return n < 0 ? "" : memory.toString("latin1", 0, n);
  },

  mknod(dirFd: number, name: string, mode: number, dev: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_mknod(dirFd, ptr, mode, dev);
  },

  /** The new position or -errno. */
  seek(fd: number, position: number, whence: number): number {
    return shim.host_seek(fd, position, whence);
  },

  truncate(fd: number, sizeBytes: number): number {
    return shim.host_truncate(fd, sizeBytes);
  },

  allocate(fd: number, mode: number, position: number, length: number): number {
    return shim.host_allocate(fd, mode, position, length);
  },

  sync(fd: number, dataOnly: boolean): number {
    return shim.host_sync(fd, dataOnly ? 1 : 0);
  },

  /** Flushes the whole file system that holds the file. */
  syncFileSystem(fd: number): number {
    return shim.host_syncfs(fd);
  },

  /** Sets O_APPEND and O_NONBLOCK of an open description. */
  setFlags(fd: number, flags: number): number {
    return shim.host_set_flags(fd, flags);
  },

  /** Access mode, O_APPEND and O_NONBLOCK of an open description, or -errno. */
  getFlags(fd: number): number {
    return shim.host_get_flags(fd);
  },

  /** Closes a standard stream for good; its number leads to /dev/null from now on. */
  abandon(fd: number): void {
    shim.host_abandon(fd);
  },

  /** May the user who runs carrick do `mask` (R_OK | W_OK | X_OK)? 0 or -errno. */
  access(dirFd: number, name: string, mask: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_access(dirFd, ptr, mask);
  },

  /** Appends the next batch of entries, "." and ".." among them; how many, 0 at the end, or -errno. */
  readDirectory(fd: number, into: HostDirent[]): number {
    const n = shim.host_getdents(fd, bufferPtr, BUFFER_BYTES);
    if (n < 0) return n;
    let count = 0;
    for (let at = 0; at < n; at += view.getUint16(at + 16, true)) {
      const end = memory.indexOf(0, at + 19);
      into.push({
        name: memory.toString("latin1", at + 19, end),
        ino: foldInode(view.getUint32(at, true), view.getUint32(at + 4, true)),
        type: memory[at + 18]!,
      });
      count += 1;
    }
    return count;
  },

  /** pread(2) into bytes[from, from + count); `position` -1 is read(2). */
  read(fd: number, bytes: Uint8Array, from: number, count: number, position: number): number {
    return count <= 0 ? 0 : shim.host_read(fd, pointerOf(bytes) + from, count, position);
  },

  /** pwrite(2); `position` -1 is write(2). */
  write(fd: number, bytes: Uint8Array, from: number, count: number, position: number): number {
    return count <= 0 ? 0 : shim.host_write(fd, pointerOf(bytes) + from, count, position);
  },

  /** copy_file_range(2) between explicit positions: bytes copied or -errno. */
  copyRange(fromFd: number, fromPosition: number, toFd: number, toPosition: number, length: number): number {
    return shim.host_copy_range(fromFd, fromPosition, toFd, toPosition, length);
  },

  /** flock(2) without waiting. */
  flock(fd: number, operation: number): number {
    return shim.host_flock(fd, operation);
  },

  /** [read end, write end] or -errno. */
  pipe(flags: number): [number, number] | number {
    const error = shim.host_pipe(bufferPtr, flags);
    return error < 0 ? error : [view.getInt32(0, true), view.getInt32(4, true)];
  },

  chmod(dirFd: number, name: string, mode: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_chmod(dirFd, ptr, mode);
  },

  /** A uid or gid of -1 stays. */
  chown(dirFd: number, name: string, uid: number, gid: number): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ENAMETOOLONG : shim.host_chown(dirFd, ptr, uid >>> 0, gid >>> 0);
  },

  /** Nanoseconds may be UTIME_NOW or UTIME_OMIT. */
  utimes(
    dirFd: number,
    name: string,
    atimeSec: number,
    atimeNsec: number,
    mtimeSec: number,
    mtimeNsec: number,
  ): number {
    const ptr = nativeString(name);
    if (ptr === 0) return -ENAMETOOLONG;
    setTime(0, atimeSec, atimeNsec);
    setTime(16, mtimeSec, mtimeNsec);
    return shim.host_utimes(dirFd, ptr, bufferPtr);
  },

  statfs(fd: number): HostStatFs | number {
    const error = shim.host_statfs(fd, statfsPtr);
    if (error < 0) return error;
    const at = BUFFER_BYTES;
    return {
      type: wide(at),
      bsize: wide(at + 8),
      blocks: wide(at + 16),
      bfree: wide(at + 24),
      bavail: wide(at + 32),
      files: wide(at + 40),
      ffree: wide(at + 48),
      fsid: [view.getInt32(at + 56, true), view.getInt32(at + 60, true)],
      namelen: wide(at + 64),
    };
  },

  getXattr(fd: number, name: string): Uint8Array | number {
    const ptr = nativeString(name);
    if (ptr === 0) return -ERANGE;
    const n = shim.host_getxattr(fd, ptr, bufferPtr, BUFFER_BYTES);
    return n < 0 ? n : Uint8Array.prototype.slice.call(memory, 0, n);
  },

  setXattr(fd: number, name: string, value: Uint8Array, flags: number): number {
    const ptr = nativeString(name);
    if (ptr === 0) return -ERANGE;
    return shim.host_setxattr(fd, ptr, value.length === 0 ? bufferPtr : pointerOf(value), value.length, flags);
  },

  listXattr(fd: number): string[] | number {
    const n = shim.host_listxattr(fd, bufferPtr, BUFFER_BYTES);
    if (n < 0) return n;
    return n === 0 ? [] : memory.toString("latin1", 0, n - 1).split("\0");
  },

  removeXattr(fd: number, name: string): number {
    const ptr = nativeString(name);
    return ptr === 0 ? -ERANGE : shim.host_removexattr(fd, ptr);
  },
};
