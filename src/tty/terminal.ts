// A terminal as a session sees it: controlling terminal, foreground group, the job control checks before reading and
// writing, and the ioctls that all terminals share (tty_ioctl(4), drivers/tty/tty_jobctrl.c).

import { EFAULT, EINVAL, EIO, ENOTTY, EPERM, ERESTARTSYS, ESRCH } from "../abi/errno.ts";
import * as I from "../abi/ioctl.ts";
import { SIGTTIN, SIGTTOU } from "../abi/signal.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { File } from "../vfs/file.ts";
import type { Inode } from "../vfs/inode.ts";
import type { JobControl } from "./job-control.ts";

export abstract class Terminal {
  /** Device number, for stat and /proc/PID/stat. */
  abstract readonly dev: number;
  /** The session that it controls; 0 for none. */
  sid = 0;
  protected readonly jobs: JobControl;

  constructor(jobs: JobControl) {
    this.jobs = jobs;
  }

  /** ControllingTerminal: the session has ended or gave the terminal up. */
  disassociate(_session: unknown): void {
    this.sid = 0;
  }

  get foreground(): number {
    return this.sid === 0 ? 0 : this.jobs.foreground(this.sid);
  }

  private get isMine(): boolean {
    return this.jobs.terminal === this;
  }

  /** The current process belongs to the terminal's session, but not to its foreground group. */
  get isBackground(): boolean {
    const foreground = this.foreground;
    return this.isMine && foreground !== 0 && this.jobs.pgid !== foreground;
  }

  /** Background processes do not read (__tty_check_change with SIGTTIN): 0, -EIO, or -ERESTARTSYS after the signal. */
  mayRead(): number {
    return this.checkChange(SIGTTIN);
  }

  /** The same for changing the terminal, and for writing under TOSTOP. */
  mayChange(): number {
    return this.checkChange(SIGTTOU);
  }

  private checkChange(signal: number): number {
    const { jobs } = this;
    if (!this.isBackground) return 0;
    if (!jobs.feels(signal)) return signal === SIGTTIN ? -EIO : 0;
    if (jobs.orphaned) return -EIO;
    jobs.signal(jobs.pgid, signal);
    return -ERESTARTSYS;
  }

  /** Opens it anew: /dev/tty, /dev/pts/N. */
  abstract open(inode: Inode, flags: number): File | number;

  /** open(2) without O_NOCTTY by a session leader that has no terminal. */
  opened(): void {
    const { jobs } = this;
    if (jobs.isSessionLeader && jobs.terminal === null && this.sid === 0) jobs.acquire(this);
  }

  /** Session and process group commands; -ENOTTY for all others. */
  jobIoctl(mm: AddressSpace, command: number, arg: number): number {
    switch (command) {
      case I.TIOCSCTTY:
        return this.setControlling(arg);
      case I.TIOCNOTTY:
        return this.giveUp();
      case I.TIOCGPGRP:
        return this.isMine ? mm.writeU32(arg, this.foreground) : -ENOTTY;
      case I.TIOCSPGRP:
        return this.setForeground(mm, arg);
      case I.TIOCGSID:
        return this.isMine ? mm.writeU32(arg, this.sid) : -ENOTTY;
      case I.TIOCGETD:
        return mm.writeU32(arg, 0);
      case I.TIOCSETD:
        return mm.readU32(arg) === 0 ? 0 : -EINVAL;
      case I.TIOCEXCL:
      case I.TIOCNXCL:
        return 0;
      case I.TIOCSTI:
        return -EPERM;
    }
    return -ENOTTY;
  }

  private setControlling(arg: number): number {
    const { jobs } = this;
    if (jobs.isSessionLeader && this.sid === jobs.sid) return 0;
    if (!jobs.isSessionLeader || jobs.terminal !== null) return -EPERM;
    if (this.sid !== 0) {
      if (arg !== 1 || !jobs.privileged) return -EPERM;
      jobs.release(this.sid, false);
      this.sid = 0;
    }
    jobs.acquire(this);
    return 0;
  }

  private giveUp(): number {
    const { jobs } = this;
    if (!this.isMine) return -ENOTTY;
    if (jobs.isSessionLeader) jobs.release(this.sid, true);
    return 0;
  }

  private setForeground(mm: AddressSpace, arg: number): number {
    const { jobs } = this;
    const checked = this.mayChange();
    if (checked === -EIO) return -ENOTTY;
    if (checked !== 0) return checked;
    if (!this.isMine) return -ENOTTY;
    const pgid = mm.readU32(arg);
    if (pgid < 0) return -EFAULT;
    if (pgid > 0x7fffffff) return -EINVAL;
    const session = jobs.sessionOf(pgid);
    if (session === 0) return -ESRCH;
    if (session !== jobs.sid) return -EPERM;
    jobs.setForeground(this.sid, pgid);
    return 0;
  }

  /** To the foreground group: ^C and friends, changes of the window. */
  signalForeground(signal: number): void {
    const foreground = this.foreground;
    if (foreground !== 0) this.jobs.signal(foreground, signal);
  }
}
