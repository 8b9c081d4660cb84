// Images for tests without the store: an OCI layout of the disk, or layers made of tars here and now, as `runImage` takes them.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeImageConfig, type ImageConfig } from "../../src/oci/image-config.ts";
import { LayerIndexer } from "../../src/oci/layer-indexer.ts";
import type { OpenImage, StoredLayer } from "../../src/oci/store.ts";

/** Writes a layer's tar and its index into `folder`. */
export function storeLayer(folder: string, name: string, tar: Uint8Array): StoredLayer {
  mkdirSync(folder, { recursive: true });
  const indexer = new LayerIndexer();
  for (let at = 0; at < tar.length; at += 65536) indexer.push(tar.subarray(at, at + 65536));
  const layer = { diffId: name, tarPath: join(folder, `${name}.tar`), indexPath: join(folder, `${name}.index`) };
  writeFileSync(layer.tarPath, tar);
  writeFileSync(layer.indexPath, indexer.finish());
  return layer;
}

/** The image `tag` of an OCI layout with gzip layers of one member, its layers stored in `folder`. */
export function loadLayout(layout: string, tag: string, folder: string): OpenImage {
  const blob = (digest: string): Buffer => readFileSync(join(layout, "blobs", digest.replace(":", "/")));
  const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as {
    manifests: { digest: string; annotations?: Record<string, string> }[];
  };
  const found = index.manifests.find((m) => m.annotations?.["org.opencontainers.image.ref.name"] === tag);
  if (found === undefined) throw new Error(`no ${tag} in ${layout}`);
  const manifest = JSON.parse(blob(found.digest).toString()) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  const config = decodeImageConfig(blob(manifest.config.digest), tag);
  const layers = manifest.layers.map(({ digest }) =>
    storeLayer(folder, digest.slice(7, 19), Bun.gunzipSync(Uint8Array.from(blob(digest)))),
  );
  return image(tag, layers, config, found.digest);
}

const PLAIN: ImageConfig = {
  os: "linux",
  architecture: "arm64",
  variant: "v8",
  created: "",
  user: "",
  env: [],
  entrypoint: null,
  cmd: null,
  workingDir: "",
  stopSignal: "",
  volumes: [],
  exposedPorts: [],
  labels: new Map(),
  diffIds: [],
};

/** Layers as an image, bottom first. */
export function image(
  name: string,
  layers: readonly StoredLayer[],
  config: Partial<ImageConfig> = {},
  manifestDigest = `sha256:${"0".repeat(64)}`,
): OpenImage {
  return { name, manifestDigest, config: { ...PLAIN, ...config }, layers, release: () => {} };
}
