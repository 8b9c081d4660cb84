// A FIFO of the host that was opened for one direction and waits for its other end (fifo(7)).

import { EAGAIN } from "../../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../../abi/fcntl.ts";
import { files } from "../../host/files.ts";
import type { HostPoller } from "../../host/poller.ts";
import type { HostInode } from "./host-inode.ts";
import { HostStreamFile } from "./host-stream.ts";

const POLLIN = 1;
/** How long an abandoned open is waited for, so that its end does not keep the FIFO's content alive. A busy host may take its time. */
const SETTLE_TRIES = 3000;
/** Less than a millisecond is no sleep at all to Bun. */
const SETTLE_MS = 1;

export class HostFifoFile extends HostStreamFile {
  /** Where the outcome of the open arrives; -1 when it has. */
  private pending: number;
  private pendingToken: number;
  /** 0, or why the open failed. */
  private failure = 0;
  /** O_PATH: the FIFO must be reachable when its name is gone. */
  private readonly place: number;

  /** Takes over `place` and `pending`. */
  constructor(inode: HostInode, flags: number, place: number, pending: number, poller: HostPoller) {
    super(inode, flags, -1, poller, true);
    this.place = place;
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
    files.close(this.place);
    this.pending = -1;
  }

  protected override release(): void {
    if (this.openPending() === -EAGAIN) this.abandonOpen();
    else if (this.fd >= 0) super.release();
  }

  /** Nobody waits any more, but the thread still does: with both ends open it goes on, at once or when it gets there. */
  private abandonOpen(): void {
    this.poller.unwatch(this.pendingToken);
    const { poller, pending } = this;
    const ends = files.reopen(this.place, O_RDWR | O_NONBLOCK);
    files.close(this.place);
    const settled = (): boolean => {
      const result = files.slowResult(pending);
      if (result === -EAGAIN) return false;
      for (const fd of [pending, result, ends]) if (fd >= 0) files.close(fd);
      return true;
    };
    for (let tries = 0; tries < SETTLE_TRIES; tries += 1) {
      if (settled()) return;
      Bun.sleepSync(SETTLE_MS);
    }
    const token = poller.watch(pending, POLLIN, {
      wake: () => {
        poller.unwatch(token);
        settled();
      },
    });
  }
}
