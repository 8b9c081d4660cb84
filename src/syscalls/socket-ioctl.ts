// Commands of sockets (net/socket.c: sock_do_ioctl): what is not about interfaces is the file's own business.

import type { Task } from "../kernel/task.ts";
import { interfaceIoctl, isInterfaceCommand } from "../net/interfaces.ts";
import { Socket } from "../net/socket.ts";
import type { File } from "../vfs/file.ts";

export function socketIoctl(task: Task, file: File, command: number, arg: number): number {
  if (file instanceof Socket && isInterfaceCommand(command))
    return interfaceIoctl(task.kernel.isolated, file.domain, task.mm, command, arg);
  return file.ioctl(task.mm, command, arg);
}
