// Random sequences of file operations on random stacks of layers give the same results and errors on carrick's image file system and on
// Linux's overlayfs, and leave the same tree. Needs root for the mounts; skipped elsewhere.

import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { has } from "../../../scripts/toolchain.ts";
import { ImageFileSystem } from "../../../src/fs/image/image-file-system.ts";
import { openLayers } from "../../../src/fs/image/open-layers.ts";
import { shim } from "../../../src/host/shim.ts";
import { storeLayer } from "../../support/open-images.ts";
import { tarOf } from "../../support/tar-writer.ts";
import { FakeMemory, fakeTask } from "../vfs/fake-task.ts";
import { sequence } from "../vfs/generate.ts";
import { type Operation, Performer } from "../vfs/operations.ts";
import { buildOracle, canJudge, oracle } from "../vfs/oracle.ts";
import { layerStack, membersOf, shellOf, type Tree } from "./layers.ts";

const RUNS = Number(process.env["CARRICK_VFS_RUNS"] ?? 20);
const canCompare = canJudge && has("setfattr") && has("unshare");
const work = mkdtempSync(join(tmpdir(), "carrick-overlay-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

beforeAll(() => {
  if (!canCompare) return;
  shim.mem_init(0, 0);
  buildOracle();
});

/** Every place that the operations can reach, looked at anew. */
function inspection(): Operation[] {
  const names = ["a", "b", "c"];
  const paths = ["/", ...names.map((n) => `/${n}`)];
  for (const first of names) for (const second of names) paths.push(`/${first}/${second}`);
  for (const path of [...paths.slice(4)]) for (const third of names) paths.push(`${path}/${third}`);
  const looks: Operation[] = [
    ["user", 0],
    ["chdir", "/"],
  ];
  for (const path of paths) {
    looks.push(["stat", -1, path, 0x100], ["list", path], ["getxattr", path, "user.a"], ["readlink", -1, path]);
    looks.push(["open", 0, -1, path, 0o4000, 0], ["look", 0], ["mtime", -1, path], ["close", 0]);
  }
  return looks;
}

function judge(layers: readonly Tree[], operations: readonly Operation[]): string[] | null {
  const lines = ["set -e", "mount -t tmpfs none /mnt; cd /mnt; mkdir up work root"];
  const lower: string[] = [];
  layers.forEach((layer, i) => {
    lines.push(`mkdir /mnt/l${i}; cd /mnt/l${i}`, shellOf(layer, i === layers.length - 1, layers.slice(0, i)));
    lower.unshift(`/mnt/l${i}`);
  });
  const options = `lowerdir=${lower.join(":")},upperdir=/mnt/up,workdir=/mnt/work,index=on,redirect_dir=on,xino=on`;
  lines.push(`chmod 755 /mnt/up; mount -t overlay overlay -o ${options} /mnt/root`, `exec ${oracle} /mnt/root`);
  const input = operations.map((operation) => `${operation.join("\t")}\n`).join("");
  const run = Bun.spawnSync(["unshare", "-m", "sh", "-c", lines.join("\n")], { stdin: Buffer.from(input, "latin1") });
  if (run.exitCode === 77) return null;
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
  return run.stdout.toString("latin1").split("\n").slice(0, -1);
}

function perform(layers: readonly Tree[], operations: readonly Operation[]): string[] {
  const stored = layers.map((layer, i) => storeLayer(work, `${i}`, tarOf(membersOf(layer, i === layers.length - 1))));
  const opened = openLayers(stored);
  if (typeof opened === "string") throw new Error(opened);
  const memory = new FakeMemory(true);
  const performer = new Performer(fakeTask((clock) => new ImageFileSystem(clock, opened, [work]), memory));
  const results = operations.map((operation) => performer.perform(operation));
  memory.release();
  return results;
}

/** What the two need not agree on: overlayfs counts one link for every merged directory. */
function comparable(operation: Operation, result: string | undefined): string | undefined {
  if (operation[0] === "stat") return result?.replace(/^(4\d{4}) \d+/, "$1 -");
  // A file that is open for reading when somebody else copies it up goes on showing the lower one.
  return operation[0] === "pread" ? "" : result;
}

test.skipIf(!canCompare)(
  "an image behaves as overlayfs",
  () => {
    let compared = 0;
    const differ = (layers: readonly Tree[], sequence: readonly Operation[]): void => {
      const operations = [...sequence, ...inspection()];
      const asked = operations.map(
        (operation): Operation => (operation[0] === "look" ? ["pread", operation[1]!] : operation),
      );
      const truth = judge(layers, asked);
      if (truth === null) return;
      compared += 1;
      const ours = perform(layers, asked);
      const shown = (results: string[], i: number): string | undefined => comparable(operations[i]!, results[i]);
      const at = ours.findIndex((_, i) => shown(ours, i) !== shown(truth, i));
      if (at < 0) return;
      expect(`${operations[at]!.join(" ")} = ${ours[at]}`).toBe(`${operations[at]!.join(" ")} = ${truth[at]}`);
    };
    fc.assert(fc.property(layerStack, sequence, differ), { numRuns: RUNS, includeErrorInReport: true });
    expect(compared).toBeGreaterThan(0);
  },
  120_000,
);
