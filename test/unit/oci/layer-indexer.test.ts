// From tars to the index and back: trees, links, whiteouts, and everything by which an archive might try to reach out of its image.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { LayerIndex } from "../../../src/fs/image/layer-reader.ts";
import { bytesAt } from "../../../src/host/mapped-file.ts";
import { Flag, Kind, nameHash } from "../../../src/lib/layer-index.ts";
import { LayerError, LayerIndexer } from "../../../src/oci/layer-indexer.ts";
import { type Member, tarOf } from "../../support/tar-writer.ts";

function bytesOf(members: readonly Member[]): Uint8Array {
  const indexer = new LayerIndexer();
  indexer.push(tarOf(members));
  return indexer.finish();
}

function index(...members: Member[]): LayerIndex {
  return LayerIndex.open(bytesAt(bytesOf(members)))!;
}

function refused(...members: Member[]): string {
  try {
    bytesOf(members);
  } catch (error) {
    expect(error).toBeInstanceOf(LayerError);
    return (error as LayerError).message;
  }
  return "";
}

function at(layer: LayerIndex, path: string): number {
  let entry = 0;
  for (const name of path.split("/")) {
    entry = layer.find(entry, name);
    if (entry < 0) return -1;
  }
  return entry;
}

/** "path kind" of everything. */
function names(layer: LayerIndex): string[] {
  const found: string[] = [];
  const visit = (directory: number, prefix: string): void => {
    for (let i = 0; i < layer.childCount(directory); i += 1) {
      const entry = layer.firstChild(directory) + i;
      const path = prefix + layer.name(entry);
      const flags =
        (layer.hasFlag(entry, Flag.implied) ? " implied" : "") + (layer.hasFlag(entry, Flag.opaque) ? " opaque" : "");
      const kind = layer.kind(entry);
      found.push(`${path} ${Object.keys(Kind)[kind]}${flags}`);
      if (kind === Kind.inode && layer.mode(entry) >> 12 === 4) visit(entry, `${path}/`);
    }
  };
  visit(0, "");
  return found.sort();
}

test("names are found where they are, parents are made, attributes stay", () => {
  const layer = index({
    name: "./a/b/c",
    body: "hello",
    mode: 0o640,
    uid: 3,
    gid: 2 ** 32 - 1,
    pax: { mtime: "-5.5", gid: "4294967295" },
  });
  expect(names(layer)).toEqual(["a inode implied", "a/b inode implied", "a/b/c inode"]);
  const c = at(layer, "a/b/c");
  expect([layer.mode(c), layer.uid(c), layer.gid(c), layer.size(c)]).toEqual([0o100640, 3, 2 ** 32 - 1, 5]);
  expect([layer.mtimeSec(c), layer.mtimeNsec(c)]).toEqual([-6, 500_000_000]);
  expect(at(layer, "a/x")).toBe(-1);
  expect(layer.subdirectories(0)).toBe(1);
});

test("large numbers, targets, attributes, sparse maps", () => {
  const big = 2 ** 45;
  const layer = index(
    { name: "l", type: "2", link: "\xff/t" },
    { name: "dev", type: "4", major: 0xfff, minor: 0xfffff },
    { name: "x", pax: { "SCHILY.xattr.user.k": "\0\x01", "SCHILY.xattr.user.empty": "" } },
    { name: "s", body: "12", pax: { "GNU.sparse.size": `${big}`, "GNU.sparse.map": `0,1,${big - 1},1` } },
  );
  expect(layer.target(at(layer, "l"))).toBe("\xff/t");
  expect(layer.rdev(at(layer, "dev"))).toBe(0xffffffff);
  expect([...layer.xattrs(at(layer, "x"))!]).toEqual([
    ["user.k", Uint8Array.of(0, 1)],
    ["user.empty", new Uint8Array()],
  ]);
  expect(layer.size(at(layer, "s"))).toBe(big);
  expect(layer.sparse(at(layer, "s"))).toEqual([0, 1, big - 1, 1]);
});

test("the last entry of a name counts, as in an extraction", () => {
  const layer = index(
    { name: "f", body: "1" },
    { name: "f", body: "22" },
    { name: "d/old" },
    { name: "d", type: "5", mode: 0o700 },
  );
  expect(layer.size(at(layer, "f"))).toBe(2);
  expect(names(layer)).toEqual(["d inode", "d/old inode", "f inode"]);
});

test("hard links share an inode, across layers by path", () => {
  const layer = index(
    { name: "a", body: "x" },
    { name: "d/b", type: "1", link: "./a" },
    { name: "c", type: "1", link: "/lower/file" },
  );
  const [a, b, c] = ["a", "d/b", "c"].map((path) => at(layer, path));
  const primary = layer.kind(a!) === Kind.inode ? a! : b!;
  const other = primary === a ? b! : a!;
  expect([layer.kind(other), layer.linkedTo(other), layer.next(primary), layer.next(other)]).toEqual([
    Kind.link,
    primary,
    other,
    primary,
  ]);
  expect([layer.kind(c!), layer.target(c!), layer.firstExternal]).toEqual([Kind.external, "lower/file", c!]);
});

test("whiteouts speak to lower layers, whatever order they stand in", () => {
  const layer = index(
    { name: ".wh.gone" },
    { name: "both/x" },
    { name: ".wh.both" },
    { name: ".wh.other" },
    { name: "other/", type: "5" },
    { name: "opaque/.wh..wh..opq" },
    { name: "opaque/new" },
    { name: ".wh..wh.plnk/1.2", body: "aufs" },
    { name: ".wh..wh.aufs" },
  );
  expect(names(layer)).toEqual([
    "both inode implied opaque",
    "both/x inode",
    "gone whiteout opaque",
    "opaque inode implied opaque",
    "opaque/new inode",
    "other inode opaque",
  ]);
});

test("links on the way of an entry lead where they lead inside the layer, never out of it", () => {
  const layer = index(
    { name: "usr/bin/x" },
    { name: "bin", type: "2", link: "usr/bin" },
    { name: "bin/y" },
    { name: "up", type: "2", link: "../../../../usr" },
    { name: "up/z" },
    { name: "abs", type: "2", link: "/usr/bin" },
    { name: "abs/.wh.w" },
    { name: "h", type: "1", link: "bin/x" },
  );
  expect(names(layer).filter((name) => name.startsWith("usr"))).toEqual([
    "usr inode implied",
    "usr/bin inode implied",
    "usr/bin/w whiteout opaque",
    "usr/bin/x link",
    "usr/bin/y inode",
    "usr/z inode",
  ]);
});

test("hostile names and targets are refused or harmless", () => {
  expect(refused({ name: "../x" })).toContain("leads out of the image");
  expect(refused({ name: "a/../../x" })).toContain("leads out of the image");
  expect(refused({ name: "h", type: "1", link: "../../etc/passwd" })).toContain("leads out of the image");
  expect(names(index({ name: "/etc/passwd", body: "x" }))).toEqual(["etc inode implied", "etc/passwd inode"]);
  expect(refused({ name: "n", pax: { path: "n".repeat(256) } })).toContain("too long");
  expect(refused({ name: "n", pax: { path: "n/".repeat(2100) } })).toContain("too long");
  expect(refused({ name: ".", type: "2", link: "/" })).toContain("replaces the root");
  expect(refused({ name: "./", body: "x", type: "0" })).toContain("wrong checksum");
  expect(refused({ name: "a", type: "2", link: "b" }, { name: "b", type: "2", link: "a" }, { name: "a/x" })).toContain(
    "no directory",
  );
  expect(refused({ name: "f", body: "x" }, { name: "f/x" })).toContain("no directory");
  expect(refused({ name: "d", type: "5" }, { name: "h", type: "1", link: "d" })).toContain("hard link to a directory");
  expect(refused({ name: "h", type: "1", link: "/" })).toContain("hard link to a directory");
  expect(refused({ name: "d/.wh." })).toContain("whiteout of nothing");
  expect(refused({ name: "d/.wh..." })).toContain("whiteout of nothing");
  expect(refused({ name: "d/.wh.x/y" })).toContain("below a whiteout");
  expect(refused({ name: "l", type: "2", link: "" })).toContain("impossible target");
  expect(refused({ name: "l", type: "2", pax: { linkpath: "t".repeat(4096) } })).toContain("impossible target");
  expect(refused({ name: "c", type: "3", major: 4096, minor: 0 })).toContain("impossible device");
  expect(refused({ name: "\x1b]0;x\x07", type: "Z" })).not.toContain("\x1b");
});

test("a name linked to itself and a second way round change nothing", () => {
  const layer = index(
    { name: "a", body: "x" },
    { name: "a", type: "1", link: "a" },
    { name: "b", type: "1", link: "b" },
  );
  expect(names(layer)).toEqual(["a inode", "b external"]);
  expect(layer.next(at(layer, "a"))).toBe(0);
});

test("many names of one directory are all found, and no others", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.stringMatching(/^[a-z\xe9]{1,3}$/), { maxLength: 200 }),
      fc.stringMatching(/^[a-z]{1,3}$/),
      (list, other) => {
        const layer = index(...list.map((name) => ({ name: `d/${Buffer.from(name).toString("latin1")}`, body: name })));
        for (const name of list) expect(at(layer, `d/${Buffer.from(name).toString("latin1")}`)).toBeGreaterThan(0);
        if (!list.includes(other)) expect(at(layer, `d/${other}`)).toBe(-1);
      },
    ),
    { numRuns: 30 },
  );
});

test("names with equal hashes are told apart", () => {
  const seen = new Map<number, string>();
  const pair: string[] = [];
  for (let i = 0; pair.length === 0; i += 1) {
    const name = i.toString(36);
    const other = seen.get(nameHash(name));
    if (other !== undefined) pair.push(other, name);
    seen.set(nameHash(name), name);
  }
  const layer = index(...pair.map((name) => ({ name, body: name })), { name: "other" });
  for (const name of pair) expect(layer.name(at(layer, name))).toBe(name);
  expect(layer.find(0, "absent")).toBe(-1);
});

test("damaged indexes are refused or answer harmlessly", () => {
  const good = bytesOf([
    { name: "a/b/c", body: "x", pax: { "SCHILY.xattr.user.k": "v" } },
    { name: "l", type: "2", link: "a/b" },
    { name: "h", type: "1", link: "a/b/c" },
    { name: "e", type: "1", link: "x" },
    { name: "s", body: "12", pax: { "GNU.sparse.size": "9", "GNU.sparse.map": "0,1,8,1" } },
  ]);
  expect(LayerIndex.open(bytesAt(good.slice(0, good.length - 1)))).toBeNull();
  expect(LayerIndex.open(bytesAt(new Uint8Array(10)))).toBeNull();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
      (changes) => {
        const bytes = Uint8Array.from(good);
        for (const [position, value] of changes) bytes[position] = value;
        const layer = LayerIndex.open(bytesAt(bytes));
        if (layer === null) return;
        for (let entry = 0; entry < layer.entries; entry += 1) {
          layer.name(entry);
          layer.target(entry);
          layer.xattrs(entry);
          layer.sparse(entry);
          layer.find(entry, "c");
          expect(layer.size(entry)).toBeLessThan(2 ** 53);
          expect(layer.firstChild(entry) + layer.childCount(entry)).toBeLessThanOrEqual(
            layer.entries + layer.firstChild(entry),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});
