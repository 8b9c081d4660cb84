// The tar reader: what GNU tar, pax and old writers make is read byte for byte, and what nobody should make is refused with a sentence.

import { expect, test } from "bun:test";
import { LayerError } from "../../../src/oci/layer-error.ts";
import { type TarEntry, TarReader } from "../../../src/oci/tar-reader.ts";
import { END, type Member, member, paxRecords, tarOf } from "../../support/tar-writer.ts";

function read(bytes: Uint8Array, chunk = bytes.length): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader((entry) => entries.push(entry));
  for (let at = 0; at < bytes.length; at += chunk) reader.push(bytes.subarray(at, at + chunk));
  reader.finish();
  return entries;
}

function one(m: Member): TarEntry {
  const entries = read(tarOf([m]));
  expect(entries.length).toBe(1);
  return entries[0]!;
}

const refused = (bytes: Uint8Array): string => {
  try {
    read(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(LayerError);
    return (error as LayerError).message;
  }
  return "";
};

test("a plain ustar member", () => {
  const entry = one({ name: "f", prefix: "some/dir", body: "hello", mode: 0o4755, uid: 7, gid: 8, mtime: 123 });
  expect(entry).toMatchObject({ type: "file", name: "some/dir/f", mode: 0o4755, uid: 7, gid: 8, sizeBytes: 5 });
  expect(entry).toMatchObject({ mtimeSec: 123, mtimeNsec: 0, dataOffset: 512, sparse: null, xattrs: null });
});

test("every way of cutting the stream gives the same entries", () => {
  const bytes = tarOf([
    { name: "a", body: "x".repeat(700), pax: { "SCHILY.xattr.user.k": "v\0\x01" } },
    { name: "d/", type: "5" },
    { name: "l", type: "2", link: "a" },
  ]);
  const whole = JSON.stringify(read(bytes));
  for (const chunk of [1, 7, 511, 512, 513, 1000]) expect(JSON.stringify(read(bytes, chunk))).toBe(whole);
});

test("kinds: links, devices, pipes, directories of old archives", () => {
  expect(one({ name: "l", type: "2", link: "t" })).toMatchObject({ type: "symlink", link: "t" });
  expect(one({ name: "h", type: "1", link: "t", size: 9 })).toMatchObject({ type: "link", link: "t", sizeBytes: 0 });
  expect(one({ name: "c", type: "3", major: 1, minor: 3 })).toMatchObject({ type: "character", major: 1, minor: 3 });
  expect(one({ name: "b", type: "4", major: 7, minor: 256 })).toMatchObject({ type: "block", minor: 256 });
  expect(one({ name: "p", type: "6" }).type).toBe("fifo");
  expect(one({ name: "old/", type: "\0", magic: "v7" }).type).toBe("directory");
  expect(one({ name: "old", type: "\0", magic: "v7", body: "x" }).type).toBe("file");
});

test("GNU's long names and base-256 numbers", () => {
  const long = `${"n".repeat(300)}/${"m".repeat(200)}`;
  const bytes = Buffer.concat([
    member({ name: "././@LongLink", type: "K", magic: "gnu", body: `${long}2\0` }),
    member({ name: "././@LongLink", type: "L", magic: "gnu", body: `${long}\0` }),
    member({
      name: "cut",
      type: "2",
      link: "cut",
      magic: "gnu",
      edit: (header) => {
        header.writeUInt32BE(0x80000000, 108);
        header.writeUInt32BE(4_000_000_000, 112);
        header.fill(0xff, 136, 148);
      },
    }),
    END,
  ]);
  expect(read(bytes)[0]).toMatchObject({ name: long, link: `${long}2`, uid: 4_000_000_000, mtimeSec: -1 });
});

test("pax records replace what the header says, global ones too, and an empty one takes back", () => {
  const name = "caf\xe9/\xff\xfe";
  const entry = one({
    name: "short",
    body: "abc",
    pax: { path: name, uid: "2147483648", gid: "4294967295", mtime: "1700000000.123456789999", comment: "x=y\nz" },
  });
  expect(entry).toMatchObject({ name, uid: 2 ** 31, gid: 2 ** 32 - 1, mtimeSec: 1700000000, mtimeNsec: 123456789 });
  expect(one({ name: "s", pax: { mtime: "-1.25" } })).toMatchObject({ mtimeSec: -2, mtimeNsec: 750_000_000 });
  const global = Buffer.concat([
    member({
      name: "g",
      type: "g",
      body: paxRecords([
        ["uid", "5"],
        ["gid", "6"],
      ]),
    }),
    member({ name: "a" }),
    member({ name: "b", pax: { uid: "", gid: "9" } }),
    END,
  ]);
  expect(read(global)).toMatchObject([
    { uid: 5, gid: 6 },
    { uid: 0, gid: 9 },
  ]);
});

test("extended attributes are bytes; those of overlay mounts and other systems' stay out", () => {
  const { xattrs } = one({
    name: "f",
    pax: {
      "SCHILY.xattr.security.capability": "\x01\0\0\x02\0\x04",
      "SCHILY.xattr.user.a%3Db%25": "v=\n",
      "SCHILY.xattr.trusted.overlay.opaque": "y",
      "SCHILY.xattr.system.posix_acl_access": "x",
      "SCHILY.xattr.system.nfs4_acl": "x",
    },
  });
  expect([...xattrs!].map(([key, value]) => [key, value.toString("latin1")])).toEqual([
    ["security.capability", "\x01\0\0\x02\0\x04"],
    ["user.a=b%", "v=\n"],
    ["system.posix_acl_access", "x"],
  ]);
});

test("sparse files: old GNU headers with an extension, pax 0.0, 0.1, 1.0", () => {
  const pieces = Array.from({ length: 6 }, (_, i) => [i * 1000, 10] as const);
  const octal = (value: number): string => `${value.toString(8).padStart(11, "0")}\0`;
  const map = pieces.map(([offset, length]) => octal(offset) + octal(length));
  const extension = Buffer.alloc(512);
  extension.write(map.slice(4).join(""), 0, "latin1");
  const header = member({
    name: "s",
    type: "S",
    magic: "gnu",
    size: 60,
    edit: (h) => {
      h.write(map.slice(0, 4).join(""), 386, "latin1");
      h[482] = 1;
      h.write(octal(6000), 483, "latin1");
    },
  });
  const flat = pieces.flat();
  const data = Buffer.alloc(512, "d");
  expect(read(Buffer.concat([header, extension, data, member({ name: "next" }), END]))).toMatchObject([
    { name: "s", type: "file", sizeBytes: 6000, sparse: flat, dataOffset: 1024 },
    { name: "next", dataOffset: 2048 },
  ]);
  const zero = pieces.flatMap(
    ([o, l]) =>
      [
        ["GNU.sparse.offset", `${o}`],
        ["GNU.sparse.numbytes", `${l}`],
      ] as const,
  );
  const body = "d".repeat(60);
  expect(
    one({ name: "s", body, pax: [["GNU.sparse.size", "6000"], ["GNU.sparse.numblocks", "6"], ...zero] }),
  ).toMatchObject({ sizeBytes: 6000, sparse: flat });
  expect(
    one({
      name: "x",
      body,
      pax: { "GNU.sparse.size": "6000", "GNU.sparse.name": "real", "GNU.sparse.map": flat.join(",") },
    }),
  ).toMatchObject({ name: "real", sizeBytes: 6000, sparse: flat });
  const text = Buffer.alloc(512);
  text.write(`6\n${flat.join("\n")}\n`);
  expect(
    one({
      name: "GNUSparseFile.0/x",
      body: Buffer.concat([text, Buffer.from(body)]),
      pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "n", "GNU.sparse.realsize": "6000" },
    }),
  ).toMatchObject({ name: "n", sizeBytes: 6000, sparse: flat, dataOffset: 3 * 512 + 512 });
});

test("ends: no zero blocks, padding missing, junk behind the end", () => {
  const bytes = member({ name: "a", body: "x" });
  expect(read(bytes).length).toBe(1);
  expect(read(bytes.subarray(0, 513)).length).toBe(1);
  expect(read(Buffer.concat([bytes, END, Buffer.alloc(700, "junk")])).length).toBe(1);
  expect(read(new Uint8Array()).length).toBe(0);
});

test("what is broken or absurd is refused", () => {
  const bytes = tarOf([{ name: "a", body: "xyz" }]);
  expect(refused(bytes.subarray(0, 514))).toContain("ends too early");
  expect(refused(bytes.subarray(0, 100))).toContain("ends too early");
  expect(
    refused(Buffer.concat([member({ name: "p", type: "x", body: paxRecords([["uid", "1"]]) }), END.subarray(0, 0)])),
  ).toContain("too early");
  const broken = Buffer.from(bytes);
  broken[0] = 0x62;
  expect(refused(broken)).toContain("wrong checksum");
  expect(refused(Buffer.concat([bytes.subarray(0, 1024), END.subarray(512), bytes]))).toContain("behind its end mark");
  expect(refused(tarOf([{ name: "a", type: "Z" }]))).toContain("unknown kind");
  expect(refused(tarOf([{ name: "a", edit: (h) => h.write("-1", 124) }]))).toContain("not a number");
  expect(refused(tarOf([{ name: "a", edit: (h) => h.fill(0xff, 124, 136) }]))).toContain("negative size");
  expect(refused(tarOf([{ name: "a", edit: (h) => h.fill(0x7f, 125, 136).writeUInt8(0x80, 124) }]))).toContain(
    "absurd",
  );
  expect(refused(tarOf([{ name: "a", pax: { size: "-5" } }]))).toContain("absurd size");
  expect(refused(tarOf([{ name: "a", pax: { size: "9007199254740992" } }]))).toContain("absurd");
  expect(refused(tarOf([{ name: "a", pax: { uid: "4294967296" } }]))).toContain("owner that no system has");
  expect(refused(tarOf([{ name: "a", pax: { uid: "-1" } }]))).toContain("owner that no system has");
  expect(refused(tarOf([{ name: "a", pax: { path: "a\0b" } }]))).toContain("NUL");
  expect(refused(tarOf([{ name: "a", pax: { mtime: "soon" } }]))).toContain("mtime");
  expect(refused(tarOf([{ name: "p", type: "x", body: "99 a=b\n" }]))).toContain("malformed");
  expect(refused(tarOf([{ name: "p", type: "x", body: "7 noeq\n" }]))).toContain("malformed");
  expect(refused(tarOf([{ name: "p", type: "x", size: 2 ** 30 }]))).toContain("too large");
  expect(refused(tarOf([{ name: "p", type: "L", size: 2 ** 20 }]))).toContain("too large");
  const sparse = (map: string, size: string): string =>
    refused(tarOf([{ name: "s", body: "12345", pax: { "GNU.sparse.size": size, "GNU.sparse.map": map } }]));
  expect(sparse("0,5", "5")).toBe("");
  for (const map of ["0,4", "3,5", "2,2,0,3", "0,5,1", "-1,5", "0,5,9007199254740993,0", "x"])
    expect(sparse(map, "7")).toContain("impossible map");
});
