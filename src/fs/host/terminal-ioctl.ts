// The terminal ioctls that go through to a terminal of the host (tty_ioctl(4)). Process groups and sessions are the
// guest's own and never get here; nothing that could wait for the terminal is asked for.

import { ENOTTY } from "../../abi/errno.ts";
import {
  FIONREAD,
  TCFLSH,
  TCGETS,
  TCSBRK,
  TCSBRKP,
  TCSETS,
  TCSETSF,
  TCSETSW,
  TCXONC,
  TIOCGWINSZ,
  TIOCOUTQ,
  TIOCSWINSZ,
} from "../../abi/ioctl.ts";
import { scratch } from "../../host/scratch.ts";
import { terminal } from "../../host/terminal.ts";
import type { AddressSpace } from "../../mm/address-space.ts";

const TCIFLUSH = 0;
const TERMIOS_BYTES = 36;
const WINSIZE_BYTES = 8;
const INT_BYTES = 4;

/** A result, -errno; -ENOTTY for what is not passed through or when `fd` is no terminal. */
export function terminalIoctl(fd: number, mm: AddressSpace, command: number, arg: number): number {
  switch (command) {
    case TCGETS:
      return get(fd, mm, command, arg, TERMIOS_BYTES);
    case TCSETS:
    case TCSETSW:
      // DIFFERS: TCSETSW does not wait for output to drain.
      return set(fd, mm, TCSETS, arg, TERMIOS_BYTES);
    case TCSETSF: {
      const error = terminal.ioctl(fd, TCFLSH, TCIFLUSH);
      return error < 0 ? error : set(fd, mm, TCSETS, arg, TERMIOS_BYTES);
    }
    case TCFLSH:
    case TCXONC:
      return terminal.ioctl(fd, command, arg);
    case TCSBRK:
    case TCSBRKP:
      return terminal.isTerminal(fd) ? 0 : -ENOTTY;
    case TIOCGWINSZ:
      return get(fd, mm, command, arg, WINSIZE_BYTES);
    case TIOCSWINSZ:
      return set(fd, mm, command, arg, WINSIZE_BYTES);
    case TIOCOUTQ:
    case FIONREAD:
      return get(fd, mm, command, arg, INT_BYTES);
    default:
      return -ENOTTY;
  }
}

function get(fd: number, mm: AddressSpace, command: number, arg: number, sizeBytes: number): number {
  const error = terminal.ioctl(fd, command, scratch.ptr);
  return error < 0 ? error : mm.copyOut(arg, sizeBytes);
}

function set(fd: number, mm: AddressSpace, command: number, arg: number, sizeBytes: number): number {
  const error = mm.copyIn(arg, sizeBytes);
  return error < 0 ? error : terminal.ioctl(fd, command, scratch.ptr);
}
