// Extended attributes: the setxattr(2), getxattr(2), listxattr(2) and removexattr(2) families.

import { E2BIG, EFAULT, EINVAL, ENAMETOOLONG, ERANGE } from "../abi/errno.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../abi/fcntl.ts";
import { XATTR_CREATE, XATTR_LIST_MAX, XATTR_NAME_MAX, XATTR_REPLACE, XATTR_SIZE_MAX } from "../abi/stat.ts";
import type { Task } from "../kernel/task.ts";
import type { Target } from "../vfs/attributes.ts";
import { getXattr, listXattr, removeXattr, setXattr } from "../vfs/xattr.ts";
import { targetAt, targetOfOpenFile } from "./path-args.ts";
import { fd, flags, full, inBuf, outBuf, path, type Row, row, size } from "./row.ts";

/** An attribute's name; -ERANGE when it is empty or too long. */
function nameArg(task: Task, addr: number): string | number {
  const name = task.mm.readString(addr, XATTR_NAME_MAX + 1);
  if (name === "" || name === -ENAMETOOLONG) return -ERANGE;
  return name;
}

/** `target` is asked for after the name and value are read, as the kernel does. */
function set(
  task: Task,
  target: () => Target | number,
  nameAddr: number,
  valueAddr: number,
  bytes: number,
  how: number,
): number {
  if ((how & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return -EINVAL;
  const name = nameArg(task, nameAddr);
  if (typeof name === "number") return name;
  if (bytes > XATTR_SIZE_MAX) return -E2BIG;
  const value = new Uint8Array(bytes);
  if (bytes > 0 && task.mm.copyInBytes(valueAddr, value, 0, bytes) !== bytes) return -EFAULT;
  const at = target();
  return typeof at === "number" ? at : setXattr(task.fs, at, name, value, how);
}

function get(task: Task, target: () => Target | number, nameAddr: number, out: number, bytes: number): number {
  const name = nameArg(task, nameAddr);
  if (typeof name === "number") return name;
  const at = target();
  if (typeof at === "number") return at;
  const value = getXattr(task.fs, at, name);
  return typeof value === "number" ? value : putBytes(task, value, out, bytes);
}

/** Size 0 asks for the size alone. */
function putBytes(task: Task, value: Uint8Array, out: number, bytes: number): number {
  if (bytes === 0) return value.length;
  if (value.length > bytes) return -ERANGE;
  if (value.length === 0) return 0;
  return task.mm.copyOutBytes(out, value, 0, value.length) === value.length ? value.length : -EFAULT;
}

function list(task: Task, at: Target | number, out: number, bytes: number): number {
  if (typeof at === "number") return at;
  const names = listXattr(task.fs, at);
  if (typeof names === "number") return names;
  const text = Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1");
  return text.length > XATTR_LIST_MAX ? -E2BIG : putBytes(task, text, out, bytes);
}

function remove(task: Task, target: () => Target | number, nameAddr: number): number {
  const name = nameArg(task, nameAddr);
  if (typeof name === "number") return name;
  const at = target();
  return typeof at === "number" ? at : removeXattr(task.fs, at, name);
}

const follow = (task: Task, addr: number) => () => targetAt(task, AT_FDCWD, addr, 0);
const nofollow = (task: Task, addr: number) => () => targetAt(task, AT_FDCWD, addr, AT_SYMLINK_NOFOLLOW);
const opened = (task: Task, fd: number) => () => targetOfOpenFile(task, fd);

export function sys_setxattr(
  task: Task,
  path: number,
  name: number,
  value: number,
  bytes: number,
  how: number,
): number {
  return set(task, follow(task, path), name, value, bytes, how);
}
export function sys_lsetxattr(
  task: Task,
  path: number,
  name: number,
  value: number,
  bytes: number,
  how: number,
): number {
  return set(task, nofollow(task, path), name, value, bytes, how);
}
export function sys_fsetxattr(task: Task, fd: number, name: number, value: number, bytes: number, how: number): number {
  return set(task, opened(task, fd), name, value, bytes, how);
}

export function sys_getxattr(task: Task, path: number, name: number, out: number, bytes: number): number {
  return get(task, follow(task, path), name, out, bytes);
}
export function sys_lgetxattr(task: Task, path: number, name: number, out: number, bytes: number): number {
  return get(task, nofollow(task, path), name, out, bytes);
}
export function sys_fgetxattr(task: Task, fd: number, name: number, out: number, bytes: number): number {
  return get(task, opened(task, fd), name, out, bytes);
}

export function sys_listxattr(task: Task, path: number, out: number, bytes: number): number {
  return list(task, follow(task, path)(), out, bytes);
}
export function sys_llistxattr(task: Task, path: number, out: number, bytes: number): number {
  return list(task, nofollow(task, path)(), out, bytes);
}
export function sys_flistxattr(task: Task, fd: number, out: number, bytes: number): number {
  return list(task, opened(task, fd)(), out, bytes);
}

export function sys_removexattr(task: Task, path: number, name: number): number {
  return remove(task, follow(task, path), name);
}
export function sys_lremovexattr(task: Task, path: number, name: number): number {
  return remove(task, nofollow(task, path), name);
}
export function sys_fremovexattr(task: Task, fd: number, name: number): number {
  return remove(task, opened(task, fd), name);
}

const HOW = flags({ XATTR_CREATE, XATTR_REPLACE });

export function rows(): Row[] {
  return [
    row(5, sys_setxattr, [path, path, inBuf(3), size, HOW], full()),
    row(6, sys_lsetxattr, [path, path, inBuf(3), size, HOW], full()),
    row(7, sys_fsetxattr, [fd, path, inBuf(3), size, HOW], full()),
    row(8, sys_getxattr, [path, path, outBuf(3), size], full()),
    row(9, sys_lgetxattr, [path, path, outBuf(3), size], full()),
    row(10, sys_fgetxattr, [fd, path, outBuf(3), size], full()),
    row(11, sys_listxattr, [path, outBuf(2), size], full()),
    row(12, sys_llistxattr, [path, outBuf(2), size], full()),
    row(13, sys_flistxattr, [fd, outBuf(2), size], full()),
    row(14, sys_removexattr, [path, path], full()),
    row(15, sys_lremovexattr, [path, path], full()),
    row(16, sys_fremovexattr, [fd, path], full()),
  ];
}
