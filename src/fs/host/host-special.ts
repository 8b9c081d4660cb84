// Symbolic links and special files of a host directory.

import { EINVAL, ELOOP, ENXIO } from "../../abi/errno.ts";
import { O_ACCMODE, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDWR, O_WRONLY } from "../../abi/fcntl.ts";
import { S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { openCharacterDevice } from "../../vfs/devices.ts";
import type { File } from "../../vfs/file.ts";
import type { HostMeeting } from "../../vfs/inode.ts";
import { MAY_READ, MAY_WRITE } from "../../vfs/permission.ts";
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
  private reopened: ((flags: number) => File | number) | null = null;

  override get openFd(): number {
    return this.anchorFd >= 0 ? this.anchorFd : this.rootFd;
  }

  /** A FIFO is opened by its name alone. */
  override hold(): void {}
  override letGo(): void {}

  override get hostMeeting(): HostMeeting | null {
    if ((this.mode & S_IFMT) !== S_IFSOCK) return null;
    const { Meeting } = require("./meeting.ts") as typeof import("./meeting.ts");
    return new Meeting(this.fs, this);
  }

  /** As HostMeeting's. */
  withAddress(use: (address: Uint8Array) => number): number {
    const { sockets } = require("../../host/sockets.ts") as typeof import("../../host/sockets.ts");
    return this.withFd((fd) => {
      const address = sockets.pathAddress(fd, "");
      return typeof address === "number" ? address : use(address);
    });
  }

  /** `fd` is one of carrick's own streams, open for good. `reopen`: how it is opened anew where it does not look like what it is. */
  anchor(fd: number, reopen: ((flags: number) => File | number) | null): void {
    this.anchorFd = fd;
    this.reopened = reopen;
  }

  /**
   * Devices that the kernel itself provides (null, zero, tty, ...) are ours, other ones the host's. A FIFO is the host's, so
   * that guest programs and programs of the host meet in it.
   */
  override open(flags: number): File | number {
    if (this.reopened !== null) return this.reopened(flags);
    const type = this.mode & S_IFMT;
    if (type === S_IFIFO) return this.openFifo(flags);
    if (type !== S_IFCHR) return -ENXIO;
    const stat = this.stat();
    if (typeof stat === "number") return stat;
    const ours = openCharacterDevice(this, stat.rdev, flags);
    return ours !== -ENXIO ? ours : this.openNow(flags);
  }

  /** Only an end that is opened alone, and may block, waits for the other one. */
  private openFifo(flags: number): File | number {
    const mode = flags & O_ACCMODE;
    if ((flags & O_NONBLOCK) !== 0 || mode === O_RDWR) return this.openNow(flags);
    const at = this.reach();
    if (typeof at === "number") return at;
    const denied = files.access(at.fd, at.name, mode === O_WRONLY ? MAY_WRITE : MAY_READ);
    if (denied < 0) return denied;
    if (at.name === "") return this.openNow(flags);
    const place = files.open(at.fd, at.name, O_PATH | O_NOFOLLOW, 0);
    if (place < 0) return place;
    const pending = files.openSlowly(at.fd, at.name, mode);
    if (pending >= 0) {
      const { HostFifoFile } = require("./host-fifo.ts") as typeof import("./host-fifo.ts");
      return new HostFifoFile(this, flags, place, pending, this.fs.poller);
    }
    files.close(place);
    return pending;
  }

  private openNow(flags: number): File | number {
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
