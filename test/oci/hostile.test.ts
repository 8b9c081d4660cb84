// Seeded changes to everything that a stranger may send, and kills at random moments: always one sentence or a good image, never
// something in between. A failure prints its seed and the counterexample.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { digestFileName, digestOf } from "../../src/oci/digest.ts";
import { OciError } from "../../src/oci/oci-error.ts";
import { ImageStore, INDEX_FILE } from "../../src/oci/store.ts";
import { carrick, startCarrick } from "../support/carrick.ts";
import { FakeRegistry, slowly } from "../support/fake-registry.ts";
import { freshFolder, freshStore, pullInto, removeFolders } from "../support/image-store.ts";
import {
  compress,
  DEFAULT_LAYER,
  dockerArchive,
  layoutFiles,
  makeImage,
  named,
  tar,
  tarOf,
} from "../support/images.ts";

setDefaultTimeout(120_000);
afterAll(removeFolders);

/** Everything in a store is complete, and what it says it is. */
function expectSound(store: ImageStore): void {
  if (!existsSync(join(store.path, "layers"))) return;
  for (const folder of readdirSync(join(store.path, "layers"))) {
    const files = join(store.path, "layers", folder);
    expect(readdirSync(files).sort()).toEqual([INDEX_FILE, "tar"]);
    expect(digestFileName(digestOf(readFileSync(join(files, "tar"))))).toBe(folder);
  }
  for (const file of readdirSync(join(store.path, "documents")))
    expect(digestFileName(digestOf(readFileSync(join(store.path, "documents", file))))).toBe(file);
  for (const file of readdirSync(join(store.path, "images"))) expect(file).toEndWith(".json");
  for (const record of store.records()) expect(store.isComplete(record)).toBe(true);
}

interface Change {
  readonly at: number;
  readonly kind: "flip" | "cut" | "insert" | "zero" | "repeat";
  readonly value: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom("flip", "cut", "insert", "zero", "repeat"),
  value: fc.integer({ min: 1, max: 255 }),
});

function changed(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  let out = Buffer.from(bytes);
  for (const { at, kind, value } of changes) {
    const i = Math.min(out.length - 1, Math.floor(at * out.length));
    if (i < 0) break;
    if (kind === "flip") out[i] = out[i]! ^ value;
    else if (kind === "zero") out.fill(0, i, Math.min(out.length, i + value));
    else if (kind === "cut") out = Buffer.concat([out.subarray(0, i), out.subarray(i + value)]);
    else if (kind === "insert") out = Buffer.concat([out.subarray(0, i), Buffer.alloc(value, value), out.subarray(i)]);
    else out = Buffer.concat([out.subarray(0, i), out.subarray(Math.max(0, i - value))]);
  }
  return out;
}

const changes = fc.array(change, { minLength: 1, maxLength: 4 });

async function pullOrExplain(store: ImageStore, name: string): Promise<void> {
  try {
    await pullInto(store, name);
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    expect(error.message).not.toBe("");
  }
  expect(readdirSync(join(store.path, "work"))).toEqual([]);
}

const MEMBERS = [
  { name: "usr/", type: "5" },
  { name: "usr/a", body: "a".repeat(700) },
  { name: "usr/b", type: "2", link: "a" },
];

test("changed archives of both kinds", async () => {
  const folder = freshFolder();
  const image = makeImage({ layers: [DEFAULT_LAYER, tar(MEMBERS)], compression: "none" });
  const sources = {
    "docker-archive": dockerArchive(image, [DEFAULT_LAYER, tar(MEMBERS)], ["a/b:1"]),
    "oci-archive": tarOf(layoutFiles([named(makeImage({ layers: [tar(MEMBERS)] }), "x")])),
  };
  const store = freshStore();
  const kinds = fc.constantFrom<keyof typeof sources>("docker-archive", "oci-archive");
  await fc.assert(
    fc.asyncProperty(kinds, changes, async (kind, list) => {
      const file = join(folder, "changed.tar");
      writeFileSync(file, changed(sources[kind], list));
      await pullOrExplain(store, `${kind}:${file}`);
    }),
    { numRuns: 250 },
  );
  expectSound(store);
});

test("layers whose bytes were changed before they were hashed", async () => {
  const registry = new FakeRegistry();
  const store = freshStore();
  const where = fc.constantFrom<"tar" | "blob">("tar", "blob");
  const how = fc.constantFrom<"none" | "gzip" | "zstd">("none", "gzip", "zstd");
  try {
    await fc.assert(
      fc.asyncProperty(where, how, changes, async (place, compression, list) => {
        const layer = tar(MEMBERS);
        const content = place === "tar" ? changed(layer, list) : layer;
        const blob = place === "blob" ? changed(compress(layer, compression), list) : compress(content, compression);
        const image = makeImage({
          layers: [content],
          compression,
          changeManifest: (m) => {
            (m["layers"] as object[])[0] = {
              mediaType: "application/vnd.oci.image.layer.v1.tar",
              digest: digestOf(blob),
              size: blob.length,
            };
          },
        });
        registry.add("1", image);
        registry.blobs.set(digestOf(blob), blob);
        await pullOrExplain(store, `${registry.host}/a:1`);
      }),
      { numRuns: 250 },
    );
  } finally {
    registry.stop();
  }
  expectSound(store);
});

test("changed manifests and configurations whose digests are right", async () => {
  const registry = new FakeRegistry();
  const store = freshStore();
  const which = fc.constantFrom<"manifest" | "config">("manifest", "config");
  try {
    await fc.assert(
      fc.asyncProperty(which, changes, async (document, list) => {
        const image = makeImage();
        let { manifest } = image;
        if (document === "manifest") manifest = changed(manifest, list);
        else {
          const config = changed(image.blobs.get(image.configDigest)!, list);
          registry.blobs.set(digestOf(config), config);
          const parsed = JSON.parse(new TextDecoder().decode(manifest));
          parsed.config = { ...parsed.config, digest: digestOf(config), size: config.length };
          manifest = new TextEncoder().encode(JSON.stringify(parsed));
        }
        registry.add("1", image);
        registry.addManifest("1", manifest, image.manifestType);
        await pullOrExplain(store, `${registry.host}/a:1`);
      }),
      { numRuns: 250 },
    );
  } finally {
    registry.stop();
  }
  expectSound(store);
});

test("Ctrl-C at any moment of a pull: one sentence, 125, only whole layers", async () => {
  const registry = new FakeRegistry();
  const home = freshFolder();
  const store = new ImageStore(join(home, "store"));
  const env = { CARRICK_HOME: store.path };
  const body = crypto.getRandomValues(new Uint8Array(40_000));
  const made = makeImage({ layers: [0, 1, 2, 3].map((i) => tar([{ name: `f${i}`, body }])), compression: "none" });
  registry.add("1", made);
  registry.hook = async (request, url) => {
    await Bun.sleep(20);
    const bytes = made.blobs.get(url.pathname.split("/").at(-1)!);
    return bytes === undefined ? registry.usual(request, url) : slowly(bytes);
  };
  const name = `${registry.host}/a:1`;
  try {
    for (let round = 0; round < 16; round += 1) {
      const command = round % 2 === 0 ? ["pull", name] : ["run", name, "/true"];
      const running = startCarrick(command, { env });
      // The moments before the first request are those of a start.
      const asked = registry.log.length;
      while (registry.log.length === asked) await Bun.sleep(2);
      await Bun.sleep(Math.random() * 250);
      running.child.kill((["SIGINT", "SIGTERM", "SIGHUP"] as const)[round % 3]!);
      const { status, signal, stderr } = await running.ended;
      expect({ round, status, signal }).toEqual({ round, status: 125, signal: null });
      expect(stderr.split("\n").filter((line) => line.startsWith("carrick:"))).toEqual([
        "carrick: interrupted; only complete layers are kept",
      ]);
      expect(readdirSync(join(store.path, "work"))).toEqual([]);
      expect(store.records()).toEqual([]);
      expectSound(store);
      if (round % 4 === 3) expect((await carrick(["prune"], { env })).status).toBe(0);
    }
    registry.hook = () => undefined;
    expect((await carrick(["pull", name], { env })).status).toBe(0);
    expectSound(store);
  } finally {
    registry.stop();
  }
});

test("pulls killed at any moment, one over the other", async () => {
  const registry = new FakeRegistry();
  const home = freshFolder();
  const store = new ImageStore(join(home, "store"));
  const env = { CARRICK_HOME: store.path };
  const layers = Array.from({ length: 6 }, (_, i) => {
    const noise = crypto.getRandomValues(new Uint8Array(65536));
    return tar([{ name: `f${i}`, body: Buffer.concat([noise, noise, noise]) }]);
  });
  registry.add("1", makeImage({ layers }));
  registry.hook = async (request, url) => {
    if (url.pathname.includes("/blobs/")) await Bun.sleep(3);
    return registry.usual(request, url);
  };
  const name = `${registry.host}/a:1`;
  try {
    // A whole pull tells how long there is to kill it in.
    const begin = performance.now();
    expect((await carrick(["pull", name], { env: { CARRICK_HOME: join(home, "first") } })).status).toBe(0);
    const wholeMs = performance.now() - begin;
    for (let round = 0; round < 12; round += 1) {
      const running = [0, 1].map(() => startCarrick(["pull", name], { env }));
      await Bun.sleep((wholeMs * (round + 1)) / 12);
      for (const { child } of running) child.kill("SIGKILL");
      for (const { ended } of running) await ended;
      expectSound(store);
      if (round % 3 === 2) expect((await carrick(["prune", "-a"], { env })).status).toBe(0);
    }
    expect((await carrick(["pull", name], { env })).status).toBe(0);
    expect(readdirSync(join(store.path, "work"))).toEqual([]);
    expectSound(store);
    expect(store.records().length).toBe(1);
  } finally {
    registry.stop();
  }
});
