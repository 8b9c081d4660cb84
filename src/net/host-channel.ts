// A socket of the host that serves one of a guest's: whether it is ready, and who is told when it is.

import { EAGAIN } from "../abi/errno.ts";
import { POLLERR, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM } from "../abi/poll.ts";
import { files } from "../host/files.ts";
import { HostPoller, type Waker } from "../host/poller.ts";

const WATCHED = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;

const ROOM = POLLOUT | POLLWRNORM;

export class HostChannel implements Waker {
  readonly fd: number;
  private readonly poller: HostPoller;
  private readonly waiting: Waker;
  private token = -1;
  /** The watch began while there was room, as `poll` told, and nobody has written or found it full since. */
  private hadRoom = false;

  /** `fd` is closed with the channel; `waiting` is told of events. */
  constructor(fd: number, poller: HostPoller, waiting: Waker) {
    this.fd = fd;
    this.poller = poller;
    this.waiting = waiting;
  }

  watch(): void {
    if (this.token < 0) this.token = this.poller.watch(this.fd, WATCHED, this);
  }

  /** The host tells once what was so when the watch began: room that is no news would be a false edge to epoll. */
  wake(events: number): void {
    const known = this.hadRoom && (events & ~ROOM) === 0;
    this.hadRoom = false;
    if (!known) this.waiting.wake(events);
  }

  /** Something was sent, or a connection begun. */
  used(): void {
    this.hadRoom = false;
  }

  /** The result of a host call; who is told to wait is woken later. */
  result(n: number): number {
    if (n !== -EAGAIN) return n;
    this.hadRoom = false;
    this.watch();
    return -EAGAIN;
  }

  poll(): number {
    const ready = HostPoller.ready(this.fd, WATCHED);
    if (ready < 0) return POLLERR;
    this.hadRoom = (ready & POLLOUT) !== 0 && (this.hadRoom || this.token < 0);
    this.watch();
    let events = ready;
    if ((ready & POLLIN) !== 0) events |= POLLRDNORM;
    if ((ready & POLLOUT) !== 0) events |= POLLWRNORM;
    return events;
  }

  close(): void {
    if (this.token >= 0) this.poller.unwatch(this.token);
    files.close(this.fd);
  }
}
