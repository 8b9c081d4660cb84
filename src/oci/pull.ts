// From an image source into the store: choose the manifest for this platform, check the configuration, fetch the
// layers that are missing, then record the image under its name. Nothing is recorded before everything is there.

import { readContent } from "./content.ts";
import { digestFileName, digestOf, shortDigest } from "./digest.ts";
import { decodeImageConfig, type ImageConfig } from "./image-config.ts";
import type { ImageRecord } from "./image-record.ts";
import { MAX_JSON_BYTES } from "./json.ts";
import { LAYER_LIMITS, type LayerLimits, writeLayer } from "./layer-writer.ts";
import { checkContent, type Descriptor, decodeManifest, type Index, type Manifest } from "./manifest.ts";
import { OciError } from "./oci-error.ts";
import { formatPlatform, notForUs, runs, selectPlatform } from "./platform.ts";
import type { ImageSource, ManifestBytes } from "./source.ts";
import type { ImageStore } from "./store.ts";

export type LayerState = "waiting" | "pulling" | "done" | "present" | "elsewhere";

/** Who watches a pull. */
export interface PullProgress {
  /** `bytes` of `total` are here; `total` is 0 when it is not known. */
  layer(digest: string, state: LayerState, bytes: number, total: number): void;
  note(text: string): void;
}

export interface PullOptions {
  readonly progress: PullProgress;
  readonly limits?: LayerLimits;
  readonly backoffMs?: number;
}

const PARALLEL_LAYERS = 3;
/** Indexes in indexes; nobody nests more than one. */
const MAX_DEPTH = 3;
const DEFAULT_BACKOFF_MS = 500;

interface Resolved {
  readonly topDigest: string;
  readonly manifestDigest: string;
  readonly manifestBytes: Uint8Array;
  readonly manifest: Manifest;
}

/** Brings the image that `source` gives into the store as `name`. The caller holds the store's shared lock. */
export async function pullImage(
  store: ImageStore,
  source: ImageSource,
  name: string,
  options: PullOptions,
): Promise<ImageRecord> {
  const old = store.findRecord(name);
  if (old !== null && (await source.topDigest()) === old.topDigest && isUsable(store, old)) return old;
  options.progress.note(`pulling ${source.name}`);
  const resolved = await resolve(source);
  const what = `the configuration of ${source.name}`;
  const { manifest } = resolved;
  const backoffMs = options.backoffMs ?? DEFAULT_BACKOFF_MS;
  const configBytes = await readContent(manifest.config, source.open(manifest.config), what, MAX_JSON_BYTES, backoffMs);
  const config = decodeImageConfig(configBytes, what);
  if (!runs(config)) throw notForUs(source.name, [formatPlatform(config)]);
  if (config.diffIds.length !== manifest.layers.length)
    throw new OciError(
      `${source.name} is broken: ${manifest.layers.length} layers, but ${config.diffIds.length} in its configuration`,
    );
  await pullLayers(store, source, manifest.layers, config, options);
  const record: ImageRecord = {
    name,
    topDigest: resolved.topDigest,
    manifestDigest: resolved.manifestDigest,
    configDigest: manifest.config.digest,
    pulledMs: Date.now(),
  };
  const documents = new Map([
    [resolved.manifestDigest, resolved.manifestBytes],
    [manifest.config.digest, configBytes],
  ]);
  await store.addImage(record, documents);
  return record;
}

function isUsable(store: ImageStore, record: ImageRecord): boolean {
  try {
    return store.isComplete(record);
  } catch (error) {
    if (error instanceof OciError) return false;
    throw error;
  }
}

async function resolve(source: ImageSource): Promise<Resolved> {
  const top = await source.top();
  const topDigest = digestOf(top.bytes);
  let current: ManifestBytes = top;
  let digest = topDigest;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const decoded: Index | Manifest = decodeManifest(
      current.bytes,
      current.mediaType,
      `the manifest of ${source.name}`,
    );
    if (decoded.kind === "manifest")
      return { topDigest, manifestDigest: digest, manifestBytes: current.bytes, manifest: decoded };
    const entry = selectPlatform(decoded.entries, source.name);
    if (entry.size > MAX_JSON_BYTES)
      throw new OciError(`the manifest of ${source.name} has more than ${MAX_JSON_BYTES} bytes, which is not accepted`);
    const next = await source.manifest(entry);
    checkContent(next.bytes, entry, `the manifest of ${source.name}`);
    // The index's word for it counts as well as the server's.
    current = { bytes: next.bytes, mediaType: next.mediaType === "" ? entry.mediaType : next.mediaType };
    digest = entry.digest;
  }
  throw new OciError(`${source.name} is an index of indexes of indexes, which is not accepted`);
}

async function pullLayers(
  store: ImageStore,
  source: ImageSource,
  layers: readonly Descriptor[],
  config: ImageConfig,
  options: PullOptions,
): Promise<void> {
  // The same layer may stand in an image several times.
  const wanted = new Map<string, Descriptor>();
  layers.forEach((layer, i) => {
    const diffId = config.diffIds[i]!;
    if (!wanted.has(diffId)) wanted.set(diffId, layer);
  });
  for (const layer of wanted.values()) options.progress.layer(layer.digest, "waiting", 0, layer.size);
  const queue = [...wanted];
  let failure: { error: unknown } | null = null;
  // One failure stops the others at their next piece.
  const goOn = (): void => {
    if (failure !== null) throw failure.error;
  };
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && failure === null; next = queue.shift()) {
      try {
        await pullLayer(store, source, next[1], next[0], options, goOn);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LAYERS }, worker));
  goOn();
}

async function pullLayer(
  store: ImageStore,
  source: ImageSource,
  descriptor: Descriptor,
  diffId: string,
  options: PullOptions,
  goOn: () => void,
): Promise<void> {
  const { progress } = options;
  const { digest, size } = descriptor;
  if (store.hasLayer(diffId)) return progress.layer(digest, "present", size, size);
  const work = await store.claimWork(digestFileName(diffId), () => {
    progress.layer(digest, "elsewhere", 0, size);
    progress.note(`another carrick is pulling layer ${shortDigest(digest)}; waiting for it`);
  });
  try {
    // Who held the folder before may have finished it.
    if (store.hasLayer(diffId)) return progress.layer(digest, "present", size, size);
    progress.layer(digest, "pulling", 0, size);
    await writeLayer(store, work, {
      descriptor,
      diffId,
      open: source.open(descriptor),
      limits: options.limits ?? LAYER_LIMITS,
      backoffMs: options.backoffMs ?? DEFAULT_BACKOFF_MS,
      onProgress: (bytes) => {
        goOn();
        progress.layer(digest, "pulling", bytes, size);
      },
    });
    progress.layer(digest, "done", size, size);
  } finally {
    work.release();
  }
}
