// A carrick whose test programs are others than it was built with: for seeing what `selftest` and `doctor` say when something is wrong.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/toolchain.ts";

/** What the pack has: what programs must print, and the archive with them. */
export interface Pack {
  expected: Record<string, string>;
  archive: Buffer;
}

/** A copy of the built executable at `path`, with a pack that `change` has changed. It must not become larger. */
export function withPack(path: string, change: (pack: Pack) => void): void {
  const original = readFileSync(join(root, "dist/guests.pack"));
  const content = Bun.zstdDecompressSync(original);
  const line = content.indexOf(10);
  const pack: Pack = { expected: JSON.parse(content.toString("utf8", 0, line)), archive: content.subarray(line + 1) };
  change(pack);
  const changed = Buffer.concat([Buffer.from(`${JSON.stringify(pack.expected)}\n`), pack.archive]);
  const packed = Buffer.from(Bun.zstdCompressSync(changed, { level: 19 }));
  const executable = readFileSync(join(root, "dist/carrick-linux-x64"));
  const at = executable.indexOf(original);
  if (at < 0 || executable.indexOf(original, at + 1) >= 0)
    throw new Error("the executable does not have the pack once");
  // The rest of its place is a frame that decompressors skip.
  const rest = original.length - packed.length - 8;
  if (rest < 0) throw new Error("the changed pack is larger than the original");
  packed.copy(executable, at);
  executable.writeUInt32LE(0x184d2a50, at + packed.length);
  executable.writeUInt32LE(rest, at + packed.length + 4);
  writeFileSync(path, executable, { mode: 0o755 });
}
