// What layers make together, where overlayfs is no judge: directories that an archive only implies, hard links to files of lower layers, the
// count of names when some are hidden, and stacks that are damaged.

import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EIO, ENOENT } from "../../../src/abi/errno.ts";
import { ImageFileSystem } from "../../../src/fs/image/image-file-system.ts";
import { openLayers } from "../../../src/fs/image/open-layers.ts";
import { pointerOf, shim } from "../../../src/host/shim.ts";
import { ManualClock } from "../../../src/kernel/clock.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import type { StoredLayer } from "../../../src/oci/store.ts";
import type { DirectoryFile } from "../../../src/vfs/directory-file.ts";
import type { DirectoryEntry, Inode, Stat } from "../../../src/vfs/inode.ts";
import { contentOf, entriesOf } from "../../support/mtree.ts";
import { storeLayer } from "../../support/open-images.ts";
import { type Member, tarOf } from "../../support/tar-writer.ts";

const work = mkdtempSync(join(tmpdir(), "carrick-merge-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
beforeAll(() => {
  shim.mem_init(0, 0);
});

let stacks = 0;
function store(...layers: Member[][]): StoredLayer[] {
  stacks += 1;
  return layers.map((members, i) => storeLayer(join(work, `${stacks}`), `${i}`, tarOf(members)));
}

function open(stored: readonly StoredLayer[]): ImageFileSystem {
  const layers = openLayers(stored);
  if (typeof layers === "string") throw new Error(layers);
  return new ImageFileSystem(new ManualClock(1e9), layers, [work]);
}

const image = (...layers: Member[][]): ImageFileSystem => open(store(...layers));

function at(fs: ImageFileSystem, path: string): Inode {
  let inode: Inode = fs.root;
  for (const name of path.split("/")) {
    const next = inode.lookup(name);
    if (typeof next === "number") throw new Error(`${path}: ${next}`);
    inode = next;
  }
  return inode;
}
const stat = (fs: ImageFileSystem, path: string): Stat => at(fs, path).stat() as Stat;
const text = (fs: ImageFileSystem, path: string): string => contentOf(at(fs, path)).toString();
const names = (inode: Inode): string[] =>
  entriesOf(inode)
    .map(({ name }) => name)
    .sort();

test("a directory that only upper names imply keeps what the lower layer says about it", () => {
  const fs = image(
    [{ name: "d/", type: "5", mode: 0o711, uid: 5, mtime: 7 }, { name: "d/low" }],
    [{ name: "d/up" }, { name: "new/x" }],
  );
  expect(stat(fs, "d")).toMatchObject({ mode: 0o40711, uid: 5, mtimeSec: 7, nlink: 2 });
  expect(stat(fs, "new")).toMatchObject({ mode: 0o40755, uid: 0 });
  expect(names(at(fs, "d"))).toEqual(["low", "up"]);
  expect(stat(fs, "d").ino).not.toBe(stat(fs, "new").ino);
});

test("hard links across layers are one file, and count every name that shows", () => {
  const fs = image(
    [
      { name: "a", body: "low" },
      { name: "b", type: "1", link: "a" },
      { name: "gone", type: "1", link: "a" },
    ],
    [{ name: "d/c", type: "1", link: "b" }, { name: ".wh.gone" }, { name: "lost", type: "1", link: "nowhere" }],
    [{ name: "e", type: "1", link: "d/c" }],
  );
  for (const path of ["a", "b", "d/c", "e"])
    expect(stat(fs, path)).toMatchObject({ nlink: 4, ino: stat(fs, "a").ino, size: 3 });
  expect(at(fs, "a")).toBe(at(fs, "e"));
  expect(fs.root.lookup("lost")).toBe(-ENOENT);
  expect(names(fs.root)).toEqual(["a", "b", "d", "e"]);
  expect(fs.root.unlink("b")).toBe(0);
  expect(stat(fs, "e").nlink).toBe(3);
});

test("a name that an upper layer links to the very file that it was counts once", () => {
  const fs = image(
    [
      { name: "a", body: "x" },
      { name: "b", type: "1", link: "a" },
    ],
    [{ name: "b", type: "1", link: "a" }],
    [{ name: "b", type: "1", link: "a" }],
  );
  expect([stat(fs, "a").nlink, stat(fs, "b").nlink, stat(fs, "b").ino]).toEqual([2, 2, stat(fs, "a").ino]);
});

test("a name that an upper layer replaced is no name of the file any more", () => {
  const fs = image(
    [
      { name: "a", body: "one" },
      { name: "b", type: "1", link: "a" },
    ],
    [{ name: "a", body: "two" }],
  );
  expect([text(fs, "a"), text(fs, "b"), stat(fs, "a").nlink, stat(fs, "b").nlink]).toEqual(["two", "one", 1, 1]);
});

test("types change both ways, and what was below stays hidden", () => {
  const fs = image(
    [
      { name: "d/deep/x", body: "1" },
      { name: "f", body: "file" },
      { name: "l", type: "2", link: "d" },
    ],
    [{ name: "d", body: "now a file" }, { name: "f/in", body: "now a directory" }, { name: "l/own" }],
    [{ name: "d/again" }],
  );
  expect(names(at(fs, "d"))).toEqual(["again"]);
  expect(text(fs, "f/in")).toBe("now a directory");
  expect(names(at(fs, "l"))).toEqual(["own"]);
});

test("an opaque root hides everything below", () => {
  const fs = image([{ name: "old/x" }, { name: "f" }], [{ name: ".wh..wh..opq" }, { name: "new" }]);
  expect(names(fs.root)).toEqual(["new"]);
  expect(fs.root.lookup("old")).toBe(-ENOENT);
});

test("an image without layers is an empty directory that can be filled", () => {
  const fs = open([]);
  expect(names(fs.root)).toEqual([]);
  expect(stat({ root: { lookup: () => fs.root } } as unknown as ImageFileSystem, "x").mode).toBe(0o40755);
});

test("a tar that is shorter than its index says is an input error", () => {
  const [layer] = store([{ name: "f", body: "x".repeat(5000) }]);
  truncateSync(layer!.tarPath, 3000);
  const fs = open([layer!]);
  const file = at(fs, "f").open(0);
  if (typeof file === "number") throw new Error(`${file}`);
  const io = new KernelBuffer(new Uint8Array(5000));
  expect(file.readAt(io, 0)).toBe(3000 - 512);
  expect(file.readAt(io, 4000)).toBe(-EIO);
  expect((file.pages() as { get(index: number): number }).get(0)).toBe(-EIO);
});

test("damaged stacks never crash a walk", () => {
  const stored = store(
    [
      { name: "a/b/c", body: "x" },
      { name: "h", type: "1", link: "a/b/c" },
      { name: "l", type: "2", link: "a" },
    ],
    [{ name: "e", type: "1", link: "a/b/c" }, { name: "a/.wh.z" }],
  );
  const good = stored.map((layer) => readFileSync(layer.indexPath));
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state % below;
  };
  for (let round = 0; round < 300; round += 1) {
    stored.forEach((layer, i) => {
      const bytes = Buffer.from(good[i]!);
      for (let n = 0; n < 6; n += 1) bytes[64 + random(bytes.length - 64)] = random(256);
      writeFileSync(layer.indexPath, bytes);
    });
    const fs = open(stored);
    let steps = 0;
    const visit = (inode: Inode, depth: number): void => {
      steps += 1;
      inode.stat();
      inode.readlink();
      inode.listXattr();
      if (depth > 6 || steps > 300) return;
      const file = inode.mode >> 12 === 4 ? inode.open(0) : -1;
      if (typeof file === "number") return;
      const found: string[] = [];
      file.readDirectory(2, ({ name }) => found.push(name) < 50);
      for (const name of found) {
        const child = inode.lookup(name);
        if (typeof child !== "number") visit(child, depth + 1);
      }
    };
    visit(fs.root, 0);
  }
});

test("the short way of listing shows what the long one shows, wherever it is cut", () => {
  const members = Array.from({ length: 40 }, (_, i) => ({ name: `d/${"n".repeat(1 + (i % 7))}${i}`, body: "x" }));
  const fs = image(
    [{ name: "low", body: "below" }],
    [
      ...members,
      { name: "d/sub/", type: "5" },
      { name: "d/link", type: "2", link: "n0" },
      { name: "d/hard", type: "1", link: "d/n0" },
      { name: "d/below", type: "1", link: "low" },
      { name: "d/.wh.gone" },
    ],
  );
  const file = at(fs, "d").open(0) as DirectoryFile;
  const long: DirectoryEntry[] = [];
  file.readDirectory(2, (entry) => long.push(entry) > 0);
  expect(long.length).toBe(members.length + 4);
  for (const limit of [24, 32, 100, 1000, 65536]) {
    const out = Buffer.alloc(limit);
    const short: DirectoryEntry[] = [];
    for (let from = 2; short.length < long.length; ) {
      const bytes = file.writeDirents(from, pointerOf(out), limit);
      expect(bytes).toBeLessThanOrEqual(limit);
      for (let p = 0; p < bytes; p += out.readUInt16LE(p + 16)) {
        const name = out.toString("latin1", p + 19, out.indexOf(0, p + 19));
        const next = Number(out.readBigUInt64LE(p + 8));
        short.push({ name, ino: Number(out.readBigUInt64LE(p)), type: out[p + 18]!, next });
      }
      if (bytes > 0) from = file.direntsEnd;
      else
        file.readDirectory(from, (entry) => {
          short.push(entry);
          from = entry.next;
          return false;
        });
    }
    expect(short).toEqual(long);
  }
  expect(fs.root.lookup("low")).toBe(at(fs, "d/below"));
  at(fs, "d").unlink("n0");
  expect(file.writeDirents(2, pointerOf(Buffer.alloc(100)), 100)).toBe(0);
  expect(names(at(fs, "d"))).not.toContain("n0");
});
