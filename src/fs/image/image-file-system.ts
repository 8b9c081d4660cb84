// An image as the root of a guest (what overlayfs shows a container): the layers, which nobody changes, and on top of them what this run
// does. Metadata and names of the run are in memory, changed content in the scratch store, and both end with the run. An inode object
// is made when its name is first looked up.
// DIFFERS: a file that was opened before somebody wrote to it shows what was written, and a hard link of the image stays one; overlayfs
// copies the file away from under both.

import { NAME_MAX } from "../../abi/fcntl.ts";
import { OVERLAYFS_SUPER_MAGIC, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/stat.ts";
import { shim } from "../../host/shim.ts";
import { IdlePages } from "../../mm/idle-pages.ts";
import type { File } from "../../vfs/file.ts";
import { anonymousDev, type StatFs } from "../../vfs/file-system.ts";
import { lookupChild } from "../../vfs/namei.ts";
import type { Dentry } from "../../vfs/path.ts";
import { MemoryFileSystem, type TimeSource, type Timestamp } from "../memory/memory-file-system.ts";
import type { MemoryInode } from "../memory/memory-inode.ts";
import { MemorySpecial, MemorySymlink } from "../memory/memory-special.ts";
import { type Base, ImageContent } from "./image-content.ts";
import { ImageDirectory } from "./image-directory.ts";
import { ImageInodes } from "./image-inodes.ts";
import { type Found, type ImageLayer, ImageLayers, type Place } from "./image-layers.ts";
import { ImageRegular } from "./image-regular.ts";
import type { LayerIndex } from "./layer-reader.ts";
import { NumberedDirectoryFile } from "./numbered-directory.ts";
import { PAGE, ScratchStore } from "./scratch-store.ts";

/** Files without users whose pages are kept for the next one, and how many pages in all. */
const MAX_IDLE = 1024;
const MAX_IDLE_PAGES = 32768;
/** Reported where the host tells nothing. */
const UNKNOWN_PAGES = 2 ** 28;
/** Of directories in each other. */
const MAX_DEPTH = 2048;
const UNKNOWN_INODES = 2 ** 31;

export class ImageFileSystem extends MemoryFileSystem {
  readonly type = "overlay";
  readonly dev = anonymousDev();
  readonly clock: TimeSource;
  readonly layers: ImageLayers;
  readonly root: ImageDirectory;
  readonly idle = new IdlePages<ImageRegular>(MAX_IDLE, MAX_IDLE_PAGES);
  private readonly store: ScratchStore;
  private readonly inodesOfLayers = new ImageInodes();
  private numberedOpen = 0;
  /** Those that were removed while some are open by number, which may be theirs. */
  private readonly removedDirectories = new Map<number, ImageDirectory>();
  override layersPtr: number;
  private nextIno: number;
  private inodes = 0;

  /** `layers` bottom first; `scratchDirectories` of the host may take the store, the first that can. */
  constructor(clock: TimeSource, layers: readonly ImageLayer[], scratchDirectories: readonly string[]) {
    super();
    this.clock = clock;
    this.layers = new ImageLayers(layers);
    this.store = new ScratchStore(scratchDirectories);
    this.layersPtr = layers.length === 0 ? 0 : this.layers.createTree(this.dev);
    this.nextIno = this.layers.endOfInodes;
    this.root = layers.length === 0 ? this.newDirectory(S_IFDIR | 0o755, 0, 0) : this.directoryOf(this.layers.root);
  }

  override addInode(): number {
    this.inodes += 1;
    const ino = this.nextIno;
    this.nextIno += 1;
    return ino;
  }

  override removeInode(inode: MemoryInode): void {
    this.inodes -= 1;
    if (!this.isOfLayers(inode)) return;
    this.inodesOfLayers.remove(inode);
    if (this.numberedOpen > 0 && inode instanceof ImageDirectory) this.removedDirectories.set(inode.ino, inode);
  }

  override inodeLeft(): number {
    return 0;
  }

  override newFile(mode: number, uid: number, gid: number): ImageRegular {
    return new ImageRegular(this, this.addInode(), mode, uid, gid, null);
  }

  /** The content of a file that the image has at `place`, or of a new one. */
  contentOf(place: Place | null): ImageContent {
    if (place === null) return new ImageContent(this.store, null, 0);
    const index = this.layers.index(place);
    return new ImageContent(this.store, baseOf(index, place, this.layers), index.size(place.entry));
  }

  override newDirectory(mode: number, uid: number, gid: number): ImageDirectory {
    return new ImageDirectory(this, this.addInode(), mode, uid, gid, []);
  }

  /** The inode object for what a name of the layers means. A file with several names has one. */
  inodeOf(found: Found): MemoryInode {
    const ino = this.layers.inodeNumber(found);
    const known = this.inodesOfLayers.get(ino);
    if (known !== undefined) return known;
    const inode = found.sources !== null ? this.directoryOf(found) : this.make(found);
    this.inodesOfLayers.keep(inode);
    return inode;
  }

  override openNumbered(ino: number, above: number, flags: number): File | number {
    if (above !== 0) return new NumberedDirectoryFile(this, ino, above, flags);
    return (this.inodesOfLayers.get(ino) ?? this.kept(this.make(this.layers.placeOf(ino)))).open(flags);
  }

  /** A directory that the layer of `place` has alone, its name perhaps gone. */
  directoryNumbered(ino: number, place: Place): ImageDirectory {
    const known = this.inodesOfLayers.get(ino) ?? this.removedDirectories.get(ino);
    return known instanceof ImageDirectory ? known : this.kept(this.directoryOf({ ...place, sources: [place] }));
  }

  private kept<T extends MemoryInode>(inode: T): T {
    this.inodesOfLayers.keep(inode);
    return inode;
  }

  /** Counts the directories that are open by number alone. */
  numberedOpened(): void {
    this.numberedOpen += 1;
  }
  numberedClosed(): void {
    this.numberedOpen -= 1;
    if (this.numberedOpen === 0 && this.removedDirectories.size > 0) this.removedDirectories.clear();
  }

  /** Nobody uses it and no name is kept for it. */
  forget(inode: MemoryInode): void {
    if (this.isOfLayers(inode)) this.inodesOfLayers.remove(inode);
  }

  override noteChange(inode: MemoryInode, what: number): void {
    if (this.layersPtr !== 0 && this.isOfLayers(inode)) shim.image_change(this.layersPtr, inode.ino, what);
  }

  override dentryOf(inode: MemoryInode): Dentry {
    return inode.dentry ?? this.dentryAt(this.layers.placeOf(inode.ino), 0);
  }

  /** The directories above a record may have moved since: those that did are known, and have their dentries. */
  private dentryAt({ layer, entry }: Place, depth: number): Dentry {
    const index = this.layers.layer(layer).index;
    if (entry === 0 || depth > MAX_DEPTH) return this.rootDentry;
    const above = index.parent(entry);
    const directory = this.layers.directoryAt(layer, above);
    const known =
      directory === null ? null : (this.inodesOfLayers.get(this.layers.inodeNumber(directory))?.dentry ?? null);
    const parent = known ?? this.dentryAt({ layer, entry: above }, depth + 1);
    const child = lookupChild(parent, index.name(entry));
    return typeof child === "number" ? parent : child;
  }

  override retain(inode: MemoryInode): void {
    if (this.isOfLayers(inode)) this.inodesOfLayers.keep(inode);
  }

  override mayForget(inode: MemoryInode): void {
    if (this.isOfLayers(inode)) this.inodesOfLayers.letGo(inode);
  }

  private isOfLayers(inode: MemoryInode): boolean {
    return inode.ino < this.layers.endOfInodes;
  }

  private directoryOf(found: Found): ImageDirectory {
    const index = this.layers.index(found);
    const { entry } = found;
    const inode = new ImageDirectory(
      this,
      this.layers.inodeNumber(found),
      index.mode(entry),
      index.uid(entry),
      index.gid(entry),
      found.sources ?? [],
      bornAt(index, entry),
    );
    return withXattrs(inode, index, entry);
  }

  /** An inode that is no directory. */
  private make(place: Place): MemoryInode {
    const index = this.layers.index(place);
    const { entry } = place;
    const ino = this.layers.inodeNumber(place);
    const mode = index.mode(entry);
    const uid = index.uid(entry);
    const gid = index.gid(entry);
    const born = bornAt(index, entry);
    let inode: MemoryInode;
    switch (mode & S_IFMT) {
      case S_IFREG:
        inode = new ImageRegular(this, ino, mode, uid, gid, place, born);
        break;
      case S_IFLNK:
        inode = new MemorySymlink(this, ino, uid, gid, index.target(entry), born);
        break;
      default:
        inode = new MemorySpecial(this, ino, mode, uid, gid, index.rdev(entry), born);
    }
    if (this.layers.hasManyNames(place)) inode.nlink = this.layers.linkCount(place);
    return withXattrs(inode, index, entry);
  }

  override statfs(): StatFs {
    const host = this.store.statfs();
    return {
      type: OVERLAYFS_SUPER_MAGIC,
      bsize: host?.bsize ?? PAGE,
      blocks: host?.blocks ?? UNKNOWN_PAGES,
      bfree: host?.bfree ?? UNKNOWN_PAGES,
      bavail: host?.bavail ?? UNKNOWN_PAGES,
      files: host?.files ?? UNKNOWN_INODES,
      ffree: host?.ffree ?? UNKNOWN_INODES - this.inodes,
      fsid: [this.dev, 0],
      namelen: NAME_MAX,
    };
  }

  /** Gives back what the run has written. */
  close(): void {
    const tree = this.layersPtr;
    this.layersPtr = 0;
    if (tree !== 0) shim.image_destroy(tree);
    this.store.close();
  }
}

function bornAt(index: LayerIndex, entry: number): Timestamp {
  return { sec: index.mtimeSec(entry), nsec: index.mtimeNsec(entry) };
}

function withXattrs<T extends MemoryInode>(inode: T, index: LayerIndex, entry: number): T {
  const xattrs = index.xattrs(entry);
  if (xattrs !== null) inode.initXattrs(xattrs);
  return inode;
}

/** Where in the tar the pieces of a file are. */
function baseOf(index: LayerIndex, place: Place, layers: ImageLayers): Base {
  const { entry } = place;
  const tarFd = layers.tarFd(place);
  let tarOffset = index.dataOffset(entry);
  const sparse = index.sparse(entry);
  if (sparse === null) return { tarFd, pieces: [{ start: 0, length: index.size(entry), tarOffset }] };
  const pieces: { start: number; length: number; tarOffset: number }[] = [];
  for (let i = 0; i < sparse.length; i += 2) {
    const length = sparse[i + 1]!;
    pieces.push({ start: sparse[i]!, length, tarOffset });
    tarOffset += length;
  }
  return { tarFd, pieces };
}
