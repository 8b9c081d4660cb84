// Reads the index of an image layer (lib/layer-index.ts) where it is mapped. Nothing is decoded before it is asked for, so that opening an
// index costs the same whatever its size; and the engine never sees its bytes as memory of its own, which it would count for its garbage
// collector. Searches run in the shim. Whatever a damaged index says, answers are harmless.

import type { HostBytes } from "../../host/mapped-file.ts";
import { pointerOf, shim } from "../../host/shim.ts";
import { HEADER_WORDS, Header, INDEX_MAGIC, INDEX_VERSION, RECORD_WORDS, Record } from "../../lib/layer-index.ts";

const WORD = 4;
const HIGH = 4294967296;
const HEADER_BYTES = HEADER_WORDS * WORD;
const RECORD_BYTES = RECORD_WORDS * WORD;
const MAX_NAME = 256;
/** A symbolic link's target, a path. */
const MAX_TEXT = 65536;

/** Where names go on their way to the shim, and texts come from it. */
const text = Buffer.alloc(MAX_TEXT);
const textPtr = pointerOf(text);
/** The name that lies in `text` for the next search. */
let written: string | null = null;

/** Which entry `list` would go on with. */
const next = new Uint32Array(1);
const nextPtr = pointerOf(next);

export class LayerIndex {
  /** Records, the root among them. */
  readonly entries: number;
  private readonly records: number;
  private readonly blob: number;
  private readonly blobBytes: number;
  private readonly header: Uint32Array;
  /** The record that was looked at last. */
  private readonly record = new Uint32Array(RECORD_WORDS);
  private readonly recordPtr = pointerOf(this.record);
  private loaded = -1;
  /** Keeps the bytes in memory. */
  readonly bytes: HostBytes;

  private constructor(bytes: HostBytes, header: Uint32Array) {
    this.bytes = bytes;
    this.header = header;
    this.entries = header[Header.entries]!;
    this.blobBytes = header[Header.blobBytes]!;
    this.records = bytes.ptr + HEADER_BYTES;
    this.blob = this.records + this.entries * (RECORD_BYTES + WORD);
  }

  /** Null when the bytes are no index of this version, or not all of one. They must be aligned to words. */
  static open(bytes: HostBytes): LayerIndex | null {
    if (bytes.sizeBytes < HEADER_BYTES || bytes.ptr % WORD !== 0) return null;
    const header = new Uint32Array(HEADER_WORDS);
    shim.mem_copy(pointerOf(header), bytes.ptr, HEADER_BYTES);
    const entries = header[Header.entries]!;
    if (header[Header.magic] !== INDEX_MAGIC || header[Header.version] !== INDEX_VERSION || entries === 0) return null;
    const expected = HEADER_BYTES + entries * (RECORD_BYTES + WORD) + header[Header.blobBytes]!;
    return bytes.sizeBytes === expected ? new LayerIndex(bytes, header) : null;
  }

  /** Where it is, for the shim: pointer, records, bytes of the blob. */
  describe(words: Uint32Array, at: number): void {
    words[at] = this.records;
    words[at + 1] = Math.floor(this.records / HIGH);
    words[at + 2] = this.entries;
    words[at + 3] = this.blobBytes;
  }

  private word(entry: number, field: number): number {
    if (entry !== this.loaded) this.load(entry);
    return this.record[field]!;
  }

  private load(entry: number): void {
    this.loaded = entry;
    if (entry < this.entries) shim.mem_copy(this.recordPtr, this.records + entry * RECORD_BYTES, RECORD_BYTES);
    else this.record.fill(0);
  }

  /** Whether some names of this layer are files of lower ones; the first such record. */
  get firstExternal(): number {
    return this.header[Header.externals] === 0 ? 0 : this.header[Header.firstExternal]!;
  }

  /** The first directory that the archive does not describe; `next` leads from one to the next. */
  get firstImplied(): number {
    return this.header[Header.firstImplied]!;
  }

  parent(entry: number): number {
    return this.word(entry, Record.parent);
  }
  name(entry: number): string {
    return this.text(this.word(entry, Record.name), this.word(entry, Record.kind) & 0xffff);
  }
  kind(entry: number): number {
    return (this.word(entry, Record.kind) >>> 16) & 0xff;
  }
  hasFlag(entry: number, flag: number): boolean {
    return ((this.word(entry, Record.kind) >>> 24) & flag) !== 0;
  }
  mode(entry: number): number {
    return this.word(entry, Record.mode);
  }
  uid(entry: number): number {
    return this.word(entry, Record.uid);
  }
  gid(entry: number): number {
    return this.word(entry, Record.gid);
  }
  /** Bytes of a file. */
  size(entry: number): number {
    return this.word(entry, Record.sizeLow) + (this.word(entry, Record.sizeHigh) & 0x1fffff) * HIGH;
  }
  rdev(entry: number): number {
    return this.word(entry, Record.sizeLow);
  }
  subdirectories(entry: number): number {
    return this.word(entry, Record.sizeLow);
  }
  mtimeSec(entry: number): number {
    return this.word(entry, Record.mtimeLow) + (this.word(entry, Record.mtimeHigh) | 0) * HIGH;
  }
  mtimeNsec(entry: number): number {
    return this.word(entry, Record.mtimeNsec);
  }
  /** Where in the tar a file's content begins. */
  dataOffset(entry: number): number {
    return this.word(entry, Record.dataLow) + (this.word(entry, Record.dataHigh) & 0x1fffff) * HIGH;
  }
  firstChild(entry: number): number {
    return this.word(entry, Record.dataLow);
  }
  childCount(entry: number): number {
    return Math.min(this.word(entry, Record.dataHigh), this.entries - this.word(entry, Record.dataLow));
  }
  /** The record that describes the inode of a `Kind.link`. */
  linkedTo(entry: number): number {
    return this.word(entry, Record.dataLow);
  }
  /** Target of a symbolic link, path of an external. */
  target(entry: number): string {
    return this.text(this.word(entry, Record.dataLow), this.word(entry, Record.dataHigh));
  }
  next(entry: number): number {
    return this.word(entry, Record.next);
  }

  private text(from: number, length: number): string {
    const count = Math.min(length, this.blobBytes - from, MAX_TEXT);
    if (count <= 0) return "";
    shim.mem_copy(textPtr, this.blob + from, count);
    written = null;
    return text.toString("latin1", 0, count);
  }

  /** The record of `name` in a directory, or -1. */
  find(directory: number, name: string): number {
    if (name !== written && !writeName(name)) return -1;
    return shim.index_find(this.records, this.entries, this.blobBytes, directory, textPtr, name.length);
  }

  /**
   * Writes linux_dirent64 records of the entries [from, end) to `ptr` as far as they fit: their bytes. `listedTo` is the entry behind them;
   * one that only other layers can explain ends the list. Numbers of inodes count from `firstIno`, offsets from `offset`.
   */
  list(from: number, end: number, firstIno: number, offset: number, ptr: number, limit: number): number {
    const { records, entries, blobBytes } = this;
    return shim.index_list(records, entries, blobBytes, from, end, firstIno, offset, ptr, limit, nextPtr);
  }
  get listedTo(): number {
    return next[0]!;
  }

  /** A part of the blob, as it is now. */
  private piece(at: number, length: number): Buffer {
    const piece = Buffer.alloc(Math.max(0, Math.min(length, this.blobBytes - at)));
    if (piece.length > 0) shim.mem_copy(pointerOf(piece), this.blob + at, piece.length);
    return piece;
  }

  /** Extended attributes; null when there are none. */
  xattrs(entry: number): Map<string, Uint8Array> | null {
    let at = this.word(entry, Record.xattrs) - 1;
    if (at < 0 || at + 4 > this.blobBytes) return null;
    const found = new Map<string, Uint8Array>();
    const count = this.piece(at, 4).readUInt32LE();
    at += 4;
    for (let i = 0; i < count && at + 8 <= this.blobBytes; i += 1) {
      const lengths = this.piece(at, 8);
      const nameLength = lengths.readUInt32LE(0);
      at += 8;
      const value = this.piece(at + nameLength, lengths.readUInt32LE(4));
      found.set(this.text(at, nameLength), new Uint8Array(value));
      at += nameLength + lengths.readUInt32LE(4);
    }
    return found;
  }

  /** Pieces of a sparse file, [offset, length, ...]; null when the file is whole. */
  sparse(entry: number): number[] | null {
    const at = this.word(entry, Record.sparse) - 1;
    if (at < 0 || at + 4 > this.blobBytes) return null;
    const list = this.piece(at + 4, 16 * this.piece(at, 4).readUInt32LE());
    const pieces: number[] = [];
    const words = list.length - (list.length % 16);
    for (let i = 0; i < words; i += 8) pieces.push(list.readUInt32LE(i) + (list.readUInt32LE(i + 4) & 0x1fffff) * HIGH);
    return pieces;
  }
}

/** Puts a name where the shim finds it. False when it is too long for any directory. */
function writeName(name: string): boolean {
  if (name.length > MAX_NAME) return false;
  text.write(name, "latin1");
  written = name;
  return true;
}
