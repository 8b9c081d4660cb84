// ioctl(2): what every descriptor understands (fs/ioctl.c); the rest is the file's own business.

import { EBADF, EFAULT, ENOTTY } from "../abi/errno.ts";
import { O_ASYNC, O_CLOEXEC, O_NONBLOCK } from "../abi/fcntl.ts";
import * as I from "../abi/ioctl.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../abi/stat.ts";
import type { Task } from "../kernel/task.ts";
import type { File } from "../vfs/file.ts";
import { openFile } from "./descriptor.ts";
import { setAsync } from "./owner.ts";
import { addr, fd, partial, type Row, row, value } from "./row.ts";

/** All commands of sockets begin with this (include/uapi/linux/sockios.h). */
const OF_SOCKETS = 0x8900;

function forSockets(): typeof import("./socket-ioctl.ts") {
  return require("./socket-ioctl.ts");
}

export function sys_ioctl(task: Task, fd: number, command: number, arg: number): number {
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  switch (command) {
    case I.FIOCLEX:
    case I.FIONCLEX:
      task.files.setCloexec(fd, command === I.FIOCLEX);
      return 0;
    case I.FIONBIO:
      return setBit(task, file, fd, arg, O_NONBLOCK);
    case I.FIOASYNC:
      return setBit(task, file, fd, arg, O_ASYNC);
    case I.TIOCGPTPEER:
      return openPeer(task, file, arg);
    case I.NS_GET_USERNS:
      return openUserNamespace(task, file);
    case I.FIOQSIZE:
    case I.FIGETBSZ:
      return sizeCommand(task, file, command, arg);
    case I.FIONREAD:
      if ((file.inode.mode & S_IFMT) === S_IFREG) return task.mm.writeU32(arg, (file.sizeBytes() - file.pos) >>> 0);
  }
  if ((command & ~0xff) === OF_SOCKETS) return forSockets().socketIoctl(task, file, command, arg);
  return file.ioctl(task.mm, command, arg);
}

/** The other end of a pseudo terminal, without a walk to /dev/pts. */
function openPeer(task: Task, master: File, flags: number): number {
  const { MasterFile } = require("../tty/pty.ts") as typeof import("../tty/pty.ts");
  if (!(master instanceof MasterFile)) return -ENOTTY;
  const file = master.pty.openPeer(flags & ~O_CLOEXEC);
  if (typeof file === "number") return file;
  const fd = task.files.install(file, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) file.unref();
  return fd;
}

function openUserNamespace(task: Task, namespace: File): number {
  const { owningUserNamespace } = require("../fs/proc/namespaces.ts") as typeof import("../fs/proc/namespaces.ts");
  const file = owningUserNamespace(namespace);
  if (typeof file === "number") return file;
  const fd = task.files.install(file, true);
  if (fd < 0) file.unref();
  return fd;
}

function setBit(task: Task, file: File, fd: number, addr: number, bit: number): number {
  const on = task.mm.readU32(addr);
  if (on < 0) return -EFAULT;
  if (bit === O_ASYNC) {
    if ((on !== 0) === ((file.flags & O_ASYNC) !== 0)) return 0;
    return setAsync(task.kernel, file, fd, on !== 0) < 0 ? -ENOTTY : 0;
  }
  file.flags = on !== 0 ? file.flags | bit : file.flags & ~bit;
  return 0;
}

function sizeCommand(task: Task, file: File, command: number, addr: number): number {
  const stat = file.stat();
  if (typeof stat === "number") return stat;
  if (command === I.FIGETBSZ) return task.mm.writeU32(addr, stat.blksize);
  const type = stat.mode & S_IFMT;
  if (type !== S_IFDIR && type !== S_IFREG && type !== S_IFLNK) return -ENOTTY;
  return task.mm.writeU64(addr, stat.size);
}

export function rows(): Row[] {
  return [
    row(
      29,
      sys_ioctl,
      [fd, { ...value(() => (require("../abi/ioctl.ts") as typeof I).IOCTL_NAMES), lane: "u32" }, addr],
      partial("terminals, pipes, sockets and generic commands"),
    ),
  ];
}
