// Directories of an image: the names that the layers have, made into inodes one by one as they are looked up, and those that the
// run has made or removed. A new directory has no layers behind it.

import { DT_DIR } from "../../abi/stat.ts";
import type { DirectoryEntry } from "../../vfs/inode.ts";
import { type Entry, MemoryDirectory } from "../memory/memory-directory.ts";
import type { Timestamp } from "../memory/memory-file-system.ts";
import type { ImageFileSystem } from "./image-file-system.ts";
import type { ListedName, Place } from "./image-layers.ts";

/** Offsets of names that the run has made, behind those of all names of layers. */
const NEW_OFFSET = 2 ** 32;
/** "." and "..". */
const FIRST_OFFSET = 2;
/** st_size of every directory. */
const SIZE_BYTES = 4096;

export class ImageDirectory extends MemoryDirectory {
  declare readonly fs: ImageFileSystem;
  private readonly sources: readonly Place[];
  /** Names of layers that do not show any more. */
  private hidden: Set<string> | null = null;
  private listed: WeakRef<readonly ListedName[]> | null = null;
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

  /** All names of the layers, in an order that stays, however often they are listed anew. */
  private get names(): readonly ListedName[] {
    let names = this.listed?.deref();
    if (names === undefined) {
      names = this.fs.layers.list(this.sources);
      this.listed = new WeakRef(names);
    }
    return names;
  }

  protected override find(name: string): Entry | undefined {
    const entry = this.entries.get(name);
    if (entry !== undefined || this.sources.length === 0 || this.hidden?.has(name)) return entry;
    const found = this.fs.layers.find(this.sources, name);
    if (found === null) return undefined;
    const made: Entry = { inode: this.fs.inodeOf(found), offset: 0 };
    this.entries.set(name, made);
    return made;
  }

  protected override take(name: string): void {
    const ofLayers = this.find(name)?.offset === 0;
    super.take(name);
    if (!ofLayers) return;
    this.hidden ??= new Set();
    this.hidden.add(name);
  }

  protected override get isEmpty(): boolean {
    if (!super.isEmpty) return false;
    return this.sources.length === 0 || this.names.every(({ name }) => this.hidden?.has(name));
  }

  override list(from: number, emit: (entry: DirectoryEntry) => boolean): number {
    if (this.sources.length > 0) {
      const { names } = this;
      for (let at = from - FIRST_OFFSET; at < names.length; at += 1) {
        const { name, ino, type } = names[at]!;
        if (this.hidden?.has(name)) continue;
        if (!emit({ name, ino, type, next: at + FIRST_OFFSET + 1 })) return 0;
      }
    }
    return super.list(Math.max(from, NEW_OFFSET), emit);
  }
}
