// The root of a pseudo file system that each guest has mounted and few look into: what is in it is made, and loaded, at the
// first look.

import type { Inode } from "../../vfs/inode.ts";
import { type Named, PseudoDirectory, type PseudoFileSystem } from "./pseudo-inode.ts";

const ROOT_INO = 1;

/** What a directory shows. */
export interface Content {
  readonly linkCount: number;
  lookup(name: string): Inode | number;
  list(): readonly Named[] | number;
}

export class LateDirectory extends PseudoDirectory {
  private readonly load: () => Content;
  private content: Content | null = null;

  constructor(fs: PseudoFileSystem, load: () => Content) {
    super(fs, ROOT_INO);
    this.load = load;
  }

  private get now(): Content {
    this.content ??= this.load();
    return this.content;
  }

  protected override get links(): number {
    return this.now.linkCount;
  }

  override lookup(name: string): Inode | number {
    return this.now.lookup(name);
  }

  override list(): readonly Named[] | number {
    return this.now.list();
  }
}
