// The queue behind an inotify descriptor (fs/notify/inotify; inotify(7)). It hears what vfs/notify.ts reports.

import { EAGAIN, EEXIST, EFAULT, EINVAL, ENOSPC, ENOTTY } from "../../abi/errno.ts";
import * as N from "../../abi/inotify.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { POLLIN, POLLRDNORM } from "../../abi/poll.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import type { Inode } from "../../vfs/inode.ts";
import { addWatcher, removeWatcher, type Watcher } from "../../vfs/notify.ts";
import type { Dentry } from "../../vfs/path.ts";
import { isUnlinked } from "../../vfs/path-string.ts";
import { anonymousInode } from "../anon/anonymous-inode.ts";
import type { TimerService } from "../anon/timerfd.ts";
import { unwatchHost, watchHost } from "./host-watches.ts";

/** fs.inotify.max_queued_events and max_user_watches. */
const MAX_QUEUED = 16384;
const MAX_WATCHES = 65536;

interface Event {
  readonly wd: number;
  readonly mask: number;
  readonly cookie: number;
  readonly name: string;
}

class Watch implements Watcher {
  readonly file: InotifyFile;
  readonly wd: number;
  readonly inode: Inode;
  /** IN_* to report, and IN_ONESHOT, IN_EXCL_UNLINK. */
  mask: number;

  constructor(file: InotifyFile, wd: number, inode: Inode, mask: number) {
    this.file = file;
    this.wd = wd;
    this.inode = inode;
    this.mask = mask;
  }

  event(mask: number, cookie: number, name: string, entry: Dentry | null): void {
    if ((this.mask & N.IN_EXCL_UNLINK) !== 0 && entry !== null && isUnlinked(entry)) return;
    if ((mask & this.mask & N.IN_ALL_EVENTS) !== 0) {
      this.file.queue({ wd: this.wd, mask, cookie, name });
      if ((this.mask & N.IN_ONESHOT) !== 0) this.file.drop(this);
    }
    if ((mask & N.IN_DELETE_SELF) !== 0) this.file.drop(this);
  }
}

export class InotifyFile extends File {
  readonly inode = anonymousInode;
  private readonly readable = new WaitQueue();
  private readonly watches = new Map<number, Watch>();
  private readonly events: Event[] = [];
  private lastWd = 0;
  private readonly timers: TimerService;

  constructor(flags: number, timers: TimerService) {
    super(flags);
    this.timers = timers;
  }

  override get waitQueue(): WaitQueue {
    return this.readable;
  }

  /** There is no position to move (noop_llseek). */
  override seek(): number {
    return 0;
  }

  override poll(): number {
    return this.events.length > 0 ? POLLIN | POLLRDNORM : 0;
  }

  override name(): string {
    return "anon_inode:inotify";
  }

  /** inotify_add_watch(2): the watch descriptor, -EEXIST for IN_MASK_CREATE on a watched inode, -ENOSPC. */
  watch(inode: Inode, mask: number): number {
    for (const watch of this.watches.values()) {
      if (watch.inode.ino !== inode.ino || watch.inode.fs !== inode.fs) continue;
      if ((mask & N.IN_MASK_CREATE) !== 0) return -EEXIST;
      watch.mask = (mask & N.IN_MASK_ADD) !== 0 ? watch.mask | mask : mask;
      return watch.wd;
    }
    if (this.watches.size >= MAX_WATCHES) return -ENOSPC;
    this.lastWd += 1;
    const watch = new Watch(this, this.lastWd, inode, mask);
    this.watches.set(watch.wd, watch);
    addWatcher(inode, watch);
    watchHost(inode, this.timers);
    return watch.wd;
  }

  /** inotify_rm_watch(2): 0 or -EINVAL. */
  unwatch(wd: number): number {
    const watch = this.watches.get(wd);
    if (watch === undefined) return -EINVAL;
    this.drop(watch);
    return 0;
  }

  /** Ends a watch: the guest hears IN_IGNORED last. */
  drop(watch: Watch): void {
    if (!this.watches.delete(watch.wd)) return;
    forget(watch);
    this.queue({ wd: watch.wd, mask: N.IN_IGNORED, cookie: 0, name: "" });
  }

  /** Appends an event unless it repeats the one before. */
  queue(event: Event): void {
    const { events } = this;
    const last = events[events.length - 1];
    if (last !== undefined && last.wd === event.wd && last.mask === event.mask) {
      if (last.cookie === event.cookie && last.name === event.name) return;
    }
    if (events.length >= MAX_QUEUED) {
      if (last!.mask === N.IN_Q_OVERFLOW) return;
      event = { wd: -1, mask: N.IN_Q_OVERFLOW, cookie: 0, name: "" };
    }
    events.push(event);
    this.readable.wake(POLLIN | POLLRDNORM);
  }

  override read(io: IoBuffer): number {
    if (this.events.length === 0) return -EAGAIN;
    let taken = 0;
    let done = 0;
    for (const event of this.events) {
      const bytes = encode(event);
      if (bytes.length > io.remaining) break;
      if (io.put(bytes, 0, bytes.length) !== bytes.length) return done > 0 ? this.taken(taken, done) : -EFAULT;
      taken += 1;
      done += bytes.length;
    }
    return taken === 0 ? -EINVAL : this.taken(taken, done);
  }

  private taken(count: number, done: number): number {
    this.events.splice(0, count);
    return done;
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    if (command !== FIONREAD) return -ENOTTY;
    let total = 0;
    for (const event of this.events) total += lengthOf(event);
    return mm.writeU32(arg, total);
  }

  protected override release(): void {
    for (const watch of this.watches.values()) forget(watch);
    this.watches.clear();
  }
}

function forget(watch: Watch): void {
  removeWatcher(watch.inode, watch);
  unwatchHost(watch.inode);
}

/** Bytes of the name field: the name, a NUL at least, padded. */
function nameBytes(event: Event): number {
  return event.name === "" ? 0 : Math.ceil((event.name.length + 1) / N.EVENT_BYTES) * N.EVENT_BYTES;
}

function lengthOf(event: Event): number {
  return N.EVENT_BYTES + nameBytes(event);
}

function encode(event: Event): Uint8Array {
  const bytes = Buffer.alloc(lengthOf(event));
  bytes.writeInt32LE(event.wd, 0);
  bytes.writeUInt32LE(event.mask >>> 0, 4);
  bytes.writeUInt32LE(event.cookie >>> 0, 8);
  bytes.writeUInt32LE(nameBytes(event), 12);
  bytes.write(event.name, N.EVENT_BYTES, "latin1");
  return bytes;
}
