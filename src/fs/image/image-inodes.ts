// The inodes of an image that were looked up, by number (fs/inode.c: inode_hashtable). Those that the run has changed stay; others may go with
// their names, and are made anew from the layers, unless somebody uses them.

import { releaseWeakRefs } from "../../host/weak-refs.ts";
import type { MemoryInode } from "../memory/memory-inode.ts";

/** So many more weak references than after the last look are worth the next. */
const MIN_SWEEP = 16384;

export class ImageInodes {
  private readonly kept = new Map<number, MemoryInode>();
  private readonly gone = new Map<number, WeakRef<MemoryInode>>();
  private sweepAt = MIN_SWEEP;

  get(ino: number): MemoryInode | undefined {
    const kept = this.kept.get(ino);
    if (kept !== undefined || this.gone.size === 0) return kept;
    const inUse = this.gone.get(ino)?.deref();
    if (inUse !== undefined) this.keep(inUse);
    return inUse;
  }

  keep(inode: MemoryInode): void {
    this.kept.set(inode.ino, inode);
    if (this.gone.size > 0) this.gone.delete(inode.ino);
  }

  /** No name leads to it any more. */
  remove(inode: MemoryInode): void {
    this.kept.delete(inode.ino);
    this.gone.delete(inode.ino);
  }

  letGo(inode: MemoryInode): void {
    if (!this.kept.delete(inode.ino)) return;
    this.gone.set(inode.ino, new WeakRef(inode));
    if (this.gone.size >= this.sweepAt) this.sweep();
  }

  private sweep(): void {
    for (const [ino, ref] of this.gone) if (ref.deref() === undefined) this.gone.delete(ino);
    this.sweepAt = 2 * this.gone.size + MIN_SWEEP;
    releaseWeakRefs();
  }
}
