// Archives that went wrong: real ones with flipped bytes, moved and missing blocks, in all sizes of chunks. The indexer makes an index that
// opens, or refuses with a LayerError; nothing else, and never for long. CARRICK_FUZZ_SEED repeats a run.

import { test } from "bun:test";
import { LayerIndex } from "../../src/fs/image/layer-reader.ts";
import { bytesAt } from "../../src/host/mapped-file.ts";
import { Kind } from "../../src/lib/layer-index.ts";
import { LayerError, LayerIndexer } from "../../src/oci/layer-indexer.ts";
import { END, type Member, member, paxRecords, tarOf } from "../support/tar-writer.ts";

const seed = Number(process.env["CARRICK_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = Number(process.env["CARRICK_FUZZ_ROUNDS"] ?? 4000);
const BLOCK = 512;

/** xorshift32. */
function generator(start: number): (below: number) => number {
  let state = start | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const members: Member[] = [
  { name: "dir/", type: "5" },
  { name: "dir/file", body: "x".repeat(1500), pax: { mtime: "1.5", "SCHILY.xattr.user.a": "\0\xff" } },
  { name: "dir/link", type: "2", link: "../dir/file" },
  { name: "dir/hard", type: "1", link: "dir/file" },
  { name: "dir/.wh.gone" },
  { name: "dir/.wh..wh..opq" },
  { name: "dev", type: "3", major: 1, minor: 3 },
  { name: "fifo", type: "6" },
  { name: "sparse", body: "12345", pax: { "GNU.sparse.size": "9000", "GNU.sparse.map": "0,2,8000,3" } },
  { name: "long", pax: { path: `${"p/".repeat(100)}end`, uid: "3000000000" } },
];
const map = Buffer.alloc(BLOCK);
map.write("2\n0\n2\n8000\n3\n");
const seeds: Buffer[] = [
  tarOf(members),
  tarOf([
    {
      name: "s1",
      body: Buffer.concat([map, Buffer.from("12345")]),
      pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9000" },
    },
  ]),
  Buffer.concat([
    member({ name: "g", type: "g", body: paxRecords([["gid", "5"]]) }),
    member({ name: "././@LongLink", type: "L", magic: "gnu", body: `${"l/".repeat(80)}x\0` }),
    member({ name: "cut", magic: "gnu", body: "body", edit: (header) => header.writeUInt32BE(0x80000000, 108) }),
    END,
  ]),
];

/** The checksums of all blocks that look like headers are made right again, so that what lies behind them is reached. */
function mend(bytes: Buffer): void {
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.toString("latin1", 257, 262) !== "ustar") continue;
    header.write("        ", 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
}

function mutate(random: (below: number) => number): Buffer {
  const bytes = Buffer.from(seeds[random(seeds.length)]!);
  const blocks = bytes.length / BLOCK;
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(bytes.length);
    switch (random(6)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = [0, 0xff, 0x80, 0x2f, 0x2e, 0x39, 0x30, 0x0a, 0x3d][random(9)]!;
        break;
      case 2:
        bytes.copy(bytes, random(blocks) * BLOCK, random(blocks) * BLOCK, (random(blocks) + 1) * BLOCK);
        break;
      case 3:
        bytes.fill(random(2) * 0x37, at, Math.min(bytes.length, at + random(40)));
        break;
      case 4:
        bytes.write(["../", "/", ".wh.", ".wh..wh..opq", "9007199254740993", "-1"][random(6)]!, at, "latin1");
        break;
      default:
        // A header's own fields: type, size, name.
        bytes.write("0123567xgLKSVZ"[random(14)]!, random(blocks) * BLOCK + 156, "latin1");
    }
  }
  if (random(4) > 0) mend(bytes);
  return random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

function check(bytes: Buffer, chunk: number): void {
  const indexer = new LayerIndexer();
  let index: Uint8Array;
  try {
    for (let at = 0; at < bytes.length; at += chunk) indexer.push(bytes.subarray(at, at + chunk));
    index = indexer.finish();
  } catch (error) {
    if (!(error instanceof LayerError)) throw error;
    if ([...error.message].some((c) => c < " " || c === "\x7f")) throw new Error("control characters in a message");
    return;
  }
  const layer = LayerIndex.open(bytesAt(index));
  if (layer === null) throw new Error("an index that does not open");
  for (let entry = 1; entry < layer.entries; entry += 1) {
    const name = layer.name(entry);
    if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0") || name.length > 255)
      throw new Error(`a name that no directory has: ${JSON.stringify(name)}`);
    if (layer.parent(entry) >= entry) throw new Error("a directory below itself");
    if (layer.kind(entry) === Kind.inode && layer.mode(entry) >> 12 === 8) {
      const stored = layer.sparse(entry)?.reduce((sum, value, i) => sum + (i % 2) * value, 0) ?? layer.size(entry);
      if (layer.dataOffset(entry) + stored > bytes.length) throw new Error("content behind the end of the archive");
    }
  }
}

test(`${ROUNDS} broken archives, seed ${seed}`, () => {
  const random = generator(seed);
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = mutate(random);
    const chunk = [1 + random(100), 512, 4096, bytes.length + 1][random(4)]!;
    try {
      check(bytes, chunk);
    } catch (error) {
      throw new Error(`seed ${seed}, round ${round}: ${error instanceof Error ? error.stack : error}`);
    }
  }
}, 60_000);
