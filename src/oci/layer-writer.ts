// One layer on its way into the store, in one pass and in bounded memory: the compressed blob is checked and
// decompressed, the tar is hashed, indexed and written.

import { closeSync, fsync, openSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkedContent } from "./content.ts";
import { decompress } from "./decompress.ts";
import { algorithmOf, shortDigest } from "./digest.ts";
import { LayerError, LayerIndexer } from "./layer-indexer.ts";
import type { Descriptor } from "./manifest.ts";
import { OciError } from "./oci-error.ts";
import type { OpenContent } from "./source.ts";
import { type ImageStore, INDEX_FILE } from "./store.ts";
import { storeError, writeAll } from "./store-files.ts";
import type { WorkFolder } from "./work-folder.ts";

/** What a decompression bomb is stopped by. */
export interface LayerLimits {
  /** Bytes of the tar. */
  readonly maxBytes: number;
  /** Bytes of tar per byte of blob; looked at when the tar is larger than `ratioFromBytes`. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
}

const MIB = 1024 * 1024;
export const LAYER_LIMITS: LayerLimits = { maxBytes: 65536 * MIB, maxRatio: 250, ratioFromBytes: 512 * MIB };

export interface LayerJob {
  readonly descriptor: Descriptor;
  readonly diffId: string;
  readonly open: OpenContent;
  readonly limits: LayerLimits;
  readonly backoffMs: number;
  /** Called with the bytes of the blob received so far. */
  readonly onProgress: (bytes: number) => void;
}

const fsyncLater = promisify(fsync);

/** Writes the tar and its index into the work folder and moves them into the store. Throws OciError. */
export async function writeLayer(store: ImageStore, work: WorkFolder, job: LayerJob): Promise<void> {
  const what = `layer ${shortDigest(job.descriptor.digest)}`;
  const tar = create(join(work.path, "tar"), store);
  try {
    const index = await pour(job, what, (chunk) => write(tar, chunk, store));
    const file = create(join(work.path, INDEX_FILE), store);
    try {
      write(file, index, store);
      await sync([tar, file], store);
    } finally {
      closeSync(file);
    }
  } finally {
    closeSync(tar);
  }
  store.addLayer(job.diffId, work);
}

/** Runs the layer's content through all that looks at it; the index at the end. */
async function pour(job: LayerJob, what: string, sink: (chunk: Uint8Array) => void): Promise<Uint8Array> {
  const hash = new Bun.CryptoHasher(algorithmOf(job.diffId));
  const indexer = new LayerIndexer();
  let received = 0;
  let written = 0;
  const counted = count(checkedContent(job.descriptor, job.open, what, job.backoffMs), (bytes) => {
    received = bytes;
    job.onProgress(bytes);
  });
  for await (const chunk of decompress(counted, what)) {
    written += chunk.length;
    checkLimits(job.limits, received, written, what);
    hash.update(chunk);
    named(what, () => indexer.push(chunk));
    sink(chunk);
  }
  const found = `${algorithmOf(job.diffId)}:${hash.digest("hex")}`;
  if (found !== job.diffId)
    throw new OciError(
      `${what} is not what the image's configuration says: its content is ${found}, not ${job.diffId}`,
    );
  return named(what, () => indexer.finish());
}

/** The indexer does not know which layer it reads. */
function named<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof LayerError ? new OciError(`${what} cannot be used: ${error.message}`) : error;
  }
}

async function* count(
  chunks: AsyncGenerator<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    onBytes(bytes);
    yield chunk;
  }
}

function checkLimits(limits: LayerLimits, received: number, written: number, what: string): void {
  if (written > limits.maxBytes)
    throw new OciError(`${what} unpacks to more than ${limits.maxBytes} bytes, which is not accepted`);
  if (written > limits.ratioFromBytes && written > received * limits.maxRatio)
    throw new OciError(`${what} unpacks to more than ${limits.maxRatio} times its size: a decompression bomb`);
}

function create(path: string, store: ImageStore): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    throw storeError(error, store.path);
  }
}

function write(fd: number, bytes: Uint8Array, store: ImageStore): void {
  try {
    writeAll(fd, bytes);
  } catch (error) {
    throw storeError(error, store.path);
  }
}

/** On the disk, without making other layers wait. */
async function sync(fds: readonly number[], store: ImageStore): Promise<void> {
  try {
    await Promise.all(fds.map((fd) => fsyncLater(fd)));
  } catch (error) {
    throw storeError(error, store.path);
  }
}
