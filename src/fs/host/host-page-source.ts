// The store behind the page cache of a host file: preads and pwrites straight into and out of frames.

import { EBADF } from "../../abi/errno.ts";
import { O_RDWR } from "../../abi/fcntl.ts";
import { files } from "../../host/files.ts";
import { shim } from "../../host/shim.ts";
import { lookAt, seen } from "../../host/stat.ts";
import type { PageSource } from "../../mm/page-source.ts";
import type { HostRegular } from "./host-regular.ts";

const PAGE = 4096;

export class HostPageSource implements PageSource {
  private readonly inode: HostRegular;
  /** Descriptors of our own: pages outlive the open files that brought them in. */
  private readFd = -1;
  private writeFd = -1;

  constructor(inode: HostRegular) {
    this.inode = inode;
  }

  /** Makes sure that pages can be read, and written when `writable`, with the rights of the open file `fd`. */
  attach(fd: number, writable: boolean): number {
    if (writable && this.writeFd < 0) {
      // A description of its own: the file's may append whatever the position says.
      const own = files.reopen(fd, O_RDWR);
      this.writeFd = own >= 0 ? own : files.duplicate(fd);
      if (this.writeFd < 0) return this.writeFd;
    }
    if (this.readFd < 0 && this.writeFd < 0) {
      this.readFd = files.duplicate(fd);
      if (this.readFd < 0) return this.readFd;
    }
    return 0;
  }

  private get fd(): number {
    return this.readFd >= 0 ? this.readFd : this.writeFd;
  }

  readPages(index: number, frame: number, count: number): number {
    return Math.min(shim.frame_fill(frame, count, this.fd, index * PAGE), 0);
  }

  writePage(index: number, frame: number, sizeBytes: number): number {
    if (this.writeFd < 0) return -EBADF;
    this.inode.changed();
    return Math.min(shim.frame_flush(frame, sizeBytes, this.writeFd, index * PAGE), 0);
  }

  sizeBytes(): number {
    return lookAt(this.fd) < 0 ? 0 : seen.size;
  }

  close(): void {
    if (this.readFd >= 0) files.close(this.readFd);
    if (this.writeFd >= 0) files.close(this.writeFd);
    this.readFd = -1;
    this.writeFd = -1;
  }
}
