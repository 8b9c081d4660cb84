// Images made by umoci, skopeo and buildah, as carrick shows them: every file of the torture image has the type, mode, owner, size, time,
// link count, content and attributes that umoci's unpacked tree has. Skipped where those tools are missing; .ci/run installs them.

import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { cache, has } from "../../scripts/toolchain.ts";
import { shim } from "../../src/host/shim.ts";
import type { OpenImage } from "../../src/oci/store.ts";
import { listing, readMtree } from "../support/mtree.ts";
import { loadLayout } from "../support/open-images.ts";
import { containerRun } from "../support/run-container.ts";

const TOOLS = ["umoci", "skopeo", "buildah", "setcap", "setfattr"];
const missing = TOOLS.filter((tool) => !has(tool));
const canMake = missing.length === 0 && process.getuid?.() === 0;
if (!canMake) console.log(`test/oci/torture: skipped, needs root and ${missing.join(", ") || TOOLS.join(", ")}`);

const script = join(import.meta.dir, "make-images.sh");
const images = join(cache, `images-${Bun.hash(readFileSync(script)).toString(36)}`);

function tool(command: readonly string[]): string {
  const result = Bun.spawnSync([...command], { stdout: "pipe", stderr: "pipe" });
  if (result.exitCode !== 0) throw new Error(`${command.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout.toString("latin1");
}

function load(tag: string): OpenImage {
  return loadLayout(join(images, "oci"), tag, join(images, "layers"));
}

const work = mkdtempSync(join(tmpdir(), "carrick-torture-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

beforeAll(() => {
  if (!canMake) return;
  shim.mem_init(0, 0);
  if (existsSync(images)) return;
  const part = `${images}.part-${process.pid}`;
  mkdirSync(part, { recursive: true });
  tool([script, part, join(debianPackage("busybox-static"), "bin/busybox")]);
  renameSync(part, images);
}, 120_000);

test.skipIf(!canMake)("the torture image is what umoci unpacks", () => {
  const ours = listing(load("torture"));
  const theirs = new Map<string, string>();
  for (const [path, words] of readMtree(readFileSync(join(images, "torture.mtree"), "latin1"))) theirs.set(path, words);
  expect([...ours].filter(([path, words]) => theirs.get(path) !== words)).toEqual([]);
  expect([...theirs.keys()].filter((path) => !ours.has(path))).toEqual([]);
  expect(theirs.size).toBeGreaterThan(140);
});

test.skipIf(!canMake)("the busybox image runs its command", () => {
  const image = load("busybox");
  const echoed = containerRun(image, { command: ["sh", "-c", 'echo "$0 $HOSTNAME $HOME $PWD"; id'] });
  expect(echoed.stdout).toBe(
    `sh ${image.manifestDigest.slice(7, 19)} /root /\nuid=0(root) gid=0(root) groups=0(root)\n`,
  );
  expect(echoed.status).toBe(0);
});

test.skipIf(!canMake)("entrypoint, command, environment, user and working directory of an image", () => {
  const run = containerRun(load("torture"), {});
  expect(run.stdout).toBe("ok /t/m/entry fixed c1 c 2 1000:2000 /t/made/by/runtime b a=r\n");
});

test.skipIf(!canMake)(
  "the guest's own tar finds what umoci unpacked",
  () => {
    const guest = join(work, "guest");
    const bundle = join(work, "bundle");
    const archive = join(work, "guest.tar");
    const parts = ["bin", "root", "t", "tmp", "usr", "var"];
    const made = containerRun(
      load("torture"),
      { entrypoint: ["/bin/tar"], user: "root", workdir: "/", command: ["c", "-f", "-", ...parts] },
      { stdoutTo: archive },
    );
    expect(made.stderr).toBe("");
    mkdirSync(guest);
    tool(["tar", "xf", archive, "-C", guest, "--numeric-owner"]);
    tool(["umoci", "unpack", "--image", `${join(images, "oci")}:torture`, bundle]);
    // busybox writes ids of up to 21 bits.
    for (const tree of [guest, join(bundle, "rootfs")]) tool(["chown", "0:0", join(tree, "t/perm/biguid")]);
    const list = (tree: string): string =>
      tool(["tar", "c", "--sort=name", "--numeric-owner", "--format=gnu", "-C", tree, "-f", "-", ...parts]);
    expect(Bun.hash(list(guest))).toBe(Bun.hash(list(join(bundle, "rootfs"))));
  },
  60_000,
);
