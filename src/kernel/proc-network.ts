// The sockets of all guests, for /proc/net.

import type { ProcSocket } from "../fs/proc/source.ts";
import { Socket } from "../net/socket.ts";
import type { Kernel } from "./kernel.ts";

export { hostNetTable } from "../host/interfaces.ts";

/** Every socket that a descriptor leads to, the oldest first. */
export function openSockets(kernel: Kernel): readonly ProcSocket[] {
  const found = new Set<Socket>();
  for (const group of kernel.pids.allGroups())
    for (const { files } of group.tasks)
      for (let fd = 0; fd < files.end; fd += 1) {
        const file = files.get(fd);
        if (file instanceof Socket) found.add(file);
      }
  return Array.from(found, described).sort((a, b) => a.ino - b.ino);
}

function described(socket: Socket): ProcSocket {
  const local = socket.ownAddress();
  const peer = socket.peerAddress();
  return {
    domain: socket.domain,
    type: socket.type,
    ino: socket.inode.ino,
    uid: socket.inode.uid,
    state: socket.connectionState,
    local: typeof local === "number" ? null : local,
    peer: typeof peer === "number" ? null : peer,
    path: socket.boundName,
    ...socket.queuedBytes(),
  };
}
