// An open directory of an image that was found by number (vfs/quick-walk.ts): as long as nobody changes it and only its names and attributes
// are wanted, the shim answers, and there is neither inode nor dentry.

import { EAGAIN } from "../../abi/errno.ts";
import { pointerOf, shim } from "../../host/shim.ts";
import type { Mount } from "../../vfs/mount.ts";
import { NumberedPath, type Path } from "../../vfs/path.ts";
import { MemoryDirectoryFile } from "../memory/memory-directory.ts";
import type { ImageDirectory } from "./image-directory.ts";
import type { ImageFileSystem } from "./image-file-system.ts";
import type { Place } from "./image-layers.ts";

/** Offsets beyond are those of names that the run has made. */
const END_OF_LAYERS = 2 ** 32;

/** Where the shim's listing goes on. */
const next = new Uint32Array(1);
const nextPtr = pointerOf(next);

export class NumberedDirectoryFile extends MemoryDirectoryFile {
  private readonly fs: ImageFileSystem;
  private readonly ino: number;
  /** The number of the directory that it lies in. */
  private readonly above: number;
  private made: ImageDirectory | null = null;

  constructor(fs: ImageFileSystem, ino: number, above: number, flags: number) {
    super(flags);
    this.fs = fs;
    this.ino = ino;
    this.above = above;
    fs.numberedOpened();
  }

  get inode(): ImageDirectory {
    this.made ??= this.fs.directoryNumbered(this.ino, this.fs.layers.placeOf(this.ino));
    return this.made;
  }

  /** The one record of the layers that it is. */
  get records(): readonly Place[] {
    return [this.fs.layers.placeOf(this.ino)];
  }

  protected override placeOn(mount: Mount): Path {
    return new NumberedPath(mount, this.fs, this);
  }

  override statTo(space: number, out: number): number {
    return this.fs.layersPtr === 0 ? -EAGAIN : shim.image_fstat(this.fs.layersPtr, this.ino, space, out);
  }

  override direntsTo(space: number, out: number, bytes: number): number {
    const { fs, pos } = this;
    if (fs.layersPtr === 0 || pos >= END_OF_LAYERS) return -EAGAIN;
    const limit = Math.min(bytes, END_OF_LAYERS - 1);
    const done = shim.image_dirents(fs.layersPtr, this.ino, this.above, space, pos, out, limit, nextPtr);
    if (done >= 0) this.pos = next[0]!;
    return done;
  }

  protected override release(): void {
    this.fs.numberedClosed();
  }
}
