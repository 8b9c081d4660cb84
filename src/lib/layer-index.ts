// The index of one image layer: a tree of names made once when the layer is pulled and then read where it lies, as mapped memory.
// Nothing is decoded before it is asked for, so that opening an index costs the same whatever its size.
//
//   header | records, 16 words each | hashes, one word each | blob
//
// Record 0 is the root. The entries of a directory are consecutive records, in order of (hash of the name, name). Words are
// little-endian. Whatever a damaged file says, readers answer with harmless values and never throw.

export const INDEX_MAGIC = 0x58494b43;
export const INDEX_VERSION = 1;
export const HEADER_WORDS = 16;
export const RECORD_WORDS = 16;

/** Words of the header. */
export const Header = { magic: 0, version: 1, entries: 2, blobBytes: 3, externals: 4, firstExternal: 5 } as const;

/** Words of a record. */
export const Record = {
  parent: 0,
  /** Place in the blob, and length in bytes in the low half of `kind`. */
  name: 1,
  /** Length of the name | Kind << 16 | Flag << 24. */
  kind: 2,
  mode: 3,
  uid: 4,
  gid: 5,
  /** Of files; the number of a device; how many subdirectories a directory has. */
  sizeLow: 6,
  sizeHigh: 7,
  mtimeLow: 8,
  mtimeHigh: 9,
  mtimeNsec: 10,
  /** Files: where in the tar. Directories: first entry and their number. Symbolic links: target in the blob and its length. */
  dataLow: 11,
  dataHigh: 12,
  /** Places in the blob plus one; 0 for none. */
  xattrs: 13,
  sparse: 14,
  /** The next name of the same inode, in a ring; externals: the next external. 0 for none. */
  next: 15,
} as const;

export const Kind = {
  inode: 0,
  /** Another name of the inode in record `dataLow`. */
  link: 1,
  /** Another name of a file of a lower layer, whose path is in the blob at `dataLow`, `dataHigh` bytes long. */
  external: 2,
  /** The name is gone from the layers below. */
  whiteout: 3,
} as const;

export const Flag = {
  /** A directory that the archive does not describe: attributes come from below. */
  implied: 1,
  /** What lower layers have under this name does not show through. */
  opaque: 2,
} as const;

/** FNV-1a over the bytes of a name. */
export function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const WORD = 4;
const HIGH = 4294967296;

export class LayerIndex {
  /** Records, the root among them. */
  readonly entries: number;
  private readonly words: Uint32Array;
  private readonly hashes: Uint32Array;
  private readonly blob: Buffer;
  private readonly view: DataView;

  private constructor(bytes: Uint8Array, entries: number, blobBytes: number) {
    const { buffer, byteOffset } = bytes;
    this.entries = entries;
    this.words = new Uint32Array(buffer, byteOffset, HEADER_WORDS + entries * RECORD_WORDS);
    const hashes = byteOffset + this.words.byteLength;
    this.hashes = new Uint32Array(buffer, hashes, entries);
    const blob = hashes + entries * WORD;
    this.blob = Buffer.from(buffer, blob, blobBytes);
    this.view = new DataView(buffer, blob, blobBytes);
  }

  /** Null when the bytes are no index of this version, or not all of one. They must be aligned to words. */
  static open(bytes: Uint8Array): LayerIndex | null {
    if (bytes.length < HEADER_WORDS * WORD || bytes.byteOffset % WORD !== 0) return null;
    const header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
    const entries = header[Header.entries]!;
    const blobBytes = header[Header.blobBytes]!;
    if (header[Header.magic] !== INDEX_MAGIC || header[Header.version] !== INDEX_VERSION || entries === 0) return null;
    const expected = (HEADER_WORDS + entries * (RECORD_WORDS + 1)) * WORD + blobBytes;
    return bytes.length === expected ? new LayerIndex(bytes, entries, blobBytes) : null;
  }

  private word(entry: number, field: number): number {
    return this.words[HEADER_WORDS + entry * RECORD_WORDS + field] ?? 0;
  }

  /** Whether some names of this layer are files of lower ones; the first such record. */
  get firstExternal(): number {
    return this.words[Header.externals] === 0 ? 0 : this.words[Header.firstExternal]!;
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
    return this.blob.toString("latin1", from, from + length);
  }

  /** The record of `name` in a directory, or -1. Names are looked at where hashes are equal, which an archive may have chosen. */
  find(directory: number, name: string, hash: number): number {
    let low = this.firstChild(directory);
    let high = low + this.childCount(directory);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.hashes[middle]!;
      if (other < hash) low = middle + 1;
      else if (other > hash) high = middle;
      else {
        const found = this.name(middle);
        if (found === name) return middle;
        if (found < name) low = middle + 1;
        else high = middle;
      }
    }
    return -1;
  }

  /** Extended attributes; null when there are none. */
  xattrs(entry: number): Map<string, Uint8Array> | null {
    let at = this.word(entry, Record.xattrs) - 1;
    if (at < 0 || at + 4 > this.blob.length) return null;
    const found = new Map<string, Uint8Array>();
    const count = this.view.getUint32(at, true);
    at += 4;
    for (let i = 0; i < count && at + 8 <= this.blob.length; i += 1) {
      const nameLength = this.view.getUint32(at, true);
      const valueLength = this.view.getUint32(at + 4, true);
      at += 8;
      const value = at + nameLength;
      found.set(this.text(at, nameLength), Uint8Array.prototype.slice.call(this.blob, value, value + valueLength));
      at = value + valueLength;
    }
    return found;
  }

  /** Pieces of a sparse file, [offset, length, ...]; null when the file is whole. */
  sparse(entry: number): number[] | null {
    const at = this.word(entry, Record.sparse) - 1;
    if (at < 0 || at + 4 > this.blob.length) return null;
    const count = Math.min(this.view.getUint32(at, true), Math.floor((this.blob.length - at - 4) / 16));
    const pieces: number[] = [];
    for (let i = 0; i < 2 * count; i += 1) {
      const low = this.view.getUint32(at + 4 + 8 * i, true);
      pieces.push(low + (this.view.getUint32(at + 8 + 8 * i, true) & 0x1fffff) * HIGH);
    }
    return pieces;
  }
}
