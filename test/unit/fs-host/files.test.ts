// Regular files and directories of a host mount, on a temporary directory.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { linkSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EACCES, EEXIST, EINVAL, ENAMETOOLONG, ENOENT, ENOTEMPTY, EROFS, EXDEV } from "../../../src/abi/errno.ts";
import { O_APPEND, O_RDONLY, O_RDWR, O_WRONLY, SEEK_DATA, SEEK_END, SEEK_HOLE } from "../../../src/abi/fcntl.ts";
import { S_IFDIR, S_IFMT } from "../../../src/abi/stat.ts";
import { HostFileSystem, openHostRoot } from "../../../src/fs/host/host-file-system.ts";
import { HostPoller } from "../../../src/host/poller.ts";
import { startHost } from "../../../src/host/process.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import type { Credentials } from "../../../src/vfs/credentials.ts";
import type { File } from "../../../src/vfs/file.ts";
import { anonymousDev } from "../../../src/vfs/file-system.ts";
import { Inode } from "../../../src/vfs/inode.ts";

const uid = process.getuid!();
const gid = process.getgid!();
const none = [0, 0] as const;
const cred: Credentials = {
  uid,
  gid,
  euid: uid,
  egid: gid,
  suid: uid,
  sgid: gid,
  fsuid: uid,
  fsgid: gid,
  groups: [],
  capEffective: none,
  capPermitted: none,
  capInheritable: none,
  capBounding: none,
  capAmbient: none,
  securebits: 0,
};

let dir: string;
let fs: HostFileSystem;
const poller = new HostPoller();

beforeAll(() => {
  startHost();
  dir = mkdtempSync(join(tmpdir(), "carrick-hostfs-"));
  fs = new HostFileSystem(openHostRoot(dir), poller);
});

afterAll(() => {
  fs.close();
  rmSync(dir, { recursive: true, force: true });
});

function inodeOf(value: Inode | number): Inode {
  if (!(value instanceof Inode)) throw new Error(`errno ${value}`);
  return value;
}

function fileOf(value: File | number): File {
  if (typeof value === "number") throw new Error(`errno ${value}`);
  return value;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

function put(file: File, text: string): number {
  return file.write(new KernelBuffer(bytes(text)));
}

function take(file: File, size: number): string {
  const into = new Uint8Array(size);
  const n = file.read(new KernelBuffer(into));
  return n < 0 ? `errno ${n}` : Buffer.from(into.subarray(0, n)).toString("latin1");
}

function names(inode: Inode): string[] {
  const file = fileOf(inode.open(O_RDONLY));
  const out: string[] = [];
  expect(file.readDirectory(0, (entry) => out.push(entry.name) > 0)).toBe(0);
  file.unref();
  return out.sort();
}

test("creates, writes, reads, stats", () => {
  const file = fileOf(fs.root.createOpen("a", 0o100640, O_RDWR, cred));
  expect(put(file, "hello")).toBe(5);
  expect(file.seek(0, 0)).toBe(0);
  expect(take(file, 10)).toBe("hello");
  expect(take(file, 10)).toBe("");
  const stat = file.stat();
  expect(stat).toMatchObject({ size: 5, uid, gid, nlink: 1 });
  expect(statSync(join(dir, "a")).mode & 0o7777).toBe(0o640);
  expect(fs.root.lookup("a")).toBe(file.inode);
  expect(fs.root.createOpen("a", 0o100640, O_RDWR, cred)).toBe(-EEXIST);
  file.unref();
  expect(inodeOf(fs.root.lookup("a")).stat()).toMatchObject({ size: 5 });
});

test("a missing name is ENOENT, a long one ENAMETOOLONG", () => {
  expect(fs.root.lookup("missing")).toBe(-ENOENT);
  expect(fs.root.lookup("x".repeat(256))).toBe(-ENAMETOOLONG);
  expect(fs.root.mkdir("x".repeat(256), 0o755, cred)).toBe(-ENAMETOOLONG);
});

test("no name leads out of the mount", () => {
  for (const name of ["..", ".", "", "../etc", "/etc", "a/b", "a\0b"]) {
    expect(fs.root.lookup(name)).toBe(-ENOENT);
    expect(fs.root.mkdir(name, 0o755, cred)).toBe(-EINVAL);
    expect(fs.root.rename("a", fs.root, name, 0)).toBe(-EINVAL);
  }
});

test("a directory swapped for a link is not followed", () => {
  const victim = inodeOf(fs.root.mkdir("victim", 0o755, cred));
  fs.handles.closeAll();
  rmSync(join(dir, "victim"), { recursive: true });
  symlinkSync("/etc", join(dir, "victim"));
  expect(victim.lookup("passwd")).toBeLessThan(0);
  expect(victim.open(O_RDONLY)).toBeLessThan(0);
  const link = inodeOf(fs.root.lookup("victim"));
  expect(link.readlink()).toBe("/etc");
  expect(link.lookup("passwd")).toBeLessThan(0);
  expect(link.setAttributes({ mode: 0o777 })).toBeLessThan(0);
  expect(fs.root.unlink("victim")).toBe(0);
});

test("a file swapped for a link is not opened", () => {
  const file = fileOf(fs.root.createOpen("swap", 0o644, O_RDWR, cred));
  const inode = file.inode;
  file.unref();
  rmSync(join(dir, "swap"));
  symlinkSync("/etc/passwd", join(dir, "swap"));
  expect(inode.open(O_RDONLY)).toBeLessThan(0);
  expect(inode.stat()).toBe(-ENOENT);
  expect(inode.setAttributes({ size: 0 })).toBeLessThan(0);
  fs.root.unlink("swap");
});

test("names are bytes", () => {
  const name = "\xff\xfe caf\xe9\n";
  fileOf(fs.root.createOpen(name, 0o644, O_WRONLY, cred)).unref();
  expect(names(fs.root)).toContain(name);
  expect(fs.root.unlink(name)).toBe(0);
});

test("append, sparse files, truncation", () => {
  const file = fileOf(fs.root.createOpen("log", 0o644, O_WRONLY | O_APPEND, cred));
  put(file, "one");
  writeFileSync(join(dir, "log"), "one, two");
  put(file, ", three");
  expect(readFileSync(join(dir, "log"), "latin1")).toBe("one, two, three");
  expect(file.pos).toBe(15);
  file.flags &= ~O_APPEND;
  file.seek(0, 0);
  put(file, "ONE");
  expect(readFileSync(join(dir, "log"), "latin1")).toBe("ONE, two, three");
  file.unref();

  const sparse = fileOf(fs.root.createOpen("sparse", 0o644, O_RDWR, cred));
  sparse.seek(1 << 20, 0);
  put(sparse, "x");
  expect(sparse.seek(0, SEEK_END)).toBe((1 << 20) + 1);
  expect(sparse.seek(0, SEEK_HOLE)).toBe(0);
  expect(sparse.seek(0, SEEK_DATA)).toBe(1 << 20);
  expect(sparse.seek(-1, 0)).toBe(-EINVAL);
  expect(sparse.truncate(3)).toBe(0);
  expect(statSync(join(dir, "sparse")).size).toBe(3);
  sparse.unref();
});

test("5,000 entries keep their offsets", () => {
  const many = inodeOf(fs.root.mkdir("many", 0o755, cred));
  // One file by many names: making files is slow on some disks.
  writeFileSync(join(dir, "many", "entry-0"), "");
  for (let i = 1; i < 5000; i += 1) linkSync(join(dir, "many", "entry-0"), join(dir, "many", `entry-${i}`));
  const file = fileOf(many.open(O_RDONLY));
  const seen = new Map<number, string>();
  let from = 0;
  for (let done = false; !done; ) {
    let count = 0;
    done = true;
    const start = from;
    file.readDirectory(start, (entry) => {
      if (count === 100) {
        done = false;
        return false;
      }
      count += 1;
      seen.set(from, entry.name);
      from = entry.next;
      return true;
    });
  }
  expect(new Set(seen.values()).size).toBe(5002);
  file.readDirectory(2500, (entry) => {
    expect(entry.name).toBe(seen.get(2500)!);
    return false;
  });
  writeFileSync(join(dir, "many", "late"), "");
  let late = false;
  file.readDirectory(0, (entry) => {
    late ||= entry.name === "late";
    return true;
  });
  expect(late).toBe(true);
  file.unref();
});

test("links, renames and removal", () => {
  const one = inodeOf(fs.root.mkdir("one", 0o755, cred)) as typeof fs.root;
  const two = inodeOf(fs.root.mkdir("two", 0o755, cred)) as typeof fs.root;
  const file = fileOf(one.createOpen("f", 0o644, O_RDWR, cred));
  put(file, "data");
  expect(two.link("g", file.inode)).toBe(0);
  expect(two.lookup("g")).toBe(file.inode);
  expect(file.stat()).toMatchObject({ nlink: 2 });
  expect(one.rename("f", two, "g2", 0)).toBe(0);
  expect(one.lookup("f")).toBe(-ENOENT);
  expect(fs.root.rename("two", one, "inner", 0)).toBe(0);
  expect(inodeOf(two.lookup("g2")).stat()).toMatchObject({ size: 4 });
  expect(fs.root.rmdir("one")).toBe(-ENOTEMPTY);
  expect(two.unlink("g")).toBe(0);
  expect(two.unlink("g2")).toBe(0);
  expect(file.stat()).toMatchObject({ nlink: 0, size: 4 });
  expect(file.inode.stat()).toMatchObject({ nlink: 0 });
  file.unref();
  expect(one.rmdir("inner")).toBe(0);
  expect(fs.root.rmdir("one")).toBe(0);
  const other = new HostFileSystem(openHostRoot(dir), poller);
  expect(fs.root.rename("a", other.root, "b", 0)).toBe(-EXDEV);
  other.close();
});

test("more directories than descriptors", () => {
  let at: Inode = fs.root;
  for (let i = 0; i < 400; i += 1) at = inodeOf(at.mkdir("d", 0o755, cred));
  fileOf(at.createOpen("leaf", 0o644, O_WRONLY, cred)).unref();
  fs.handles.closeAll();
  expect(inodeOf(at.lookup("leaf")).stat()).toMatchObject({ size: 0 });
  const deep = inodeOf(at.lookup("leaf"));
  fs.handles.closeAll();
  expect(fs.root.link("shallow", deep)).toBe(0);
  expect(fs.root.lookup("shallow")).toBe(deep);
  // A link put into the middle of the way is not followed.
  fs.handles.closeAll();
  const middle = inodeOf(fs.root.lookup("d"));
  expect(middle.rename("d", fs.root, "moved", 0)).toBe(0);
  symlinkSync(join(dir, "moved"), join(dir, "d", "d"));
  fs.handles.closeAll();
  expect(deep.stat()).toMatchObject({ size: 0 });
  const stale = new HostFileSystem(openHostRoot(dir), poller);
  let below = inodeOf(stale.root.lookup("d"));
  expect(inodeOf(below.lookup("d")).readlink()).toBe(join(dir, "moved"));
  rmSync(join(dir, "d", "d"));
  renameSync(join(dir, "moved"), join(dir, "d", "d"));
  const chain: Inode[] = [];
  for (let i = 0; i < 5; i += 1) chain.push((below = inodeOf(below.lookup("d"))));
  stale.handles.closeAll();
  renameSync(join(dir, "d", "d"), join(dir, "moved"));
  symlinkSync(join(dir, "moved"), join(dir, "d", "d"));
  expect(chain[4]!.lookup("d")).toBeLessThan(0);
  stale.close();
});

test("attributes and extended attributes", () => {
  const file = fileOf(fs.root.createOpen("attr", 0o600, O_RDWR, cred));
  const { inode } = file;
  expect(inode.setAttributes({ mode: 0o100755, mtimeSec: 5, mtimeNsec: 7, atimeSec: -2, atimeNsec: 9 })).toBe(0);
  expect(inode.stat()).toMatchObject({ mode: 0o100755, mtimeSec: 5, mtimeNsec: 7, atimeSec: -2, atimeNsec: 9 });
  file.unref();
  expect(inode.setAttributes({ mode: 0o100711, size: 9 })).toBe(0);
  expect(inode.stat()).toMatchObject({ mode: 0o100711, size: 9 });
  expect(inode.permission(cred, 1)).toBe(0);
  const set = inode.setXattr("user.colour", bytes("blue"), 0);
  if (set === 0) {
    expect(inode.getXattr("user.colour")).toEqual(bytes("blue"));
    expect(inode.listXattr()).toEqual(["user.colour"]);
    expect(inode.removeXattr("user.colour")).toBe(0);
    expect(inode.listXattr()).toEqual([]);
  }
});

test("unnamed files", () => {
  const inode = fs.root.tmpfile(0o600, cred);
  if (typeof inode === "number") return;
  const file = fileOf(inode.open(O_RDWR));
  put(file, "temp");
  expect(file.stat()).toMatchObject({ nlink: 0, size: 4 });
  expect(fs.root.link("named", inode)).toBe(0);
  file.unref();
  expect(readFileSync(join(dir, "named"), "latin1")).toBe("temp");
});

test("a read-only mount changes nothing", () => {
  const readOnly = new HostFileSystem(openHostRoot(dir), poller, { readOnly: true });
  const { root } = readOnly;
  expect(root.createOpen("new", 0o644, O_WRONLY, cred)).toBe(-EROFS);
  expect(root.mkdir("new", 0o755, cred)).toBe(-EROFS);
  expect(root.unlink("a")).toBe(-EROFS);
  expect(root.rename("a", root, "b", 0)).toBe(-EROFS);
  const file = inodeOf(root.lookup("a"));
  expect(file.setAttributes({ mode: 0o777 })).toBe(-EROFS);
  expect(file.open(O_WRONLY)).toBe(-EROFS);
  expect(file.permission(cred, 2)).toBe(-EROFS);
  expect([0, -EACCES]).toContain(file.permission(cred, 4));
  readOnly.close();
});

test("the root's parent entry does not tell about the host", () => {
  const file = fileOf(fs.root.open(O_RDONLY));
  const found: Record<string, number> = {};
  file.readDirectory(0, (entry) => {
    found[entry.name] = entry.ino;
    return true;
  });
  expect(found[".."]).toBe(found["."]!);
  expect(fs.root.mode & S_IFMT).toBe(S_IFDIR);
  file.unref();
});

test("one file can be mounted", () => {
  writeFileSync(join(dir, "single"), "mounted");
  const one = new HostFileSystem(openHostRoot(join(dir, "single")), poller);
  rmSync(join(dir, "single"));
  const file = fileOf(one.root.open(O_RDWR));
  expect(take(file, 20)).toBe("mounted");
  expect(put(file, "!")).toBe(1);
  file.unref();
  expect(one.root.stat()).toMatchObject({ size: 8, nlink: 0 });
  expect(one.root.setAttributes({ mode: 0o100600, size: 2 })).toBe(0);
  expect(one.root.stat()).toMatchObject({ size: 2, mode: 0o100600 });
  expect(one.root.lookup("x")).toBeLessThan(0);
  one.close();
});

test("devices of the kernel's own file systems are none of the host's", () => {
  const mounts = readFileSync("/proc/self/mountinfo", "latin1").matchAll(/^\d+ \d+ 0:(\d+) /gm);
  const theirs = new Set(Array.from(mounts, ([, minor]) => Number(minor)));
  expect(theirs.size).toBeGreaterThan(0);
  for (let i = 0; i < 100; i += 1) {
    const dev = anonymousDev();
    expect(theirs.has((dev & 0xff) | ((dev >>> 20) << 8))).toBe(false);
  }
});
