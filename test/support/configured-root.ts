// A root of Debian for arm64 whose packages are configured: their maintainer scripts have run, under the reference. The packages are unpacked by
// the host's own tools, as an emulated dpkg would need minutes for that; `dpkg --configure` does the rest.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { corpora, debianPackage, downloadAll, once, unpackAll } from "../../scripts/corpora.ts";
import { must } from "../../scripts/toolchain.ts";
import { compile, run } from "./guest.ts";

const ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "HOME=/root"];
const FORCE = ["--force-depends", "--force-unsafe-io", "--force-confdef", "--force-confnew"];
const MAX_MS = 600_000;

/** Writes what dpkg knows of unpacked packages below $0, for the archives of the working directory. */
const DATABASE = `set -e
echo 1 > $0/info/format
for f in *.deb; do
  name=$(dpkg-deb -f $f Package)
  [ "$(dpkg-deb -f $f Multi-Arch)" = same ] && info=$0/info/$name:arm64 || info=$0/info/$name
  dpkg-deb -e $f control
  for c in control/*; do [ $c = control/control ] || mv $c $info.\${c#control/}; done
  rm -r control
  dpkg-deb --fsys-tarfile $f | tar t | sed 's|^\\.||; s|/$||; s|^$|/.|' > $info.list
  dpkg-deb -f $f | sed '/^Package:/a Status: install ok unpacked' >> $0/status
  echo >> $0/status
done`;

/** Runs a program in `root` under the reference. */
function start(root: string, command: readonly string[]): ReturnType<typeof run> {
  const emulator = join(debianPackage("qemu-user-static", "amd64"), "usr/bin/qemu-aarch64-static");
  const namespace = compile(join(import.meta.dir, "namespace.c"), "musl", "x86_64");
  return run(["env", "-i", ...ENVIRONMENT, namespace, emulator, root, "/tmp", ...command], { timeoutMs: MAX_MS });
}

/** Whether this machine can make one. */
export function canConfigure(): boolean {
  return process.getuid?.() === 0 && process.arch === "x64" && start("/", ["/bin/true"]).status === 0;
}

/** The folder. The name stands for the list of packages. */
export function configuredRoot(name: string, packages: readonly string[]): string {
  return once(join(corpora, `configured-${name}`), (root) => {
    const archives = join(root, "archives");
    downloadAll(archives, ["?essential", ...packages]);
    unpackAll(archives, root);
    const state = join(root, "var/lib/dpkg");
    for (const dir of ["info", "updates", "triggers"]) mkdirSync(join(state, dir), { recursive: true });
    must(["sh", "-c", DATABASE, state], { cwd: archives });
    rmSync(archives, { recursive: true });
    // No services may start.
    const policy = join(root, "usr/sbin/policy-rc.d");
    writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    // What the first scripts need before others have run.
    must(["cp", join(root, "usr/share/base-passwd/passwd.master"), join(root, "etc/passwd")]);
    must(["cp", join(root, "usr/share/base-passwd/group.master"), join(root, "etc/group")]);
    must(["ln", "-s", "mawk", join(root, "usr/bin/awk")]);
    const result = start(root, ["/usr/bin/dpkg", ...FORCE, "--configure", "--pending"]);
    if (result.status !== 0)
      throw new Error(`dpkg --configure: ${result.stdout.slice(-1000)}${result.stderr.slice(-2000)}`);
    for (const path of [policy, join(root, "work")]) rmSync(path, { recursive: true });
  });
}
