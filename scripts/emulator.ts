// What boots a virtual arm64 machine with KVM in it: a kernel and an emulator of Debian's backports, unpacked into .cache/corpora, never installed.
// The emulator runs with the libraries of its own packages.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { corpora, once } from "./corpora.ts";
import { must } from "./toolchain.ts";

const CODENAME = "bookworm";
const BACKPORTS = `${CODENAME}-backports`;
/** The first kernels whose KVM hands every hypercall to its user are of 6.4. */
const KERNEL = {
  package: "linux-image-6.12.95+deb12-cloud-arm64",
  version: "6.12.95-1~bpo12+1",
  sha256: "3d1283d15afe078c9fa7a4de66d989fc7d84103912dc2792d5a85bfdb3eb88b5",
  latest: "linux-image-cloud-arm64",
} as const;
const EMULATOR = "qemu-system-arm";
const LOADER = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";

/** Path of a bootable arm64 kernel. */
export function kernelImage(): string {
  const dir = once(join(corpora, `kernel-${KERNEL.version}`), (work) => {
    const archive = downloadKernel(work);
    must(["sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" ./boot', archive, work]);
    const image = readdirSync(join(work, "boot")).find((file) => file.startsWith("vmlinuz-"))!;
    renameSync(join(work, "boot", image), join(work, "vmlinuz"));
    rmSync(join(work, "boot"), { recursive: true });
    rmSync(archive);
  });
  return join(dir, "vmlinuz");
}

/** The pinned package if the archive still has it, which backports do not promise; else its successor. */
function downloadKernel(work: string): string {
  const apt = aptConfig();
  const pinned = Bun.spawnSync(["apt-get", "-qq", "download", `${KERNEL.package}:arm64=${KERNEL.version}`], apt(work));
  if (pinned.exitCode !== 0) {
    const question = ["apt-cache", "-t", BACKPORTS, "depends", `${KERNEL.latest}:arm64`];
    const depends = Bun.spawnSync(question, apt(work));
    const name = /Depends: (linux-image-\S+)/.exec(depends.stdout.toString())?.[1];
    if (name === undefined) throw new Error("no arm64 kernel in the archive");
    console.error(`${KERNEL.package} ${KERNEL.version} is gone from the archive; taking ${name}`);
    must(["apt-get", "-qq", "-t", BACKPORTS, "download", name], { ...apt(work), quiet: true });
  }
  const archive = join(work, readdirSync(work).find((file) => file.endsWith(".deb"))!);
  const sum = new Bun.CryptoHasher("sha256").update(readFileSync(archive)).digest("hex");
  if (pinned.exitCode === 0 && sum !== KERNEL.sha256) throw new Error(`${archive} is not the kernel that was pinned`);
  return archive;
}

/** Command line of the emulator, up to its first option. */
export function emulator(): string[] {
  const dir = once(join(corpora, `${EMULATOR}-${BACKPORTS}`), (work) => {
    const archives = join(work, "archives");
    mkdirSync(join(archives, "partial"), { recursive: true });
    must(
      [
        ...["apt-get", "-qq", "-y", "-t", BACKPORTS, "--no-install-recommends", "--download-only"],
        ...["-o", `Dir::Cache::archives=${archives}`, "install", EMULATOR, "qemu-system-data", "ipxe-qemu-"],
      ],
      { ...aptConfig()(work), quiet: true },
    );
    for (const file of readdirSync(archives)) {
      if (file.endsWith(".deb")) must(["dpkg-deb", "-x", join(archives, file), work]);
    }
    rmSync(archives, { recursive: true });
  });
  const libraries = ["lib", "usr/lib", "usr/lib/x86_64-linux-gnu/pulseaudio"].map((lib) =>
    join(dir, lib.endsWith("lib") ? `${lib}/x86_64-linux-gnu` : lib),
  );
  return [
    ...[join(dir, LOADER), "--library-path", libraries.join(":"), join(dir, "usr/bin/qemu-system-aarch64")],
    ...["-L", join(dir, "usr/share/qemu")],
  ];
}

/** Lists of Debian's packages and backports for both architectures, from where this machine gets its own. */
function aptConfig(): (cwd: string) => { cwd: string; env: Record<string, string> } {
  const dir = once(join(corpora, `apt-${BACKPORTS}`), (work) => {
    for (const sub of ["state/lists/partial", "cache/archives/partial"])
      mkdirSync(join(work, sub), { recursive: true });
    writeFileSync(join(work, "state/status"), "");
    writeFileSync(join(work, "sources.list"), sources());
    writeFileSync(join(work, "apt.conf"), configText(work));
    must(["apt-get", "-qq", "update"], { quiet: true, env: { APT_CONFIG: join(work, "apt.conf") } });
  });
  writeFileSync(join(dir, "apt.conf"), configText(dir));
  return (cwd) => ({ cwd, env: { ...(process.env as Record<string, string>), APT_CONFIG: join(dir, "apt.conf") } });
}

function sources(): string {
  const known = Bun.spawnSync(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
  const archive = known.stdout
    .toString()
    .split("\n")
    .find((uri) => /\/debian\/?$/.test(uri));
  if (archive === undefined) throw new Error("this machine's apt knows no archive of Debian");
  const key = "/usr/share/keyrings/debian-archive-keyring.gpg";
  return [CODENAME, BACKPORTS].map((suite) => `deb [signed-by=${key}] ${archive} ${suite} main\n`).join("");
}

function configText(dir: string): string {
  return `APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Dir::Etc::sourcelist "${dir}/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "${dir}/state";
Dir::State::status "${dir}/state/status";
Dir::Cache "${dir}/cache";
`;
}

// By itself: fetches both, so that the tests find them.
if (import.meta.main) console.log(kernelImage(), emulator().join(" "));
