// FIFOs of the host: guest programs and host programs meet in them, and nobody makes the kernel wait.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EAGAIN, ENXIO, EPIPE } from "../../../src/abi/errno.ts";
import { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../../../src/abi/fcntl.ts";
import { HostFileSystem, openHostRoot } from "../../../src/fs/host/host-file-system.ts";
import { HostPoller } from "../../../src/host/poller.ts";
import { startHost } from "../../../src/host/process.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import type { File } from "../../../src/vfs/file.ts";
import { Inode } from "../../../src/vfs/inode.ts";

let dir: string;
let fs: HostFileSystem;
const poller = new HostPoller();

beforeAll(() => {
  startHost();
  dir = mkdtempSync(join(tmpdir(), "carrick-fifo-"));
  Bun.spawnSync(["mkfifo", join(dir, "f")]);
  fs = new HostFileSystem(openHostRoot(dir), poller);
});

afterAll(() => {
  fs.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(flags: number): File {
  const inode = fs.root.lookup("f");
  if (!(inode instanceof Inode)) throw new Error(`errno ${inode}`);
  const file = inode.open(flags);
  if (typeof file === "number") throw new Error(`errno ${file}`);
  return file;
}

function settle(file: File): number {
  for (;;) {
    const result = file.openPending();
    if (result !== -EAGAIN) return result;
    poller.wait(Number.POSITIVE_INFINITY);
  }
}

function readAll(file: File): string {
  const io = new KernelBuffer(new Uint8Array(100));
  for (;;) {
    const n = file.read(io);
    if (n === -EAGAIN) poller.wait(Number.POSITIVE_INFINITY);
    else if (n <= 0) return Buffer.from(io.bytes.subarray(0, io.position)).toString();
  }
}

const bytes = (text: string) => new KernelBuffer(new Uint8Array(Buffer.from(text)));

test("a program of the host writes, the guest reads", async () => {
  const reader = open(O_RDONLY);
  expect(reader.openPending()).toBe(-EAGAIN);
  const host = Bun.spawn(["sh", "-c", "echo from the host > f"], { cwd: dir });
  expect(settle(reader)).toBe(0);
  expect(readAll(reader)).toBe("from the host\n");
  reader.unref();
  expect(await host.exited).toBe(0);
});

test("two guests meet", () => {
  const reader = open(O_RDONLY);
  const writer = open(O_WRONLY);
  expect(settle(reader)).toBe(0);
  expect(settle(writer)).toBe(0);
  expect(writer.write(bytes("hello"))).toBe(5);
  const io = new KernelBuffer(new Uint8Array(5));
  expect(reader.read(io)).toBe(5);
  expect(reader.read(bytes("x"))).toBe(-EAGAIN);
  reader.unref();
  expect(writer.write(bytes("hello"))).toBe(-EPIPE);
  writer.unref();
});

test("opens that need not wait", () => {
  expect((fs.root.lookup("f") as Inode).open(O_WRONLY | O_NONBLOCK)).toBe(-ENXIO);
  const reader = open(O_RDONLY | O_NONBLOCK);
  expect(reader.openPending()).toBe(0);
  expect(reader.read(bytes("x"))).toBe(0);
  reader.unref();
  const both = open(O_RDWR);
  expect(both.write(bytes("loop"))).toBe(4);
  expect(both.poll() & 1).toBe(1);
  both.unref();
});

test("an open that is given up leaves nothing behind", () => {
  fs.root.lookup("f");
  const before = ends();
  for (const flags of [O_RDONLY, O_WRONLY, O_RDONLY]) open(flags).unref();
  // A thread of the host lets go of the last one, when it gets there.
  for (let tries = 0; tries < 500 && ends() > before; tries += 1) poller.wait(20e6);
  expect(ends()).toBe(before);
});

/** Descriptors of this process that lead to the FIFO. */
function ends(): number {
  const path = join(dir, "f");
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}
