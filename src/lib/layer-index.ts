// The format of the index of one image layer: a tree of names made once when the layer is pulled (oci/layer-indexer.ts) and then read where
// it lies, as mapped memory (fs/image/layer-reader.ts and shim/image).
//
//   header | records, 16 words each | hashes, one word each | blob
//
// Record 0 is the root. The entries of a directory are consecutive records, in order of (hash of the name, name). Words are
// little-endian. Whatever a damaged file says, readers answer with harmless values and never throw.

export const INDEX_MAGIC = 0x58494b43;
export const INDEX_VERSION = 2;
export const HEADER_WORDS = 16;
export const RECORD_WORDS = 16;

/** Words of the header. */
export const Header = {
  magic: 0,
  version: 1,
  entries: 2,
  blobBytes: 3,
  externals: 4,
  firstExternal: 5,
  firstImplied: 6,
} as const;

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
  /** The next name of the same inode, in a ring; externals and implied directories: the next one. 0 for none. */
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
  /** Opaque, but the same directory as below: its attributes may come from there. */
  emptied: 4,
  /** An access list says more than the mode. */
  accessList: 8,
} as const;

/** FNV-1a over the bytes of a name. */
export function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
