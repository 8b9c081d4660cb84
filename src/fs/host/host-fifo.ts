// A FIFO of the host that was opened for one direction and waits for its other end (fifo(7)).

import { EAGAIN } from "../../abi/errno.ts";
import { O_NOFOLLOW, O_NONBLOCK, O_RDWR } from "../../abi/fcntl.ts";
import { files } from "../../host/files.ts";
import type { HostPoller } from "../../host/poller.ts";
import type { HostInode } from "./host-inode.ts";
import { HostStreamFile } from "./host-stream.ts";

const POLLIN = 1;

export class HostFifoFile extends HostStreamFile {
  /** Where the outcome of the open arrives; -1 when it has. */
  private pending: number;
  private pendingToken: number;
  /** 0, or why the open failed. */
  private failure = 0;
  private readonly place: HostInode;

  constructor(inode: HostInode, flags: number, pending: number, poller: HostPoller) {
    super(inode, flags, -1, poller, true);
    this.place = inode;
    this.pending = pending;
    this.pendingToken = poller.watch(pending, POLLIN, this.queue);
  }

  override openPending(): number {
    if (this.pending < 0) return this.failure;
    const result = files.slowResult(this.pending);
    if (result === -EAGAIN) return -EAGAIN;
    this.settle();
    if (result < 0) this.failure = result;
    else this.fd = result;
    return this.failure;
  }

  private settle(): void {
    this.poller.unwatch(this.pendingToken);
    files.close(this.pending);
    this.pending = -1;
  }

  protected override release(): void {
    if (this.openPending() === -EAGAIN) this.abandonOpen();
    else if (this.fd >= 0) super.release();
  }

  /** Nobody waits any more, but the thread still does: with both ends open it goes on, whenever it gets there. */
  private abandonOpen(): void {
    this.poller.unwatch(this.pendingToken);
    const { poller, pending } = this;
    const dirFd = this.place.parent?.directoryFd() ?? -1;
    const ends = dirFd < 0 ? -1 : files.open(dirFd, this.place.name, O_RDWR | O_NONBLOCK | O_NOFOLLOW, 0);
    const token = poller.watch(pending, POLLIN, {
      wake: () => {
        const result = files.slowResult(pending);
        if (result === -EAGAIN) return;
        poller.unwatch(token);
        for (const fd of [pending, result, ends]) if (fd >= 0) files.close(fd);
      },
    });
  }
}
