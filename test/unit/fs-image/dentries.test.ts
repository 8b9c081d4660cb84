// How many looked-up names stay in memory, and that those in use stay what they are.

import { heapStats } from "bun:jsc";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { O_RDONLY, O_RDWR } from "../../../src/abi/fcntl.ts";
import { ImageFileSystem } from "../../../src/fs/image/image-file-system.ts";
import { openLayers } from "../../../src/fs/image/open-layers.ts";
import { shim } from "../../../src/host/shim.ts";
import { ManualClock } from "../../../src/kernel/clock.ts";
import { userCredentials } from "../../../src/kernel/credentials.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import type { FsContext } from "../../../src/vfs/context.ts";
import { MAX_KEPT } from "../../../src/vfs/dentry-lru.ts";
import type { File } from "../../../src/vfs/file.ts";
import { MountTable } from "../../../src/vfs/mount-table.ts";
import { FOLLOW, type Walk, walk, walkParent } from "../../../src/vfs/namei.ts";
import { removeFile } from "../../../src/vfs/names.ts";
import { openPath } from "../../../src/vfs/open.ts";
import type { Path } from "../../../src/vfs/path.ts";
import { pathString } from "../../../src/vfs/path-string.ts";
import { renameName } from "../../../src/vfs/rename.ts";
import { storeLayer } from "../../support/open-images.ts";
import { tarOf } from "../../support/tar-writer.ts";

/** Ten images of the same layer have 200,000 names. */
const IMAGES = 10;
const DIRS = 100;
const FILES = 200;
const work = mkdtempSync(join(tmpdir(), "carrick-dentries-"));
const contexts: FsContext[] = [];
let fs: FsContext;

beforeAll(() => {
  shim.mem_init(0, 0);
  const names = [...Array(DIRS).keys()].flatMap((d) => [...Array(FILES).keys()].map((f) => `d${d}/f${f}`));
  const layer = storeLayer(work, "0", tarOf(names.map((name) => ({ name, body: "x" }))));
  for (let i = 0; i < IMAGES; i += 1) {
    const layers = openLayers([layer]);
    if (typeof layers === "string") throw new Error(layers);
    const mounts = new MountTable(new ImageFileSystem(new ManualClock(1e9), layers, [work]), 0, "overlay");
    contexts.push({ root: mounts.rootPath, cwd: mounts.rootPath, umask: 0, cred: userCredentials(0, 0) });
  }
  fs = contexts[0]!;
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

function place(path: string): Path {
  const found = walk(fs, fs.root, path, FOLLOW);
  if (typeof found === "number") throw new Error(`${path}: ${found}`);
  return found;
}

function parent(path: string): Walk {
  return walkParent(fs, fs.root, path) as Walk;
}

function open(path: string, flags = O_RDONLY): File {
  const file = openPath(fs, fs.root, path, flags, 0);
  if (typeof file === "number") throw new Error(`${path}: ${file}`);
  return file;
}

function walkAll(images = contexts): void {
  for (const { root } of images)
    for (let d = 0; d < DIRS; d += 1)
      for (let f = 0; f < FILES; f += 1)
        if (typeof walk(fs, root, `d${d}/f${f}`, FOLLOW) === "number") throw new Error(`d${d}/f${f}`);
}

/** Objects of our own in the heap: a name that is kept has a dentry and an inode, and what describes the inode. */
function objects(): number {
  Bun.gc(true);
  return heapStats().objectTypeCounts["Object"] ?? 0;
}
const OBJECTS_PER_NAME = 4;

test("a walk through 200,000 names leaves a bounded number of them in memory", () => {
  const before = objects();
  walkAll();
  const more = objects() - before;
  expect(more).toBeGreaterThan((MAX_KEPT / 2) * OBJECTS_PER_NAME);
  expect(more).toBeLessThan(3 * MAX_KEPT * OBJECTS_PER_NAME);
}, 120_000);

test("what is in use is found again, and what was changed stays changed", () => {
  const read = open("/d0/f0");
  const written = open("/d0/f1", O_RDWR);
  const renamed = open("/d0/f2");
  const removed = open("/d0/f3");
  const directory = place("/d1");
  place("/d2/f0").dentry.inode.setAttributes({ mode: 0o600 });
  walkAll();
  expect(place("/d0/f0").dentry).toBe(read.path!.dentry);
  expect(place("/d1").dentry).toBe(directory.dentry);
  expect(place("/d2/f0").dentry.inode.mode & 0o777).toBe(0o600);

  expect(written.write(new KernelBuffer(Buffer.from("new")))).toBe(3);
  expect(renameName(fs, parent("/d0/f2"), parent("/d9/moved"), 0)).toBe(0);
  expect(removeFile(fs, fs.root, "/d0/f3")).toBe(0);
  expect(pathString(renamed.path!, fs.root)).toBe("/d9/moved");
  expect(pathString(removed.path!, fs.root)).toBe("/d0/f3 (deleted)");
  for (const file of [read, written, renamed, removed]) file.unref();
  walkAll(contexts.slice(1, 5));
  expect(open("/d0/f1").sizeBytes()).toBe(3);
  expect(walk(fs, fs.root, "/d0/f3", FOLLOW)).toBeLessThan(0);
  expect(open("/d9/moved").sizeBytes()).toBe(1);
}, 120_000);
