// Descriptors as the calls see them (fdget): O_PATH descriptors name a file but do not open it.

import { EFAULT } from "../abi/errno.ts";
import { O_PATH } from "../abi/fcntl.ts";
import type { Task } from "../kernel/task.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";
import type { File } from "../vfs/file.ts";

/** The open file of `fd`; undefined means -EBADF. */
export function openFile(task: Task, fd: number): File | undefined {
  const file = task.files.get(fd);
  return file === undefined || (file.flags & O_PATH) !== 0 ? undefined : file;
}

export function readableFile(task: Task, fd: number): File | undefined {
  const file = openFile(task, fd);
  return file?.canRead ? file : undefined;
}

export function writableFile(task: Task, fd: number): File | undefined {
  const file = openFile(task, fd);
  return file?.canWrite ? file : undefined;
}

/** access_ok: -EFAULT for a range that cannot belong to a guest. */
export function rangeError(addr: number, count: number): number {
  return addr + count > TASK_SIZE ? -EFAULT : 0;
}
