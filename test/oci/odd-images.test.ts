// Stacks of odd layers, made here byte by byte, must look as umoci unpacks them. Skipped where umoci is missing or the user is not root.

import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { has } from "../../scripts/toolchain.ts";
import { shim } from "../../src/host/shim.ts";
import { random } from "../fuzz/fuzzers.ts";
import { layoutFiles, makeImage, named, writeFiles } from "../support/images.ts";
import { listing, readMtree } from "../support/mtree.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { type Member, tarOf } from "../support/tar-writer.ts";

const canCompare = has("umoci") && process.getuid?.() === 0;
if (!canCompare) console.log("test/oci/odd-images: skipped, needs root and umoci");

const work = mkdtempSync(join(tmpdir(), "carrick-odd-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
beforeAll(() => {
  shim.mem_init(0, 0);
});

let stacks = 0;

/** Both trees without what nobody promises: times and link counts of directories, and all times that no archive gives. */
function trees(layers: readonly (readonly Member[])[]): { ours: string[]; theirs: string[] } {
  const folder = join(work, `${stacks}`);
  stacks += 1;
  const tars = layers.map((members) => tarOf(members));
  writeFiles(join(folder, "oci"), layoutFiles([named(makeImage({ layers: tars, compression: "none" }), "x")]));
  const unpacked = Bun.spawnSync(["umoci", "unpack", "--image", `${folder}/oci:x`, `${folder}/b`], { stderr: "pipe" });
  if (unpacked.exitCode !== 0) throw new Error(unpacked.stderr.toString());
  const mtree = readdirSync(join(folder, "b")).find((name) => name.endsWith(".mtree"))!;
  const theirs = readMtree(readFileSync(join(folder, "b", mtree), "latin1"));
  const ours = listing(
    image(
      "x",
      tars.map((tar, i) => storeLayer(join(folder, "layers"), `${i}`, tar)),
    ),
  );
  rmSync(folder, { recursive: true });
  const plain = (tree: Map<string, string>): string[] =>
    [...tree]
      .filter(([path]) => path !== ".")
      .map(
        ([path, words]) =>
          `${path} ${words.includes("type=dir") ? words.replace(/(nlink|size|tar_time)=\S+ ?/g, "") : words}`,
      )
      .sort();
  return { ours: plain(ours), theirs: plain(theirs) };
}

const base: Member[] = [
  { name: "d/", type: "5", mode: 0o711, uid: 5, gid: 6 },
  { name: "d/old", body: "old" },
  { name: "d/sub/", type: "5", mode: 0o700 },
  { name: "d/sub/deep", body: "deep" },
  { name: "usr/", type: "5" },
  { name: "usr/lib/", type: "5", mode: 0o750, uid: 7 },
  { name: "usr/lib/low", body: "low" },
  { name: "lib", type: "2", link: "usr/lib" },
  { name: "abs", type: "2", link: "/usr" },
  { name: "up", type: "2", link: "../../usr/./lib" },
  { name: "chain", type: "2", link: "abs/lib" },
  { name: "dangling", type: "2", link: "nowhere" },
  { name: "file", body: "file" },
  { name: "hard", type: "1", link: "file" },
];

/** Read and write for user 1000, and a mask: mode 0660. Where mode and list differ, Docker and containerd set the mode last, umoci the list. */
const LIST =
  "\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x06\0\xe8\x03\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";
const access = { "SCHILY.xattr.system.posix_acl_access": LIST };
const inherited = { "SCHILY.xattr.system.posix_acl_default": LIST };

const STACKS: Readonly<Record<string, Member[][]>> = {
  "access lists, kept, changed and gone": [
    [
      { name: "a/", type: "5", mode: 0o660, pax: { ...access, ...inherited } },
      { name: "a/f", body: "f", mode: 0o660, pax: access },
      { name: "a/g", body: "g", mode: 0o660, pax: access },
      { name: "b/", type: "5", mode: 0o755, pax: inherited },
      { name: "b/f", body: "f", mode: 0o664 },
    ],
    [
      { name: "a/f", body: "f2", mode: 0o604 },
      { name: "b/", type: "5", mode: 0o700 },
      { name: "b/new", body: "n" },
    ],
  ],
  "an opaque mark alone": [base, [{ name: "d/.wh..wh..opq" }]],
  "an opaque mark in front of names": [base, [{ name: "d/.wh..wh..opq" }, { name: "d/new", body: "n" }]],
  "an opaque mark behind names": [base, [{ name: "d/new", body: "n" }, { name: "d/.wh..wh..opq" }]],
  "an opaque mark, then the directory": [base, [{ name: "d/.wh..wh..opq" }, { name: "d/", type: "5", mode: 0o770 }]],
  "opaque twice": [base, [{ name: "d/.wh..wh..opq" }, { name: "d/x" }], [{ name: "d/.wh..wh..opq" }, { name: "d/y" }]],
  "a whiteout, then the directory again": [
    base,
    [{ name: ".wh.d" }, { name: "d/", type: "5", mode: 0o500 }, { name: "d/new", body: "n" }],
  ],
  "the directory again, then its whiteout": [
    base,
    [{ name: "d/", type: "5", mode: 0o500 }, { name: "d/new", body: "n" }, { name: ".wh.d" }],
  ],
  "a whiteout, then a name below": [base, [{ name: ".wh.d" }, { name: "d/new", body: "n" }]],
  "a name below, then the whiteout": [base, [{ name: "d/new", body: "n" }, { name: ".wh.d" }]],
  "a whiteout of what is not there": [base, [{ name: ".wh.never" }, { name: "d/.wh.never" }]],
  "a directory becomes a file, a link, a pipe, and a directory again": [
    base,
    [{ name: "d", body: "file now" }],
    [{ name: "d", type: "2", link: "usr" }],
    [{ name: "d", type: "6" }],
    [{ name: "d/", type: "5" }, { name: "d/again" }],
  ],
  "a file becomes a directory": [
    base,
    [
      { name: "file/", type: "5" },
      { name: "file/in", body: "in" },
    ],
  ],
  "the same name several times in a layer": [
    base,
    [
      { name: "x", body: "1" },
      { name: "x/", type: "5" },
      { name: "x", body: "22" },
      { name: "./x", body: "333", mode: 0o600 },
    ],
  ],
  "hard links to files of lower layers": [
    base,
    [
      { name: "again", type: "1", link: "file" },
      { name: "d/more", type: "1", link: "/d/old" },
    ],
    [
      { name: "again", type: "1", link: "./file" },
      { name: "third", type: "1", link: "again" },
    ],
  ],
  "a hard link to a symbolic link, and one through one": [
    base,
    [
      { name: "l2", type: "1", link: "lib" },
      { name: "through", type: "1", link: "lib/low" },
    ],
  ],
  "a hard link outlives its first name": [base, [{ name: ".wh.file" }], [{ name: "last", type: "1", link: "hard" }]],
  "names through links of a lower layer": [
    base,
    [
      { name: "lib/new", body: "n" },
      { name: "abs/lib/sub/x", body: "x" },
      { name: "up/y", body: "y" },
      { name: "chain/z" },
    ],
  ],
  "whiteouts through links of a lower layer": [base, [{ name: "lib/.wh.low" }, { name: "abs/made/", type: "5" }]],
  "a lower link and the real directory in one layer": [
    base,
    [
      { name: "lib/a", body: "a" },
      { name: "usr/lib/b", body: "b" },
      { name: "usr/lib/", type: "5", mode: 0o555 },
    ],
    [{ name: "lib/b", body: "newer" }, { name: "usr/.wh.none" }],
  ],
  "a described directory takes a link's place": [
    base,
    [
      { name: "lib/", type: "5" },
      { name: "lib/own", body: "o" },
    ],
  ],
  "names of every form": [
    [
      { name: "./a/./b//c", body: "1" },
      { name: "/abs/name", body: "2" },
      { name: "missing/parents/of/this", body: "3" },
      { name: "trailing/", type: "5" },
      { name: `${"n".repeat(100)}`, body: "4", prefix: "prefix" },
      { name: "pax", pax: { path: `${"p/".repeat(200)}${"q".repeat(255)}` }, body: "5" },
      { name: "caf\xe9 \xff\n", body: "6" },
    ],
    [{ name: "a/b/d", body: "7" }],
  ],
  "numbers and times": [
    [
      { name: "pax", body: "p", pax: { uid: "4294967294", gid: "2097152", mtime: "1234567890" } },
      { name: "before", body: "b", pax: { mtime: "-3" } },
      { name: "set", mode: 0o6755, body: "s" },
      { name: "sticky/", type: "5", mode: 0o3777 },
      { name: "c", type: "3", major: 4, minor: 300 },
      { name: "b", type: "4", major: 259, minor: 1 },
      { name: "fifo", type: "6" },
      { name: "attributes", body: "x", pax: { "SCHILY.xattr.user.one": "1\x00\xff" } },
    ],
  ],
  "nothing at all": [[], [], base, []],
};

for (const [name, layers] of Object.entries(STACKS)) {
  test.skipIf(!canCompare)(name, () => {
    const { ours, theirs } = trees(layers);
    expect(ours).toEqual(theirs);
  });
}

test("directories that only whiteouts imply are made, as Docker and containerd make parents before they look at the name", () => {
  // umoci does not make them.
  const tars = [base, [{ name: "never/was/.wh.x" }, { name: "d/.wh.old" }, { name: "opaque/.wh..wh..opq" }]].map(
    (members) => tarOf(members as Member[]),
  );
  const layers = tars.map((tar, i) => storeLayer(join(work, "implied"), `${i}`, tar));
  const found = [...listing(image("x", layers))].filter(([path]) => /never|was|opaque/.test(path));
  expect(found.map(([path, words]) => `${path} ${words.match(/(type|mode|uid|gid)=\S+/g)!.join(" ")}`).sort()).toEqual([
    "./never gid=0 mode=0755 type=dir uid=0",
    "./never/was gid=0 mode=0755 type=dir uid=0",
    "./opaque gid=0 mode=0755 type=dir uid=0",
  ]);
});

/** Random layers as tools write them: whiteouts first, then names whose parents are directories. */
function randomStack(seed: number): Member[][] {
  const below = random(seed);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const kinds = new Map<string, string>();
  const under = (path: string): string[] => [...kinds.keys()].filter((other) => other.startsWith(`${path}/`));
  return Array.from({ length: 2 + below(3) }, (_, layer) => {
    const members: Member[] = [];
    for (const path of [...kinds.keys()]) {
      if (!kinds.has(path) || below(5) > 0) continue;
      const slash = path.lastIndexOf("/") + 1;
      if (kinds.get(path) === "dir" && below(2) === 0) members.push({ name: `${path}/.wh..wh..opq` });
      else {
        members.push({ name: `${path.slice(0, slash)}.wh.${path.slice(slash)}` });
        kinds.delete(path);
      }
      for (const gone of under(path)) kinds.delete(gone);
    }
    const names = 2 + below(8);
    for (let i = 0; i < names; i += 1) {
      const parents = ["", ...[...kinds].filter(([, kind]) => kind === "dir").map(([path]) => `${path}/`)];
      const path = pick(parents) + pick(["a", "b", "c", "d"]);
      const common = {
        name: pick(["", "", "./", "/"]) + path,
        mtime: 1e9 + layer * 100 + i,
        mode: 0o600 + below(0o200),
      };
      const files = [...kinds].filter(
        ([other, kind]) => kind === "file" && !path.startsWith(other) && !other.startsWith(path),
      );
      const kind = pick(["file", "file", "dir", "dir", "dir", "link", "fifo", files.length > 0 ? "hard" : "file"]);
      if (kind === "dir") members.push({ ...common, type: "5", uid: below(3) });
      else if (kind === "link") members.push({ ...common, type: "2", link: pick(["a", "/b/c", "../d"]) });
      else if (kind === "fifo") members.push({ ...common, type: "6" });
      else if (kind === "hard") members.push({ ...common, type: "1", link: pick(files)[0] });
      else members.push({ ...common, body: `layer ${layer} entry ${i}` });
      if (kind !== "dir") for (const gone of under(path)) kinds.delete(gone);
      kinds.set(path, kind === "hard" ? "file" : kind);
    }
    return members;
  });
}

test.skipIf(!canCompare)(
  "random layers",
  () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const layers = randomStack(seed);
      const { ours, theirs } = trees(layers);
      expect({ seed, tree: ours }).toEqual({ seed, tree: theirs });
    }
  },
  120_000,
);
