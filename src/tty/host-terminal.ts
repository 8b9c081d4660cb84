// carrick's own terminal as a guest's: the host's line discipline edits, echoes and turns ^C into signals for carrick,
// which passes them to the guest's foreground group. Sessions and process groups are the guest's own.

import { ENOTTY } from "../abi/errno.ts";
import { O_NOCTTY } from "../abi/fcntl.ts";
import * as I from "../abi/ioctl.ts";
import { Termios, TOSTOP } from "../abi/termios.ts";
import { pointerOf } from "../host/shim.ts";
import { terminal as host } from "../host/terminal.ts";
import type { WaitQueue } from "../lib/wait-queue.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { IoBuffer } from "../mm/io-buffer.ts";
import { File } from "../vfs/file.ts";
import type { Inode } from "../vfs/inode.ts";
import type { JobControl } from "./job-control.ts";
import { Terminal } from "./terminal.ts";

const CHANGES = [I.TCSETS, I.TCSETSW, I.TCSETSF, I.TCSBRK, I.TCSBRKP, I.TCXONC, I.TCFLSH, I.TIOCSWINSZ];

const termios = new Uint8Array(Termios.sizeBytes);
const termiosView = new DataView(termios.buffer);
const termiosPtr = pointerOf(termios);

export class HostTerminal extends Terminal {
  readonly dev: number;
  private readonly hostFd: number;
  /** Makes a further open file of the host's terminal. */
  private readonly reopen: (inode: Inode, flags: number) => File | number;

  constructor(jobs: JobControl, dev: number, hostFd: number, reopen: (inode: Inode, flags: number) => File | number) {
    super(jobs);
    this.dev = dev;
    this.hostFd = hostFd;
    this.reopen = reopen;
  }

  override open(inode: Inode, flags: number): File | number {
    const file = this.reopen(inode, flags);
    return typeof file === "number" ? file : new HostTerminalFile(inode, file, this);
  }

  get stopsBackgroundWriters(): boolean {
    if (host.ioctl(this.hostFd, I.TCGETS, termiosPtr) < 0) return false;
    return (termiosView.getUint32(Termios.c_lflag, true) & TOSTOP) !== 0;
  }
}

/** An open file of the host's terminal: `inner` moves the bytes, `terminal` decides who may. */
export class HostTerminalFile extends File {
  readonly inode: Inode;
  private readonly inner: File;
  readonly terminal: HostTerminal;

  /** Takes `inner` over. `inode` is the guest's device node: ttyname(3) looks for one that is the same as fstat's. */
  constructor(inode: Inode, inner: File, terminal: HostTerminal) {
    super(inner.flags);
    this.inode = inode;
    this.inner = inner;
    this.terminal = terminal;
    if ((inner.flags & O_NOCTTY) === 0) terminal.opened();
  }

  override get waitQueue(): WaitQueue | null {
    return this.inner.waitQueue;
  }
  override get hostFd(): number {
    return this.inner.hostFd;
  }
  override poll(): number {
    return this.inner.poll();
  }
  override name(): string {
    return "/dev/console";
  }

  override read(io: IoBuffer): number {
    const denied = this.terminal.mayRead();
    return denied !== 0 ? denied : this.inner.read(io);
  }

  override write(io: IoBuffer): number {
    if (this.terminal.isBackground && this.terminal.stopsBackgroundWriters) {
      const denied = this.terminal.mayChange();
      if (denied !== 0) return denied;
    }
    return this.inner.write(io);
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    const result = this.terminal.jobIoctl(mm, command, arg);
    if (result !== -ENOTTY || isJobCommand(command)) return result;
    if (CHANGES.includes(command)) {
      const denied = this.terminal.mayChange();
      if (denied !== 0) return denied;
    }
    return this.inner.ioctl(mm, command, arg);
  }

  protected override release(): void {
    this.inner.unref();
  }
}

function isJobCommand(command: number): boolean {
  return command === I.TIOCGPGRP || command === I.TIOCSPGRP || command === I.TIOCGSID || command === I.TIOCNOTTY;
}
