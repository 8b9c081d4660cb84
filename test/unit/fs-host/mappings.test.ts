// Coherence of mapped pages with read(2), write(2) and changes made by other processes of the host.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { O_APPEND, O_RDONLY, O_RDWR } from "../../../src/abi/fcntl.ts";
import type { HostFile } from "../../../src/fs/host/host-file.ts";
import { HostFileSystem, openHostRoot } from "../../../src/fs/host/host-file-system.ts";
import { HostPoller } from "../../../src/host/poller.ts";
import { startHost } from "../../../src/host/process.ts";
import { nativeBuffer, shim } from "../../../src/host/shim.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import { type CacheMapper, PageCache } from "../../../src/mm/page-cache.ts";
import { Inode } from "../../../src/vfs/inode.ts";

let dir: string;
let fs: HostFileSystem;
const mapper: CacheMapper = { unmapCachePages: () => {} };

beforeAll(() => {
  startHost();
  shim.mem_init(1 << 26, 1 << 28);
  dir = mkdtempSync(join(tmpdir(), "carrick-map-"));
  fs = new HostFileSystem(openHostRoot(dir), new HostPoller());
});

afterAll(() => {
  fs.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(name: string, flags: number): HostFile {
  const inode = fs.root.lookup(name);
  if (!(inode instanceof Inode)) throw new Error(`errno ${inode}`);
  const file = inode.open(flags);
  if (typeof file === "number") throw new Error(`errno ${file}`);
  return file as HostFile;
}

function cacheOf(file: HostFile): PageCache {
  const cache = file.pages();
  if (!(cache instanceof PageCache)) throw new Error(`errno ${cache}`);
  return cache;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

function page(cache: PageCache, index: number): Uint8Array {
  const frame = cache.get(index);
  expect(frame).toBeGreaterThanOrEqual(0);
  return new Uint8Array(nativeBuffer(shim.frame_ptr(frame), 4096));
}

const text = (view: Uint8Array, from: number, to: number) => Buffer.from(view.slice(from, to)).toString("latin1");

test("write(2) is seen through mappings", () => {
  writeFileSync(join(dir, "a"), "abcdefgh");
  const file = open("a", O_RDWR);
  const view = page(cacheOf(file), 0);
  expect(text(view, 0, 9)).toBe("abcdefgh\0");
  file.writeAt(new KernelBuffer(bytes("XY")), 2);
  expect(text(view, 0, 8)).toBe("abXYefgh");
  file.flags |= O_APPEND;
  file.write(new KernelBuffer(bytes("tail")));
  expect(text(view, 0, 13)).toBe("abXYefghtail\0");
  expect(file.truncate(3)).toBe(0);
  expect(text(view, 0, 5)).toBe("abX\0\0");
  file.unref();
});

test("stores through a shared mapping are seen by read(2) and reach the host", () => {
  writeFileSync(join(dir, "b"), "x".repeat(5000));
  const file = open("b", O_RDWR);
  const cache = cacheOf(file);
  cache.addMapper(mapper, true);
  const view = page(cache, 1);
  view[0] = 0x41;
  cache.markDirty(1);
  const into = new Uint8Array(4);
  expect(file.readAt(new KernelBuffer(into), 4095)).toBe(4);
  expect(text(into, 0, 4)).toBe("xAxx");
  view[1] = 0x42;
  expect(file.sync(false)).toBe(0);
  expect(readFileSync(join(dir, "b"), "latin1").slice(4095, 4099)).toBe("xABx");
  // A write between two stores loses neither.
  view[2] = 0x43;
  file.writeAt(new KernelBuffer(bytes("Z")), 4099);
  view[4] = 0x44;
  expect(file.readAt(new KernelBuffer(into), 4097)).toBe(4);
  expect(text(into, 0, 4)).toBe("BCZD");
  cache.removeMapper(mapper, true);
  file.unref();
  expect(readFileSync(join(dir, "b"), "latin1").length).toBe(5000);
});

test("pages are kept between opens, and dropped when the host changed the file", () => {
  writeFileSync(join(dir, "c"), "first");
  const one = open("c", O_RDONLY);
  const cache = cacheOf(one);
  const frame = cache.get(0);
  one.unref();
  const two = open("c", O_RDONLY);
  expect(cacheOf(two)).toBe(cache);
  expect(cache.peek(0)).toBe(frame);
  two.unref();
  writeFileSync(join(dir, "c"), "second");
  const three = open("c", O_RDONLY);
  expect(text(page(cacheOf(three), 0), 0, 7)).toBe("second\0");
  three.unref();
  rmSync(join(dir, "c"));
  writeFileSync(join(dir, "c"), "third");
  const four = open("c", O_RDONLY);
  expect(text(page(cacheOf(four), 0), 0, 6)).toBe("third\0");
  four.unref();
});

test("idle pages are bounded", () => {
  const before = openDescriptors();
  for (let i = 0; i < 200; i += 1) {
    writeFileSync(join(dir, `m${i}`), "page");
    const file = open(`m${i}`, O_RDONLY);
    cacheOf(file).get(0);
    file.unref();
  }
  expect(fs.idle.size).toBeLessThanOrEqual(64);
  fs.idle.clear();
  expect(fs.idle.size).toBe(0);
  expect(openDescriptors()).toBeLessThanOrEqual(before + 2);
});

function openDescriptors(): number {
  let count = 0;
  for (let fd = 0; fd < 2000; fd += 1) if (shim.host_get_flags(fd) >= 0) count += 1;
  return count;
}
