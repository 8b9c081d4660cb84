// A socket of the host that serves one of a guest's: whether it is ready, and who is told when it is.

import { EAGAIN } from "../abi/errno.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM } from "../abi/poll.ts";
import { files } from "../host/files.ts";
import { HostPoller, type Waker } from "../host/poller.ts";

const WATCHED = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;

/** What stays as it is until somebody uses the socket: new data, which may come at any time, is not among it. */
const LASTING = POLLOUT | POLLHUP;

export class HostChannel implements Waker {
  readonly fd: number;
  private readonly poller: HostPoller;
  private readonly waiting: Waker;
  private token = -1;
  /** Of LASTING, what was so when the watch began, has been told, and must be so still. */
  private told = 0;

  /** `fd` is closed with the channel; `waiting` is told of events. */
  constructor(fd: number, poller: HostPoller, waiting: Waker) {
    this.fd = fd;
    this.poller = poller;
    this.waiting = waiting;
  }

  watch(): void {
    if (this.token < 0) this.token = this.poller.watch(this.fd, WATCHED, this);
  }

  /** The host tells once what was so when the watch began: what is no news would be a false edge to epoll. */
  wake(events: number): void {
    const known = (events & ~this.told) === 0;
    this.told = 0;
    if (!known) this.waiting.wake(events);
  }

  /** Something was sent, or a connection begun. */
  used(): void {
    this.told = 0;
  }

  /**
   * A connection is being made. One that is there at once is news to who waits already and to nobody who comes later; but to the caller
   * himself, where he is going to wait.
   */
  connecting(goesOn: boolean): void {
    this.watch();
    if (!goesOn) return;
    const ready = HostPoller.ready(this.fd, WATCHED);
    if (ready <= 0) return;
    this.told = ready & LASTING;
    this.waiting.wake(ready);
  }

  /** The result of a host call; who is told to wait is woken later. */
  result(n: number): number {
    if (n !== -EAGAIN) return n;
    this.told = 0;
    this.watch();
    return -EAGAIN;
  }

  poll(): number {
    const ready = HostPoller.ready(this.fd, WATCHED);
    if (ready < 0) return POLLERR;
    this.told = this.told !== 0 || this.token < 0 ? ready & LASTING : 0;
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
