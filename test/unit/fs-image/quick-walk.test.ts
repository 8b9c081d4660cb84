// The shim's walks through layers that nobody has changed find exactly what the kernel's own would (vfs/quick-walk.ts): random operations on
// random layers, once with and once without them, look the same to the last byte, and open files know their names.

import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ImageFileSystem } from "../../../src/fs/image/image-file-system.ts";
import { openLayers } from "../../../src/fs/image/open-layers.ts";
import { Tmpfs } from "../../../src/fs/tmpfs/tmpfs.ts";
import { shim } from "../../../src/host/shim.ts";
import { sys_fchmodat2, sys_fchownat } from "../../../src/syscalls/attributes.ts";
import { sys_fchdir, sys_getcwd, sys_getdents64 } from "../../../src/syscalls/directories.ts";
import { sys_openat } from "../../../src/syscalls/open.ts";
import { sys_faccessat2, sys_fstat, sys_newfstatat, sys_readlinkat, sys_statx } from "../../../src/syscalls/stat.ts";
import { DirectoryFile } from "../../../src/vfs/directory-file.ts";
import { FOLLOW, walk } from "../../../src/vfs/namei.ts";
import * as quick from "../../../src/vfs/quick-walk.ts";
import { storeLayer } from "../../support/open-images.ts";
import { type Member, tarOf } from "../../support/tar-writer.ts";
import { FakeMemory, type FakeTask, fakeTask } from "../vfs/fake-task.ts";
import { sequence } from "../vfs/generate.ts";
import { type Operation, Performer } from "../vfs/operations.ts";
import { layerStack, membersOf, type Tree } from "./layers.ts";

const RUNS = Number(process.env["CARRICK_VFS_RUNS"] ?? 60);
const AT_FDCWD = -100;
const OUT = 0x98000;
const names = ["a", "b", "c", "missing"];
const PATHS = [".", "./a", "//a", "a/", "a/..", "/", `a/${"x".repeat(300)}`];
for (const first of names) {
  PATHS.push(first, `/${first}`);
  for (const second of names) {
    PATHS.push(`${first}/${second}`, `/${first}/./${second}`);
    for (const third of names) PATHS.push(`/${first}/${second}/${third}`);
  }
}

const work = mkdtempSync(join(tmpdir(), "carrick-quick-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
beforeAll(() => {
  shim.mem_init(0, 0);
});

/** How often the shim had the answer, and how often it listed a directory. */
let answered = 0;
let listed = 0;

/** A directory from offset `from` on, read in pieces of `bytes`, as the guest gets it. */
function list({ task, memory, files }: FakeTask, fd: number, from: number, bytes: number): string[] {
  const shown: string[] = [];
  files.get(fd)!.seek(from, 0);
  for (;;) {
    memory.bytes.fill(0xff, OUT, OUT + bytes);
    const length = sys_getdents64(task, fd, OUT, bytes);
    shown.push(`${length} ${files.get(fd)!.pos} ${memory.bytes.toString("hex", OUT, OUT + Math.max(0, length))}`);
    if (length <= 0) return shown;
  }
}

/** What a descriptor says of itself, what is in it, and what can be reached from it. */
function lookInto(fake: FakeTask, fd: number): string[] {
  const { task, memory, files, fs } = fake;
  const shown: string[] = [];
  const stat = (): void => {
    memory.bytes.fill(0xff, OUT, OUT + 128);
    const result = sys_fstat(task, fd, OUT);
    shown.push(`${result} ${memory.bytes.toString("hex", OUT + 8, OUT + 128)}`);
  };
  stat();
  if (files.get(fd)!.direntsTo(memory.space, OUT, 100) >= 0) listed += 1;
  for (const [from, bytes] of [
    [0, 300],
    [0, 90],
    [0, 47],
    [0, 10],
    [1, 64],
    [2, 64],
    [3, 4096],
    [2 ** 33, 64],
  ] as const)
    shown.push(...list(fake, fd, from, bytes));
  for (const path of ["a", "b", ".", "a/b", "b/c", "missing", "..", "/a"]) {
    const addr = memory.string(path);
    memory.bytes.fill(0xff, OUT, OUT + 128);
    shown.push(
      `${path}: ${sys_newfstatat(task, fd, addr, OUT, 0x100)} ${memory.bytes.toString("hex", OUT + 8, OUT + 128)}`,
    );
    const below = sys_openat(task, fd, addr, 0o4000, 0);
    shown.push(below < 0 ? String(below) : `${files.get(below)!.inode.ino} ${files.get(below)!.name()}`);
    if (below >= 0) files.close(below);
  }
  const { cwd } = fs;
  shown.push(
    `${sys_fchdir(task, fd)} ${sys_getcwd(task, OUT, 4096)} ${memory.bytes.toString("latin1", OUT, OUT + 64)}`,
  );
  fs.cwd = cwd;
  stat();
  return shown;
}

function look(fake: FakeTask, path: string, flags: number): string[] {
  const { task, memory, files } = fake;
  const addr = memory.string(path);
  const shown: string[] = [];
  for (const [call, bytes, device] of [
    [() => sys_newfstatat(task, AT_FDCWD, addr, OUT, flags), 128, 0],
    [() => sys_statx(task, AT_FDCWD, addr, flags, 0xfff, OUT), 256, 136],
  ] as const) {
    memory.bytes.fill(0xff, OUT, OUT + bytes);
    const result = call();
    // Every file system and mount has a number of its own.
    memory.bytes.fill(0, OUT + device, OUT + device + 8);
    if (bytes === 256) memory.bytes.fill(0, OUT + 144, OUT + 152);
    shown.push(`${result} ${memory.bytes.toString("hex", OUT, OUT + bytes)}`);
  }
  for (const wanted of [0o4000, 0o44000]) {
    const fd = sys_openat(task, AT_FDCWD, addr, flags === 0 ? wanted : wanted | 0o100000, 0);
    shown.push(String(Math.min(fd, 0)));
    if (fd < 0) continue;
    const file = files.get(fd)!;
    if (wanted === 0o44000) shown.push(...lookInto(fake, fd));
    shown.push(`${file.inode.ino} ${file.flags} ${file.name()}`);
    files.close(fd);
  }
  for (const mask of flags === 0 ? [1, 4, 6] : [0])
    shown.push(`access ${mask} ${sys_faccessat2(task, AT_FDCWD, addr, mask, flags)}`);
  for (const bytes of flags === 0 ? [1, 40] : []) {
    memory.bytes.fill(0xff, OUT, OUT + 40);
    shown.push(`${sys_readlinkat(task, AT_FDCWD, addr, OUT, bytes)} ${memory.bytes.toString("hex", OUT, OUT + 40)}`);
  }
  const found = quick.stat(fake.fs, fake.fs.cwd, memory.space, addr, flags === 0 ? 1 : 0, OUT);
  if (found !== quick.WALK) answered += 1;
  return shown;
}

/** Everything that can be seen after each operation. */
function watch(layers: readonly (readonly Member[])[], operations: readonly Operation[], inShim: boolean): string[] {
  const stored = layers.map((members, i) => storeLayer(work, `${i}`, tarOf([...members])));
  const opened = openLayers(stored);
  if (typeof opened === "string") throw new Error(opened);
  const memory = new FakeMemory(inShim);
  const fake = fakeTask((clock) => new ImageFileSystem(clock, opened, [work]), memory);
  const performer = new Performer(fake);
  const seen: string[] = [];
  // Opened before anything is renamed: they know where they are afterwards.
  const early = PATHS.map((path) => sys_openat(fake.task, AT_FDCWD, memory.string(path), 0o4000, 0));
  const all: Operation[] = [["user", 0], ...operations];
  all.forEach((operation, i) => {
    seen.push(`${operation.join(" ")} = ${performer.perform(operation)}`);
    if (i % 5 !== 0) return;
    for (const path of PATHS) for (const flags of [0, 0x100]) seen.push(...look(fake, path, flags));
  });
  early.forEach((fd, i) => {
    if (fd < 0) return;
    const file = fake.files.get(fd)!;
    if (file instanceof DirectoryFile) seen.push(...lookInto(fake, fd));
    seen.push(`${PATHS[i]}: ${file.name()} ${file.sizeBytes()}`);
  });
  for (const [fd] of [...fake.files]) fake.files.close(fd);
  (fake.root as ImageFileSystem).close();
  memory.release();
  return seen;
}

function compare(layers: readonly (readonly Member[])[], operations: readonly Operation[]): void {
  const ours = watch(layers, operations, true);
  const truth = watch(layers, operations, false);
  const at = ours.findIndex((line, i) => line !== truth[i]);
  if (at >= 0) expect(ours[at]).toBe(truth[at]!);
  expect(ours.length).toBe(truth.length);
}

test("the shim's walks and the kernel's see the same", () => {
  const differ = (layers: readonly Tree[], operations: readonly Operation[]): void =>
    compare(
      layers.map((layer, i) => membersOf(layer, i === layers.length - 1)),
      operations,
    );
  fc.assert(fc.property(layerStack, sequence, differ), { numRuns: RUNS, includeErrorInReport: true });
  expect(answered).toBeGreaterThan(1000);
  expect(listed).toBeGreaterThan(1000);
}, 120_000);

test("they do on layers that say little of their directories", () => {
  const low: Member[] = [
    { name: "a/", type: "5", mode: 0o711, uid: 5, mtime: 7 },
    { name: "a/a", body: "low" },
    { name: "a/b/c", body: "deep" },
    { name: "b", type: "2", link: "a" },
  ];
  const look: Operation[] = Array.from({ length: 6 }, () => ["user", 1000]);
  // Emptied by a mark alone, the root too; implied only; through a link of a lower layer.
  compare([low, [{ name: "a/.wh..wh..opq" }, { name: "a/c" }]], look);
  compare([low, [{ name: ".wh..wh..opq" }, { name: "a/c" }], [{ name: "a/a" }]], look);
  compare([low, [{ name: "a/c" }], [{ name: "a/b/a" }]], look);
  compare([low, [{ name: "b/c", body: "goes to a" }]], look);
});

test("what is mounted, on names that an image has and on others, is met by every walk", () => {
  const layer = storeLayer(
    work,
    "mounts",
    tarOf([{ name: "etc/hosts", body: "of the image" }, { name: "data/below/x" }, { name: "plain/x" }]),
  );
  const opened = openLayers([layer]);
  if (typeof opened === "string") throw new Error(opened);
  const memory = new FakeMemory(true);
  const fake = fakeTask((clock) => new ImageFileSystem(clock, opened, [work]), memory);
  const { fs, mounts, clock } = fake;
  const place = (path: string) => {
    const found = walk(fs, fs.root, path, FOLLOW);
    if (typeof found === "number") throw new Error(`${path}: ${found}`);
    return found;
  };
  const ask = (path: string): number => quick.stat(fs, fs.cwd, memory.space, memory.string(path), 1, OUT);
  for (const path of ["etc/hosts", "/data", "/data/below", "/data/below/x", "plain/x"])
    expect([path, ask(path)]).toEqual([path, 0]);
  expect(ask("/data/none")).toBe(-2);
  const tmpfs = new Tmpfs(clock, { mode: 0o700 });
  mounts.mount(tmpfs, place("/data/below"), 0, "none");
  mounts.mount(tmpfs, mounts.placeholder(mounts.placeholder(place("/"), "new"), "deep"), 0, "none");
  expect(typeof mounts.bind(place("/plain/x"), place("/etc/hosts"), 0)).toBe("object");
  for (const path of ["etc/hosts", "/data/below", "/data/below/x", "/new", "/new/deep", "/data/none"]) {
    expect(ask(path)).toBe(quick.WALK);
  }
  expect(ask("plain/x")).toBe(0);
  expect(ask("plain/none")).toBe(-2);
  memory.release();
});

test("who may not search a directory finds nothing in it, whether the image says so or the run", () => {
  const members = [
    { name: "open/x" },
    { name: "shut/", type: "5", mode: 0o700 },
    { name: "shut/x" },
    { name: "own/x" },
  ];
  const opened = openLayers([storeLayer(work, "rights", tarOf(members))]);
  if (typeof opened === "string") throw new Error(opened);
  const memory = new FakeMemory(true);
  const fake = fakeTask((clock) => new ImageFileSystem(clock, opened, [work]), memory);
  const { fs, task } = fake;
  const ask = (path: string): number => quick.stat(fs, fs.cwd, memory.space, memory.string(path), 1, OUT);
  const all = (): number[] => ["open/x", "shut/x", "own/x"].map(ask);
  expect(all()).toEqual([0, 0, 0]);
  fake.become(1000);
  expect(all()).toEqual([0, quick.WALK, 0]);
  fake.become(0);
  expect(sys_fchmodat2(task, AT_FDCWD, memory.string("open"), 0o700, 0)).toBe(0);
  expect(sys_fchownat(task, AT_FDCWD, memory.string("own"), 1000, 1000, 0)).toBe(0);
  fake.become(1000);
  expect(all()).toEqual([quick.WALK, quick.WALK, quick.WALK]);
  memory.release();
});
