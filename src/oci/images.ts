// What the command line does with images, whatever their kind: open one for a run, pull, load, remove, clean up.

import { closeSync, openSync, read } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { compressionOf, decompress } from "./decompress.ts";
import { chooseDockerImage, DockerArchiveSource, dockerArchiveImages } from "./docker-archive.ts";
import { ArchiveTree, FolderTree } from "./file-tree.ts";
import { DEFAULT_HTTP, type HttpSettings } from "./http.ts";
import { type ImageName, parseImageName, shownName } from "./image-name.ts";
import type { ImageRecord } from "./image-record.ts";
import { isLayout, LayoutSource, layoutRefs } from "./layout.ts";
import { OciError, reason } from "./oci-error.ts";
import { type PullProgress, pullImage } from "./pull.ts";
import { formatReference, parseReference } from "./reference.ts";
import { OciClient } from "./registry.ts";
import type { ImageSource } from "./source.ts";
import type { ImageStore, OpenImage } from "./store.ts";
import { storeError, writeAll } from "./store-files.ts";
import { openById, openUsable } from "./stored-images.ts";

export interface FetchOptions {
  readonly env: HttpSettings["env"];
  readonly insecure: boolean;
  readonly progress: PullProgress;
  /** Changes to the defaults, for tests. */
  readonly http?: Partial<HttpSettings>;
}

export type PullPolicy = "always" | "missing" | "never";

/** Opens an image for a run, pulling it first as the policy says. */
export async function obtainImage(
  store: ImageStore,
  text: string,
  policy: PullPolicy,
  options: FetchOptions,
): Promise<OpenImage> {
  const name = parseImageName(text);
  // What lies on this machine may have changed, and looking costs nothing.
  const local = name.kind !== "registry";
  if (policy === "missing" && !local) {
    const found = (await openUsable(store, name.name)) ?? (await openById(store, text));
    if (found !== null) return found;
  }
  if (policy === "never") {
    const found = (await store.openImage(name.name)) ?? (await openById(store, text));
    if (found === null)
      throw new OciError(`${shownName(name.name)} is not in the image store, and it may not be pulled`);
    return found;
  }
  await pull(store, name, options);
  const image = await store.openImage(name.name);
  if (image === null) throw new OciError(`${shownName(name.name)} was removed while it was being pulled`);
  return image;
}

/** Pulls (or, from this machine, copies) an image into the store. */
export async function pull(store: ImageStore, name: ImageName, options: FetchOptions): Promise<ImageRecord> {
  return adding(store, options, async (works) => {
    const source = await openSource(store, name, options, works);
    return pullImage(store, source, name.name, pullOptions(options));
  });
}

/** Adds all images of an archive to the store, under the names that they have there. */
export async function loadArchive(store: ImageStore, path: string, options: FetchOptions): Promise<ImageRecord[]> {
  return adding(store, options, async (works) => {
    const tree = await openArchive(store, path, works);
    const loaded: ImageRecord[] = [];
    for (const { name, source } of imagesOf(tree, path))
      loaded.push(await pullImage(store, source, name, pullOptions(options)));
    return loaded;
  });
}

function pullOptions(options: FetchOptions): { progress: PullProgress; backoffMs?: number } {
  const backoffMs = options.http?.backoffMs;
  return { progress: options.progress, ...(backoffMs === undefined ? {} : { backoffMs }) };
}

type Works = { release(): void }[];

/** Prepares the store and holds its shared lock while `act` runs. */
async function adding<T>(store: ImageStore, options: FetchOptions, act: (works: Works) => Promise<T>): Promise<T> {
  store.prepare();
  const lock = await store.lockShared(() =>
    options.progress.note("another carrick is removing images; waiting for it"),
  );
  const works: Works = [];
  try {
    return await act(works);
  } finally {
    for (const work of works) work.release();
    lock.release();
  }
}

async function openSource(
  store: ImageStore,
  name: ImageName,
  options: FetchOptions,
  works: Works,
): Promise<ImageSource> {
  if (name.kind === "registry") {
    const { env, insecure, http } = options;
    return new OciClient(name.ref, { ...DEFAULT_HTTP, env, insecure, ...http });
  }
  if (name.kind === "oci") return new LayoutSource(new FolderTree(name.path), name.ref, name.name);
  const tree = await openArchive(store, name.path, works);
  if (name.kind === "oci-archive") return new LayoutSource(tree, name.ref, name.name);
  const images = dockerArchiveImages(tree);
  if (images === null) throw new OciError(`${name.path} is not what docker save writes: it has no manifest.json`);
  return new DockerArchiveSource(tree, chooseDockerImage(images, name.ref, name.name), name.name);
}

/** The images of an archive of either kind, each under each of its names. */
function imagesOf(tree: ArchiveTree, path: string): { name: string; source: ImageSource }[] {
  // Docker writes both kinds at once; only a layout has manifests, and images for other platforms.
  const docker = isLayout(tree) ? null : dockerArchiveImages(tree);
  if (docker !== null)
    return docker.flatMap((image, i) => {
      const names = image.names.length > 0 ? image.names : [`docker-archive:${resolve(path)}:@${i}`];
      return names.map((name) => ({ name, source: new DockerArchiveSource(tree, image, name) }));
    });
  return layoutRefs(tree).map((ref) => ({ name: nameInStore(ref, path), source: new LayoutSource(tree, ref, path) }));
}

/** A layout may call its images by complete names or by mere tags. */
function nameInStore(ref: string, path: string): string {
  const complete = /[/:]/.test(ref);
  return complete ? formatReference(parseReference(ref)) : `oci-archive:${resolve(path)}${ref === "" ? "" : `:${ref}`}`;
}

/** A tar that can be read at any place: compressed ones are unpacked into the store's work folder first. */
async function openArchive(store: ImageStore, path: string, works: Works): Promise<ArchiveTree> {
  if (!(await mustBeCopied(path))) return new ArchiveTree(path, path);
  const work = await store.claimWork(`archive-${crypto.randomUUID()}`);
  works.push(work);
  const copy = join(work.path, "archive");
  await copyArchive(path, copy, store);
  return new ArchiveTree(copy, path);
}

async function mustBeCopied(path: string): Promise<boolean> {
  const file = Bun.file(path);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw new OciError(`${path} is a folder, not an archive`);
    if (!stat.isFile()) return true;
    return compressionOf(await file.slice(0, 16).bytes(), path) !== "";
  } catch (error) {
    if (error instanceof OciError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new OciError(missing ? `${path} does not exist` : `${path} cannot be read (${reason(error)})`);
  }
}

/** What `load` reads without a file. */
export const STDIN_PATH = "/dev/stdin";
const CHUNK_BYTES = 256 * 1024;

const readLater = promisify(read);

/** A pipe may be slow: signals must be served meanwhile. A socket as stdin cannot be opened by name. */
async function* readWhole(path: string): AsyncGenerator<Uint8Array> {
  const isStdin = path === STDIN_PATH;
  let fd = 0;
  try {
    if (!isStdin) fd = openSync(path, "r");
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const { bytesRead: n } = await readLater(fd, chunk, 0, chunk.length, null);
      if (n === 0) return;
      yield chunk.subarray(0, n);
    }
  } catch (error) {
    throw new OciError(`${path} cannot be read (${reason(error)})`);
  } finally {
    if (!isStdin && fd > 0) closeSync(fd);
  }
}

async function copyArchive(path: string, copy: string, store: ImageStore): Promise<void> {
  const fd = openSync(copy, "wx", 0o600);
  try {
    for await (const chunk of decompress(readWhole(path), path)) writeAll(fd, chunk);
  } catch (error) {
    throw storeError(error, store.path);
  } finally {
    closeSync(fd);
  }
}
