// execve(2) and execveat(2) (fs/exec.c): reads the arguments, opens the program, and enters it.

import { E2BIG, EACCES, EBADF, EFAULT, EINVAL, ENOENT, ENOTDIR } from "../abi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../abi/fcntl.ts";
import { MAX_ARG_STRINGS_BYTES, MAX_ARG_STRLEN } from "../abi/limits.ts";
import { S_IFMT, S_IFREG } from "../abi/stat.ts";
import { NO_RESULT } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { execTask } from "../kernel/task-exec.ts";
import type { File } from "../vfs/file.ts";
import { openExecutable, openExecutableAt } from "../vfs/open.ts";
import { argv as argvArg, dirfd, flags, full, path, type Row, row } from "./row.ts";

const AT_NAMES = { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW };
const POINTER_BYTES = 8;

export function sys_execve(task: Task, pathAddr: number, argvAddr: number, envpAddr: number): number {
  return sys_execveat(task, AT_FDCWD, pathAddr, argvAddr, envpAddr, 0);
}

export function sys_execveat(
  task: Task,
  base: number,
  pathAddr: number,
  argvAddr: number,
  envpAddr: number,
  how: number,
): number {
  if ((how & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  const name = task.mm.readPath(pathAddr);
  if (typeof name === "number") return name;
  const program = openProgram(task, base, name, how);
  if (typeof program === "number") return program;
  const result = enterProgram(task, program, base, name, argvAddr, envpAddr);
  program.unref();
  return result;
}

/** What the program sees as its file name: execveat with a descriptor has none of its own. */
function nameOf(base: number, name: string): string {
  if (name.startsWith("/") || base === AT_FDCWD) return name;
  return name === "" ? `/dev/fd/${base}` : `/dev/fd/${base}/${name}`;
}

function openProgram(task: Task, base: number, name: string, how: number): File | number {
  const follow = (how & AT_SYMLINK_NOFOLLOW) === 0;
  if (name === "" && (how & AT_EMPTY_PATH) === 0) return -ENOENT;
  if (base === AT_FDCWD || name.startsWith("/")) return openExecutable(task.fs, task.fs.cwd, name, follow);
  const file = task.files.get(base);
  if (file === undefined) return -EBADF;
  if (file.path === null) return name !== "" ? -ENOTDIR : isRegular(file) ? file.ref() : -EACCES;
  return name === "" ? openExecutableAt(task.fs, file.path) : openExecutable(task.fs, file.path, name, follow);
}

function isRegular(file: File): boolean {
  return (file.inode.mode & S_IFMT) === S_IFREG;
}

function enterProgram(task: Task, file: File, base: number, name: string, argvAddr: number, envpAddr: number): number {
  const argv = readStrings(task, argvAddr, 0);
  if (typeof argv === "number") return argv;
  const envp = readStrings(task, envpAddr, totalBytes(argv));
  if (typeof envp === "number") return envp;
  const filename = nameOf(base, name);
  const inaccessible = filename !== name && task.files.cloexec(base);
  const { tid } = task;
  const result = execTask(task, {
    file,
    filename,
    inaccessible,
    comm: name === "" ? null : name.slice(name.lastIndexOf("/") + 1),
    argv,
    envp,
  });
  if (result < 0) return result;
  return task.trace === null ? NO_RESULT : task.trace.execs(tid);
}

/** A NULL-terminated array of strings; a NULL array is an empty one. -EFAULT, -E2BIG. */
function readStrings(task: Task, arrayAddr: number, usedBytes: number): string[] | number {
  const strings: string[] = [];
  if (arrayAddr === 0) return strings;
  const limit = Math.max(Math.min(task.group.limits.stackBytes / 4, MAX_ARG_STRINGS_BYTES), MAX_ARG_STRLEN);
  let bytes = usedBytes;
  for (let at = arrayAddr; ; at += POINTER_BYTES) {
    const pointer = task.mm.readU64(at);
    if (pointer < 0) return -EFAULT;
    if (pointer === 0) return strings;
    const text = task.mm.readString(task.mm.untag(pointer), MAX_ARG_STRLEN);
    if (typeof text === "number") return text === -EFAULT ? -EFAULT : -E2BIG;
    bytes += text.length + 1 + POINTER_BYTES;
    if (bytes > limit) return -E2BIG;
    strings.push(text);
  }
}

function totalBytes(strings: readonly string[]): number {
  return strings.reduce((sum, text) => sum + text.length + 1 + POINTER_BYTES, 0);
}

export function rows(): Row[] {
  return [
    row(221, sys_execve, [path, argvArg, argvArg], full()),
    row(281, sys_execveat, [dirfd, path, argvArg, argvArg, flags(AT_NAMES)], full()),
  ];
}
