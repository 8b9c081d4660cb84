// Numbers and layouts as the C headers of a target have them: a C file is compiled for the target (headers come with
// Zig) and the constants are read back out of the object file. Nothing has to run.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cache, zig } from "../../scripts/toolchain.ts";

const NAME_BYTES = 56;
const ENTRY_BYTES = NAME_BYTES + 8;

/** Value of each C expression on `target` (a Zig triple), with `headers` included. */
export function golden(
  target: string,
  headers: readonly string[],
  expressions: readonly string[],
): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), "carrick-golden-"));
  try {
    const source = join(folder, "golden.c");
    const object = join(folder, "golden.o");
    const entries = expressions.map((e) => `  {${JSON.stringify(e)}, (long long)(${e})},`);
    const text = [
      "#define _GNU_SOURCE",
      ...headers.map((h) => `#include <${h}>`),
      "#include <stddef.h>",
      `struct entry { char name[${NAME_BYTES}]; long long value; };`,
      'const struct entry golden[] __attribute__((section(".golden"), used)) = {',
      ...entries,
      "};\n",
    ];
    writeFileSync(source, text.join("\n"));
    const zigCache = { ZIG_GLOBAL_CACHE_DIR: join(cache, "zig"), ZIG_LOCAL_CACHE_DIR: join(cache, "zig") };
    const done = Bun.spawnSync([zig, "cc", "-target", target, "-c", source, "-o", object], {
      env: { ...process.env, ...zigCache },
      stdio: ["ignore", "ignore", "pipe"],
    });
    if (done.exitCode !== 0) throw new Error(done.stderr.toString());
    return read(section(readFileSync(object), ".golden"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function read(bytes: Buffer): Map<string, number> {
  const values = new Map<string, number>();
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const name = bytes.toString("latin1", at, bytes.indexOf(0, at));
    values.set(name, Number(bytes.readBigInt64LE(at + NAME_BYTES)));
  }
  return values;
}

/** The content of a section of an ELF64 object. */
function section(elf: Buffer, wanted: string): Buffer {
  const table = Number(elf.readBigUInt64LE(0x28));
  const size = elf.readUInt16LE(0x3a);
  const header = (i: number) => elf.subarray(table + i * size, table + (i + 1) * size);
  const offset = (h: Buffer) => Number(h.readBigUInt64LE(0x18));
  const names = offset(header(elf.readUInt16LE(0x3e)));
  for (let i = 0; i < elf.readUInt16LE(0x3c); i += 1) {
    const h = header(i);
    const at = names + h.readUInt32LE(0);
    if (elf.toString("latin1", at, elf.indexOf(0, at)) !== wanted) continue;
    return elf.subarray(offset(h), offset(h) + Number(h.readBigUInt64LE(0x20)));
  }
  throw new Error(`no section ${wanted}`);
}
