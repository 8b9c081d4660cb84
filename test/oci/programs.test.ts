// The guest programs that test/guest compares with Linux print the same when what they work on is an image.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenImage } from "../../src/oci/store.ts";
import { compile } from "../support/guest.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { containerRun } from "../support/run-container.ts";
import { tarOf } from "../support/tar-writer.ts";

const programs = join(import.meta.dir, "../guest/programs");
const expected = join(import.meta.dir, "../guest/expected");
const work = mkdtempSync(join(tmpdir(), "carrick-programs-"));
/** A container's root may not mount. */
const NEEDS_ADMIN = ["mounts"];
const names = readdirSync(programs)
  .filter((file) => file.endsWith(".c"))
  .map((file) => file.slice(0, -2))
  .filter((name) => !NEEDS_ADMIN.includes(name));

/** A container's root lacks CAP_DAC_READ_SEARCH, so that linkat(2) gives no name to what only a descriptor leads to. */
const WITHOUT_CAPABILITY: readonly [string, string][] = [
  ["linkat empty path: 0\n  viafd: 100644 links 4 size 4\n", "linkat empty path: ENOENT\n  viafd: ENOENT\n"],
  ["linkat empty path cwd: EPERM\n", "linkat empty path cwd: ENOENT\n"],
  ["links 3 size 9\nlinks 0\n", "links 2 size 9\nlinks 0\n"],
];

function answer(name: string): string {
  let text = readFileSync(join(expected, `${name}.txt`), "latin1");
  if (name === "names") for (const [privileged, plain] of WITHOUT_CAPABILITY) text = text.replace(privileged, plain);
  return text;
}

let whole: OpenImage;
beforeAll(() => {
  const members = names.map((name) => ({
    name: `test/${name}-image`,
    body: readFileSync(compile(join(programs, `${name}.c`))),
    mode: 0o755,
  }));
  const layer = storeLayer(work, "programs", tarOf([...members, { name: "tmp/", type: "5", mode: 0o1777 }]));
  whole = image("programs", [layer]);
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

for (const name of names) {
  test(name, () => {
    const request = { command: [`/test/${name}-image`, "one", "two words"], env: ["GREETING=hi"], workdir: "/" };
    const result = containerRun(whole, request, { stdin: "" });
    expect(`${result.stdout}status ${result.status}\n`).toBe(answer(name));
  }, 60_000);
}
