// The N_TTY line discipline (termios(3), drivers/tty/n_tty.c): what a terminal does to the bytes between a keyboard
// and a program: line editing, echo, signals from keys, flow control, output post-processing.

import { EAGAIN } from "../abi/errno.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../abi/signal.ts";
import * as T from "../abi/termios.ts";
import type { IoBuffer } from "../mm/io-buffer.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { TermiosSettings } from "./termios.ts";

const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const DELETE = 127;
/** Room for input that nobody has read (N_TTY_BUF_SIZE); the last byte is kept for the line's end. */
const INPUT_BYTES = 4096;

/** Where echo and output go, and who gets the signals. */
export interface LineOwner {
  /** A byte for the terminal's screen. */
  emit(byte: number): void;
  signal(signal: number): void;
  /** Input has become readable. */
  arrived(): void;
  /** Output that nobody has seen yet is dropped. */
  flushOutput(): void;
  /** Output may go on after ^S. */
  resumed(): void;
  nowNs(): number;
  after(deadlineNs: number, fire: () => void): () => void;
}

export class LineDiscipline {
  readonly settings: TermiosSettings;
  private readonly owner: LineOwner;
  /** Bytes that can be read, and in canonical mode the lengths of the lines they form; 0 is an end of file. */
  private readonly input = new ByteQueue();
  private lines: number[] = [];
  /** The line that is being typed. */
  private edit: number[] = [];
  private literal = false;
  /** Output is held (^S). */
  stopped = false;
  /** Echo that waits while output is held. */
  private held: number[] = [];
  /** Column of the cursor, and where the typed line began. */
  private column = 0;
  private editColumn = 0;
  private timer: (() => void) | null = null;
  private timeUp = false;

  constructor(settings: TermiosSettings, owner: LineOwner) {
    this.settings = settings;
    this.owner = owner;
  }

  private get canonical(): boolean {
    return this.settings.local(T.ICANON);
  }

  /** Bytes that FIONREAD reports. */
  get available(): number {
    if (!this.canonical) return this.input.length;
    return this.lines.length === 0 ? 0 : this.input.length;
  }

  /** How many more typed bytes there is room for. */
  get room(): number {
    return Math.max(0, INPUT_BYTES - 1 - this.input.length - this.edit.length);
  }

  /** Typing has to wait for a reader. A line that is too long is not what a reader can help with: its rest is dropped. */
  get throttled(): boolean {
    return this.room === 0 && (!this.canonical || this.lines.length > 0);
  }

  /** Whether read(2) would not wait, in poll's terms. */
  get readable(): boolean {
    if (this.canonical) return this.lines.length > 0;
    const { cc } = this.settings;
    const enough = cc[T.VTIME] === 0 && cc[T.VMIN]! > 0 ? cc[T.VMIN]! : 1;
    return this.input.length >= enough;
  }

  /** Settings were changed from outside. `wasCanonical`: before the change. */
  settingsChanged(wasCanonical: boolean): void {
    if (wasCanonical === this.canonical) return;
    for (const byte of this.edit) this.input.push(byte);
    this.edit = [];
    this.lines = this.canonical && this.input.length > 0 ? [this.input.length] : [];
    if (this.readable) this.owner.arrived();
  }

  /** TCFLSH: forgets what was typed and not read. */
  flushInput(): void {
    this.input.clear();
    this.lines = [];
    this.edit = [];
  }

  /** A byte comes from the keyboard. */
  receive(byte: number): void {
    const s = this.settings;
    if (s.input(T.ISTRIP)) byte &= 0x7f;
    if (this.literal) {
      this.literal = false;
      this.append(byte);
      return;
    }
    if (s.input(T.IXON) && this.flowControl(byte)) return;
    if (s.local(T.ISIG) && this.signalKey(byte)) return;
    if (byte === RETURN) {
      if (s.input(T.IGNCR)) return;
      if (s.input(T.ICRNL)) byte = NEWLINE;
    } else if (byte === NEWLINE && s.input(T.INLCR)) {
      byte = RETURN;
    }
    if (!(this.canonical && this.editKey(byte))) this.append(byte);
  }

  private flowControl(byte: number): boolean {
    if (this.settings.is(byte, T.VSTOP)) {
      this.stopped = true;
      return true;
    }
    if (!this.settings.is(byte, T.VSTART)) return false;
    this.resume();
    return true;
  }

  resume(): void {
    if (!this.stopped) return;
    this.stopped = false;
    for (const byte of this.held) this.owner.emit(byte);
    this.held = [];
    this.owner.resumed();
  }

  private signalKey(byte: number): boolean {
    const s = this.settings;
    const signal = s.is(byte, T.VINTR) ? SIGINT : s.is(byte, T.VQUIT) ? SIGQUIT : s.is(byte, T.VSUSP) ? SIGTSTP : 0;
    if (signal === 0) return false;
    if (!s.local(T.NOFLSH)) {
      this.flushInput();
      this.held = [];
      this.owner.flushOutput();
    }
    this.resume();
    if (s.local(T.ECHO)) this.echo(byte);
    this.owner.signal(signal);
    return true;
  }

  /** The keys of canonical mode. False: an ordinary byte. */
  private editKey(byte: number): boolean {
    const s = this.settings;
    if (s.is(byte, T.VERASE)) this.erase();
    else if (s.is(byte, T.VKILL)) this.killLine();
    else if (s.local(T.IEXTEN) && s.is(byte, T.VWERASE)) this.eraseWord();
    else if (s.local(T.IEXTEN) && s.is(byte, T.VLNEXT)) this.literalNext();
    else if (s.local(T.IEXTEN) && s.local(T.ECHO) && s.is(byte, T.VREPRINT)) this.reprint(byte);
    else if (byte === NEWLINE) this.endLine(byte);
    else if (s.is(byte, T.VEOF)) this.pushLine();
    else if (s.is(byte, T.VEOL) || (s.local(T.IEXTEN) && s.is(byte, T.VEOL2))) this.endLine(byte);
    else return false;
    return true;
  }

  private literalNext(): void {
    this.literal = true;
    if (this.settings.local(T.ECHO) && this.settings.local(T.ECHOCTL)) {
      this.show(0x5e);
      this.show(BACKSPACE);
    }
  }

  private append(byte: number): void {
    if (this.room === 0) return;
    const echo = this.settings.local(T.ECHO);
    if (!this.canonical) {
      this.input.push(byte);
      if (echo) this.echo(byte);
      // VTIME counts from the last byte: the waiting read starts it anew.
      this.stopTimer();
      this.owner.arrived();
      return;
    }
    if (this.edit.length === 0) this.editColumn = this.column;
    this.edit.push(byte);
    if (echo) this.echo(byte);
  }

  private endLine(byte: number): void {
    const s = this.settings;
    this.edit.push(byte);
    if (s.local(T.ECHO) || (byte === NEWLINE && s.local(T.ECHONL))) this.echo(byte);
    this.pushLine();
  }

  private pushLine(): void {
    for (const byte of this.edit) this.input.push(byte);
    this.lines.push(this.edit.length);
    this.edit = [];
    this.owner.arrived();
  }

  private erase(): void {
    if (this.edit.length === 0) return;
    let removed = this.edit.pop()!;
    // A UTF-8 character goes as a whole.
    while (this.settings.input(T.IUTF8) && (removed & 0xc0) === 0x80 && this.edit.length > 0)
      removed = this.edit.pop()!;
    this.rubOut(removed);
  }

  /** Takes the last character off the screen. */
  private rubOut(removed: number): void {
    const s = this.settings;
    if (!s.local(T.ECHO)) return;
    if (!s.local(T.ECHOE)) {
      this.echo(s.cc[T.VERASE]!);
      return;
    }
    const target = this.columnAfter(this.edit);
    if (removed === TAB) {
      for (let at = this.column; at > target; at--) this.show(BACKSPACE);
      return;
    }
    for (let at = this.column; at > target; at--) for (const byte of [BACKSPACE, SPACE, BACKSPACE]) this.show(byte);
  }

  private killLine(): void {
    const s = this.settings;
    if (s.local(T.ECHO) && s.local(T.ECHOE) && s.local(T.ECHOKE)) {
      while (this.edit.length > 0) this.erase();
      return;
    }
    this.edit = [];
    if (!s.local(T.ECHO)) return;
    this.echo(s.cc[T.VKILL]!);
    if (s.local(T.ECHOK)) this.echo(NEWLINE);
  }

  private eraseWord(): void {
    const last = () => this.edit[this.edit.length - 1]!;
    while (this.edit.length > 0 && !isWordByte(last())) this.erase();
    while (this.edit.length > 0 && isWordByte(last())) this.erase();
  }

  private reprint(byte: number): void {
    this.echo(byte);
    this.echo(NEWLINE);
    this.editColumn = this.column;
    for (const typed of this.edit) this.echo(typed);
  }

  /** The cursor's column behind the typed bytes. */
  private columnAfter(typed: readonly number[]): number {
    let column = this.editColumn;
    for (const byte of typed) {
      if (byte === TAB) column = (column | 7) + 1;
      else if (byte < SPACE || byte === DELETE) column += this.settings.local(T.ECHOCTL) ? 2 : 0;
      else if (!this.settings.input(T.IUTF8) || (byte & 0xc0) !== 0x80) column += 1;
    }
    return column;
  }

  private echo(byte: number): void {
    const control = (byte < SPACE && byte !== TAB && byte !== NEWLINE) || byte === DELETE;
    if (control && this.settings.local(T.ECHOCTL)) {
      this.show(0x5e);
      this.show(byte ^ 0x40);
    } else {
      this.show(byte);
    }
  }

  /** One byte of output, post-processed (do_output_char). */
  private show(byte: number): void {
    const s = this.settings;
    if (s.output(T.OPOST)) {
      if (byte === NEWLINE && s.output(T.ONLCR)) {
        this.out(RETURN);
        this.column = 0;
      } else if (byte === RETURN) {
        if (s.output(T.ONOCR) && this.column === 0) return;
        if (s.output(T.OCRNL)) byte = NEWLINE;
      }
    }
    this.out(byte);
    this.moveCursor(byte);
  }

  private out(byte: number): void {
    if (this.stopped) this.held.push(byte);
    else this.owner.emit(byte);
  }

  private moveCursor(byte: number): void {
    if (byte === RETURN || (byte === NEWLINE && this.settings.output(T.ONLRET))) this.column = 0;
    else if (byte === TAB) this.column = (this.column | 7) + 1;
    else if (byte === BACKSPACE) this.column = Math.max(0, this.column - 1);
    else if (byte >= SPACE && byte !== DELETE && (byte & 0xc0) !== 0x80) this.column += 1;
  }

  /** A program's output. */
  print(bytes: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) this.show(bytes[i]!);
  }

  /** read(2) of the program: bytes, 0 at an end of file, -EAGAIN to wait. */
  read(io: IoBuffer, nonblock: boolean): number {
    if (io.remaining === 0) return 0;
    return this.canonical ? this.readLine(io) : this.readRaw(io, nonblock);
  }

  private readLine(io: IoBuffer): number {
    const length = this.lines[0];
    if (length === undefined) return -EAGAIN;
    if (length === 0) {
      this.lines.shift();
      return 0;
    }
    const n = this.input.drain(Math.min(length, io.remaining), (bytes, from, count) => io.put(bytes, from, count));
    if (n >= length) this.lines.shift();
    else if (n > 0) this.lines[0] = length - n;
    return n;
  }

  private readRaw(io: IoBuffer, nonblock: boolean): number {
    const minimum = this.settings.cc[T.VMIN]!;
    const timeNs = this.settings.cc[T.VTIME]! * 1e8;
    const have = this.input.length;
    const enough = have > 0 && (nonblock || this.timeUp || have >= Math.min(minimum, io.remaining));
    if (!enough) {
      if (minimum === 0 && (timeNs === 0 || this.timeUp)) {
        this.stopTimer();
        return 0;
      }
      if (timeNs > 0 && !nonblock && (minimum === 0 || have > 0)) this.startTimer(timeNs);
      return -EAGAIN;
    }
    this.stopTimer();
    return this.input.drain(io.remaining, (bytes, from, count) => io.put(bytes, from, count));
  }

  private startTimer(timeNs: number): void {
    if (this.timer !== null || this.timeUp) return;
    this.timer = this.owner.after(this.owner.nowNs() + timeNs, () => {
      this.timer = null;
      this.timeUp = true;
      this.owner.arrived();
    });
  }

  private stopTimer(): void {
    this.timer?.();
    this.timer = null;
    this.timeUp = false;
  }
}

function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x5f ||
    byte >= 0x80
  );
}
