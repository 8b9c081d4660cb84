// Pipes, terminals, sockets and devices of the host: carrick's own standard streams and device nodes of bind mounts. The
// kernel thread never waits in them: it looks first, or uses a description of its own that does not block, and sleeps in
// the poller. Inherited descriptions keep their flags, for other processes share them.

import { EAGAIN, EFAULT } from "../../abi/errno.ts";
import { O_ACCMODE, O_NONBLOCK } from "../../abi/fcntl.ts";
import { S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { ALWAYS_READY, HostPoller } from "../../host/poller.ts";
import { lookAt, seen, seenStat } from "../../host/stat.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { File } from "../../vfs/file.ts";
import type { Inode, Stat } from "../../vfs/inode.ts";
import { terminalIoctl } from "./terminal-ioctl.ts";

const POLLIN = 0x1;
const POLLPRI = 0x2;
const POLLOUT = 0x4;
const POLLRDHUP = 0x2000;
const EVENTS = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;
/** A pipe that is ready for writing takes this much without blocking (PIPE_BUF). */
const PIPE_BUF = 4096;

/** Bytes on their way to a description that may block. */
const staged = new Uint8Array(PIPE_BUF);

export class HostStreamFile extends File {
  readonly inode: Inode;
  protected readonly queue = new WaitQueue();
  /** As given; and the one to read and write, which never blocks when it is another. */
  private readonly inherited: number;
  protected fd: number;
  private readonly blocking: boolean;
  protected readonly poller: HostPoller;
  private readonly owned: boolean;
  private token = -1;

  /** `owned`: `fd` is closed with the file and was opened O_NONBLOCK where that can be; otherwise it is one of carrick's own streams. */
  constructor(inode: Inode, flags: number, fd: number, poller: HostPoller, owned: boolean) {
    super(flags);
    this.inode = inode;
    this.inherited = fd;
    this.poller = poller;
    this.owned = owned;
    const own = owned ? fd : files.reopen(fd, (flags & O_ACCMODE) | O_NONBLOCK);
    this.fd = own >= 0 ? own : fd;
    // Where a pipe cannot be opened anew, what was asked for may be the old description after all.
    this.blocking = (files.getFlags(this.fd) & O_NONBLOCK) === 0 || own < 0;
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  override get hostFd(): number {
    return this.fd;
  }

  override stat(): Stat | number {
    const error = lookAt(this.fd);
    if (error < 0) return error;
    const stat = seenStat();
    // DIFFERS: a guest has no socket calls for a socket that carrick inherited; programs get along with a pipe.
    if ((stat.mode & S_IFMT) === S_IFSOCK) stat.mode = (stat.mode & ~S_IFMT) | S_IFIFO;
    return stat;
  }

  override poll(): number {
    const wanted = (this.canRead ? POLLIN | POLLPRI | POLLRDHUP : 0) | (this.canWrite ? POLLOUT : 0);
    const ready = HostPoller.ready(this.fd, wanted);
    // Events that are not there yet must wake somebody later.
    if (ready >= 0 && (wanted & (POLLIN | POLLOUT) & ~ready) !== 0) this.watch();
    return Math.max(ready, 0);
  }

  private watch(): void {
    if (this.token < 0) this.token = this.poller.watch(this.fd, EVENTS, this.queue);
  }

  private wouldBlock(): number {
    this.watch();
    return -EAGAIN;
  }

  override read(io: IoBuffer): number {
    if (io.remaining === 0) return 0;
    if (this.blocking && HostPoller.ready(this.fd, POLLIN) === 0) return this.wouldBlock();
    const n = io.hostRead(this.fd, -1);
    // Nothing to read goes before nowhere to put it.
    const empty = n === -EAGAIN || (n === -EFAULT && HostPoller.ready(this.fd, POLLIN) === 0);
    return empty ? this.wouldBlock() : n;
  }

  override write(io: IoBuffer): number {
    if (this.blocking) return this.writeBounded(io);
    const n = io.hostWrite(this.fd, -1);
    return n === -EAGAIN ? this.wouldBlock() : n;
  }

  /** As much as surely goes through now. */
  private writeBounded(io: IoBuffer): number {
    if (io.remaining === 0) return 0;
    if (HostPoller.ready(this.fd, POLLOUT) === 0) return this.wouldBlock();
    const count = io.take(staged, 0, Math.min(io.remaining, PIPE_BUF));
    if (count <= 0) return count;
    const n = files.write(this.fd, staged, 0, count, -1);
    // What did not go through is still to be written: the caller looks at what is left.
    io.revert(count - Math.max(0, n));
    return n === -EAGAIN ? this.wouldBlock() : n;
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    return terminalIoctl(this.fd, mm, command, arg);
  }

  override name(): string {
    if (lookAt(this.fd) < 0) return super.name();
    const type = seen.mode & S_IFMT;
    if (type === S_IFIFO || type === S_IFSOCK) return `pipe:[${seen.ino}]`;
    const target = type === S_IFCHR ? files.describe(this.fd) : "";
    return target.startsWith("/dev/") ? target : super.name();
  }

  protected override release(): void {
    if (this.token >= 0 && this.token !== ALWAYS_READY) this.poller.unwatch(this.token);
    const stream = lookAt(this.inherited) < 0 ? 0 : seen.mode & S_IFMT;
    if (this.fd !== this.inherited || this.owned) files.close(this.fd);
    // The other side of a pipe must see the end. Diagnostics still need standard error.
    if (!this.owned && this.inherited !== 2 && (stream === S_IFIFO || stream === S_IFSOCK))
      files.abandon(this.inherited);
  }
}
