// What `docker save` writes: a tar with manifest.json, configurations and layers. It has no manifests with digests; one is
// made from what the configuration says, so that the rest of the house needs no second way.

import { compressionOf } from "./decompress.ts";
import { digestOf } from "./digest.ts";
import { type FileTree, openTreeFile, readTreeFile, type TreeFile } from "./file-tree.ts";
import { decodeImageConfig } from "./image-config.ts";
import { type JsonObject, MAX_JSON_BYTES, parseJson } from "./json.ts";
import { type Descriptor, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from "./manifest.ts";
import { OciError } from "./oci-error.ts";
import { formatReference, parseReference } from "./reference.ts";
import type { ImageSource, ManifestBytes, OpenContent } from "./source.ts";

export interface DockerArchiveImage {
  readonly config: string;
  readonly layers: readonly string[];
  /** Complete names. */
  readonly names: readonly string[];
}

const MAX_IMAGES = 1000;
const MAX_LAYERS = 512;

/** The images of an archive; null when it is not of this kind. */
export function dockerArchiveImages(tree: FileTree): DockerArchiveImage[] | null {
  const file = tree.find("manifest.json");
  if (file === null) return null;
  const what = `manifest.json of ${tree.name}`;
  const list = parseJson(readTreeFile(file, MAX_JSON_BYTES, what), what, true);
  return list.objects("list", MAX_IMAGES).map((image: JsonObject) => ({
    config: image.string("Config"),
    layers: image.optionalStrings("Layers", MAX_LAYERS) ?? [],
    names: (image.optionalStrings("RepoTags", MAX_IMAGES) ?? []).map((tag) => formatReference(parseReference(tag))),
  }));
}

/** The image of a name or "@NUMBER"; without one the only image. */
export function chooseDockerImage(
  images: readonly DockerArchiveImage[],
  ref: string,
  name: string,
): DockerArchiveImage {
  const there = images.flatMap((image) => image.names).join(", ") || "none with a name";
  if (/^@\d+$/.test(ref) && images[Number(ref.slice(1))] !== undefined) return images[Number(ref.slice(1))]!;
  if (ref !== "") {
    const full = ref.startsWith("@") ? ref : formatReference(parseReference(ref));
    const found = images.find((image) => image.names.includes(full));
    if (found === undefined) throw new OciError(`${name} does not exist there; there are: ${there}`);
    return found;
  }
  if (images.length === 1) return images[0]!;
  if (images.length === 0) throw new OciError(`${name} holds no image`);
  throw new OciError(`${name} holds several images; name one of: ${there}`);
}

export class DockerArchiveSource implements ImageSource {
  readonly name: string;
  private readonly tree: FileTree;
  private readonly image: DockerArchiveImage;
  private readonly files = new Map<string, TreeFile>();
  private made: Promise<Uint8Array> | null = null;

  constructor(tree: FileTree, image: DockerArchiveImage, name: string) {
    this.name = name;
    this.tree = tree;
    this.image = image;
  }

  async top(): Promise<ManifestBytes> {
    this.made ??= this.makeManifest();
    return { bytes: await this.made, mediaType: OCI_MANIFEST };
  }

  async topDigest(): Promise<string | null> {
    return digestOf((await this.top()).bytes);
  }

  manifest(): Promise<ManifestBytes> {
    return this.top();
  }

  open(descriptor: Descriptor): OpenContent {
    const file = this.files.get(descriptor.digest);
    if (file === undefined) throw new OciError(`a part of ${this.name} (${descriptor.digest}) is missing`);
    return openTreeFile(file);
  }

  private async makeManifest(): Promise<Uint8Array> {
    const what = `the configuration of ${this.name}`;
    const configFile = this.member(this.image.config);
    const bytes = readTreeFile(configFile, MAX_JSON_BYTES, what);
    const { diffIds } = decodeImageConfig(bytes, what);
    if (diffIds.length !== this.image.layers.length)
      throw new OciError(
        `${this.name} is broken: ${this.image.layers.length} layers, but ${diffIds.length} in its configuration`,
      );
    const config = { mediaType: OCI_CONFIG, digest: digestOf(bytes), size: bytes.length };
    this.files.set(config.digest, configFile);
    const layers: Descriptor[] = [];
    for (const [i, path] of this.image.layers.entries()) {
      const file = this.member(path);
      // docker save does not compress layers, so that the configuration has their digests; others may.
      const digest = (await isPlainTar(file, path)) ? diffIds[i]! : await digestOfFile(file);
      this.files.set(digest, file);
      layers.push({ mediaType: OCI_LAYER, digest, size: file.size });
    }
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
    return new TextEncoder().encode(JSON.stringify(manifest));
  }

  private member(path: string): TreeFile {
    const file = this.tree.find(path);
    if (file === null) throw new OciError(`${this.name} is broken: ${path.slice(0, 100)} is missing`);
    return file;
  }
}

async function isPlainTar(file: TreeFile, what: string): Promise<boolean> {
  for await (const chunk of openTreeFile(file)(0)) return compressionOf(chunk, what) === "";
  return true;
}

async function digestOfFile(file: TreeFile): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of openTreeFile(file)(0)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}
