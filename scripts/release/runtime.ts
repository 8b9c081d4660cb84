// Bun for another machine, from npm. npm installs only what fits this machine, so the packages of others are fetched as archives,
// compared with the digest that package-lock.json has for them, and unpacked into .cache.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cache, must, root } from "../toolchain.ts";

interface Locked {
  readonly version: string;
  /** "sha512-" and the digest in base64. */
  readonly integrity: string;
}

/** What package-lock.json says of a package. */
export function locked(name: string): Locked {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const entry = lock.packages[`node_modules/${name}`] as Partial<Locked> | undefined;
  if (entry?.version === undefined || !entry.integrity?.startsWith("sha512-")) {
    throw new Error(`package-lock.json does not pin ${name}`);
  }
  return { version: entry.version, integrity: entry.integrity };
}

/** Bun's executable out of the npm package `name`. */
export function runtime(name: string): string {
  const { version, integrity } = locked(name);
  const folder = join(cache, "runtimes", `${name.replace(/[@/]/g, "_")}-${version}`);
  const executable = join(folder, "bin/bun");
  if (existsSync(executable)) return executable;
  const work = `${folder}.part-${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    must(["npm", "pack", "--silent", `${name}@${version}`, "--pack-destination", work], { quiet: true });
    const archive = join(work, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
    requireIntegrity(readFileSync(archive), integrity, name);
    must(["tar", "-xzf", archive, "-C", work, "--strip-components=1"]);
    rmSync(archive);
    if (!existsSync(folder)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return executable;
}

/** Throws unless `bytes` have the digest `integrity`. */
export function requireIntegrity(bytes: Uint8Array, integrity: string, name: string): void {
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (found !== integrity)
    throw new Error(`${name}: what npm sent has ${found}, but package-lock.json says ${integrity}`);
}
