// Pseudo terminals (pty(7), drivers/tty/pty.c): the master is the far end of the line, the slave the terminal that
// programs see, with the line discipline between them.

import { EAGAIN, EFAULT, EIO, ENOTTY, EPERM } from "../abi/errno.ts";
import { O_NOCTTY } from "../abi/fcntl.ts";
import * as I from "../abi/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../abi/poll.ts";
import { SIGCONT, SIGHUP, SIGWINCH } from "../abi/signal.ts";
import * as T from "../abi/termios.ts";
import { WaitQueue } from "../lib/wait-queue.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { IoBuffer } from "../mm/io-buffer.ts";
import { makeDev } from "../vfs/devices.ts";
import { File } from "../vfs/file.ts";
import type { Inode } from "../vfs/inode.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { JobControl } from "./job-control.ts";
import { LineDiscipline, type LineOwner } from "./line-discipline.ts";
import { Terminal } from "./terminal.ts";
import { TermiosSettings } from "./termios.ts";

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;
const HUNG_UP = READABLE | WRITABLE | POLLERR | POLLHUP;
export const PTS_MAJOR = 136;
/** Output that the master has not read: a program that writes more waits. */
const OUTPUT_BYTES = 16384;
const CHUNK = 4096;
const chunk = new Uint8Array(CHUNK);

/** Commands that background processes may use too: they change nothing. */
const ASKS: readonly number[] = [I.TCGETS, I.TCGETS2, I.TCGETA, I.TIOCGLCKTRMIOS, I.TIOCGWINSZ];
const TERMIOS_BYTES = T.Termios.sizeBytes;

/** A pair. It is the terminal itself: both ends refer to it. */
export class Pty extends Terminal implements LineOwner {
  readonly index: number;
  readonly dev: number;
  readonly settings = new TermiosSettings();
  readonly line = new LineDiscipline(this.settings, this);
  /** What the master can read. */
  readonly screen = new ByteQueue();
  readonly masterQueue = new WaitQueue();
  readonly slaveQueue = new WaitQueue();
  private readonly winsize = new Uint8Array(T.WINSIZE_BYTES);
  /** grantpt and unlockpt: the slave cannot be opened while it is locked. */
  locked = true;
  packetMode = false;
  /** TIOCGPTPEER: opens the slave by its own inode. */
  openPeer: (flags: number) => File | number = () => -EIO;
  masterOpen = true;
  slaves = 0;
  private everOpened = false;
  /** Both ends are closed: the number is free. */
  private readonly onGone: () => void;

  constructor(jobs: JobControl, index: number, onGone: () => void) {
    super(jobs);
    this.index = index;
    this.dev = makeDev(PTS_MAJOR, index);
    this.onGone = onGone;
  }

  emit(byte: number): void {
    this.screen.push(byte);
    if (this.screen.length === 1) this.masterQueue.wake(READABLE);
  }
  signal(signal: number): void {
    this.signalForeground(signal);
  }
  arrived(): void {
    this.slaveQueue.wake(READABLE);
  }
  flushOutput(): void {
    this.screen.clear();
  }
  resumed(): void {
    this.slaveQueue.wake(WRITABLE);
  }
  nowNs(): number {
    return this.jobs.nowNs();
  }
  after(deadlineNs: number, fire: () => void): () => void {
    return this.jobs.after(deadlineNs, fire);
  }

  override open(inode: Inode, flags: number): File | number {
    if (this.locked || !this.masterOpen) return -EIO;
    return new SlaveFile(inode, flags, this);
  }

  slaveOpened(): void {
    this.slaves += 1;
    this.everOpened = true;
  }

  slaveClosed(): void {
    this.slaves -= 1;
    if (this.slaves > 0) return;
    this.masterQueue.wake(READABLE | POLLHUP);
    if (!this.masterOpen) this.onGone();
  }

  /** No program has the terminal any more, though some had. */
  get abandoned(): boolean {
    return this.everOpened && this.slaves === 0;
  }

  masterClosed(): void {
    this.masterOpen = false;
    this.slaveQueue.wake(HUNG_UP);
    if (this.sid !== 0) {
      const leader = this.sid;
      this.jobs.release(leader, true);
      this.jobs.signal(leader, SIGHUP);
      this.jobs.signal(leader, SIGCONT);
    }
    if (this.slaves === 0) this.onGone();
  }

  get outputRoom(): number {
    return this.line.stopped ? 0 : Math.max(0, OUTPUT_BYTES - this.screen.length);
  }

  /** Commands that both ends understand: settings and window size. -ENOTTY for others. */
  commonIoctl(mm: AddressSpace, command: number, arg: number): number {
    switch (command) {
      case I.TCGETS:
      case I.TCGETS2:
        return this.settings.write(mm, arg, command === I.TCGETS2);
      case I.TCGETA:
        return this.settings.writeOld(mm, arg);
      case I.TIOCGLCKTRMIOS:
        // Nobody has locked anything.
        return mm.copyOutBytes(arg, new Uint8Array(TERMIOS_BYTES), 0, TERMIOS_BYTES) === TERMIOS_BYTES ? 0 : -EFAULT;
      case I.TIOCSLCKTRMIOS:
        return -EPERM;
      case I.TCSETA:
      case I.TCSETAW:
      case I.TCSETAF:
      case I.TCSETS:
      case I.TCSETSW:
      case I.TCSETSF:
      case I.TCSETS2:
      case I.TCSETSW2:
      case I.TCSETSF2:
        return this.setTermios(mm, command, arg);
      case I.TIOCGWINSZ:
        return mm.copyOutBytes(arg, this.winsize, 0, T.WINSIZE_BYTES) === T.WINSIZE_BYTES ? 0 : -EFAULT;
      case I.TIOCSWINSZ:
        return this.setWindowSize(mm, arg);
      case I.TCSBRK:
      case I.TCSBRKP:
        return 0;
      case I.TCXONC:
        if (arg === 0) this.line.stopped = true;
        if (arg === 1) this.line.resume();
        return 0;
      case I.TCFLSH:
        if (arg === T.TCIFLUSH || arg === T.TCIOFLUSH) this.line.flushInput();
        if (arg === T.TCOFLUSH || arg === T.TCIOFLUSH) this.screen.clear();
        return 0;
    }
    return -ENOTTY;
  }

  private setTermios(mm: AddressSpace, command: number, arg: number): number {
    const wasCanonical = this.settings.local(T.ICANON);
    const speeds = command === I.TCSETS2 || command === I.TCSETSW2 || command === I.TCSETSF2;
    const isOld = command === I.TCSETA || command === I.TCSETAW || command === I.TCSETAF;
    const error = isOld ? this.settings.readOld(mm, arg) : this.settings.read(mm, arg, speeds);
    if (error < 0) return error;
    if (command === I.TCSETSF || command === I.TCSETSF2 || command === I.TCSETAF) this.line.flushInput();
    this.line.settingsChanged(wasCanonical);
    if (!this.settings.input(T.IXON)) this.line.resume();
    return 0;
  }

  private setWindowSize(mm: AddressSpace, arg: number): number {
    if (mm.copyInBytes(arg, chunk, 0, T.WINSIZE_BYTES) !== T.WINSIZE_BYTES) return -EFAULT;
    this.resize(chunk.subarray(0, T.WINSIZE_BYTES));
    return 0;
  }

  /** Takes a new struct winsize and tells the foreground when it is another. */
  resize(winsize: Uint8Array): void {
    const before = Buffer.from(this.winsize);
    this.winsize.set(winsize);
    if (!before.equals(this.winsize)) this.signalForeground(SIGWINCH);
  }
}

/** /dev/ptmx, opened. */
export class MasterFile extends File {
  readonly inode: Inode;
  readonly pty: Pty;

  constructor(inode: Inode, flags: number, pty: Pty) {
    super(flags);
    this.inode = inode;
    this.pty = pty;
  }

  override get waitQueue(): WaitQueue {
    return this.pty.masterQueue;
  }

  override name(): string {
    return "/dev/ptmx";
  }

  override details(): string {
    return `tty-index:\t${this.pty.index}\n`;
  }

  override poll(): number {
    const { pty } = this;
    const events = pty.line.throttled ? 0 : WRITABLE;
    if (pty.abandoned) return events | POLLHUP | (pty.screen.length > 0 ? READABLE : 0);
    return pty.screen.length > 0 ? events | READABLE : events;
  }

  override read(io: IoBuffer): number {
    const { pty } = this;
    if (io.remaining === 0) return 0;
    if (pty.screen.length === 0) return pty.abandoned ? -EIO : -EAGAIN;
    let head = 0;
    if (pty.packetMode) {
      chunk[0] = 0;
      head = io.put(chunk, 0, 1);
      if (head < 1 || io.remaining === 0) return head;
    }
    const n = pty.screen.drain(io.remaining, (bytes, from, count) => io.put(bytes, from, count));
    if (n > 0) pty.slaveQueue.wake(WRITABLE);
    return n < 0 ? n : n + head;
  }

  /** What was typed. */
  override write(io: IoBuffer): number {
    const { line } = this.pty;
    let done = 0;
    while (io.remaining > 0) {
      if (line.throttled) return done > 0 ? done : -EAGAIN;
      const count = io.take(chunk, 0, Math.min(CHUNK, io.remaining, Math.max(1, line.room)));
      if (count <= 0) return done > 0 ? done : count;
      for (let i = 0; i < count; i++) line.receive(chunk[i]!);
      done += count;
    }
    return done;
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    const { pty } = this;
    switch (command) {
      case I.TIOCGPTN:
        return mm.writeU32(arg, pty.index);
      case I.TIOCSPTLCK: {
        const locked = mm.readU32(arg);
        if (locked >= 0) pty.locked = locked !== 0;
        return Math.min(locked, 0);
      }
      case I.TIOCGPTLCK:
        return mm.writeU32(arg, pty.locked ? 1 : 0);
      case I.TIOCPKT: {
        const on = mm.readU32(arg);
        if (on >= 0) pty.packetMode = on !== 0;
        return Math.min(on, 0);
      }
      case I.TIOCGPKT:
        return mm.writeU32(arg, pty.packetMode ? 1 : 0);
      case I.FIONREAD:
        return mm.writeU32(arg, pty.screen.length);
      case I.TIOCOUTQ:
        return mm.writeU32(arg, pty.line.available);
      case I.TIOCGPGRP:
        return mm.writeU32(arg, pty.foreground);
      case I.TIOCGSID:
        return pty.sid === 0 ? -ENOTTY : mm.writeU32(arg, pty.sid);
      case I.TIOCSPGRP:
        return pty.jobIoctl(mm, command, arg);
    }
    return pty.commonIoctl(mm, command, arg);
  }

  protected override release(): void {
    this.pty.masterClosed();
  }
}

/** /dev/pts/N, opened. */
class SlaveFile extends File {
  readonly inode: Inode;
  private readonly pty: Pty;

  constructor(inode: Inode, flags: number, pty: Pty) {
    super(flags);
    this.inode = inode;
    this.pty = pty;
    pty.slaveOpened();
    if ((flags & O_NOCTTY) === 0) pty.opened();
  }

  override get waitQueue(): WaitQueue {
    return this.pty.slaveQueue;
  }

  override name(): string {
    return `/dev/pts/${this.pty.index}`;
  }

  override poll(): number {
    const { pty } = this;
    if (!pty.masterOpen) return HUNG_UP;
    return (pty.line.readable ? READABLE : 0) | (pty.outputRoom > 0 ? WRITABLE : 0);
  }

  override read(io: IoBuffer): number {
    const { pty } = this;
    if (!pty.masterOpen) return pty.line.available > 0 ? pty.line.read(io, true) : 0;
    const denied = pty.mayRead();
    if (denied !== 0) return denied;
    const n = pty.line.read(io, this.nonblock);
    if (n > 0) pty.masterQueue.wake(WRITABLE);
    return n;
  }

  override write(io: IoBuffer): number {
    const { pty } = this;
    if (!pty.masterOpen) return -EIO;
    if (pty.settings.local(T.TOSTOP)) {
      const denied = pty.mayChange();
      if (denied !== 0) return denied;
    }
    let done = 0;
    while (io.remaining > 0 && pty.outputRoom > 0) {
      const count = io.take(chunk, 0, Math.min(CHUNK, io.remaining, pty.outputRoom));
      if (count <= 0) return done > 0 ? done : count;
      pty.line.print(chunk, count);
      done += count;
    }
    return done === 0 && io.remaining > 0 ? -EAGAIN : done;
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    const { pty } = this;
    if (!pty.masterOpen) return -EIO;
    if (command === I.FIONREAD) return mm.writeU32(arg, pty.line.available);
    if (command === I.TIOCOUTQ) return mm.writeU32(arg, 0);
    const result = pty.jobIoctl(mm, command, arg);
    if (result !== -ENOTTY) return result;
    if (!ASKS.includes(command)) {
      const denied = pty.mayChange();
      if (denied !== 0) return denied;
    }
    return pty.commonIoctl(mm, command, arg);
  }

  protected override release(): void {
    this.pty.slaveClosed();
  }
}
