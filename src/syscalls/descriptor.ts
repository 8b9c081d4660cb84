// Descriptors as the calls see them (fdget): O_PATH descriptors name a file but do not open it.

import { EFAULT, EINVAL } from "../abi/errno.ts";
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

/** A struct timespec in guest memory as nanoseconds (Infinity past 2^53); -EFAULT, -EINVAL. */
export function readTimespecNs(task: Task, addr: number): number {
  const bytes = timespec;
  if (task.mm.copyInBytes(addr, bytes, 0, 16) !== 16) return -EFAULT;
  const sec = timespecView.getUint32(0, true) + timespecView.getInt32(4, true) * 4294967296;
  const nsec = timespecView.getUint32(8, true) + timespecView.getInt32(12, true) * 4294967296;
  if (sec < 0 || nsec < 0 || nsec > 999999999) return -EINVAL;
  return sec > 9e15 / 1e9 ? Number.POSITIVE_INFINITY : sec * 1e9 + nsec;
}

/** Writes `ns` (at least 0) as a struct timespec: 0 or -EFAULT. */
export function writeTimespecNs(task: Task, addr: number, ns: number): number {
  const sec = Math.floor(ns / 1e9);
  setI64(0, sec);
  setI64(8, ns - sec * 1e9);
  return task.mm.copyOutBytes(addr, timespec, 0, 16) === 16 ? 0 : -EFAULT;
}

const timespec = new Uint8Array(16);
const timespecView = new DataView(timespec.buffer);

function setI64(at: number, value: number): void {
  timespecView.setUint32(at, value % 4294967296, true);
  timespecView.setInt32(at + 4, Math.floor(value / 4294967296), true);
}
