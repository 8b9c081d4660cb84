// A configured root of Debian as an image: shells, coreutils, dpkg, perl, python, git, tar and xz on the image's own files print what they
// print under the reference on a copy of the same root. Skipped where the image cannot be made; .ci/run installs what that takes.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { cache, has, must } from "../../scripts/toolchain.ts";
import { INDEX_VERSION } from "../../src/lib/layer-index.ts";
import { canConfigure, configuredRoot } from "../support/configured-root.ts";
import { carrick, run } from "../support/guest.ts";
import { SCRIPT_ENV, testScripts } from "../support/scripts.ts";

const PACKAGES = [
  ...[
    "bash",
    "coreutils",
    "findutils",
    "grep",
    "sed",
    "mawk",
    "diffutils",
    "tar",
    "gzip",
    "xz-utils",
    "dpkg",
    "util-linux",
  ],
  ...["perl-base", "python3", "git", "passwd", "libc-bin", "base-files", "base-passwd"],
];
const TOOLS = ["umoci", "apt-get", "dpkg-deb"];
const missing = TOOLS.filter((tool) => !has(tool));
const canMake = missing.length === 0 && canConfigure();
if (!canMake)
  console.log(
    `test/oci/debian-image: skipped, needs root, namespaces of its own, x86-64 and ${missing.join(", ") || TOOLS.join(", ")}`,
  );

const script = join(import.meta.dir, "make-debian-image.sh");

/** The image's name, in a store that has it; made once. */
function makeImage(root: string): { home: string; name: string } {
  const made = [readFileSync(script, "latin1"), ...PACKAGES, statSync(root).mtimeMs, INDEX_VERSION].join(" ");
  const folder = join(cache, `debian-image-${Bun.hash(made).toString(36)}`);
  const image = { home: join(folder, "store"), name: `oci:${folder}/layout:test` };
  if (existsSync(folder)) return image;
  const part = `${folder}.part-${process.pid}`;
  mkdirSync(part, { recursive: true });
  must([script, root, join(part, "layout")]);
  renameSync(part, folder);
  must([...carrick, "pull", "-q", image.name], { quiet: true, env: { CARRICK_HOME: image.home } });
  return image;
}

if (canMake) {
  const root = configuredRoot("image", PACKAGES);
  const { home, name } = makeImage(root);
  const start = (dir: string): string[] => {
    const env = SCRIPT_ENV.flatMap((variable) => ["-e", variable]);
    const run = [...carrick, "run", "--init", ...env, "-v", `${dir}:/work`, "-w", "/work"];
    return ["env", `CARRICK_HOME=${home}`, ...run, name];
  };
  testScripts({
    folder: join(import.meta.dir, "debian"),
    shell: ["/bin/bash"],
    slow: true,
    root,
    writesRoot: true,
    start,
  });

  test("every file of the image is as in the folder that it was made of", () => {
    const script = (dir: string): string[] => {
      const text =
        "find etc usr ! -type d -printf '%y %m %U %G %s %n %T@ %l %p\\n' | sort; find usr/bin -type f | sort | xargs sha256sum";
      return ["sh", "-c", `cd "${dir}" && export LC_ALL=C && ${text}`];
    };
    const list = (command: readonly string[]): string[] => {
      const { stdout, stderr } = run(command);
      expect(stderr).toBe("");
      // Made by the container.
      return stdout.split("\n").filter((line) => !/ etc\/(hosts|hostname|resolv\.conf)$/.test(line));
    };
    const seen = list([...start("/tmp"), ...script("/")]);
    expect(seen).toEqual(list(script(root)));
    expect(seen.length).toBeGreaterThan(5000);
  }, 60_000);
}
