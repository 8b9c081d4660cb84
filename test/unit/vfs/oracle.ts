// The judge of path semantics: oracle.c, built for this machine.

import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");
const source = join(import.meta.dir, "oracle.c");
export const oracle = join(root, ".cache/vfs-oracle");
/** Whether this machine can run it: chroot and mounts need root. */
export const canJudge = process.platform === "linux" && process.getuid?.() === 0;
export function buildOracle(): void {
  if (existsSync(oracle) && statSync(oracle).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(join(root, ".cache"), { recursive: true });
  const zig = join(root, "node_modules/@zigc", `${process.platform}-${process.arch}`, "bin/zig");
  const built = Bun.spawnSync([zig, "cc", "-O1", "-o", oracle, source]);
  if (!built.success) throw new Error(built.stderr.toString());
}
