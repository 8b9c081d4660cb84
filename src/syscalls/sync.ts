// Writing back: sync(2), syncfs(2), fsync(2), fdatasync(2), sync_file_range(2).

import { EBADF, EINVAL, ESPIPE } from "../abi/errno.ts";
import { S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK } from "../abi/stat.ts";
import type { Task } from "../kernel/task.ts";
import { openFile } from "./path-args.ts";
import { fd, flags, full, off, partial, type Row, row } from "./row.ts";

export function sys_sync(task: Task): number {
  for (const mount of task.kernel.mounts.mounts) mount.sync();
  return 0;
}

export function sys_syncfs(task: Task, fd: number): number {
  const file = openFile(task, fd);
  return typeof file === "number" ? file : file.inode.fs.sync();
}

export function sys_fsync(task: Task, fd: number): number {
  const file = openFile(task, fd);
  return typeof file === "number" ? file : file.sync(false);
}

export function sys_fdatasync(task: Task, fd: number): number {
  const file = openFile(task, fd);
  return typeof file === "number" ? file : file.sync(true);
}

const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
const SYNC_FILE_RANGE_WRITE = 2;
const SYNC_FILE_RANGE_WAIT_AFTER = 4;

export function sys_sync_file_range(task: Task, fd: number, offset: number, bytes: number, how: number): number {
  const file = openFile(task, fd);
  if (typeof file === "number") return -EBADF;
  if ((how & ~7) !== 0 || offset < 0 || bytes < 0) return -EINVAL;
  const type = file.inode.mode & S_IFMT;
  if (type === S_IFCHR || type === S_IFIFO || type === S_IFSOCK) return -ESPIPE;
  return (how & SYNC_FILE_RANGE_WAIT_AFTER) !== 0 ? file.sync(true) : 0;
}

export function rows(): Row[] {
  return [
    row(81, sys_sync, [], full()),
    row(82, sys_fsync, [fd], full()),
    row(83, sys_fdatasync, [fd], full()),
    row(
      84,
      sys_sync_file_range,
      [fd, off, off, flags({ SYNC_FILE_RANGE_WAIT_BEFORE, SYNC_FILE_RANGE_WRITE, SYNC_FILE_RANGE_WAIT_AFTER })],
      partial("writes the whole file back, and only when told to wait"),
    ),
    row(267, sys_syncfs, [fd], full()),
  ];
}
