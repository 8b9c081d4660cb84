// The tree that one layer describes, built entry by entry as an extraction would build it, but out of objects: no entry ever
// becomes a path of the host. Whiteouts and opaque directories stay in it, for they speak to the layers below.

import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "../abi/stat.ts";
import { attributesOf } from "./layer-acl.ts";
import { LayerError, shown } from "./layer-error.ts";
import type { TarEntry, TarType } from "./tar-reader.ts";

const WHITEOUT = ".wh.";
const AUFS = ".wh..wh.";
const OPAQUE = ".wh..wh..opq";

/** Most files, directories and whiteouts of one layer, made-up parents included. */
const MAX_ENTRIES = 1_000_000;
/** Most bytes of names, targets, attributes and maps of one layer. */
const MAX_TEXT_BYTES = 256 * 1024 * 1024;
/** Most bytes of paths into lower layers: they are walked when an image is first looked at. */
const MAX_EXTERNAL_BYTES = 4 * 1024 * 1024;
const NAME_MAX = 255;
const PATH_MAX = 4096;
/** Deeper trees than this no path reaches. */
const MAX_DEPTH = 2048;
const MAX_SYMLINKS = 40;
/** Most components that all names of a layer may have together, neighbours not counted. */
const MAX_STEPS = 64_000_000;

const TYPE_BITS: Readonly<Record<Exclude<TarType, "link">, number>> = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  character: S_IFCHR,
  block: S_IFBLK,
  fifo: S_IFIFO,
};

export interface LayerInode {
  /** Type and permission bits; 0 for a file of a lower layer, whose path is `target`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly rdev: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly dataOffset: number;
  readonly target: string;
  readonly xattrs: ReadonlyMap<string, Buffer> | null;
  readonly sparse: readonly number[] | null;
  /** Directories only. */
  readonly children: Map<string, LayerName> | null;
  /** The archive does not describe the directory. */
  readonly implied: boolean;
}

export interface LayerName {
  /** Null when the name is only hidden from below. */
  inode: LayerInode | null;
  /** Whether lower layers' tree under the name is hidden. */
  opaque: boolean;
  /** Whether a directory that is opaque was there before it became so, and keeps the attributes that it has below. */
  emptied: boolean;
}

function impliedDirectory(): LayerInode {
  return {
    mode: S_IFDIR | 0o755,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    rdev: 0,
    mtimeSec: 0,
    mtimeNsec: 0,
    dataOffset: 0,
    target: "",
    xattrs: null,
    sparse: null,
    children: new Map(),
    implied: true,
  };
}

/** The components of a name. Leading slashes and "." mean nothing; ".." is refused, as are names that Linux has not. */
function components(path: string): string[] {
  if (path.length >= PATH_MAX) throw new LayerError(`the archive has a name that is too long: ${shown(path)}`);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw new LayerError(`the archive has a name that leads out of the image: ${shown(path)}`);
    if (part.length > NAME_MAX) throw new LayerError(`the archive has a name that is too long: ${shown(part)}`);
    if (part.includes("\0")) throw new LayerError("the archive has a name with a NUL character in it");
  }
  return parts;
}

/** A component that `components` would let through as it is. */
function isPlain(part: string): boolean {
  return part !== "" && part !== "." && part !== ".." && part.length <= NAME_MAX && !part.includes("\0");
}

/** Device numbers as user space encodes them (new_encode_dev). */
function deviceNumber(entry: TarEntry): number {
  const { major, minor } = entry;
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff)
    throw new LayerError(`the archive has an impossible device number for ${shown(entry.name)}`);
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

export class LayerTree {
  readonly root: LayerName = { inode: impliedDirectory(), opaque: false, emptied: false };
  private entries = 1;
  private textBytes = 0;
  private externalBytes = 0;
  private steps = 0;
  /** Where the latest entry was put: the next one is mostly its neighbour. */
  private lastPrefix = "";
  private last: LayerName | null = null;

  /** Adds one entry of the archive. Throws LayerError. */
  add(entry: TarEntry): void {
    const slash = entry.name.lastIndexOf("/") + 1;
    const prefix = entry.name.slice(0, slash);
    const leaf = entry.name.slice(slash);
    const plain = isPlain(leaf);
    // Neighbours are the rule: what leads to them is looked at once.
    if (plain && this.last !== null && prefix === this.lastPrefix) {
      this.addTo(this.last, leaf, entry);
      return;
    }
    const path = components(entry.name);
    const name = path.pop();
    if (name === undefined) {
      this.setRoot(entry);
      return;
    }
    if (path.some((part) => part.startsWith(AUFS))) return;
    if (path.some((part) => part.startsWith(WHITEOUT)))
      throw new LayerError(`the archive has an entry below a whiteout: ${shown(entry.name)}`);
    const parent = this.directory(path, entry.name);
    this.last = plain ? parent : null;
    this.lastPrefix = prefix;
    this.addTo(parent, name, entry);
  }

  private addTo(parent: LayerName, name: string, entry: TarEntry): void {
    if (name === OPAQUE) {
      parent.emptied ||= !parent.opaque;
      parent.opaque = true;
    } else if (name.startsWith(AUFS)) return;
    else if (name.startsWith(WHITEOUT)) this.whiteout(parent, name.slice(WHITEOUT.length), entry.name);
    else if (entry.type === "link") this.link(parent, name, entry);
    else this.put(parent, name, this.inodeOf(entry));
  }

  private setRoot(entry: TarEntry): void {
    if (entry.type !== "directory") throw new LayerError("the archive replaces the root directory by something else");
    this.root.inode = { ...this.inodeOf(entry), children: this.root.inode!.children };
  }

  private count(textBytes: number): void {
    this.entries += 1;
    this.textBytes += textBytes;
    if (this.entries > MAX_ENTRIES) throw new LayerError(`the layer has more than ${MAX_ENTRIES} entries`);
    if (this.textBytes > MAX_TEXT_BYTES) throw new LayerError("the layer has too many names and attributes");
  }

  private inodeOf(entry: TarEntry): LayerInode {
    const { type, link } = entry;
    if (type === "symlink") {
      if (link === "" || link.length >= PATH_MAX || link.includes("\0"))
        throw new LayerError(`the archive has a symbolic link with an impossible target: ${shown(entry.name)}`);
    }
    let bytes = link.length + 16 * (entry.sparse?.length ?? 0);
    for (const [key, value] of entry.xattrs ?? []) bytes += key.length + value.length + 8;
    this.count(bytes);
    return {
      mode: TYPE_BITS[type as Exclude<TarType, "link">] | (type === "symlink" ? 0o777 : entry.mode),
      uid: entry.uid,
      gid: entry.gid,
      sizeBytes: entry.sizeBytes,
      rdev: type === "character" || type === "block" ? deviceNumber(entry) : 0,
      mtimeSec: entry.mtimeSec,
      mtimeNsec: entry.mtimeNsec,
      dataOffset: entry.dataOffset,
      target: type === "symlink" ? link : "",
      xattrs: attributesOf(entry),
      sparse: entry.sparse,
      children: type === "directory" ? new Map() : null,
      implied: false,
    };
  }

  /**
   * The directory of an entry. Parents that the archive does not have are made, of whiteouts too, as containerd does it; a symbolic link on the way leads to where it would
   * have led an extraction, inside this layer.
   */
  private directory(path: readonly string[], name: string): LayerName {
    const found = this.walk(path, (dir, part) => {
      this.count(part.length);
      const made: LayerName = { inode: impliedDirectory(), opaque: dir.get(part)?.opaque ?? false, emptied: false };
      dir.set(part, made);
      return made;
    });
    if (found === null)
      throw new LayerError(`the archive has an entry below something that is no directory: ${shown(name)}`);
    return found;
  }

  /** Null when the path leads to no directory. `missing` may make what is not there. */
  private walk(
    path: readonly string[],
    missing: (dir: Map<string, LayerName>, part: string) => LayerName | null,
  ): LayerName | null {
    const trail = [this.root];
    const rest = path.toReversed();
    let links = 0;
    while (rest.length > 0) {
      const part = rest.pop()!;
      this.steps += 1;
      if (this.steps > MAX_STEPS) throw new LayerError("the layer has too many entries that are too deep");
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const dir = trail.at(-1)!.inode!.children!;
      let child = dir.get(part) ?? null;
      if (child === null || child.inode === null) child = missing(dir, part);
      const inode = child?.inode ?? null;
      if (inode === null) return null;
      if (inode.children !== null) {
        if (trail.push(child!) > MAX_DEPTH) return null;
        continue;
      }
      links += 1;
      if ((inode.mode & S_IFMT) !== S_IFLNK || links > MAX_SYMLINKS) return null;
      if (inode.target.startsWith("/")) trail.length = 1;
      rest.push(...inode.target.split("/").reverse());
    }
    return trail.at(-1)!;
  }

  private put(parent: LayerName, name: string, inode: LayerInode): void {
    const dir = parent.inode!.children!;
    const old = dir.get(name);
    if (old === undefined) {
      this.textBytes += name.length;
      dir.set(name, { inode, opaque: false, emptied: false });
      return;
    }
    const before = old.inode?.children ?? null;
    if (before !== null && inode.children !== null) {
      old.inode = { ...inode, children: before };
      return;
    }
    this.last = null;
    // What was there in between has hidden the layers below.
    old.opaque ||= old.inode !== null && (before === null) !== (inode.children === null);
    old.emptied = false;
    old.inode = inode;
  }

  private whiteout(parent: LayerName, name: string, shownName: string): void {
    if (name === "" || name === "." || name === "..")
      throw new LayerError(`the archive has a whiteout of nothing: ${shown(shownName)}`);
    const dir = parent.inode!.children!;
    const old = dir.get(name);
    this.count(name.length);
    // A whiteout speaks about lower layers only, wherever in its own it stands.
    if (old === undefined) dir.set(name, { inode: null, opaque: true, emptied: false });
    else {
      // What names in front of it have implied was there, with its attributes, and loses only what lower layers have in it.
      old.emptied = old.inode !== null && (old.emptied || !old.opaque);
      old.opaque = true;
    }
  }

  private link(parent: LayerName, name: string, entry: TarEntry): void {
    const path = components(entry.link);
    const last = path.pop();
    if (last === undefined) throw new LayerError(`the archive has a hard link to a directory: ${shown(entry.name)}`);
    this.count(name.length);
    const from = this.walk(path, () => null);
    const target = from?.inode?.children?.get(last)?.inode ?? null;
    if (target?.children) throw new LayerError(`the archive has a hard link to a directory: ${shown(entry.name)}`);
    if (target === null) this.put(parent, name, this.external([...path, last].join("/")));
    else if (parent.inode!.children!.get(name)?.inode !== target) this.put(parent, name, target);
  }

  /** A file of a lower layer. */
  private external(target: string): LayerInode {
    this.textBytes += target.length;
    this.externalBytes += target.length;
    if (this.externalBytes > MAX_EXTERNAL_BYTES)
      throw new LayerError("the layer has too many hard links to files that it does not have");
    return { ...impliedDirectory(), mode: 0, target, children: null, implied: false };
  }
}
