// open and close: openat(2), openat2(2), close(2), close_range(2), memfd_create(2).

import { E2BIG, EAGAIN, EFAULT, EINVAL, ERESTARTSYS } from "../abi/errno.ts";
import * as fcntl from "../abi/fcntl.ts";
import { S_IALLUGO } from "../abi/stat.ts";
import { scratch } from "../host/scratch.ts";
import { type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import type { File } from "../vfs/file.ts";
import { openPath, openUnchanged } from "../vfs/open.ts";
import { baseOf, directoryOf, pathArg } from "./path-args.ts";
import { dirfd, fd, flags, full, mode, path, type Row, row, size, struct, u32, usedIf } from "./row.ts";

const VALID_OPEN_FLAGS =
  fcntl.O_ACCMODE |
  fcntl.O_CREAT |
  fcntl.O_EXCL |
  fcntl.O_NOCTTY |
  fcntl.O_TRUNC |
  fcntl.O_APPEND |
  fcntl.O_NONBLOCK |
  fcntl.O_SYNC |
  fcntl.O_ASYNC |
  fcntl.O_DIRECT |
  fcntl.O_LARGEFILE |
  fcntl.O_DIRECTORY |
  fcntl.O_NOFOLLOW |
  fcntl.O_NOATIME |
  fcntl.O_CLOEXEC |
  fcntl.O_PATH |
  fcntl.O_TMPFILE_BIT;
const PATH_FLAGS = fcntl.O_DIRECTORY | fcntl.O_NOFOLLOW | fcntl.O_PATH | fcntl.O_CLOEXEC;
const MAKES_FILE = fcntl.O_CREAT | fcntl.O_TMPFILE_BIT;
/** What `openUnchanged` takes. */
const UNCHANGED_FLAGS =
  fcntl.O_CLOEXEC | fcntl.O_LARGEFILE | fcntl.O_NOFOLLOW | fcntl.O_NONBLOCK | fcntl.O_NOCTTY | fcntl.O_DIRECTORY;
const VALID_RESOLVE = 0x3f;
const SCOPED = fcntl.RESOLVE_BENEATH | fcntl.RESOLVE_IN_ROOT;
const OPEN_HOW_BYTES = 24;
const PAGE = 4096;

export function sys_openat(task: Task, dirfd: number, pathAddr: number, oflags: number, omode: number): number {
  let wanted = oflags & VALID_OPEN_FLAGS;
  if ((wanted & fcntl.O_PATH) !== 0) wanted &= PATH_FLAGS;
  const made = (wanted & MAKES_FILE) !== 0 ? omode & S_IALLUGO : 0;
  return open(task, dirfd, pathAddr, wanted, made, 0);
}

export function sys_openat2(task: Task, dirfd: number, pathAddr: number, howAddr: number, bytes: number): number {
  if (bytes < OPEN_HOW_BYTES) return -EINVAL;
  if (bytes > PAGE) return -E2BIG;
  if (task.mm.copyIn(howAddr, bytes) < 0) return -EFAULT;
  for (let i = OPEN_HOW_BYTES; i < bytes; i++) if (scratch.u8[i] !== 0) return -E2BIG;
  const oflags = scratch.getU64(0);
  const omode = scratch.getU64(8);
  const resolve = scratch.getU64(16);
  if (oflags > 0xffffffff || (oflags & ~VALID_OPEN_FLAGS) !== 0) return -EINVAL;
  if (resolve > VALID_RESOLVE) return -EINVAL;
  if ((resolve & SCOPED) === SCOPED) return -EINVAL;
  if (omode > S_IALLUGO || (omode !== 0 && (oflags & MAKES_FILE) === 0)) return -EINVAL;
  if ((oflags & fcntl.O_PATH) !== 0 && (oflags & ~PATH_FLAGS) !== 0) return -EINVAL;
  const uncached = fcntl.O_TRUNC | MAKES_FILE;
  if ((resolve & fcntl.RESOLVE_CACHED) !== 0 && (oflags & uncached) !== 0) return -EAGAIN;
  return open(task, dirfd, pathAddr, oflags, omode, resolve);
}

/** The checks of build_open_flags() that both calls share, then the open itself. */
function open(task: Task, dirfd: number, pathAddr: number, oflags: number, omode: number, resolve: number): number {
  if ((oflags & ~UNCHANGED_FLAGS) === 0 && resolve === 0) {
    const fd = openUnchangedAt(task, dirfd, pathAddr, oflags);
    if (fd !== null) return fd;
  }
  const directory = (oflags & fcntl.O_DIRECTORY) !== 0;
  if (directory && (oflags & fcntl.O_CREAT) !== 0) return -EINVAL;
  if ((oflags & fcntl.O_TMPFILE_BIT) !== 0) {
    if (!directory || (oflags & fcntl.O_ACCMODE) === fcntl.O_RDONLY) return -EINVAL;
  }
  const name = pathArg(task, pathAddr);
  if (typeof name === "number") return name;
  const free = task.files.lowestFree();
  if (free < 0) return free;
  // The descriptor is the root even of an absolute path.
  const inRoot = (resolve & fcntl.RESOLVE_IN_ROOT) !== 0;
  const base = inRoot ? directoryOf(task, dirfd) : baseOf(task, dirfd, name);
  if (typeof base === "number") return base;
  const cloexec = (oflags & fcntl.O_CLOEXEC) !== 0;
  const file = openPath(task.fs, base, name, oflags & ~fcntl.O_CLOEXEC, omode, resolve);
  if (typeof file === "number") return file;
  return finishOpen(task, file, cloexec);
}

/** The usual case of reading a file or directory of an image; null when it is another one. */
function openUnchangedAt(task: Task, dirfd: number, pathAddr: number, oflags: number): number | null {
  const base = dirfd === fcntl.AT_FDCWD ? task.fs.cwd : (task.files.get(dirfd)?.path ?? null);
  if (base === null || task.files.lowestFree() < 0) return null;
  const file = openUnchanged(task.fs, base, task.mm.space, pathAddr, oflags & ~fcntl.O_CLOEXEC);
  return file === null || typeof file === "number" ? file : task.files.install(file, (oflags & fcntl.O_CLOEXEC) !== 0);
}

/** Installs the file, after a FIFO's other end is there too. */
function finishOpen(task: Task, file: File, cloexec: boolean): number {
  const pending = file.openPending();
  if (pending === -EAGAIN) return task.block(new OpenOp(file, cloexec), file.waitQueue);
  const result = pending < 0 ? pending : task.files.install(file, cloexec);
  if (result < 0) file.unref();
  return result;
}

class OpenOp implements Op {
  private readonly file: File;
  private readonly cloexec: boolean;

  constructor(file: File, cloexec: boolean) {
    this.file = file;
    this.cloexec = cloexec;
  }

  resume(task: Task, wake: Wake): number {
    if (wake === Wake.signal && this.file.openPending() === -EAGAIN) {
      this.file.unref();
      return -ERESTARTSYS;
    }
    const pending = this.file.openPending();
    if (pending === -EAGAIN) return task.block(this, this.file.waitQueue);
    return finishOpen(task, this.file, this.cloexec);
  }

  cancel(): void {
    this.file.unref();
  }
}

export function sys_close(task: Task, fd: number): number {
  return task.files.close(fd);
}

const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;

export function sys_close_range(task: Task, first: number, last: number, how: number): number {
  if ((how & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || first > last) return -EINVAL;
  if ((how & CLOSE_RANGE_UNSHARE) !== 0 && task.files.shared) {
    const own = task.files.fork();
    task.files.unref();
    task.files = own;
  }
  if ((how & CLOSE_RANGE_CLOEXEC) !== 0) task.files.cloexecRange(first, last);
  else task.files.closeRange(first, last);
  return 0;
}

function createsFile(args: readonly number[]): boolean {
  return (args[2]! & (fcntl.O_CREAT | fcntl.O_TMPFILE_BIT)) !== 0;
}

export function rows(): Row[] {
  return [
    row(
      56,
      sys_openat,
      [dirfd, path, flags(() => (require("../abi/fcntl.ts") as typeof fcntl).OPEN_FLAGS), usedIf(mode, createsFile)],
      full(),
    ),
    row(57, sys_close, [fd], full()),
    row(436, sys_close_range, [u32, u32, flags(() => ({ CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC }))], full()),
    row(437, sys_openat2, [dirfd, path, struct("open_how"), size], full()),
  ];
}
