// Images made on the spot: tars, layers, manifests and layouts, small and with exact content.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../src/oci/digest.ts";

export interface TarMember {
  readonly name: string;
  readonly body?: string | Uint8Array;
  /** "0" file (the default), "5" directory, "2" symbolic link. */
  readonly type?: string;
  readonly link?: string;
  /** Permission bits, 0644 or 0755 unless given. */
  readonly mode?: number;
}

const BLOCK = 512;

/** A ustar archive. */
export function tar(members: readonly TarMember[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, body = "", type = "0", link = "", mode = type === "5" ? 0o755 : 0o644 } of members) {
    const data = typeof body === "string" ? Buffer.from(body) : body;
    const header = Buffer.alloc(BLOCK);
    header.write(name, 0, 100, "latin1");
    header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("14524770400\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(link, 157, 100, "latin1");
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    parts.push(header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

export type Compression = "none" | "gzip" | "zstd";

export function compress(bytes: Uint8Array, how: Compression): Uint8Array {
  if (how === "none") return bytes;
  const plain = new Uint8Array(bytes);
  return how === "gzip" ? Bun.gzipSync(plain) : Bun.zstdCompressSync(plain);
}

/** Content by digest, and the manifest at its top. */
export interface TestImage {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifest: Uint8Array;
  readonly manifestType: string;
  readonly manifestDigest: string;
  readonly configDigest: string;
  readonly diffIds: readonly string[];
  readonly layerDigests: readonly string[];
}

export interface ImageOptions {
  readonly layers?: readonly Uint8Array[];
  readonly compression?: Compression;
  readonly docker?: boolean;
  readonly architecture?: string;
  readonly os?: string;
  readonly config?: object;
  /** Last changes to the documents. */
  readonly changeConfig?: (config: Record<string, unknown>) => void;
  readonly changeManifest?: (manifest: Record<string, unknown>) => void;
}

const OCI = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
};
const DOCKER = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar",
};

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export const DEFAULT_LAYER = tar([
  { name: "etc/", type: "5" },
  { name: "etc/motd", body: "hello from a layer\n" },
]);

export function makeImage(options: ImageOptions = {}): TestImage {
  const { layers = [DEFAULT_LAYER], compression = "gzip", docker = false } = options;
  const types = docker ? DOCKER : OCI;
  const suffix = compression === "none" ? "" : docker ? `.${compression}` : `+${compression}`;
  const blobs = new Map<string, Uint8Array>();
  const add = (mediaType: string, bytes: Uint8Array): { mediaType: string; digest: string; size: number } => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const descriptors = layers.map((layer) => add(types.layer + suffix, compress(layer, compression)));
  const diffIds = layers.map((layer) => digestOf(layer));
  const config: Record<string, unknown> = {
    architecture: options.architecture ?? "arm64",
    os: options.os ?? "linux",
    created: "2023-11-14T22:13:20Z",
    config: options.config ?? { Cmd: ["/bin/sh"], Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: diffIds },
  };
  options.changeConfig?.(config);
  const configDescriptor = add(types.config, json(config));
  const document: Record<string, unknown> = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: configDescriptor,
    layers: descriptors,
  };
  options.changeManifest?.(document);
  const manifest = json(document);
  const manifestDigest = digestOf(manifest);
  blobs.set(manifestDigest, manifest);
  return {
    blobs,
    manifest,
    manifestType: types.manifest,
    manifestDigest,
    configDigest: configDescriptor.digest,
    diffIds,
    layerDigests: descriptors.map((d) => d.digest),
  };
}

export interface IndexMember {
  readonly image: TestImage;
  readonly platform?: { os: string; architecture: string; variant?: string };
  readonly annotations?: Record<string, string>;
}

export function makeIndex(members: readonly IndexMember[]): Uint8Array {
  return json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: members.map(({ image, platform, annotations }) => ({
      mediaType: image.manifestType,
      digest: image.manifestDigest,
      size: image.manifest.length,
      ...(platform === undefined ? {} : { platform }),
      ...(annotations === undefined ? {} : { annotations }),
    })),
  });
}

/** The files of an image layout by name. */
export function layoutFiles(members: readonly IndexMember[]): Map<string, Uint8Array> {
  const files = new Map([
    ["oci-layout", json({ imageLayoutVersion: "1.0.0" })],
    ["index.json", makeIndex(members)],
  ]);
  for (const { image } of members)
    for (const [digest, bytes] of image.blobs) files.set(`blobs/${digest.replace(":", "/")}`, bytes);
  return files;
}

export function named(image: TestImage, name: string): IndexMember {
  return { image, annotations: { "org.opencontainers.image.ref.name": name } };
}

export function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

export function tarOf(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return tar([...files].map(([name, body]) => ({ name, body })));
}

/** What docker save writes. */
export function dockerArchive(
  image: TestImage,
  layers: readonly Uint8Array[],
  tags: readonly string[] | null,
): Uint8Array {
  const hex = image.configDigest.slice(7);
  const paths = image.diffIds.map((id) => `${id.slice(7)}/layer.tar`);
  return tar([
    ...layers.map((body, i) => ({ name: paths[i]!, body })),
    { name: `${hex}.json`, body: image.blobs.get(image.configDigest)! },
    { name: "manifest.json", body: json([{ Config: `${hex}.json`, RepoTags: tags, Layers: paths }]) },
  ]);
}
