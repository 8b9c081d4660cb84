// Commands of sockets (net/socket.c: sock_do_ioctl): what is not about interfaces is the file's own business.

import * as S from "../abi/socket.ts";
import type { Task } from "../kernel/task.ts";
import { interfaceIoctl, isInterfaceCommand } from "../net/interfaces.ts";
import { Socket } from "../net/socket.ts";
import type { File } from "../vfs/file.ts";
import { getOwner, setOwner } from "./owner.ts";

export function socketIoctl(task: Task, file: File, command: number, arg: number): number {
  if (!(file instanceof Socket)) return file.ioctl(task.mm, command, arg);
  if (isInterfaceCommand(command)) return interfaceIoctl(task.kernel.isolated, file.domain, task.mm, command, arg);
  switch (command) {
    case S.FIOSETOWN:
    case S.SIOCSPGRP: {
      const owner = task.mm.readU32(arg);
      return owner < 0 ? owner : setOwner(task, file, owner | 0);
    }
    case S.FIOGETOWN:
    case S.SIOCGPGRP:
      return task.mm.writeU32(arg, getOwner(file) >>> 0);
  }
  return file.ioctl(task.mm, command, arg);
}
