// The layers of an image as one tree that nobody changes (OCI image-spec layer.md, "Applying Changesets"): names of upper layers
// hide those of lower ones, directories merge, whiteouts and opaque directories cut. Everything is looked up when asked for.

import { S_IFDIR, S_IFMT } from "../../abi/stat.ts";
import { orZero, pointerOf, shim } from "../../host/shim.ts";
import { Flag, Kind } from "../../lib/layer-index.ts";
import type { LayerRecord } from "../../vfs/inode.ts";
import type { LayerIndex } from "./layer-reader.ts";
import { Redirects, walk } from "./layer-redirects.ts";

/** Words of shim/image/walk.zig's LayerFrom. */
const LAYER_WORDS = 6;

export interface ImageLayer {
  readonly index: LayerIndex;
  /** Descriptor of the tar. */
  readonly tarFd: number;
}

/** A record of a layer's index. */
export type Place = LayerRecord;

/**
 * What a name means: the record that describes the inode, and for a directory all the layers that take part in it, topmost first; null for
 * something else.
 */
export interface Found extends Place {
  readonly sources: readonly Place[] | null;
}

/** One name of a directory as a listing shows it. */
export interface ListedName {
  readonly name: string;
  readonly ino: number;
  /** DT_* */
  readonly type: number;
}

export class ImageLayers {
  private readonly layers: readonly ImageLayer[];
  /** Where the numbers of each layer's records begin among those of the whole image. */
  private readonly bases: number[] = [];
  /** One more than the largest inode number of the image. */
  readonly endOfInodes: number;
  readonly root: Found;
  private readonly anyExternals: boolean;
  /** Names that externals give to inodes, by inode number; made when first needed. */
  private externalNames: Map<number, Place[]> | null = null;
  /** What the paths of directories' records mean, as far as somebody asked. */
  private readonly paths = new Map<number, Found | null>();
  /** Null when no name of a layer goes through a link of a lower one, as in almost every image. */
  redirects: Redirects | null = null;

  /** Bottom layer first. */
  constructor(layers: readonly ImageLayer[]) {
    this.layers = layers;
    let next = 1;
    for (const { index } of layers) {
      this.bases.push(next);
      next += index.entries;
    }
    this.endOfInodes = next;
    this.anyExternals = layers.some(({ index }) => index.firstExternal !== 0);
    if (layers.some(({ index }, i) => i > 0 && index.firstImplied !== 0)) {
      const redirects = new Redirects(this, layers.length);
      if (!redirects.any) this.redirects = null;
    }
    this.root = this.rootBelow(layers.length);
  }

  layer(layer: number): ImageLayer {
    return this.layers[layer]!;
  }

  /** The inode number of a layer's first record. */
  firstIno(layer: number): number {
    return this.bases[layer]!;
  }

  index(place: Place): LayerIndex {
    return this.layers[place.layer]!.index;
  }

  tarFd(place: Place): number {
    return this.layers[place.layer]!.tarFd;
  }

  inodeNumber(place: Place): number {
    return this.bases[place.layer]! + place.entry;
  }

  /** The record with an inode number. */
  placeOf(ino: number): Place {
    let layer = this.bases.length - 1;
    while (layer > 0 && this.bases[layer]! > ino) layer -= 1;
    return { layer, entry: ino - this.bases[layer]! };
  }

  /** The shim's tree of the layers, or 0: it knows nothing of redirects. */
  createTree(dev: number): number {
    if (this.redirects !== null) return 0;
    const words = new Uint32Array(this.layers.length * LAYER_WORDS);
    this.layers.forEach(({ index }, layer) => {
      index.describe(words, layer * LAYER_WORDS);
      words[layer * LAYER_WORDS + 4] = this.bases[layer]!;
    });
    return orZero(shim.image_create(pointerOf(words), this.layers.length, dev));
  }

  /** The root of the tree that the layers below `end` make. */
  rootBelow(end: number): Found {
    const sources: Place[] = [];
    let layer = end - 1;
    for (; layer >= 0; layer -= 1) {
      this.join(sources, { layer, entry: 0 }, end);
      if (this.layers[layer]!.index.hasFlag(0, Flag.opaque)) break;
    }
    const root = this.directory(sources);
    if (layer <= 0 || !this.isEmptied(sources)) return root;
    return { ...this.rootBelow(layer), sources };
  }

  /** Adds a directory's record, and before it what joins it from the layers below `end`. */
  private join(sources: Place[], place: Place, end: number): void {
    const joining = this.redirects?.joining(place);
    if (joining !== undefined) for (const other of joining) if (other.layer < end) sources.push(other);
    sources.push(place);
  }

  private directory(sources: readonly Place[]): Found {
    const described = sources.find((place) => !this.isImplied(place));
    const own = described ?? sources.find((place) => this.redirects?.pathOf(place) === undefined);
    const { layer, entry } = own ?? { layer: 0, entry: 0 };
    return { layer, entry, sources };
  }

  private isImplied(place: Place): boolean {
    return this.index(place).hasFlag(place.entry, Flag.implied);
  }

  /** Whether a directory that no layer describes was emptied by a mark alone: the layers below describe it still. */
  private isEmptied(sources: readonly Place[]): boolean {
    const last = sources.at(-1);
    return (
      last !== undefined &&
      this.index(last).hasFlag(last.entry, Flag.emptied) &&
      sources.every((s) => this.isImplied(s))
    );
  }

  /** What `name` is in a directory; null when there is no such name. Layers from `end` on do not count. */
  find(sources: readonly Place[], name: string, end = this.layers.length): Found | null {
    let directories: Place[] | null = null;
    for (let i = 0; i < sources.length; i += 1) {
      const { layer, entry } = sources[i]!;
      const { index } = this.layers[layer]!;
      const at = index.find(entry, name);
      if (at < 0) continue;
      const kind = index.kind(at);
      if (kind === Kind.whiteout) break;
      if (kind === Kind.inode && (index.mode(at) & S_IFMT) === S_IFDIR) {
        const place = { layer, entry: at };
        if (this.redirects?.pathOf(place) !== undefined) continue;
        directories ??= [];
        this.join(directories, place, end);
        if (!index.hasFlag(at, Flag.opaque)) continue;
        if (!this.isEmptied(directories)) break;
        const below = this.find(sources.slice(i + 1), name, end);
        return below?.sources == null ? this.directory(directories) : { ...below, sources: directories };
      }
      if (directories !== null) break;
      return this.fileAt(layer, at);
    }
    return directories === null ? null : this.directory(directories);
  }

  /** The inode behind a name that is no directory. */
  private fileAt(layer: number, at: number): Found | null {
    const { index } = this.layers[layer]!;
    if (index.kind(at) === Kind.external) {
      const found = this.resolve(layer, index.target(at));
      return found === null || found.sources !== null ? null : found;
    }
    const entry = index.kind(at) === Kind.link ? index.linkedTo(at) : at;
    return { layer, entry, sources: null };
  }

  /** A path in the tree of the layers below `end`: links on its way are followed, one at its end is not. */
  private resolve(end: number, path: string): Found | null {
    const names = path.split("/");
    const last = names.pop()!;
    const parent = walk(this, end, names);
    return parent?.found.sources == null ? null : this.find(parent.found.sources, last, end);
  }

  /** The name in one record of a directory that no other layer takes part in; null when it is gone. */
  listedAt(layer: number, entry: number): ListedName | null {
    const { index } = this.layers[layer]!;
    const kind = index.kind(entry);
    if (kind === Kind.whiteout) return null;
    const name = index.name(entry);
    return this.listed(name, kind === Kind.inode ? { layer, entry } : this.fileAt(layer, entry));
  }

  private listed(name: string, place: Place | null): ListedName | null {
    if (place === null) return null;
    return { name, ino: this.inodeNumber(place), type: (this.index(place).mode(place.entry) & S_IFMT) >> 12 };
  }

  /** All names of a directory that several layers make, in no particular order. */
  list(sources: readonly Place[]): ListedName[] {
    const names: ListedName[] = [];
    const met = new Set<string>();
    for (const { layer, entry } of sources) {
      const { index } = this.layers[layer]!;
      const first = index.firstChild(entry);
      const end = first + index.childCount(entry);
      for (let at = first; at < end; at += 1) {
        const name = index.name(at);
        if (met.has(name)) continue;
        met.add(name);
        const shown = this.listed(name, this.shownBy(sources, layer, at, name));
        if (shown !== null) names.push(shown);
      }
    }
    return names;
  }

  /** What describes the inode of the topmost record of a name; directories alone go on in the layers below. */
  private shownBy(sources: readonly Place[], layer: number, at: number, name: string): Place | null {
    const { index } = this.layers[layer]!;
    const kind = index.kind(at);
    if (kind === Kind.whiteout) return null;
    if (kind !== Kind.inode) return this.fileAt(layer, at);
    if ((index.mode(at) & S_IFMT) !== S_IFDIR) return { layer, entry: at };
    return this.find(sources, name);
  }

  /** How many names of the tree mean this inode, which is no directory. */
  linkCount(place: Place): number {
    const index = this.index(place);
    let count = 0;
    let at = place.entry;
    // A damaged ring ends with the layer.
    for (let steps = index.entries; steps > 0; steps -= 1) {
      if (this.isVisible({ layer: place.layer, entry: at }, place)) count += 1;
      at = index.next(at);
      if (at === 0 || at === place.entry) break;
    }
    for (const name of this.externals().get(this.inodeNumber(place)) ?? []) if (this.isVisible(name, place)) count += 1;
    return Math.max(count, 1);
  }

  /** Whether the inode may have more names than the one it was found by. */
  hasManyNames(place: Place): boolean {
    if (this.index(place).next(place.entry) !== 0) return true;
    return this.anyExternals && this.externals().has(this.inodeNumber(place));
  }

  /** Whether the name in this record leads to `inode` in the whole tree. */
  private isVisible(name: Place, inode: Place): boolean {
    const index = this.index(name);
    const directory = this.directoryAt(name.layer, index.parent(name.entry));
    if (directory === null || directory.sources === null) return false;
    const text = index.name(name.entry);
    if (!this.isTopmost(directory.sources, name, text)) return false;
    const found = this.find(directory.sources, text);
    return found !== null && found.layer === inode.layer && found.entry === inode.entry;
  }

  /** Whether no layer above has the name too: a layer may link it to the very inode that it meant before. */
  private isTopmost(sources: readonly Place[], record: Place, name: string): boolean {
    for (const { layer, entry } of sources) {
      const at = this.layers[layer]!.index.find(entry, name);
      if (at >= 0 && this.redirects?.pathOf({ layer, entry: at }) === undefined)
        return layer === record.layer && at === record.entry;
    }
    return false;
  }

  /** What the path of a directory's record means in the whole tree. Every directory is walked to once. */
  directoryAt(layer: number, entry: number): Found | null {
    const { index } = this.layers[layer]!;
    const missing: number[] = [];
    let at = entry;
    while (at !== 0 && missing.length < index.entries && !this.paths.has(this.bases[layer]! + at)) {
      missing.push(at);
      at = index.parent(at);
    }
    let found: Found | null = at === 0 ? this.root : (this.paths.get(this.bases[layer]! + at) ?? null);
    for (const next of missing.reverse()) {
      const away = this.redirects?.pathOf({ layer, entry: next });
      if (away !== undefined) found = walk(this, this.layers.length, away)?.found ?? null;
      else found = found === null || found.sources === null ? null : this.find(found.sources, index.name(next));
      this.paths.set(this.bases[layer]! + next, found);
    }
    return found;
  }

  private externals(): Map<number, Place[]> {
    if (this.externalNames !== null) return this.externalNames;
    const names = new Map<number, Place[]>();
    this.externalNames = names;
    this.layers.forEach(({ index }, layer) => {
      let at = index.firstExternal;
      for (let steps = index.entries; at !== 0 && steps > 0; steps -= 1) {
        const found = this.fileAt(layer, at);
        if (found !== null) {
          const ino = this.inodeNumber(found);
          const known = names.get(ino);
          if (known === undefined) names.set(ino, [{ layer, entry: at }]);
          else known.push({ layer, entry: at });
        }
        at = index.next(at);
      }
    });
    return names;
  }
}
