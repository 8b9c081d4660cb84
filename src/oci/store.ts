// The image store, a folder of the user's. Everything in it is complete or not there: it is prepared in `work` and
// renamed into place, and named by its digest, so that images share it.
//   layers/DIFFID/{tar,index-VERSION}   documents/DIGEST (manifests, configurations)   images/HASH.json (one record per name)
//   work/                       lock: shared by who adds or starts, exclusive for who removes

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { INDEX_VERSION } from "../lib/layer-index.ts";
import { algorithmOf, digestFileName, digestOf } from "./digest.ts";
import { decodeImageConfig, type ImageConfig } from "./image-config.ts";
import { decodeRecord, encodeRecord, type ImageRecord } from "./image-record.ts";
import { FileLock } from "./lock.ts";
import { OciError } from "./oci-error.ts";
import { storeError, syncFolder, writeFileDurably } from "./store-files.ts";
import { WorkFolder } from "./work-folder.ts";

/** An index of another format counts as none: the layer is pulled again. */
export const INDEX_FILE = `index-${INDEX_VERSION}`;

/** One layer in the store. */
export interface StoredLayer {
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
  readonly tarPath: string;
  readonly indexPath: string;
}

/** An image whose parts are all there. Until `release` no other carrick removes them. */
export interface OpenImage {
  readonly name: string;
  readonly manifestDigest: string;
  readonly config: ImageConfig;
  /** Bottom first. */
  readonly layers: readonly StoredLayer[];
  /** To be called once the layers' files are open; removed files stay readable from then on. */
  release(): void;
}

export class ImageStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folders that are missing and sweeps what killed carricks left. Call before adding or removing. */
  prepare(): void {
    try {
      for (const name of ["layers", "documents", "images", "work"])
        mkdirSync(join(this.path, name), { recursive: true, mode: 0o700 });
      WorkFolder.sweep(this.folder("work"));
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  /** Keeps others from removing things. */
  lockShared(onWait: () => void = () => {}): Promise<FileLock> {
    return this.locked(FileLock.take(join(this.path, "lock"), true, onWait));
  }

  /** Keeps others from adding, removing and starting. */
  lockExclusive(onWait: () => void): Promise<FileLock> {
    return this.locked(FileLock.take(join(this.path, "lock"), false, onWait));
  }

  claimWork(name: string, onWait?: () => void): Promise<WorkFolder> {
    return this.locked(WorkFolder.claim(this.folder("work"), name, onWait));
  }

  /** The host's refusals as sentences. */
  private async locked<T>(taking: Promise<T>): Promise<T> {
    try {
      return await taking;
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  layer(diffId: string): StoredLayer {
    const folder = join(this.folder("layers"), digestFileName(diffId));
    return { diffId, tarPath: join(folder, "tar"), indexPath: join(folder, INDEX_FILE) };
  }

  hasLayer(diffId: string): boolean {
    const { tarPath, indexPath } = this.layer(diffId);
    return existsSync(tarPath) && existsSync(indexPath);
  }

  /** Moves a finished folder with `tar` and `index` into place. */
  addLayer(diffId: string, work: WorkFolder): void {
    const target = join(this.folder("layers"), digestFileName(diffId));
    try {
      // Half a layer can only be there when somebody removed a file by hand.
      if (existsSync(target) && !this.hasLayer(diffId)) rmSync(target, { recursive: true });
      renameSync(work.path, target);
      syncFolder(this.folder("layers"));
    } catch (error) {
      if (!this.hasLayer(diffId)) throw storeError(error, this.path);
    }
  }

  /** Adds an image whose layers are there: its documents by digest, then its record. */
  async addImage(record: ImageRecord, documents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const work = await this.claimWork(`image-${crypto.randomUUID()}`);
    try {
      for (const [digest, bytes] of documents)
        if (!this.hasDocument(digest)) writeFileDurably(this.documentPath(digest), bytes, work.path);
      writeFileDurably(this.recordPath(record.name), encodeRecord(record), work.path);
    } catch (error) {
      throw storeError(error, this.path);
    } finally {
      work.release();
    }
  }

  private hasDocument(digest: string): boolean {
    try {
      this.document(digest, "");
      return true;
    } catch {
      return false;
    }
  }

  /** Throws OciError when it is missing or damaged. */
  document(digest: string, what: string): Uint8Array {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(this.documentPath(digest));
    } catch {
      throw new OciError(`${what} is missing in the image store ${this.path}; pull the image again`);
    }
    if (digestOf(bytes, algorithmOf(digest)) !== digest)
      throw new OciError(`${what} is damaged in the image store ${this.path}; remove the image and pull it again`);
    return bytes;
  }

  findRecord(name: string): ImageRecord | null {
    return this.readRecord(this.recordPath(name));
  }

  removeRecord(name: string): void {
    try {
      rmSync(this.recordPath(name));
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  /** All images, by name. */
  records(): ImageRecord[] {
    return this.list("images")
      .filter((file) => file.endsWith(".json"))
      .map((file) => this.readRecord(join(this.folder("images"), file)))
      .filter((record) => record !== null)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  config(record: ImageRecord): ImageConfig {
    const what = `the configuration of ${record.name}`;
    return decodeImageConfig(this.document(record.configDigest, what), what);
  }

  /** Whether everything that the record names is there. */
  isComplete(record: ImageRecord): boolean {
    if (!this.hasDocument(record.configDigest) || !this.hasDocument(record.manifestDigest)) return false;
    return this.config(record).diffIds.every((id) => this.hasLayer(id));
  }

  /** Opens an image by its complete name; null when it is not in the store. */
  async openImage(name: string): Promise<OpenImage | null> {
    if (!existsSync(this.recordPath(name))) return null;
    const lock = await this.tryLockShared();
    try {
      const record = this.findRecord(name);
      if (record === null) {
        lock?.release();
        return null;
      }
      const config = this.config(record);
      const missing = config.diffIds.find((id) => !this.hasLayer(id));
      if (missing !== undefined)
        throw new OciError(`a layer of ${name} is missing in the image store ${this.path}; pull the image again`);
      const layers = config.diffIds.map((id) => this.layer(id));
      return { name, manifestDigest: record.manifestDigest, config, layers, release: () => lock?.release() };
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  /** Nobody removes anything from a store that cannot be written, so that it needs no lock. */
  private async tryLockShared(): Promise<FileLock | null> {
    try {
      return await this.lockShared();
    } catch {
      return null;
    }
  }

  /** The files below one of the store's folders, "" when it does not exist yet. */
  list(name: "layers" | "documents" | "images"): string[] {
    try {
      return readdirSync(this.folder(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw storeError(error, this.path);
    }
  }

  /** Takes something out of sight first, so that half of it is never seen. Bytes on disk that it had. */
  remove(folder: "layers" | "documents", file: string): number {
    const path = join(this.folder(folder), file);
    const hidden = join(this.folder("work"), `removed-${crypto.randomUUID()}`);
    try {
      const bytes = bytesOf(path);
      renameSync(path, hidden);
      rmSync(hidden, { recursive: true, force: true });
      return bytes;
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  /** Bytes on disk of a layer. */
  layerBytes(diffId: string): number {
    const { tarPath, indexPath } = this.layer(diffId);
    return bytesOf(tarPath) + bytesOf(indexPath);
  }

  private folder(name: string): string {
    return join(this.path, name);
  }

  private documentPath(digest: string): string {
    return join(this.folder("documents"), digestFileName(digest));
  }

  private recordPath(name: string): string {
    return join(this.folder("images"), `${digestOf(Buffer.from(name)).slice(7)}.json`);
  }

  private readRecord(path: string): ImageRecord | null {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw storeError(error, this.path);
    }
    return decodeRecord(bytes, `the record ${basename(path)} of the image store`);
  }
}

function bytesOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.blocks * 512;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}
