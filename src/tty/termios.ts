// The settings of a terminal that we run ourselves (struct ktermios), as the guest reads and writes them.

import { EFAULT } from "../abi/errno.ts";
import * as T from "../abi/termios.ts";
import type { AddressSpace } from "../mm/address-space.ts";

const bytes = new Uint8Array(T.TERMIOS2_BYTES);
const view = new DataView(bytes.buffer);
const SPEED = 38400;

/** ^C ^\ DEL ^U ^D 0 1 0 ^Q ^S ^Z 0 ^R ^O ^W ^V 0 (INIT_C_CC). */
const CONTROL_CHARACTERS = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0];

export class TermiosSettings {
  iflag = T.ICRNL | T.IXON;
  oflag = T.OPOST | T.ONLCR;
  cflag = T.B38400 | T.CS8 | T.CREAD;
  lflag = T.ISIG | T.ICANON | T.ECHO | T.ECHOE | T.ECHOK | T.ECHOCTL | T.ECHOKE | T.IEXTEN;
  line = 0;
  readonly cc = Uint8Array.from(CONTROL_CHARACTERS);

  input(flag: number): boolean {
    return (this.iflag & flag) !== 0;
  }
  output(flag: number): boolean {
    return (this.oflag & flag) !== 0;
  }
  local(flag: number): boolean {
    return (this.lflag & flag) !== 0;
  }

  /** Whether `byte` is the control character at `index`; 0 disables one. */
  is(byte: number, index: number): boolean {
    return byte !== 0 && this.cc[index] === byte;
  }

  /** TCGETS, or TCGETS2 with `speeds`: 0 or -EFAULT. */
  write(mm: AddressSpace, addr: number, speeds: boolean): number {
    view.setUint32(T.Termios.c_iflag, this.iflag, true);
    view.setUint32(T.Termios.c_oflag, this.oflag, true);
    view.setUint32(T.Termios.c_cflag, this.cflag, true);
    view.setUint32(T.Termios.c_lflag, this.lflag, true);
    bytes[T.Termios.c_line] = this.line;
    bytes.set(this.cc, T.Termios.c_cc);
    view.setUint32(T.Termios.sizeBytes, SPEED, true);
    view.setUint32(T.Termios.sizeBytes + 4, SPEED, true);
    const count = speeds ? T.TERMIOS2_BYTES : T.Termios.sizeBytes;
    return mm.copyOutBytes(addr, bytes, 0, count) === count ? 0 : -EFAULT;
  }

  /** TCGETA: the low halves of the flags, and the first characters. */
  writeOld(mm: AddressSpace, addr: number): number {
    [this.iflag, this.oflag, this.cflag, this.lflag].forEach((flags, i) => {
      view.setUint16(2 * i, flags & 0xffff, true);
    });
    bytes[8] = this.line;
    bytes.set(this.cc.subarray(0, T.NCC), 9);
    bytes[17] = 0;
    return mm.copyOutBytes(addr, bytes, 0, T.TERMIO_BYTES) === T.TERMIO_BYTES ? 0 : -EFAULT;
  }

  /** TCSETA: what does not fit stays. */
  readOld(mm: AddressSpace, addr: number): number {
    if (mm.copyInBytes(addr, bytes, 0, T.TERMIO_BYTES) !== T.TERMIO_BYTES) return -EFAULT;
    const low = (old: number, at: number): number => (old & ~0xffff) | view.getUint16(at, true);
    this.iflag = low(this.iflag, 0);
    this.oflag = low(this.oflag, 2);
    this.cflag = low(this.cflag, 4);
    this.lflag = low(this.lflag, 6);
    this.line = bytes[8]!;
    this.cc.set(bytes.subarray(9, 9 + T.NCC));
    return 0;
  }

  /** TCSETS, TCSETS2 */
  read(mm: AddressSpace, addr: number, speeds: boolean): number {
    const count = speeds ? T.TERMIOS2_BYTES : T.Termios.sizeBytes;
    if (mm.copyInBytes(addr, bytes, 0, count) !== count) return -EFAULT;
    this.iflag = view.getUint32(T.Termios.c_iflag, true);
    this.oflag = view.getUint32(T.Termios.c_oflag, true);
    this.cflag = view.getUint32(T.Termios.c_cflag, true);
    this.lflag = view.getUint32(T.Termios.c_lflag, true);
    this.line = bytes[T.Termios.c_line]!;
    this.cc.set(bytes.subarray(T.Termios.c_cc, T.Termios.c_cc + T.NCCS));
    return 0;
  }
}
