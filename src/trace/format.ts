// Text of calls as strace prints it: arguments by the row's types, results with the errno's name.

import * as errno from "../abi/errno.ts";
import { O_ACCMODE } from "../abi/fcntl.ts";
import type { Registers } from "../cpu/registers.ts";
import { scratch } from "../host/scratch.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { ArgType, Names } from "../syscalls/row.ts";
import { errnoText } from "./errno-text.ts";

/** Bytes of a buffer that are shown, as strace's -s default. */
const STRING_BYTES = 32;
const PATH_BYTES = 4096;
const ARGV_ITEMS = 32;
const AT_FDCWD = -100;
const MAX_ERRNO = 4095;

const errnoNames = new Map<number, string>(Object.entries(errno).map(([name, value]) => [value, name]));

function namesOf(type: ArgType): Names {
  const { names } = type;
  return typeof names === "function" ? names() : names!;
}

/** A byte string in C spelling with quotes. `cut`: more bytes follow than are shown. */
export function quote(text: string, cut = false): string {
  let out = "";
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 0x22 || c === 0x5c) out += `\\${text[i]}`;
    else if (c === 0x0a) out += "\\n";
    else if (c === 0x0d) out += "\\r";
    else if (c === 0x09) out += "\\t";
    else if (c >= 0x20 && c < 0x7f) out += text[i];
    else out += octal(c, text.charCodeAt(i + 1));
  }
  return `"${out}"${cut ? "..." : ""}`;
}

/** As short as the next character allows. */
function octal(c: number, next: number): string {
  const digits = c.toString(8);
  return `\\${next >= 0x30 && next <= 0x37 ? digits.padStart(3, "0") : digits}`;
}

/** A mask by its names, highest-valued names first tried whole; the rest in hex. */
export function flagsText(names: Names, value: number): string {
  const parts: string[] = [];
  let left = value >>> 0;
  // The access mode of open(2) is a number among the flags.
  if (names["O_WRONLY"] !== undefined && (left & O_ACCMODE) === 0) parts.push("O_RDONLY");
  for (const [name, bits] of Object.entries(names)) {
    const b = bits >>> 0;
    if (b !== 0 && (left & b) >>> 0 === b) {
      parts.push(name);
      left = (left & ~b) >>> 0;
    }
  }
  const zero = Object.entries(names).find(([, bits]) => bits === 0)?.[0];
  if (left !== 0) parts.push(`0x${left.toString(16)}`);
  return parts.length > 0 ? parts.join("|") : (zero ?? "0");
}

export function resultText(result: number, hex: boolean): string {
  if (result < 0 && result >= -MAX_ERRNO) {
    const name = errnoNames.get(-result) ?? `errno ${-result}`;
    return `-1 ${name} (${errnoText[name] ?? "Unknown error"})`;
  }
  return hex ? `0x${result.toString(16)}` : String(result);
}

/** Everything about arguments needs the registers as they were at the trap, and the memory they point into. */
export function argText(type: ArgType, index: number, regs: Registers, mm: AddressSpace): string {
  const i32 = regs.i32[2 * index]!;
  const wide = regs.x(index);
  switch (type.as) {
    case "int":
      return type.lane === "off" ? String(regs.u32[2 * index]! + regs.i32[2 * index + 1]! * 4294967296) : String(i32);
    case "uint":
      return String(type.lane === "u32" ? i32 >>> 0 : wide);
    case "hex":
      return type.lane === "addr" ? pointer(wide) : `0x${(i32 >>> 0).toString(16)}`;
    case "octal":
      return `0${(i32 >>> 0).toString(8)}`;
    case "fd":
      return String(i32);
    case "dirfd":
      return i32 === AT_FDCWD ? "AT_FDCWD" : String(i32);
    case "signal":
      return signalName(i32);
    case "flags":
      return flagsText(namesOf(type), i32);
    case "value":
      return Object.entries(namesOf(type)).find(([, v]) => v === i32)?.[0] ?? String(i32);
    case "path":
      return string(mm, wide, PATH_BYTES);
    case "argv":
      return vector(mm, wide);
    case "inBuf":
    case "outBuf":
      return buffer(mm, wide, regs.x(type.detail as number));
    case "struct":
      return pointer(wide);
  }
}

function pointer(addr: number): string {
  return addr === 0 ? "NULL" : `0x${addr.toString(16)}`;
}

function string(mm: AddressSpace, addr: number, max: number): string {
  if (addr === 0) return "NULL";
  const text = mm.readString(mm.untag(addr), max);
  return typeof text === "number" ? pointer(addr) : quote(text);
}

function vector(mm: AddressSpace, addr: number): string {
  if (addr === 0) return "NULL";
  const items: string[] = [];
  for (let i = 0; i < ARGV_ITEMS; i += 1) {
    const item = mm.readU64(addr + i * 8);
    if (item < 0) return pointer(addr);
    if (item === 0) return `[${items.join(", ")}]`;
    items.push(string(mm, item, PATH_BYTES));
  }
  return `[${items.join(", ")}, ...]`;
}

/** The first bytes of a buffer of `length` bytes. */
export function buffer(mm: AddressSpace, addr: number, length: number): string {
  if (addr === 0) return "NULL";
  const shown = Math.min(length, STRING_BYTES);
  if (mm.copyIn(mm.untag(addr), shown) < 0) return pointer(addr);
  return quote(scratch.bytes.toString("latin1", 0, shown), length > shown);
}

const SIGNALS =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(
    " ",
  );

export function signalName(signal: number): string {
  const name = SIGNALS[signal - 1];
  if (name !== undefined) return `SIG${name}`;
  return signal >= 32 && signal <= 64 ? `SIGRT_${signal - 32}` : String(signal);
}

/** Structs that a call fills, as text of what is at `addr` afterwards. */
export const FILLED: Readonly<Record<string, (mm: AddressSpace, addr: number) => string>> = {
  "int[2]": (mm, addr) => (mm.copyIn(addr, 8) < 0 ? pointer(addr) : `[${word(0)}, ${word(1)}]`),
  "wait status": (mm, addr) => (mm.copyIn(addr, 4) < 0 ? pointer(addr) : `[${waitStatus(word(0))}]`),
};

function word(index: number): number {
  return scratch.view.getInt32(4 * index, true);
}

function waitStatus(status: number): string {
  const signal = status & 0x7f;
  if (status === 0xffff) return "{WIFCONTINUED(s)}";
  if ((status & 0xff) === 0x7f) return `{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName((status >> 8) & 0xff)}}`;
  if (signal === 0) return `{WIFEXITED(s) && WEXITSTATUS(s) == ${(status >> 8) & 0xff}}`;
  return `{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(signal)}${(status & 0x80) !== 0 ? " && WCOREDUMP(s)" : ""}}`;
}
