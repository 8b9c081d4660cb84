// Names of UNIX sockets (unix(7), net/unix/af_unix.c: unix_mkname, unix_find_other): paths, which are inodes of type socket,
// and abstract names, which begin with NUL and live in no file system.

import { EADDRINUSE, ECONNREFUSED, EEXIST, EINVAL } from "../../abi/errno.ts";
import { AF_UNIX, SOCKADDR_UN_BYTES } from "../../abi/socket.ts";
import { S_IFMT, S_IFSOCK } from "../../abi/stat.ts";
import type { HostMeeting, Inode } from "../../vfs/inode.ts";
import { InodeMap } from "../../vfs/inode-map.ts";
import { FOLLOW, walk } from "../../vfs/namei.ts";
import { makeSocket } from "../../vfs/names.ts";
import { MAY_WRITE } from "../../vfs/permission.ts";
import type { SocketUser } from "../socket.ts";
import type { UnixSocket } from "./unix-socket.ts";

const abstract = new Map<string, UnixSocket>();
const bound = new InodeMap<UnixSocket>();

/** The name in a struct sockaddr_un as a byte string ("" when there is none, NUL first when abstract), or -EINVAL. */
export function nameOf(address: Uint8Array): string | number {
  const length = address.length;
  if (length < 2 || length > SOCKADDR_UN_BYTES) return -EINVAL;
  if ((address[0]! | (address[1]! << 8)) !== AF_UNIX) return -EINVAL;
  const text = Buffer.from(address.buffer, address.byteOffset + 2, length - 2).toString("latin1");
  if (text === "" || text.charCodeAt(0) === 0) return text;
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** The struct sockaddr_un of a name; null stands for a socket without one. */
export function addressOf(name: string | null): Uint8Array {
  if (name === null) return Uint8Array.of(AF_UNIX, 0);
  const isPath = name.charCodeAt(0) !== 0;
  const bytes = new Uint8Array(2 + name.length + (isPath ? 1 : 0));
  bytes[0] = AF_UNIX;
  Buffer.from(bytes.buffer).write(name, 2, "latin1");
  return bytes;
}

/** Gives `socket` the name: 0, -EADDRINUSE, or the error of making the inode. */
export function bindName(user: SocketUser, socket: UnixSocket, name: string): number {
  if (name.charCodeAt(0) === 0) {
    if (abstract.has(name)) return -EADDRINUSE;
    abstract.set(name, socket);
    return 0;
  }
  const made = makeSocket(user.fs, name, (place) => socket.fdFor(place));
  if (made !== 0) return made === -EEXIST ? -EADDRINUSE : made;
  const place = walk(user.fs, user.fs.cwd, name, 0);
  if (typeof place === "number") return place;
  socket.boundTo = place.dentry.inode;
  bound.set(place.dentry.inode, socket);
  return 0;
}

let nextAutomatic = 0;

/** Five hexadecimal digits that nobody has (unix_autobind). */
export function bindAutomatically(socket: UnixSocket): string {
  for (;;) {
    const name = `\0${(nextAutomatic++ & 0xfffff).toString(16).padStart(5, "0")}`;
    if (abstract.has(name)) continue;
    abstract.set(name, socket);
    return name;
  }
}

/** The socket is gone: nobody finds it any more. The inode stays until somebody unlinks it. */
export function releaseName(socket: UnixSocket, name: string, inode: Inode | null): void {
  if (abstract.get(name) === socket) abstract.delete(name);
  if (inode !== null && bound.get(inode) === socket) bound.delete(inode);
}

/** The live socket of a name, or where the host may know one: -ECONNREFUSED when there is none, or the walk's error. */
export function findSocket(user: SocketUser, name: string): UnixSocket | HostMeeting | number {
  if (name.charCodeAt(0) === 0) return abstract.get(name) ?? -ECONNREFUSED;
  const place = walk(user.fs, user.fs.cwd, name, FOLLOW);
  if (typeof place === "number") return place;
  const inode = place.dentry.inode;
  const denied = inode.permission(user.cred, MAY_WRITE);
  if (denied !== 0) return denied;
  if ((inode.mode & S_IFMT) !== S_IFSOCK) return -ECONNREFUSED;
  return bound.get(inode) ?? inode.hostMeeting ?? -ECONNREFUSED;
}
