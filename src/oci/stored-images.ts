// Images that are in the store: found by name or identifier, opened, and cleaned up after.

import { digestFileName } from "./digest.ts";
import { parseImageName } from "./image-name.ts";
import type { ImageRecord } from "./image-record.ts";
import { OciError } from "./oci-error.ts";
import type { ImageStore, OpenImage } from "./store.ts";

/** An image by its complete name; null when it is missing or incomplete, so that it is to be pulled again. */
export async function openUsable(store: ImageStore, name: string): Promise<OpenImage | null> {
  try {
    return await store.openImage(name);
  } catch (error) {
    if (error instanceof OciError) return null;
    throw error;
  }
}

export async function openById(store: ImageStore, id: string): Promise<OpenImage | null> {
  const record = findById(store, id)[0];
  return record === undefined ? null : store.openImage(record.name);
}

/** The images with this identifier (of the configuration) or beginning of one. */
function findById(store: ImageStore, text: string): ImageRecord[] {
  const hex = text.replace(/^sha256:/, "");
  if (!/^[0-9a-f]{6,64}$/.test(hex)) return [];
  return store.records().filter((record) => record.configDigest.startsWith(`sha256:${hex}`));
}

/** The image of a name, or all with that identifier. */
export function findImages(store: ImageStore, text: string): ImageRecord[] {
  let named: ImageRecord | null = null;
  try {
    named = store.findRecord(parseImageName(text).name);
  } catch (error) {
    if (!(error instanceof OciError) || !/^(sha256:)?[0-9a-f]{64}$/.test(text)) throw error;
  }
  const found = named === null ? findById(store, text) : [named];
  if (found.length === 0) throw new OciError(`${text} is not in the image store`);
  return found;
}

export interface Removed {
  readonly layers: readonly string[];
  /** On disk. */
  readonly bytes: number;
}

/** Removes what no image needs. The caller holds the store's exclusive lock. */
export function collectGarbage(store: ImageStore): Removed {
  const keepLayers = new Set<string>();
  const keepDocuments = new Set<string>();
  for (const record of store.records()) {
    for (const digest of [record.manifestDigest, record.configDigest]) keepDocuments.add(digestFileName(digest));
    for (const diffId of diffIdsOf(store, record)) keepLayers.add(digestFileName(diffId));
  }
  const layers = store.list("layers").filter((file) => !keepLayers.has(file));
  const documents = store.list("documents").filter((file) => !keepDocuments.has(file));
  let bytes = 0;
  for (const file of layers) bytes += store.remove("layers", file);
  for (const file of documents) bytes += store.remove("documents", file);
  return { layers: layers.map((file) => file.replace("-", ":")), bytes };
}

/** A damaged image needs no layers: it must be pulled again anyway. */
function diffIdsOf(store: ImageStore, record: ImageRecord): readonly string[] {
  try {
    return store.config(record).diffIds;
  } catch (error) {
    if (error instanceof OciError) return [];
    throw error;
  }
}
