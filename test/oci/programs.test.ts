// The guest programs that test/guest compares with Linux print the same when what they work on is an image.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenImage } from "../../src/oci/store.ts";
import { compile } from "../support/guest.ts";
import { imageAnswer, NEEDS_ADMIN } from "../support/image-answers.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { containerRun } from "../support/run-container.ts";
import { tarOf } from "../support/tar-writer.ts";

const programs = join(import.meta.dir, "../guest/programs");
const work = mkdtempSync(join(tmpdir(), "carrick-programs-"));
const names = readdirSync(programs)
  .filter((file) => file.endsWith(".c"))
  .map((file) => file.slice(0, -2))
  .filter((name) => !NEEDS_ADMIN.includes(name));

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
    expect(`${result.stdout}status ${result.status}\n`).toBe(imageAnswer(name));
  }, 60_000);
}
