// Directories of an image: the names that the layers have, made into inodes one by one as they are looked up, and those that the
// run has made or removed. A new directory has no layers behind it.

import { ENOENT } from "../../abi/errno.ts";
import { DT_DIR } from "../../abi/stat.ts";
import type { DirectoryEntry, Inode } from "../../vfs/inode.ts";
import { type Entry, MemoryDirectory } from "../memory/memory-directory.ts";
import { CHANGED_HIDES, type Timestamp } from "../memory/memory-file-system.ts";
import type { ImageFileSystem } from "./image-file-system.ts";
import type { ListedName, Place } from "./image-layers.ts";

/** Offsets of names that the run has made, behind those of all names of layers. */
const NEW_OFFSET = 2 ** 32;
/** That of a name that the layers have. */
const OF_LAYERS = 0;
/** "." and "..". */
const FIRST_OFFSET = 2;
/** st_size of every directory. */
const SIZE_BYTES = 4096;

export class ImageDirectory extends MemoryDirectory {
  declare readonly fs: ImageFileSystem;
  private readonly sources: readonly Place[];
  /** Names of layers that do not show any more. */
  private hidden: Set<string> | null = null;
  private merged: WeakRef<readonly ListedName[]> | null = null;
  private counted = false;

  constructor(
    fs: ImageFileSystem,
    ino: number,
    mode: number,
    uid: number,
    gid: number,
    sources: readonly Place[],
    born?: Timestamp,
  ) {
    super(fs, ino, mode, uid, gid, born);
    this.sources = sources;
    this.counted = sources.length === 0;
    this.nextOffset = NEW_OFFSET;
  }

  override get records(): readonly Place[] {
    return this.sources;
  }

  override get sizeBytes(): number {
    return SIZE_BYTES;
  }

  protected override get blocks(): number {
    return SIZE_BYTES / 512;
  }

  /** The layers' subdirectories are counted when somebody asks. Those that the run took away are below zero until then. */
  protected override get links(): number {
    if (!this.counted) {
      this.counted = true;
      this.nlink += this.subdirectories();
    }
    return super.links;
  }

  private subdirectories(): number {
    const only = this.sources[0]!;
    if (this.sources.length === 1) return this.fs.layers.index(only).subdirectories(only.entry);
    return this.names.filter(({ type }) => type === DT_DIR).length;
  }

  /** All names of several layers, in an order that stays, however often they are listed anew. */
  private get names(): readonly ListedName[] {
    let names = this.merged?.deref();
    if (names === undefined) {
      names = this.fs.layers.list(this.sources);
      this.merged = new WeakRef(names);
    }
    return names;
  }

  /** Offsets of names are those of records where one layer has them all. */
  private get listLength(): number {
    if (this.sources.length === 0) return 0;
    if (this.sources.length > 1) return this.names.length;
    const { layer, entry } = this.sources[0]!;
    return this.fs.layers.layer(layer).index.childCount(entry);
  }

  /** The name at a position; null when it does not show. */
  private listed(at: number): ListedName | null {
    let found: ListedName | null;
    if (this.sources.length > 1) found = this.names[at]!;
    else {
      const { layer, entry } = this.sources[0]!;
      const { index } = this.fs.layers.layer(layer);
      found = this.fs.layers.listedAt(layer, index.firstChild(entry) + at);
    }
    return found === null || this.hidden?.has(found.name) ? null : found;
  }

  protected override find(name: string): Entry | undefined {
    const entry = this.entries.get(name);
    if (entry !== undefined || this.sources.length === 0 || this.hidden?.has(name)) return entry;
    const found = this.fs.layers.find(this.sources, name);
    return found === null ? undefined : { inode: this.fs.inodeOf(found), offset: OF_LAYERS };
  }

  override lookup(name: string): Inode | number {
    // The usual case, without an Entry for it.
    if (this.entries.size > 0 || this.hidden !== null) return super.lookup(name);
    const found = this.fs.layers.find(this.sources, name);
    return found === null ? -ENOENT : this.fs.inodeOf(found);
  }

  protected override take(name: string): void {
    const ofLayers = this.find(name)?.offset === OF_LAYERS;
    super.take(name);
    if (!ofLayers) return;
    this.fs.noteChange(this, CHANGED_HIDES);
    this.hidden ??= new Set();
    this.hidden.add(name);
  }

  protected override get isEmpty(): boolean {
    if (!super.isEmpty) return false;
    const { listLength } = this;
    for (let at = 0; at < listLength; at += 1) if (this.listed(at) !== null) return false;
    return true;
  }

  override list(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    const { listLength } = this;
    for (let at = from - FIRST_OFFSET; at < listLength; at += 1) {
      const entry = this.listed(at);
      if (entry === null) continue;
      const { name, ino, type } = entry;
      if (!emit({ name, ino, type, next: at + FIRST_OFFSET + 1 })) return 0;
    }
    return super.list(Math.max(from, NEW_OFFSET), emit);
  }

  /** Names that one layer has, none of them removed, go from its index into the guest's records as they are. */
  override writeDirents(from: number, ptr: number, limit: number): number {
    this.direntsDone = false;
    if (this.sources.length !== 1 || this.hidden !== null) return 0;
    const { layer, entry } = this.sources[0]!;
    const { index } = this.fs.layers.layer(layer);
    const first = index.firstChild(entry);
    const end = first + index.childCount(entry);
    const at = first + from - FIRST_OFFSET;
    if (at >= end) {
      this.direntsDone = this.entries.size === 0;
      return 0;
    }
    const bytes = index.list(at, end, this.fs.layers.firstIno(layer), from, ptr, limit);
    this.direntsEnd = index.listedTo - first + FIRST_OFFSET;
    return bytes;
  }
}
