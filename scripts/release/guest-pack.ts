// dist/guests.pack, for `carrick selftest` and `carrick doctor`: an image (as `docker save` writes one) with the programs of test/guest and the one
// that looks at the machine, and what the former must print. One line of JSON, then the archive, all compressed (src/cli/guest-pack.ts
// reads it).

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile } from "../../test/support/guest.ts";
import { imageAnswer, NEEDS_ADMIN } from "../../test/support/image-answers.ts";
import { tarOf } from "../../test/support/tar-writer.ts";
import { cache, root } from "../toolchain.ts";

const PROGRAMS = join(root, "test/guest/programs");
const MACHINE = join(root, "scripts/guests/machine.c");
const PACK = join(root, "dist/guests.pack");
/** Makes more names than are worth waiting for. */
const SLOW = ["directories"];

/**
 * Compiles what has changed. All of it takes a minute, so a build for this machine only, `wanted` false, keeps a pack current that is there
 * and else leaves an empty one.
 */
export function makePack(wanted: boolean): void {
  if (!wanted && !(statSync(PACK, { throwIfNoEntry: false })?.size ?? 0)) {
    mkdirSync(dirname(PACK), { recursive: true });
    writeFileSync(PACK, "");
    return;
  }

  const names = readdirSync(PROGRAMS)
    .filter((file) => file.endsWith(".c"))
    .map((file) => file.slice(0, -2))
    .filter((name) => !NEEDS_ADMIN.includes(name) && !SLOW.includes(name))
    .sort();
  const program = (name: string, source: string): { name: string; body: Buffer; mode: number } => ({
    name: `test/${name}-image`,
    body: stripped(readFileSync(compile(source))),
    mode: 0o755,
  });
  const layer = tarOf([
    ...names.map((name) => program(name, join(PROGRAMS, `${name}.c`))),
    program("machine", MACHINE),
    { name: "tmp/", type: "5", mode: 0o1777 },
  ]);
  const expected = Object.fromEntries(names.map((name) => [name, imageAnswer(name)]));
  write(Buffer.concat([Buffer.from(`${JSON.stringify(expected)}\n`), archive(layer)]));
}

/** As `docker save` writes an image of one layer. */
function archive(layer: Buffer): Buffer {
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const config = { architecture: "arm64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [diffId] } };
  const manifest = [{ Config: "config.json", RepoTags: ["carrick-guests:latest"], Layers: ["layer.tar"] }];
  return tarOf([
    { name: "manifest.json", body: JSON.stringify(manifest) },
    { name: "config.json", body: JSON.stringify(config) },
    { name: "layer.tar", body: layer },
  ]);
}

/** Compresses into PACK; what has been compressed once is kept. */
function write(content: Buffer): void {
  const kept = join(cache, "guest", `pack-${createHash("sha256").update(content).digest("hex")}`);
  if (!existsSync(kept)) {
    const work = `${kept}.part-${process.pid}`;
    writeFileSync(work, Bun.zstdCompressSync(content, { level: 19 }));
    renameSync(work, kept);
  }
  mkdirSync(dirname(PACK), { recursive: true });
  writeFileSync(PACK, readFileSync(kept));
}

/** An ELF64 file without all that no segment has: symbols, debug information, the section headers. */
function stripped(elf: Buffer): Buffer {
  const headers = Number(elf.readBigUInt64LE(32));
  const count = elf.readUInt16LE(56);
  let end = headers + 56 * count;
  for (let at = headers; at < headers + 56 * count; at += 56) {
    end = Math.max(end, Number(elf.readBigUInt64LE(at + 8) + elf.readBigUInt64LE(at + 32)));
  }
  const out = Buffer.from(elf.subarray(0, end));
  // e_shoff; e_shentsize, e_shnum and e_shstrndx.
  out.fill(0, 40, 48);
  out.fill(0, 58, 64);
  return out;
}
