// epoll sets (epoll(7), fs/eventpoll.c). Each watched file has an item in the set that listens on the file's wait
// queue; items that may be ready stand in a list, which epoll_wait goes through, asking each file again.

import { EEXIST, EINVAL, ELOOP, ENOENT, EPERM } from "../../abi/errno.ts";
import { O_RDWR } from "../../abi/fcntl.ts";
import {
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLONESHOT,
  EPOLLWAKEUP,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
} from "../../abi/poll.ts";
import { type Waiter, WaitQueue } from "../../lib/wait-queue.ts";
import { File, type ReleaseHook } from "../../vfs/file.ts";
import { readiness } from "../../vfs/readiness.ts";
import { anonymousInode } from "./anonymous-inode.ts";

const ALWAYS = POLLERR | POLLHUP;
const PRIVATE = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP;
const EXCLUSIVE_OK = POLLIN | POLLOUT | ALWAYS | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE;
/** Sets inside sets: a chain may have this many (EP_MAX_NESTS and the first). */
const MAX_NESTS = 5;

export class EpollItem implements Waiter {
  readonly epoll: EpollFile;
  readonly fd: number;
  readonly file: File;
  /** Where the item listens: kept, because a signalfd's queue is that of whoever asks. */
  readonly queue: WaitQueue;
  /** Wanted events plus EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE; without event bits after a one-shot has fired. */
  events: number;
  /** The caller's 64 bits. */
  dataLo: number;
  dataHi: number;

  constructor(
    epoll: EpollFile,
    fd: number,
    file: File,
    queue: WaitQueue,
    events: number,
    dataLo: number,
    dataHi: number,
  ) {
    this.epoll = epoll;
    this.queue = queue;
    this.fd = fd;
    this.file = file;
    this.events = events;
    this.dataLo = dataLo;
    this.dataHi = dataHi;
  }

  wake(events: number): void {
    if ((this.events & ~PRIVATE) !== 0 && (events & (this.events | POLLRDNORM)) !== 0) this.epoll.itemWoke(this);
  }

  /** Wanted events that the file has now. */
  ready(): number {
    return readiness(this.file) & this.events & ~PRIVATE;
  }
}

export class EpollFile extends File implements ReleaseHook {
  readonly inode = anonymousInode;
  private readonly queue = new WaitQueue();
  /** Items by descriptor; several for one number when it was closed and used again while a duplicate lived on. */
  private readonly items = new Map<number, EpollItem[]>();
  /** The same items by file. */
  private readonly byFile = new Map<File, EpollItem[]>();
  /** Items that may be ready, the longest waiting first. */
  private readonly candidates = new Set<EpollItem>();

  constructor() {
    super(O_RDWR);
  }

  override name(): string {
    return "anon_inode:[eventpoll]";
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  /** There is no position to move (noop_llseek). */
  override seek(): number {
    return 0;
  }

  override poll(): number {
    for (const item of this.candidates) {
      if (item.ready() !== 0) return POLLIN | POLLRDNORM;
      this.candidates.delete(item);
    }
    return 0;
  }

  override details(): string {
    let text = "";
    for (const item of this.all()) {
      const hex = (value: number) => (value >>> 0).toString(16);
      const data = `${item.dataHi === 0 ? "" : hex(item.dataHi)}${item.dataHi === 0 ? hex(item.dataLo) : hex(item.dataLo).padStart(8, "0")}`;
      const inode = item.file.inode;
      text += `tfd: ${`${item.fd}`.padStart(8)} events: ${hex(item.events).padStart(8)} data: ${data.padStart(16)}`;
      text += `  pos:${item.file.pos} ino:${inode.ino.toString(16)} sdev:${inode.fs.dev.toString(16)}\n`;
    }
    return text;
  }

  private *all(): Generator<EpollItem> {
    for (const items of this.items.values()) yield* items;
  }

  private find(fd: number, file: File): EpollItem | undefined {
    return this.items.get(fd)?.find((item) => item.file === file);
  }

  itemWoke(item: EpollItem): void {
    this.candidates.add(item);
    this.queue.wake(POLLIN | POLLRDNORM);
  }

  /** EPOLL_CTL_ADD: 0, -EEXIST, -EPERM for files that are always ready, -EINVAL, -ELOOP. */
  add(fd: number, file: File, events: number, dataLo: number, dataHi: number): number {
    const queue = file.waitQueue;
    if (queue === null) return -EPERM;
    if (file === this) return -EINVAL;
    if ((events & EPOLLEXCLUSIVE) !== 0 && (file instanceof EpollFile || (events & ~EXCLUSIVE_OK) !== 0))
      return -EINVAL;
    if (this.find(fd, file) !== undefined) return -EEXIST;
    if (file instanceof EpollFile && (file.reaches(this, 0) || this.nesting(file) > MAX_NESTS)) return -ELOOP;
    const item = new EpollItem(this, fd, file, queue, events | ALWAYS, dataLo, dataHi);
    const same = this.items.get(fd);
    if (same === undefined) this.items.set(fd, [item]);
    else same.push(item);
    queue.add(item);
    const known = this.byFile.get(file);
    if (known === undefined) {
      this.byFile.set(file, [item]);
      file.onRelease(this);
    } else known.push(item);
    if (file instanceof EpollFile) file.parents.add(this);
    if (item.ready() !== 0) this.itemWoke(item);
    return 0;
  }

  /** EPOLL_CTL_MOD */
  modify(fd: number, file: File, events: number, dataLo: number, dataHi: number): number {
    const item = this.find(fd, file);
    if (item === undefined) return -ENOENT;
    if (((item.events | events) & EPOLLEXCLUSIVE) !== 0) return -EINVAL;
    item.events = events | ALWAYS;
    item.dataLo = dataLo;
    item.dataHi = dataHi;
    if (item.ready() !== 0) this.itemWoke(item);
    return 0;
  }

  /** EPOLL_CTL_DEL */
  remove(fd: number, file: File): number {
    const item = this.find(fd, file);
    if (item === undefined) return -ENOENT;
    this.drop(item);
    return 0;
  }

  private drop(item: EpollItem): void {
    const { fd, file } = item;
    const left = this.items.get(fd)!.filter((other) => other !== item);
    if (left.length === 0) this.items.delete(fd);
    else this.items.set(fd, left);
    this.candidates.delete(item);
    item.queue.remove(item);
    const others = this.byFile.get(file)!.filter((other) => other !== item);
    if (others.length > 0) {
      this.byFile.set(file, others);
      return;
    }
    this.byFile.delete(file);
    file.offRelease(this);
    if (file instanceof EpollFile) file.parents.delete(this);
  }

  /** Sets that watch this one. */
  private readonly parents = new Set<EpollFile>();

  /** Whether `target` is this set or watched by it, directly or through others. */
  private reaches(target: EpollFile, depth: number): boolean {
    if (this === target) return true;
    if (depth > MAX_NESTS) return true;
    for (const item of this.all()) {
      if (item.file instanceof EpollFile && item.file.reaches(target, depth + 1)) return true;
    }
    return false;
  }

  /** Length of the longest chain of sets if `child` were added here. */
  private nesting(child: EpollFile): number {
    return this.height() + child.depth();
  }

  private height(): number {
    let most = 0;
    for (const parent of this.parents) most = Math.max(most, parent.height());
    return most + 1;
  }

  private depth(): number {
    let most = 0;
    for (const item of this.all()) if (item.file instanceof EpollFile) most = Math.max(most, item.file.depth());
    return most + 1;
  }

  /** A watched file has lost its last descriptor. */
  fileReleased(file: File): void {
    for (const item of this.byFile.get(file) ?? []) this.drop(item);
  }

  /** No more items than that are ready. */
  get candidateCount(): number {
    return this.candidates.size;
  }

  /**
   * Hands out up to `max` ready items. Level-triggered ones go to the end of the line, edge-triggered ones leave it
   * until they are woken again, one-shots are disabled. How many there were.
   */
  harvest(max: number, emit: (item: EpollItem, events: number) => void): number {
    let left = this.candidates.size;
    let count = 0;
    for (const item of this.candidates) {
      if (left === 0 || count === max) break;
      left -= 1;
      this.candidates.delete(item);
      const events = item.ready();
      if (events === 0) continue;
      emit(item, events);
      count += 1;
      if ((item.events & EPOLLONESHOT) !== 0) item.events &= PRIVATE;
      else if ((item.events & EPOLLET) === 0) this.candidates.add(item);
    }
    return count;
  }

  /** The guest did not get what `harvest` gave out. */
  giveBack(items: readonly EpollItem[]): void {
    for (const item of items) if ((item.events & ~PRIVATE) !== 0) this.candidates.add(item);
  }

  protected override release(): void {
    for (const item of [...this.all()]) this.drop(item);
  }
}
