// One 512-byte header of a tar archive, as bytes (POSIX.1-2024 pax, "ustar Interchange Format"; GNU tar's tar(5) "GNU tar
// archives"). Text stays a byte string: one character for each byte.

import { LayerError } from "./layer-error.ts";

export const BLOCK = 512;

export interface TarHeader {
  name: string;
  link: string;
  /** The type's letter, "\0" for the oldest format's files. */
  type: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  major: number;
  minor: number;
  /** Whether it follows GNU's variant, in which the fields behind the device numbers mean something else. */
  gnu: boolean;
}

function text(block: Buffer, from: number, length: number): string {
  const end = block.indexOf(0, from);
  return block.toString("latin1", from, end < 0 || end > from + length ? from + length : end);
}

/** Numbers are octal text, or big-endian two's complement with the top bit of the first byte set (base-256). */
export function headerNumber(block: Buffer, from: number, length: number, what: string): number {
  if ((block[from]! & 0x80) !== 0) return binaryNumber(block, from, length, what);
  const end = from + length;
  let at = from;
  while (at < end && isBlank(block[at]!)) at += 1;
  let value = 0;
  for (; at < end && !isBlank(block[at]!); at += 1) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) throw new LayerError(`the archive has a header whose ${what} is not a number`);
    value = value * 8 + digit;
  }
  return value;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0;
}

function binaryNumber(block: Buffer, from: number, length: number, what: string): number {
  const negative = (block[from]! & 0x40) !== 0;
  let value = negative ? (block[from]! & 0x7f) - 0x80 : block[from]! & 0x7f;
  for (let i = from + 1; i < from + length; i += 1) value = value * 256 + block[i]!;
  if (!Number.isSafeInteger(value)) throw new LayerError(`the archive has a header whose ${what} is absurd`);
  return value;
}

/** The sum is over unsigned bytes; some old programs summed signed ones. */
function checksumFits(block: Buffer): boolean {
  const wanted = headerNumber(block, 148, 8, "checksum");
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < BLOCK; i += 1) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i]!;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return wanted === unsigned || wanted === signed;
}

export function isZeroBlock(block: Buffer): boolean {
  for (let i = 0; i < BLOCK; i += 1) if (block[i] !== 0) return false;
  return true;
}

/** Reads a header that is not all zeros. Throws LayerError. */
export function parseHeader(block: Buffer): TarHeader {
  if (!checksumFits(block)) throw new LayerError("the archive has a header with a wrong checksum");
  const magic = block.toString("latin1", 257, 265);
  const gnu = magic === "ustar  \0";
  const ustar = magic.startsWith("ustar\0");
  const prefix = ustar ? text(block, 345, block.toString("latin1", 508, 512) === "tar\0" ? 131 : 155) : "";
  const name = text(block, 0, 100);
  const type = String.fromCharCode(block[156]!);
  const device = (ustar || gnu) && (type === "3" || type === "4");
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    link: text(block, 157, 100),
    type,
    mode: headerNumber(block, 100, 8, "mode"),
    uid: headerNumber(block, 108, 8, "user id"),
    gid: headerNumber(block, 116, 8, "group id"),
    size: headerNumber(block, 124, 12, "size"),
    mtime: headerNumber(block, 136, 12, "time"),
    major: device ? headerNumber(block, 329, 8, "device number") : 0,
    minor: device ? headerNumber(block, 337, 8, "device number") : 0,
    gnu,
  };
}
