// Names of an upper layer that go through a symbolic link of a lower one (OCI image-spec layer.md applies a layer to the tree that is
// there): an archive with "lib/x" and no "lib" means usr/lib/x when lib is a link to usr/lib. Such an implied directory leads away: it
// is none itself, and its names join the directory that the link leads to.
// DIFFERS: where the link leads to nothing, the directory takes the link's place; containerd makes what it leads to, Docker gives up.

import { S_IFDIR, S_IFLNK, S_IFMT } from "../../abi/stat.ts";
import { Flag, Kind } from "../../lib/layer-index.ts";
import type { Found, ImageLayers, Place } from "./image-layers.ts";

const MAX_SYMLINKS = 40;

/** A directory of the lower layers, and its path without links. */
interface Lower {
  readonly found: Found;
  readonly names: readonly string[];
}

export class Redirects {
  private readonly layers: ImageLayers;
  /** Paths that directories' records lead to, by the records' inode numbers. */
  private readonly paths = new Map<number, readonly string[]>();
  /** Records that join a directory, the topmost first, by the inode number of its highest record of its own. */
  private readonly joined = new Map<number, Place[]>();

  /** Layers from the bottom up, because each is applied to what those below it have made. */
  constructor(layers: ImageLayers, count: number) {
    this.layers = layers;
    layers.redirects = this;
    for (let layer = 1; layer < count; layer += 1) this.collect(layer);
  }

  get any(): boolean {
    return this.paths.size > 0;
  }

  /** Where the names of a directory's record really are; undefined when they are where they seem to be. */
  pathOf(place: Place): readonly string[] | undefined {
    return this.paths.get(this.layers.inodeNumber(place));
  }

  /** What joins a directory above one of its records. */
  joining(place: Place): readonly Place[] | undefined {
    return this.joined.get(this.layers.inodeNumber(place));
  }

  private collect(layer: number): void {
    const index = this.layers.layer(layer).index;
    const known = new Map<number, Lower | null>();
    let entry = index.firstImplied;
    for (let steps = index.entries; entry !== 0 && steps > 0; steps -= 1) {
      this.lower(layer, entry, known);
      entry = index.next(entry);
    }
  }

  /** What the layers below have at a directory's record; null for nothing that it merges with. */
  private lower(layer: number, entry: number, known: Map<number, Lower | null>): Lower | null {
    let result = known.get(entry);
    if (result !== undefined) return result;
    // A damaged index may go round in circles.
    known.set(entry, null);
    result = this.look(layer, entry, known);
    known.set(entry, result);
    return result;
  }

  private look(layer: number, entry: number, known: Map<number, Lower | null>): Lower | null {
    const index = this.layers.layer(layer).index;
    if (index.hasFlag(entry, Flag.opaque)) return null;
    if (entry === 0) return { found: this.layers.rootBelow(layer), names: [] };
    const name = index.name(entry);
    const parent = this.lower(layer, index.parent(entry), known);
    if (parent === null || parent.found.sources === null) return null;
    const found = this.layers.find(parent.found.sources, name, layer);
    if (found === null) return null;
    const names = [...parent.names, name];
    if (found.sources !== null) return { found, names };
    if (!index.hasFlag(entry, Flag.implied) || !isLink(this.layers, found)) return null;
    const target = walk(this.layers, layer, names);
    if (target === null || target.found.sources === null || this.isHiddenBy(layer, target.names)) return null;
    this.redirect({ layer, entry }, target);
    return target;
  }

  /** Whether the layer itself takes away, empties or replaces what is at a path below. Then the link leads nowhere. */
  private isHiddenBy(layer: number, path: readonly string[]): boolean {
    const { index } = this.layers.layer(layer);
    let entry = 0;
    for (const name of path) {
      entry = index.find(entry, name);
      if (entry < 0) return false;
      const isDirectory = index.kind(entry) === Kind.inode && (index.mode(entry) & S_IFMT) === S_IFDIR;
      if (!isDirectory || index.hasFlag(entry, Flag.opaque)) return true;
    }
    return false;
  }

  private redirect(place: Place, target: Lower): void {
    this.paths.set(this.layers.inodeNumber(place), target.names);
    const own = target.found.sources!.find((source) => this.pathOf(source) === undefined);
    if (own === undefined) return;
    const ino = this.layers.inodeNumber(own);
    const others = this.joined.get(ino);
    if (others === undefined) this.joined.set(ino, [place]);
    else others.unshift(place);
  }
}

function isLink(layers: ImageLayers, found: Found): boolean {
  return (layers.index(found).mode(found.entry) & S_IFMT) === S_IFLNK;
}

/** What a path means in the tree of the layers below `end`, links followed, and what it is called without them. */
export function walk(layers: ImageLayers, end: number, path: readonly string[]): Lower | null {
  const trail: Found[] = [layers.rootBelow(end)];
  const names: string[] = [];
  const rest = path.toReversed();
  for (let links = 0; rest.length > 0; ) {
    const name = rest.pop()!;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (trail.length > 1) trail.pop();
      names.pop();
      continue;
    }
    const found = layers.find(trail.at(-1)!.sources!, name, end);
    if (found === null) return null;
    if (found.sources === null) {
      if (!isLink(layers, found)) return rest.length === 0 ? { found, names: [...names, name] } : null;
      links += 1;
      if (links > MAX_SYMLINKS) return null;
      const target = layers.index(found).target(found.entry);
      if (target.startsWith("/")) {
        trail.length = 1;
        names.length = 0;
      }
      rest.push(...target.split("/").reverse());
      continue;
    }
    trail.push(found);
    names.push(name);
  }
  return { found: trail.at(-1)!, names };
}
