// Reads a tar archive as it streams by: headers, extended headers, GNU's long names and sparse maps become entries; the bodies
// are only counted, so that an entry says where in the archive its content lies. Everything in an archive is hostile.

import { LayerError, shown } from "./layer-error.ts";
import { BLOCK, headerNumber, isZeroBlock, parseHeader, type TarHeader } from "./tar-header.ts";
import { MAX_PAX_BYTES, type PaxRecords, parsePax, paxNumber, paxTime, paxXattrs } from "./tar-pax.ts";
import { checkedMap, decimalMap, EmbeddedMap, oldSparseEntries } from "./tar-sparse.ts";

export type TarType = "file" | "directory" | "symlink" | "link" | "character" | "block" | "fifo";

export interface TarEntry {
  readonly type: TarType;
  /** As the archive has it: not yet checked for what it leads to. */
  readonly name: string;
  /** Target of a symbolic or hard link. */
  readonly link: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file as a reader sees it, holes included. */
  readonly sizeBytes: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Buffer> | null;
  /** Where in the archive the content begins. */
  readonly dataOffset: number;
  /** Pieces of a sparse file, [offset, length, ...]; null when the content is whole. */
  readonly sparse: readonly number[] | null;
}

const TYPES: Readonly<Record<string, TarType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  D: "directory",
  "6": "fifo",
};
/** Longer names than this are no path of Linux. */
const MAX_LONG_NAME = 65536;
const MAX_ID = 0xffffffff;
/** Largest file of carrick: offsets stay exact with a page added. */
const MAX_FILE_BYTES = 2 ** 53 - 4096;

export class TarReader {
  private readonly onEntry: (entry: TarEntry) => void;
  private readonly block = Buffer.alloc(BLOCK);
  /** Where the bytes that are being collected go, how many are there, and what happens when it is full. */
  private target: Buffer = this.block;
  private filled = 0;
  private whenFull: () => void = () => this.header();
  /** Whether the archive may not end here. */
  private unfinished = false;
  /** Bytes of the archive to pass over: content, then padding. */
  private content = 0;
  private padding = 0;
  private offset = 0;
  private zeroBlocks = 0;
  private ended = false;

  private readonly global: PaxRecords = { values: new Map(), sparse: [] };
  private local: PaxRecords | null = null;
  private longName: string | null = null;
  private longLink: string | null = null;

  constructor(onEntry: (entry: TarEntry) => void) {
    this.onEntry = onEntry;
  }

  /** The next bytes of the archive. Throws LayerError. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.ended) {
      const left = chunk.length - at;
      const skip = Math.min(this.content + this.padding, left);
      if (skip > 0) {
        const content = Math.min(skip, this.content);
        this.content -= content;
        this.padding -= skip - content;
        at += skip;
        this.offset += skip;
        continue;
      }
      const n = Math.min(this.target.length - this.filled, left);
      this.target.set(chunk.subarray(at, at + n), this.filled);
      this.filled += n;
      at += n;
      this.offset += n;
      if (this.filled === this.target.length) {
        this.filled = 0;
        this.whenFull();
      }
    }
  }

  /** How many of the next bytes do not matter, because they are content: a caller that can seek need not read them. */
  get skippable(): number {
    return this.ended ? 0 : this.content + this.padding;
  }

  /** Passes over all of the `skippable` bytes. */
  skip(): void {
    this.offset += this.skippable;
    this.content = 0;
    this.padding = 0;
  }

  /** The archive is over: it must not have ended in the middle of something. Missing zero blocks are forgiven. */
  finish(): void {
    if (this.ended) return;
    const pending = this.local !== null || this.longName !== null || this.longLink !== null;
    if (this.content > 0 || this.filled > 0 || this.unfinished || pending)
      throw new LayerError("the archive ends too early");
  }

  private collect(bytes: Buffer, then: () => void): void {
    this.target = bytes;
    this.whenFull = then;
    this.unfinished = true;
  }

  private nextHeader(): void {
    this.collect(this.block, () => this.header());
    this.unfinished = false;
  }

  /** Passes over `bytes` of content and what fills the last block up. */
  private pass(bytes: number): void {
    this.content = bytes;
    this.padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
  }

  private header(): void {
    if (isZeroBlock(this.block)) {
      this.zeroBlocks += 1;
      this.ended = this.zeroBlocks === 2;
      return;
    }
    if (this.zeroBlocks > 0) throw new LayerError("the archive has a header behind its end mark");
    const header = parseHeader(this.block);
    if (header.size < 0) throw new LayerError("the archive has a header with a negative size");
    switch (header.type) {
      case "x":
        this.metadata(header.size, MAX_PAX_BYTES, (bytes) => {
          this.local = { values: new Map(), sparse: [] };
          parsePax(bytes, this.local);
        });
        break;
      case "g":
        this.metadata(header.size, MAX_PAX_BYTES, (bytes) => parsePax(bytes, this.global));
        break;
      case "L":
        this.metadata(header.size, MAX_LONG_NAME, (bytes) => {
          this.longName = untilNul(bytes);
        });
        break;
      case "K":
        this.metadata(header.size, MAX_LONG_NAME, (bytes) => {
          this.longLink = untilNul(bytes);
        });
        break;
      case "V":
        this.forget();
        this.pass(header.size);
        break;
      default:
        this.entry(header);
    }
  }

  /** The body of a header that describes the next one. */
  private metadata(sizeBytes: number, max: number, use: (bytes: Buffer) => void): void {
    if (sizeBytes > max) throw new LayerError("the archive has an extended header that is too large");
    const body = Buffer.alloc(sizeBytes);
    const done = (): void => {
      use(body);
      this.pass(sizeBytes);
      this.content = 0;
      this.nextHeader();
    };
    if (sizeBytes === 0) done();
    else this.collect(body, done);
  }

  private forget(): void {
    this.local = null;
    this.longName = null;
    this.longLink = null;
  }

  private entry(header: TarHeader): void {
    const values = new Map(this.global.values);
    for (const [key, value] of this.local?.values ?? []) values.set(key, value);
    const pairs = this.local?.sparse ?? [];
    const name = textOf(values, "path") ?? this.longName ?? header.name;
    const link = textOf(values, "linkpath") ?? this.longLink ?? header.link;
    this.forget();
    let type = TYPES[header.type];
    if (type === undefined)
      throw new LayerError(`the archive has an entry of an unknown kind (${shown(header.type)}): ${shown(name)}`);
    // The oldest archives know no directories but for the slash behind their names.
    if (type === "file" && header.type !== "S" && name.endsWith("/")) type = "directory";
    const stored = type === "file" ? (paxNumber(values, "size") ?? header.size) : 0;
    if (stored < 0 || stored > MAX_FILE_BYTES)
      throw new LayerError(`the archive has an absurd size for ${shown(name)}`);
    const time = paxTime(values) ?? { sec: header.mtime, nsec: 0 };
    const base = {
      type,
      name: type === "file" ? (textOf(values, "GNU.sparse.name") ?? name) : name,
      link,
      mode: header.mode & 0o7777,
      uid: id(paxNumber(values, "uid") ?? header.uid, name),
      gid: id(paxNumber(values, "gid") ?? header.gid, name),
      mtimeSec: time.sec,
      mtimeNsec: time.nsec,
      major: header.major,
      minor: header.minor,
      xattrs: paxXattrs(values),
    };
    if (type !== "file") this.emit({ ...base, sizeBytes: 0, dataOffset: this.offset, sparse: null }, 0);
    else this.file(base, header, values, pairs, stored);
  }

  private emit(entry: TarEntry, stored: number): void {
    this.onEntry(entry);
    this.pass(stored);
    this.nextHeader();
  }

  private file(
    base: Omit<TarEntry, "sizeBytes" | "dataOffset" | "sparse">,
    header: TarHeader,
    values: ReadonlyMap<string, string>,
    pairs: readonly string[],
    stored: number,
  ): void {
    const whole = (map: readonly number[], sizeBytes: number, taken: number): void => {
      if (sizeBytes < 0 || sizeBytes > MAX_FILE_BYTES || taken > stored)
        throw new LayerError(`the archive has an absurd size for ${shown(base.name)}`);
      const sparse = checkedMap(map, stored - taken, sizeBytes);
      this.emit({ ...base, sizeBytes, dataOffset: this.offset, sparse }, stored - taken);
    };
    if (header.type === "S" && header.gnu) {
      const sizeBytes = headerNumber(this.block, 483, 12, "size");
      const map: number[] = [];
      if (oldSparseEntries(this.block, true, map)) this.oldSparse(map, () => whole(map, sizeBytes, 0));
      else whole(map, sizeBytes, 0);
      return;
    }
    const size = paxNumber(values, "GNU.sparse.realsize") ?? paxNumber(values, "GNU.sparse.size");
    if (size === undefined) {
      this.emit({ ...base, sizeBytes: stored, dataOffset: this.offset, sparse: null }, stored);
    } else if (values.get("GNU.sparse.major") === "1" && values.get("GNU.sparse.minor") === "0") {
      this.embedded(stored, (map, taken) => whole(map, size, taken));
    } else {
      const list = textOf(values, "GNU.sparse.map");
      whole(decimalMap(list === undefined ? pairs : list.split(",")), size, 0);
    }
  }

  /** Blocks that continue the map of an old GNU header; they do not count as content. */
  private oldSparse(map: number[], done: () => void): void {
    this.collect(this.block, () => {
      if (!oldSparseEntries(this.block, false, map)) done();
    });
  }

  private embedded(stored: number, done: (map: readonly number[], taken: number) => void): void {
    const map = new EmbeddedMap();
    this.collect(this.block, () => {
      const last = map.push(this.block);
      if (map.taken > stored) throw new LayerError("the archive has a sparse file with an impossible map");
      if (last) done(map.map, map.taken);
    });
  }
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
}

/** A record's text; an empty one takes the record back. */
function textOf(values: ReadonlyMap<string, string>, key: string): string | undefined {
  const text = values.get(key);
  return text === "" ? undefined : text;
}

function id(value: number, name: string): number {
  if (value < 0 || value > MAX_ID)
    throw new LayerError(`the archive has an owner that no system has for ${shown(name)}`);
  return value;
}
