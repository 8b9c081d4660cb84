import { beforeAll, describe, expect, test } from "bun:test";
import { EBUSY, EEXIST, EINVAL, ENOENT, EROFS, EXDEV } from "../../../src/abi/errno.ts";
import { MS_RDONLY } from "../../../src/abi/mount.ts";
import { Tmpfs } from "../../../src/fs/tmpfs/tmpfs.ts";
import { shim } from "../../../src/host/shim.ts";
import type { File } from "../../../src/vfs/file.ts";
import { listDirectory } from "../../../src/vfs/mount-table.ts";
import { DIRECTORY, FOLLOW, type Walk, walk, walkParent } from "../../../src/vfs/namei.ts";
import { makeDirectory, makeLink, makeSymlink, removeDirectory } from "../../../src/vfs/names.ts";
import { openPath } from "../../../src/vfs/open.ts";
import type { Path } from "../../../src/vfs/path.ts";
import { pathBelow, pathString } from "../../../src/vfs/path-string.ts";
import { renameName } from "../../../src/vfs/rename.ts";
import { type FakeTask, fakeTask } from "./fake-task.ts";

const O_CREAT_WRONLY = 0o101;

beforeAll(() => {
  shim.mem_init(0, 0);
});

function at(fake: FakeTask, path: string, flags = FOLLOW): Path {
  const place = walk(fake.fs, fake.fs.cwd, path, flags);
  if (typeof place === "number") throw new Error(`${path}: ${place}`);
  return place;
}

function mkdir(fake: FakeTask, path: string): number {
  return makeDirectory(fake.fs, fake.fs.cwd, path, 0o755);
}

function rename(fake: FakeTask, from: string, to: string): number {
  const { fs } = fake;
  return renameName(fs, walkParent(fs, fs.cwd, from) as Walk, walkParent(fs, fs.cwd, to) as Walk, 0);
}

function mounted(path: string, flags = 0): { fake: FakeTask; inner: Tmpfs } {
  const fake = fakeTask();
  let made = "";
  for (const name of path.split("/").slice(1)) {
    made += `/${name}`;
    expect(mkdir(fake, made)).toBe(0);
  }
  const inner = new Tmpfs(fake.clock);
  fake.mounts.mount(inner, at(fake, path), flags, "inner");
  return { fake, inner };
}

/** The names of a directory, read one entry at a time. */
function names(fake: FakeTask, path: string): string[] {
  const file = openPath(fake.fs, fake.fs.cwd, path, 0, 0) as File;
  const found: string[] = [];
  for (let from = 0, before = -1; before !== found.length; ) {
    before = found.length;
    listDirectory(file, from, (entry) => {
      found.push(entry.name);
      from = entry.next;
      return false;
    });
  }
  return found;
}

describe("mounts", () => {
  test("a walk crosses into a mount and '..' comes back out", () => {
    const { fake, inner } = mounted("/a/m");
    expect(at(fake, "/a/m").dentry.inode).toBe(inner.root);
    expect(mkdir(fake, "/a/m/x")).toBe(0);
    const inside = at(fake, "/a/m/x");
    expect(pathBelow(inside, fake.fs.root)).toBe("/a/m/x");
    fake.fs.cwd = inside;
    expect(pathBelow(at(fake, "../.."), fake.fs.root)).toBe("/a");
    expect(pathBelow(at(fake, "../../m/x/.."), fake.fs.root)).toBe("/a/m");
  });

  test("a second mount on the same place hides the first until it is gone", () => {
    const { fake, inner } = mounted("/m");
    const upper = new Tmpfs(fake.clock);
    fake.mounts.mount(upper, at(fake, "/m"), 0, "upper");
    expect(at(fake, "/m").dentry.inode).toBe(upper.root);
    expect(fake.mounts.unmount(at(fake, "/m"))).toBe(0);
    expect(at(fake, "/m").dentry.inode).toBe(inner.root);
    expect(fake.mounts.unmount(at(fake, "/m"))).toBe(0);
    expect(fake.mounts.unmount(at(fake, "/m"))).toBe(-EINVAL);
    expect(fake.mounts.unmount(at(fake, "/"))).toBe(-EBUSY);
  });

  test("mount points cannot be removed or renamed, their parents can be renamed", () => {
    const { fake, inner } = mounted("/a/m");
    expect(removeDirectory(fake.fs, fake.fs.cwd, "/a/m")).toBe(-EBUSY);
    expect(rename(fake, "/a/m", "/x")).toBe(-EBUSY);
    expect(rename(fake, "/a", "/b")).toBe(0);
    expect(at(fake, "/b/m").dentry.inode).toBe(inner.root);
    expect(walk(fake.fs, fake.fs.cwd, "/a", 0)).toBe(-ENOENT);
    expect(pathBelow(at(fake, "/b/m"), fake.fs.root)).toBe("/b/m");
  });

  test("links and renames do not cross mounts", () => {
    const { fake } = mounted("/m");
    mkdir(fake, "/d");
    expect(rename(fake, "/d", "/m/d")).toBe(-EXDEV);
    const file = openPath(fake.fs, fake.fs.cwd, "/f", O_CREAT_WRONLY, 0o644);
    expect(typeof file).toBe("object");
    expect(makeLink(fake.fs, at(fake, "/f"), fake.fs.cwd, "/m/f")).toBe(-EXDEV);
  });

  test("a read-only mount refuses changes but not what exists", () => {
    const { fake, inner } = mounted("/m", MS_RDONLY);
    inner.root.mkdir("there", 0o40755, fake.fs.cred);
    expect(mkdir(fake, "/m/there")).toBe(-EEXIST);
    expect(mkdir(fake, "/m/new")).toBe(-EROFS);
    expect(removeDirectory(fake.fs, fake.fs.cwd, "/m/there")).toBe(-EROFS);
    expect(openPath(fake.fs, fake.fs.cwd, "/m/f", O_CREAT_WRONLY, 0o644)).toBe(-EROFS);
  });

  test("a bind mount shows a subtree whose '..' leads out of the mount", () => {
    const fake = fakeTask();
    for (const path of ["/a", "/a/b", "/a/b/c", "/x"]) mkdir(fake, path);
    fake.mounts.bind(at(fake, "/a/b"), at(fake, "/x"), MS_RDONLY);
    expect(at(fake, "/x/c").dentry.inode).toBe(at(fake, "/a/b/c").dentry.inode);
    expect(pathBelow(at(fake, "/x/c"), fake.fs.root)).toBe("/x/c");
    expect(pathBelow(at(fake, "/x/c/../.."), fake.fs.root)).toBe("/");
    expect(mkdir(fake, "/x/d")).toBe(-EROFS);
    expect(mkdir(fake, "/a/b/d")).toBe(0);
    expect(pathBelow(at(fake, "/x/d"), fake.fs.root)).toBe("/x/d");
  });

  test("a placeholder is a mount point that the file system does not have", () => {
    const fake = fakeTask();
    const inner = new Tmpfs(fake.clock);
    const proc = fake.mounts.placeholder(fake.mounts.placeholder(fake.fs.root, "host"), "proc");
    fake.mounts.mount(inner, proc, 0, "inner");
    expect(at(fake, "/host/proc").dentry.inode).toBe(inner.root);
    expect(at(fake, "/host/proc/..", DIRECTORY).dentry.name).toBe("host");
    mkdir(fake, "/real");
    expect(names(fake, "/")).toEqual([".", "..", "real", "host"]);
    expect(fake.mounts.unmount(at(fake, "/host/proc"))).toBe(0);
    expect(walk(fake.fs, fake.fs.cwd, "/host/proc", 0)).toBe(-ENOENT);
    expect(walk(fake.fs, fake.fs.cwd, "/host", 0)).toBe(-ENOENT);
  });
});

describe("path strings", () => {
  test("a removed directory is marked, a place outside of the root too", () => {
    const fake = fakeTask();
    mkdir(fake, "/a");
    mkdir(fake, "/b");
    const a = at(fake, "/a");
    const b = at(fake, "/b");
    expect(removeDirectory(fake.fs, fake.fs.cwd, "/a")).toBe(0);
    expect(pathString(a, fake.fs.root)).toBe("/a (deleted)");
    expect(pathBelow(fake.fs.root, b)).toBe(null);
    expect(pathString(fake.fs.root, b)).toBe("(unreachable)/");
  });

  test("a chroot is its own root: '..' and absolute links stay inside", () => {
    const fake = fakeTask();
    mkdir(fake, "/jail");
    mkdir(fake, "/jail/in");
    makeSymlink(fake.fs, fake.fs.cwd, "/jail/out", "/../in");
    fake.fs.root = at(fake, "/jail");
    fake.fs.cwd = fake.fs.root;
    expect(pathBelow(at(fake, "../../in"), fake.fs.root)).toBe("/in");
    expect(pathBelow(at(fake, "out"), fake.fs.root)).toBe("/in");
  });
});
