// Descriptors that a program of the host sent (SCM_RIGHTS), as files of the guest.
//
// DIFFERS: a socket that is received can be read, written and waited for, but takes no socket calls.

import { EBADF } from "../../abi/errno.ts";
import { files } from "../../host/files.ts";
import type { File } from "../../vfs/file.ts";
import { HostDirectory } from "./host-directory.ts";
import { HostDirectoryFile } from "./host-directory-file.ts";
import type { HostFileSystem } from "./host-file-system.ts";
import { HostRegular } from "./host-regular.ts";
import { HostStreamFile } from "./host-stream.ts";
import { InheritedFile } from "./inherited-file.ts";

/** The host keeps the position, which the sender may share. */
class ReceivedFile extends InheritedFile {
  protected override release(): void {
    super.release();
    files.close(this.fd);
  }
}

/** Takes over `fd`. `fs` gives the file its identity. */
export function receivedFile(fs: HostFileSystem, fd: number): File | number {
  // Descriptors of the host may take the numbers of standard streams that carrick was started without.
  const own = fd > 2 ? fd : files.duplicate(fd);
  if (own !== fd) files.close(fd);
  const flags = own < 0 ? own : files.getFlags(own);
  const inode = flags < 0 ? flags : fs.adopt(own);
  if (inode instanceof HostRegular) return new ReceivedFile(inode, flags, own);
  if (inode instanceof HostDirectory) return new HostDirectoryFile(inode, flags, own);
  if (typeof inode !== "number") return new HostStreamFile(inode, flags, own, fs.poller, true);
  if (own >= 0) files.close(own);
  return -EBADF;
}
