// Images on this machine in OCI's layout (image-spec image-layout.md), as a folder or an archive of one.

import { type FileTree, openTreeFile, readTreeFile } from "./file-tree.ts";
import { MAX_JSON_BYTES, parseJson } from "./json.ts";
import { checkContent, type Descriptor, decodeManifest, type IndexEntry } from "./manifest.ts";
import { OciError } from "./oci-error.ts";
import type { ImageSource, ManifestBytes, OpenContent } from "./source.ts";

const REF_NAME = "org.opencontainers.image.ref.name";
/** containerd and Docker write the complete name here. */
const FULL_NAME = "io.containerd.image.name";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

export class LayoutSource implements ImageSource {
  readonly name: string;
  private readonly tree: FileTree;
  private readonly chosen: IndexEntry | null;

  /** `ref`: the name of one image there, or "@NUMBER"; "" when there is only one. */
  constructor(tree: FileTree, ref: string, name: string) {
    this.name = name;
    this.tree = tree;
    this.chosen = choose(layoutEntries(tree), ref, name);
  }

  async top(): Promise<ManifestBytes> {
    if (this.chosen === null) return { bytes: indexBytes(this.tree), mediaType: OCI_INDEX };
    return this.manifest(this.chosen);
  }

  async topDigest(): Promise<string | null> {
    return this.chosen?.digest ?? null;
  }

  async manifest(descriptor: Descriptor): Promise<ManifestBytes> {
    const bytes = readTreeFile(this.blob(descriptor), MAX_JSON_BYTES, `the manifest of ${this.name}`);
    checkContent(bytes, descriptor, `the manifest of ${this.name}`);
    return { bytes, mediaType: descriptor.mediaType };
  }

  open(descriptor: Descriptor): OpenContent {
    return openTreeFile(this.blob(descriptor));
  }

  private blob(descriptor: Descriptor): ReturnType<FileTree["find"]> & {} {
    const file = this.tree.find(`blobs/${descriptor.digest.replace(":", "/")}`);
    if (file === null) throw new OciError(`a part of ${this.name} (${descriptor.digest}) is missing`);
    return file;
  }
}

export function isLayout(tree: FileTree): boolean {
  return tree.find("oci-layout") !== null && tree.find("index.json") !== null;
}

/** The images of a layout with the names that they have there, complete ones first. */
export function layoutEntries(tree: FileTree): readonly IndexEntry[] {
  const marker = tree.find("oci-layout");
  if (marker === null) throw new OciError(`${tree.name} is not an image layout: it has no oci-layout file`);
  const what = `the oci-layout file of ${tree.name}`;
  const version = parseJson(readTreeFile(marker, MAX_JSON_BYTES, what), what).string("imageLayoutVersion");
  if (!version.startsWith("1.")) throw new OciError(`${tree.name} has the unknown layout version ${version}`);
  const index = decodeManifest(indexBytes(tree), OCI_INDEX, `index.json of ${tree.name}`);
  if (index.kind !== "index") throw new OciError(`index.json of ${tree.name} is not an index`);
  return index.entries;
}

/** What `LayoutSource` takes for each image of a layout; entries without any names are one image for several platforms. */
export function layoutRefs(tree: FileTree): readonly string[] {
  const refs = layoutEntries(tree).map((entry) => entryNames(entry)[0] ?? "");
  return refs.every((ref) => ref === "") ? [""] : refs.map((ref, i) => ref || `@${i}`);
}

export function entryNames(entry: IndexEntry): string[] {
  return [entry.annotations.get(FULL_NAME), entry.annotations.get(REF_NAME)].filter((n) => n !== undefined);
}

function indexBytes(tree: FileTree): Uint8Array {
  const file = tree.find("index.json");
  if (file === null) throw new OciError(`${tree.name} is not an image layout: it has no index.json`);
  return readTreeFile(file, MAX_JSON_BYTES, `index.json of ${tree.name}`);
}

/** The entry of a name; without one the only entry, or null when all entries are one image for several platforms. */
function choose(entries: readonly IndexEntry[], ref: string, name: string): IndexEntry | null {
  const names = [...new Set(entries.map((entry) => entryNames(entry).at(-1) ?? ""))];
  const there = names.filter((n) => n !== "").join(", ") || "none with a name";
  if (ref !== "") {
    const found =
      entries.find((entry) => entryNames(entry).includes(ref)) ??
      (/^@\d+$/.test(ref) ? entries[Number(ref.slice(1))] : undefined);
    if (found === undefined) throw new OciError(`${name} does not exist there; there are: ${there}`);
    return found;
  }
  if (entries.length === 1) return entries[0]!;
  if (entries.length === 0) throw new OciError(`${name} holds no image`);
  if (names.length > 1) throw new OciError(`${name} holds several images; name one of: ${there}`);
  return null;
}
