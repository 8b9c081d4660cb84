// Maps of sparse files (GNU tar manual, "Storing Sparse Files"): old GNU headers, pax formats 0.0, 0.1 and 1.0. A map is a flat
// list [offset, length, offset, length, ...]; the pieces lie back to back in the archive.

import { LayerError } from "./layer-error.ts";
import { BLOCK, headerNumber } from "./tar-header.ts";

/** Most pieces of one file. */
const MAX_PIECES = 1 << 18;
const OLD_ENTRY_BYTES = 24;
const EXTENSION_ENTRIES = 21;

const bad = (): LayerError => new LayerError("the archive has a sparse file with an impossible map");

/** Appends the entries of an old GNU header (4, from byte 386) or of an extension block (21, from 0). Whether more blocks follow. */
export function oldSparseEntries(block: Buffer, inHeader: boolean, map: number[]): boolean {
  const count = inHeader ? 4 : EXTENSION_ENTRIES;
  const from = inHeader ? 386 : 0;
  for (let i = 0; i < count; i += 1) {
    const at = from + i * OLD_ENTRY_BYTES;
    if (block[at] === 0) break;
    map.push(headerNumber(block, at, 12, "sparse map"), headerNumber(block, at + 12, 12, "sparse map"));
  }
  if (map.length > 2 * MAX_PIECES) throw bad();
  return block[from + count * OLD_ENTRY_BYTES] !== 0;
}

/** Of pax formats 0.0 (the repeated records) and 0.1 (one record with commas). */
export function decimalMap(parts: readonly string[]): number[] {
  if (parts.length > 2 * MAX_PIECES || parts.length % 2 !== 0) throw bad();
  return parts.map((part) => {
    const value = /^[0-9]+$/.test(part) ? Number(part) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw bad();
    return value;
  });
}

/** The map of pax format 1.0, which precedes the data: decimal numbers, one a line, padded to whole blocks. */
export class EmbeddedMap {
  readonly map: number[] = [];
  /** Bytes of the archive that the map has taken. */
  taken = 0;
  private wanted = -1;
  private digits = "";

  /** Takes the next block. Whether it was the last one. */
  push(block: Buffer): boolean {
    this.taken += BLOCK;
    for (let i = 0; i < BLOCK; i += 1) {
      const byte = block[i]!;
      if (byte !== 0x0a) {
        if (byte < 0x30 || byte > 0x39 || this.digits.length > 16) throw bad();
        this.digits += String.fromCharCode(byte);
        continue;
      }
      const value = this.digits === "" ? Number.NaN : Number(this.digits);
      this.digits = "";
      if (!Number.isSafeInteger(value)) throw bad();
      if (this.wanted < 0) {
        if (value > MAX_PIECES) throw bad();
        this.wanted = 2 * value;
      } else this.map.push(value);
      if (this.map.length === this.wanted) return true;
    }
    return false;
  }
}

/** The map without empty pieces, checked: in order, inside the file, and as long as what is stored. */
export function checkedMap(map: readonly number[], storedBytes: number, sizeBytes: number): number[] {
  const checked: number[] = [];
  let end = 0;
  let sum = 0;
  for (let i = 0; i < map.length; i += 2) {
    const offset = map[i]!;
    const length = map[i + 1]!;
    if (offset < end || length < 0 || offset + length > sizeBytes) throw bad();
    if (length === 0) continue;
    end = offset + length;
    sum += length;
    checked.push(offset, length);
  }
  if (sum !== storedBytes) throw bad();
  return checked;
}
