// The host's terminals (tty_ioctl(4)). struct termios and struct winsize are Linux's.

import { pointerOf, shim } from "./shim.ts";

const TIOCGWINSZ = 0x5413;
const TCGETS = 0x5401;

const memory = new Uint8Array(64);
const ptr = pointerOf(memory);
const view = new DataView(memory.buffer);

export interface WindowSize {
  rows: number;
  columns: number;
  xPixels: number;
  yPixels: number;
}

export const terminal = {
  isTerminal(fd: number): boolean {
    return shim.host_ioctl(fd, TCGETS, ptr) === 0;
  },

  windowSize(fd: number): WindowSize | number {
    const error = shim.host_ioctl(fd, TIOCGWINSZ, ptr);
    if (error < 0) return error;
    const at = (i: number) => view.getUint16(2 * i, true);
    return { rows: at(0), columns: at(1), xPixels: at(2), yPixels: at(3) };
  },

  /**
   * A terminal ioctl with a host pointer or a plain value as its argument; -ENOTTY for commands that must not pass
   * (TIOCSTI, TIOCSCTTY, ...).
   */
  ioctl(fd: number, command: number, argument: number): number {
    return shim.host_ioctl(fd, command, argument);
  },

  /** Raw mode until `restore`, or until carrick ends in any way. */
  raw(fd: number): number {
    return shim.host_terminal_raw(fd);
  },

  restore(): void {
    shim.host_terminal_restore();
  },
};
