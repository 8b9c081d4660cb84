// dup(2), dup3(2) and fcntl(2) (fs/fcntl.c, fs/file.c).

import { CAP_SYS_RESOURCE } from "../abi/capability.ts";
import { EAGAIN, EBADF, EINVAL, EPERM } from "../abi/errno.ts";
import * as F from "../abi/fcntl.ts";
import { PipeFile } from "../fs/pipe/pipe.ts";
import type { Task } from "../kernel/task.ts";
import type { File } from "../vfs/file.ts";
import { capable, ownerOrCapable } from "../vfs/permission.ts";
import { queryLock, setLock } from "./locks.ts";
import { getOwner, getOwnerEx, setAsync, setOwner, setOwnerEx, setOwnerSignal } from "./owner.ts";
import { addr, fd, flags, full, namesIn, partial, type Row, row, usedIf, value } from "./row.ts";

export function sys_dup(task: Task, fd: number): number {
  return task.files.duplicate(fd, 0, false);
}

export function sys_dup3(task: Task, from: number, to: number, flags: number): number {
  if ((flags & ~F.O_CLOEXEC) !== 0) return -EINVAL;
  return task.files.duplicateTo(from, to, (flags & F.O_CLOEXEC) !== 0);
}

export function sys_fcntl(task: Task, fd: number, command: number, arg: number): number {
  const files = task.files;
  const file = files.get(fd);
  if (file === undefined) return -EBADF;
  switch (command) {
    case F.F_DUPFD:
      return files.duplicate(fd, arg | 0, false);
    case F.F_DUPFD_CLOEXEC:
      return files.duplicate(fd, arg | 0, true);
    case F.F_DUPFD_QUERY:
      return files.get(arg | 0) === undefined ? -EBADF : files.get(arg | 0) === file ? 1 : 0;
    case F.F_CREATED_QUERY:
      return file.created ? 1 : 0;
    case F.F_GETFD:
      return files.cloexec(fd) ? F.FD_CLOEXEC : 0;
    case F.F_SETFD:
      files.setCloexec(fd, (arg & F.FD_CLOEXEC) !== 0);
      return 0;
    case F.F_GETFL:
      return file.flags;
  }
  return (file.flags & F.O_PATH) !== 0 ? -EBADF : fileCommand(task, file, fd, command, arg);
}

/** The commands that O_PATH descriptors refuse. */
function fileCommand(task: Task, file: File, fd: number, command: number, arg: number): number {
  switch (command) {
    case F.F_SETFL:
      return setFlags(task, file, fd, arg);
    case F.F_GETLK:
      return queryLock(task, file, arg, false);
    case F.F_SETLK:
    case F.F_SETLKW:
      return setLock(task, file, arg, false, command === F.F_SETLKW);
    case F.F_OFD_GETLK:
      return queryLock(task, file, arg, true);
    case F.F_OFD_SETLK:
    case F.F_OFD_SETLKW:
      return setLock(task, file, arg, true, command === F.F_OFD_SETLKW);
    case F.F_SETOWN:
      return setOwner(task, file, arg | 0);
    case F.F_GETOWN:
      return getOwner(file);
    case F.F_SETOWN_EX:
      return setOwnerEx(task, file, arg);
    case F.F_GETOWN_EX:
      return getOwnerEx(task, file, arg);
    case F.F_SETSIG:
      return setOwnerSignal(file, arg);
    case F.F_GETSIG:
      return file.ownerSignal;
    case F.F_SETPIPE_SZ:
      if (!(file instanceof PipeFile)) return -EBADF;
      return file.pipe.setCapacity(arg, capable(task.cred, CAP_SYS_RESOURCE));
    case F.F_GETPIPE_SZ:
      return file instanceof PipeFile ? file.pipe.capacityBytes : -EBADF;
    case F.F_ADD_SEALS:
      if (!file.canWrite) return -EPERM;
      return file.addSeals(arg);
    case F.F_GET_SEALS:
      return file.seals();
    case F.F_SETLEASE:
      // DIFFERS: leases are never granted; Linux itself answers EAGAIN whenever somebody else has the file open.
      return arg === F.F_UNLCK ? -EAGAIN : arg === F.F_RDLCK || arg === F.F_WRLCK ? -EAGAIN : -EINVAL;
    case F.F_GETLEASE:
      return F.F_UNLCK;
    case F.F_NOTIFY:
      return -EINVAL;
    case F.F_GET_RW_HINT:
    case F.F_GET_FILE_RW_HINT:
      return task.mm.writeU64(arg, 0);
    case F.F_SET_RW_HINT:
    case F.F_SET_FILE_RW_HINT:
      return checkHint(task, arg);
  }
  return -EINVAL;
}

/** RWH_WRITE_LIFE_*: 0 to 5. */
function checkHint(task: Task, addr: number): number {
  const hint = task.mm.readU64(addr);
  if (hint < 0) return hint;
  return hint <= 5 ? 0 : -EINVAL;
}

const SETTABLE = F.O_APPEND | F.O_NONBLOCK | F.O_DIRECT | F.O_NOATIME;

function setFlags(task: Task, file: File, fd: number, arg: number): number {
  const added = arg & ~file.flags;
  if ((added & F.O_NOATIME) !== 0 && !ownerOrCapable(file.inode, task.cred)) return -EPERM;
  if (((arg ^ file.flags) & F.O_ASYNC) !== 0) setAsync(task.kernel, file, fd, (arg & F.O_ASYNC) !== 0);
  file.flags = (file.flags & ~SETTABLE) | (arg & SETTABLE);
  return 0;
}

const READERS = [F.F_GETFD, F.F_GETFL, F.F_GETOWN, F.F_GETSIG, F.F_GETLEASE, F.F_GETPIPE_SZ, F.F_GET_SEALS];

function takesArgument(args: readonly number[]): boolean {
  return !READERS.includes(args[1]!);
}

const COMMANDS = namesIn(() => require("../abi/fcntl.ts"), /^F_(?!SEAL|OWNER_(?!UIDS)|..LCK|RDLCK|UNLCK|WRLCK)/);

export function rows(): Row[] {
  return [
    row(23, sys_dup, [fd], full()),
    row(24, sys_dup3, [fd, fd, flags({ O_CLOEXEC: F.O_CLOEXEC })], full()),
    row(25, sys_fcntl, [fd, value(COMMANDS), usedIf(addr, takesArgument)], partial("no leases and no F_NOTIFY")),
  ];
}
