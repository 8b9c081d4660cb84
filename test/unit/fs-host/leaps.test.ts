// Paths of several names on a host mount: whatever guest and host do to its directories, a walk ends where the host's own does.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EACCES, ENOENT } from "../../../src/abi/errno.ts";
import { HostFileSystem, openHostRoot } from "../../../src/fs/host/host-file-system.ts";
import { Tmpfs } from "../../../src/fs/tmpfs/tmpfs.ts";
import { HostPoller } from "../../../src/host/poller.ts";
import { startHost } from "../../../src/host/process.ts";
import { lookNumber } from "../../../src/host/stat.ts";
import { FOLLOW, type Walk, walk, walkParent } from "../../../src/vfs/namei.ts";
import { makeDirectory, makeSymlink, removeDirectory, removeFile } from "../../../src/vfs/names.ts";
import type { Path } from "../../../src/vfs/path.ts";
import { pathString } from "../../../src/vfs/path-string.ts";
import { renameName } from "../../../src/vfs/rename.ts";
import { type FakeTask, fakeTask } from "../vfs/fake-task.ts";

let dir: string;
let fake: FakeTask;

beforeEach(() => {
  startHost();
  dir = mkdtempSync(join(tmpdir(), "carrick-leaps-"));
  fake = fakeTask(() => new HostFileSystem(openHostRoot(dir), new HostPoller()));
});
afterEach(() => {
  (fake.root as HostFileSystem).close();
  rmSync(dir, { recursive: true, force: true });
});

function find(path: string): Path | number {
  return walk(fake.fs, fake.fs.cwd, path, FOLLOW);
}

/** Inode number of what a path leads to, or -errno. */
function ino(path: string): number {
  const place = find(path);
  return typeof place === "number" ? place : place.dentry.inode.ino;
}

function hostIno(path: string): number {
  try {
    return statSync(join(dir, path)).ino;
  } catch (error) {
    return (error as { errno: number }).errno;
  }
}

function rename(from: string, to: string): number {
  const { fs } = fake;
  const parents = [from, to].map((path) => walkParent(fs, fs.cwd, path));
  const error = parents.find((parent) => typeof parent === "number");
  return error === undefined ? renameName(fs, parents[0] as Walk, parents[1] as Walk, 0) : (error as number);
}

/** How often the host is asked. */
function looks(work: () => void): number {
  const before = lookNumber();
  work();
  return lookNumber() - before;
}

test("a known directory is looked at by its whole path, in one call", () => {
  mkdirSync(join(dir, "a/b/c/d"), { recursive: true });
  ino("a/b/c/d/x");
  expect(looks(() => ino("a/b/c/d/x"))).toBe(2);
  expect(looks(() => ino("/a/b/c/d/y"))).toBe(2);
  expect(looks(() => ino("a//b/c/d/x"))).toBe(5);
  symlinkSync("a", join(dir, "l"));
  // The link twice: as a name and to read it.
  expect(looks(() => ino("l/b/c/d/x"))).toBe(4);
});

test("the host moves a directory and puts a link in its place", () => {
  mkdirSync(join(dir, "a/b/c"), { recursive: true });
  mkdirSync(join(dir, "other/c"), { recursive: true });
  expect(ino("a/b/c")).toBe(hostIno("a/b/c"));
  expect(ino("a/b/c")).toBe(hostIno("a/b/c"));
  renameSync(join(dir, "a/b"), join(dir, "a/old"));
  expect(ino("a/b/c")).toBe(-ENOENT);
  symlinkSync("../other", join(dir, "a/b"));
  expect(ino("a/b/c")).toBe(hostIno("other/c"));
  expect(ino("a/old/c")).toBe(hostIno("a/old/c"));
});

test("a link that the host puts in the place of a directory leads nowhere outside", () => {
  mkdirSync(join(dir, "a/b/etc"), { recursive: true });
  expect(ino("a/b/etc/passwd")).toBe(-ENOENT);
  renameSync(join(dir, "a/b"), join(dir, "gone"));
  symlinkSync("/", join(dir, "a/b"));
  expect(lstatSync(join(dir, "a/b/etc/passwd")).isFile()).toBe(true);
  expect(ino("a/b/etc/passwd")).toBe(-ENOENT);
});

test.each(["a/b", "a/b/c"])("what is mounted on %s is met", (place) => {
  mkdirSync(join(dir, "a/b/c/d"), { recursive: true });
  for (let i = 0; i < 2; i += 1) expect(ino("a/b/c/d")).toBe(hostIno("a/b/c/d"));
  fake.mounts.mount(new Tmpfs(fake.clock), find(place) as Path, 0, "inner");
  expect(ino("a/b/c/d")).toBe(-ENOENT);
  fake.mounts.unmount(find(place) as Path, false);
  expect(ino("a/b/c/d")).toBe(hostIno("a/b/c/d"));
});

test("directories that the guest's user may not search any more are closed at once", () => {
  (fake.root as HostFileSystem).close();
  const owner = { uid: 5, gid: 5 };
  chmodSync(dir, 0o755);
  fake = fakeTask(() => new HostFileSystem(openHostRoot(dir), new HostPoller(), { owner }));
  mkdirSync(join(dir, "a/b/c"), { recursive: true });
  for (let i = 0; i < 2; i += 1) expect(ino("a/b/c")).toBe(hostIno("a/b/c"));
  fake.become(7);
  expect(ino("a/b/c")).toBe(hostIno("a/b/c"));
  chmodSync(join(dir, "a"), 0o700);
  expect(ino("a/b/c")).toBe(-EACCES);
  fake.become(0);
  expect(ino("a/b/c")).toBe(hostIno("a/b/c"));
});

const NAMES = ["a", "b", "c"];

test("random changes by both sides", () => {
  let state = Number(process.env["CARRICK_SEED"] ?? 1);
  const below = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % n;
  };
  const path = (): string => Array.from({ length: 1 + below(4) }, () => NAMES[below(NAMES.length)]).join("/");
  const { fs } = fake;
  const host = (work: () => void): void => {
    try {
      work();
    } catch {
      // Most are impossible.
    }
  };
  const changes: (() => void)[] = [
    () => host(() => mkdirSync(join(dir, path()))),
    () => host(() => renameSync(join(dir, path()), join(dir, path()))),
    () => host(() => rmSync(join(dir, path()), { recursive: true })),
    () => host(() => symlinkSync(below(2) === 0 ? "b" : "c/a", join(dir, path()))),
    () => makeDirectory(fs, fs.cwd, path(), 0o755),
    () => makeDirectory(fs, fs.cwd, path(), 0o755),
    () => rename(path(), path()),
    () => removeDirectory(fs, fs.cwd, path()),
    () => removeFile(fs, fs.cwd, path()),
    () => makeSymlink(fs, fs.cwd, path(), "c"),
  ];
  for (let i = 0; i < 1000; i += 1) {
    changes[below(changes.length)]!();
    for (let j = 0; j < 4; j += 1) {
      const to = path();
      expect(`${i} ${to} ${ino(to)}`).toBe(`${i} ${to} ${hostIno(to)}`);
    }
    // A directory knows where it is.
    const to = path();
    const place = find(to);
    if (typeof place !== "number") expect(statSync(join(dir, pathString(place, fs.root))).ino).toBe(hostIno(to));
  }
});
