// Image manifests and indexes (OCI image-spec manifest.md, image-index.md; Docker's schema 2 has the same shape).

import { algorithmOf, digestOf, isDigest } from "./digest.ts";
import { MAX_LAYERS } from "./image-config.ts";
import { type JsonObject, parseJson } from "./json.ts";
import { OciError } from "./oci-error.ts";
import type { Platform } from "./platform.ts";

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
/** The last three come from registries and builders that Docker came to terms with. */
const CONFIG_TYPES = [OCI_CONFIG, DOCKER_CONFIG, "application/octet-stream", "application/json", "text/html"];
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";

/** For Accept: what a registry may answer with. */
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
const LAYER_TYPES: readonly string[] = [
  OCI_LAYER,
  `${OCI_LAYER}+gzip`,
  `${OCI_LAYER}+zstd`,
  "application/vnd.docker.image.rootfs.diff.tar",
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd",
];

/** A piece of content by its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface IndexEntry extends Descriptor {
  readonly platform: Platform | null;
  readonly annotations: ReadonlyMap<string, string>;
}

export interface Index {
  readonly kind: "index";
  readonly entries: readonly IndexEntry[];
}

export interface Manifest {
  readonly kind: "manifest";
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
}

const MAX_ENTRIES = 1000;

/**
 * Decodes what a registry or layout gave under a media type ("" when it said none). A document that could be read both
 * as an index and as a manifest is refused: different readers would run different images.
 */
export function decodeManifest(bytes: Uint8Array, mediaType: string, what: string): Index | Manifest {
  const root = parseJson(bytes, what);
  if (root.has("schemaVersion") && root.size("schemaVersion") === 1)
    throw new OciError(`${what} is in the old schema 1 format, which cannot be checked; the image must be pushed anew`);
  const own = root.optionalString("mediaType") ?? "";
  const given = MANIFEST_TYPES.includes(mediaType) ? mediaType : "";
  if (own !== "" && given !== "" && own !== given)
    throw new OciError(`${what} says it is ${own} but was sent as ${given}`);
  const type = own === "" ? given : own;
  if (type !== "" && !MANIFEST_TYPES.includes(type)) throw new OciError(`${what} is of the unknown kind ${type}`);
  if (root.has("manifests") && (root.has("layers") || root.has("config") || root.has("fsLayers")))
    throw new OciError(`${what} is an index and a manifest at once`);
  const isIndex = root.has("manifests");
  if (type !== "" && isIndex !== (type === OCI_INDEX || type === DOCKER_LIST))
    throw new OciError(`${what} is not what its kind ${type} says`);
  if (isIndex) return { kind: "index", entries: root.objects("manifests", MAX_ENTRIES).map(decodeEntry) };
  if (!root.has("layers") || !root.has("config"))
    throw new OciError(`${what} is neither an image manifest nor an index`);
  const config = decodeDescriptor(root.object("config"));
  if (!CONFIG_TYPES.includes(config.mediaType))
    throw new OciError(`${what} is not an image but ${root.optionalString("artifactType") ?? config.mediaType}`);
  return { kind: "manifest", config, layers: root.objects("layers", MAX_LAYERS).map((l) => decodeLayer(l, what)) };
}

function decodeDescriptor(object: JsonObject): Descriptor {
  const digest = object.string("digest");
  if (!isDigest(digest)) throw new OciError(`${object.what} is broken: its digest cannot be checked`);
  return { mediaType: object.optionalString("mediaType") ?? "", digest, size: object.size("size") };
}

function decodeEntry(object: JsonObject): IndexEntry {
  const platform = object.optionalObject("platform");
  return {
    ...decodeDescriptor(object),
    annotations: object.stringMap("annotations"),
    platform:
      platform === undefined
        ? null
        : {
            os: platform.optionalString("os") ?? "",
            architecture: platform.optionalString("architecture") ?? "",
            variant: platform.optionalString("variant") ?? "",
          },
  };
}

function decodeLayer(object: JsonObject, what: string): Descriptor {
  const layer = decodeDescriptor(object);
  const type = layer.mediaType;
  if (type.includes("encrypted")) throw new OciError(`${what} has encrypted layers, which carrick cannot read`);
  if (type.includes("nondistributable") || type.includes("foreign"))
    throw new OciError(`${what} has foreign layers (${type}), which no registry may hand out`);
  if (!LAYER_TYPES.includes(type)) throw new OciError(`${what} has a layer of the unknown kind ${type}`);
  return layer;
}

/** Throws unless `bytes` are what the descriptor promises. */
export function checkContent(bytes: Uint8Array, descriptor: { digest: string; size?: number }, what: string): void {
  if (descriptor.size !== undefined && bytes.length !== descriptor.size)
    throw new OciError(`${what} has ${bytes.length} bytes instead of ${descriptor.size}`);
  const algorithm = algorithmOf(descriptor.digest);
  const digest = digestOf(bytes, algorithm);
  if (digest !== descriptor.digest)
    throw new OciError(`${what} is damaged: its digest is ${digest}, not ${descriptor.digest}`);
}
