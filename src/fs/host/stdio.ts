// carrick's own standard streams as files of the guest. They behave as for a native child: a redirected file shares its
// position with the other processes that have it, a pipe or terminal is waited for through the poller.

import { EBADF, ENOTTY } from "../../abi/errno.ts";
import { O_ACCMODE } from "../../abi/fcntl.ts";
import { S_IFIFO, S_IFMT, S_IFSOCK } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { terminal } from "../../host/terminal.ts";
import type { File } from "../../vfs/file.ts";
import type { Stat } from "../../vfs/inode.ts";
import { HostDirectory } from "./host-directory.ts";
import { HostDirectoryFile } from "./host-directory-file.ts";
import type { HostFileSystem } from "./host-file-system.ts";
import { HostRegular } from "./host-regular.ts";
import { HostSpecial } from "./host-special.ts";
import { HostStreamFile } from "./host-stream.ts";
import { InheritedFile } from "./inherited-file.ts";

/** carrick's terminal as a pipe: what a container without a terminal of its own has. */
class PipeLikeFile extends HostStreamFile {
  override ioctl(): number {
    return -ENOTTY;
  }

  override stat(): Stat | number {
    const stat = super.stat();
    return typeof stat === "number" ? stat : { ...stat, mode: S_IFIFO | 0o600, rdev: 0 };
  }

  override name(): string {
    return `pipe:[${this.inode.ino}]`;
  }
}

export interface InheritOptions {
  /** Whether terminals and sockets are pipes to the guest, which can be opened again by name, as a container's streams can. */
  readonly asPipes?: boolean;
}

/**
 * The host's descriptor `fd`, which carrick was started with, as an open file; -EBADF when carrick was started without it. `fs` gives
 * redirected files their identity; it need not be mounted.
 */
export function inheritedFile(fs: HostFileSystem, fd: number, options: InheritOptions = {}): File | number {
  const flags = files.getFlags(fd);
  if (flags < 0) return flags;
  const inode = fs.adopt(fd);
  if (typeof inode === "number") return inode;
  if (inode instanceof HostRegular) {
    return new InheritedFile(inode, flags, fd);
  }
  if (inode instanceof HostDirectory) {
    const own = files.duplicate(fd);
    return own < 0 ? own : new HostDirectoryFile(inode, flags & O_ACCMODE, own);
  }
  if (!(inode instanceof HostSpecial)) return -EBADF;
  const asPipes = options.asPipes === true;
  const Stream = asPipes && terminal.isTerminal(fd) ? PipeLikeFile : HostStreamFile;
  const reopen = (how: number): File | number => {
    const own = files.duplicate(fd);
    return own < 0 ? own : new Stream(inode, how, own, fs.poller, true);
  };
  const isSocket = (inode.mode & S_IFMT) === S_IFSOCK;
  inode.anchor(fd, asPipes && (isSocket || Stream === PipeLikeFile) ? reopen : null);
  return new Stream(inode, flags, fd, fs.poller, false);
}
