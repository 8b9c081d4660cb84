// Symbolic links and special files of a host directory.

import { EINVAL, ELOOP, ENXIO } from "../../abi/errno.ts";
import { O_NOFOLLOW } from "../../abi/fcntl.ts";
import { S_IFCHR, S_IFIFO, S_IFMT } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { openCharacterDevice, openFifo } from "../../vfs/devices.ts";
import type { File } from "../../vfs/file.ts";
import { HostInode } from "./host-inode.ts";
import { hostOpenFlags } from "./host-regular.ts";
import { HostStreamFile } from "./host-stream.ts";

export class HostLink extends HostInode {
  override readlink(): string | number {
    const at = this.reach();
    return typeof at === "number" ? at : files.readlink(at.fd, at.name);
  }

  override open(): File | number {
    return -ELOOP;
  }

  protected override setSize(): number {
    return -EINVAL;
  }
}

/** A FIFO, character device or socket. */
export class HostSpecial extends HostInode {
  private anchorFd = -1;

  override get openFd(): number {
    return this.anchorFd >= 0 ? this.anchorFd : this.rootFd;
  }

  /** `fd` is one of carrick's own streams, open for good. */
  anchor(fd: number): void {
    this.anchorFd = fd;
  }

  /** FIFO ends meet at this object. */
  override get pinned(): boolean {
    return (this.mode & S_IFMT) === S_IFIFO;
  }

  /**
   * DIFFERS: a FIFO connects the guest's own programs; a program of the host that opens the same name waits alone.
   * Devices that the kernel itself provides (null, zero, tty, ...) are ours, other ones the host's.
   */
  override open(flags: number): File | number {
    const type = this.mode & S_IFMT;
    if (type === S_IFIFO) return openFifo(this.fs.canonical(this), flags);
    if (type !== S_IFCHR) return -ENXIO;
    const stat = this.stat();
    if (typeof stat === "number") return stat;
    const ours = openCharacterDevice(this, stat.rdev, flags);
    if (ours !== -ENXIO) return ours;
    const at = this.reach();
    if (typeof at === "number") return at;
    const how = hostOpenFlags(flags);
    const fd = at.name === "" ? files.reopen(at.fd, how) : files.open(at.fd, at.name, how | O_NOFOLLOW, 0);
    return fd < 0 ? fd : new HostStreamFile(this, flags, fd, this.fs.poller, true);
  }

  protected override setSize(): number {
    return -EINVAL;
  }
}
