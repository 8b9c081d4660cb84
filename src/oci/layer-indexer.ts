// From the bytes of a layer's tar to its index (lib/layer-index.ts), in the pass that stores the tar.

import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT } from "../abi/stat.ts";
import {
  Flag,
  HEADER_WORDS,
  Header,
  INDEX_MAGIC,
  INDEX_VERSION,
  Kind,
  nameHash,
  RECORD_WORDS,
  Record,
} from "../lib/layer-index.ts";
import { ACL_ACCESS } from "../lib/posix-acl.ts";
import { LayerError } from "./layer-error.ts";
import { type LayerInode, type LayerName, LayerTree } from "./layer-tree.ts";
import { TarReader } from "./tar-reader.ts";

export { LayerError };

const HIGH = 4294967296;
/** Hard links of one file; ext4 has no more either. */
const MAX_LINKS = 65000;

export class LayerIndexer {
  private readonly tree = new LayerTree();
  private readonly reader = new TarReader((entry) => this.tree.add(entry));

  /** The next bytes of the tar, uncompressed. Throws LayerError. */
  push(chunk: Uint8Array): void {
    this.reader.push(chunk);
  }

  /** The tar is complete: its index. Throws LayerError. */
  finish(): Uint8Array {
    this.reader.finish();
    return serialise(this.tree.root);
  }
}

/** One name on its way into the index. */
interface Row {
  readonly name: string;
  readonly hash: number;
  readonly parent: number;
  readonly entry: LayerName;
}

/** All names, directory by directory; `first` tells where the entries of each directory begin. */
function rowsOf(root: LayerName): { rows: Row[]; first: number[] } {
  const rows: Row[] = [{ name: "", hash: nameHash(""), parent: 0, entry: root }];
  const first: number[] = [];
  for (let at = 0; at < rows.length; at += 1) {
    const children = rows[at]!.entry.inode?.children ?? null;
    first.push(rows.length);
    if (children === null) continue;
    const sorted: Row[] = [];
    for (const [name, entry] of children) sorted.push({ name, hash: nameHash(name), parent: at, entry });
    sorted.sort((a, b) => a.hash - b.hash || (a.name < b.name ? -1 : 1));
    for (const row of sorted) rows.push(row);
  }
  return { rows, first };
}

/** Bytes that records point to. */
class Blob {
  private bytes = Buffer.alloc(1 << 16);
  length = 0;

  private room(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(this.length, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    return at;
  }

  text(text: string): number {
    const at = this.room(text.length);
    this.bytes.write(text, at, "latin1");
    return at;
  }

  xattrs(xattrs: ReadonlyMap<string, Buffer>): number {
    const at = this.room(4);
    this.bytes.writeUInt32LE(xattrs.size, at);
    for (const [name, value] of xattrs) {
      const header = this.room(8);
      this.bytes.writeUInt32LE(name.length, header);
      this.bytes.writeUInt32LE(value.length, header + 4);
      this.text(name);
      const data = this.room(value.length);
      this.bytes.set(value, data);
    }
    return at;
  }

  sparse(pieces: readonly number[]): number {
    const at = this.room(4 + 8 * pieces.length);
    this.bytes.writeUInt32LE(pieces.length / 2, at);
    pieces.forEach((value, i) => {
      this.bytes.writeUInt32LE(value % HIGH, at + 4 + 8 * i);
      this.bytes.writeUInt32LE(Math.floor(value / HIGH), at + 8 + 8 * i);
    });
    return at;
  }

  copyTo(target: Uint8Array): void {
    target.set(this.bytes.subarray(0, this.length));
  }
}

function serialise(root: LayerName): Uint8Array {
  const { rows, first } = rowsOf(root);
  const words = new Uint32Array(HEADER_WORDS + rows.length * RECORD_WORDS);
  const hashes = new Uint32Array(rows.length);
  const blob = new Blob();
  /** First and latest record of each inode with several names. */
  const names = new Map<LayerInode, { primary: number; last: number; count: number }>();
  let externals = 0;
  let lastExternal = 0;
  let lastImplied = 0;
  rows.forEach((row, index) => {
    const at = HEADER_WORDS + index * RECORD_WORDS;
    const { inode, opaque, emptied } = row.entry;
    hashes[index] = row.hash;
    words[at + Record.parent] = row.parent;
    words[at + Record.name] = blob.text(row.name);
    let kind: number = Kind.whiteout;
    if (inode !== null && inode.mode === 0) {
      kind = Kind.external;
      words[at + Record.dataLow] = blob.text(inode.target);
      words[at + Record.dataHigh] = inode.target.length;
      if (externals === 0) words[Header.firstExternal] = index;
      else words[HEADER_WORDS + lastExternal * RECORD_WORDS + Record.next] = index;
      lastExternal = index;
      externals += 1;
    } else if (inode !== null) {
      const known = names.get(inode);
      kind = known === undefined ? Kind.inode : Kind.link;
      if (known === undefined) {
        names.set(inode, { primary: index, last: index, count: 1 });
        describe(words, at, inode, first[index]!, blob);
        // The root is no name that could lead elsewhere.
        if (inode.implied && index > 0) {
          if (lastImplied === 0) words[Header.firstImplied] = index;
          else words[HEADER_WORDS + lastImplied * RECORD_WORDS + Record.next] = index;
          lastImplied = index;
        }
      } else {
        words[at + Record.dataLow] = known.primary;
        words[at + Record.next] = known.primary;
        words[HEADER_WORDS + known.last * RECORD_WORDS + Record.next] = index;
        known.last = index;
        known.count += 1;
        if (known.count > MAX_LINKS) throw new LayerError(`the layer has a file with more than ${MAX_LINKS} names`);
      }
    }
    const flags =
      (inode?.implied === true ? Flag.implied : 0) |
      (opaque ? Flag.opaque : 0) |
      (emptied ? Flag.emptied : 0) |
      (inode?.xattrs?.has(ACL_ACCESS) === true ? Flag.accessList : 0);
    words[at + Record.kind] = row.name.length | (kind << 16) | (flags << 24);
  });
  words[Header.magic] = INDEX_MAGIC;
  words[Header.version] = INDEX_VERSION;
  words[Header.entries] = rows.length;
  words[Header.blobBytes] = blob.length;
  words[Header.externals] = externals;
  const out = new Uint8Array(words.byteLength + hashes.byteLength + blob.length);
  out.set(new Uint8Array(words.buffer), 0);
  out.set(new Uint8Array(hashes.buffer), words.byteLength);
  blob.copyTo(out.subarray(words.byteLength + hashes.byteLength));
  return out;
}

function describe(words: Uint32Array, at: number, inode: LayerInode, first: number, blob: Blob): void {
  const put = (field: number, value: number): void => {
    words[at + field] = value % HIGH;
    words[at + field + 1] = Math.floor(value / HIGH);
  };
  words[at + Record.mode] = inode.mode;
  words[at + Record.uid] = inode.uid;
  words[at + Record.gid] = inode.gid;
  put(Record.mtimeLow, inode.mtimeSec);
  words[at + Record.mtimeNsec] = inode.mtimeNsec;
  if (inode.xattrs !== null) words[at + Record.xattrs] = blob.xattrs(inode.xattrs) + 1;
  const type = inode.mode & S_IFMT;
  if (type === S_IFDIR) {
    let subdirectories = 0;
    for (const { inode: child } of inode.children!.values()) if (child?.children) subdirectories += 1;
    words[at + Record.sizeLow] = subdirectories;
    words[at + Record.dataLow] = first;
    words[at + Record.dataHigh] = inode.children!.size;
  } else if (type === S_IFLNK) {
    put(Record.sizeLow, inode.target.length);
    words[at + Record.dataLow] = blob.text(inode.target);
    words[at + Record.dataHigh] = inode.target.length;
  } else if (type === S_IFCHR || type === S_IFBLK) {
    words[at + Record.sizeLow] = inode.rdev;
  } else {
    put(Record.sizeLow, inode.sizeBytes);
    put(Record.dataLow, inode.dataOffset);
    if (inode.sparse !== null) words[at + Record.sparse] = blob.sparse(inode.sparse) + 1;
  }
}
