// The store: complete or not there, whatever happens to carrick, its disk, or its neighbours.

import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestFileName } from "../../src/oci/digest.ts";
import { FolderTree } from "../../src/oci/file-tree.ts";
import { obtainImage } from "../../src/oci/images.ts";
import type { LayerLimits } from "../../src/oci/layer-writer.ts";
import { LayoutSource } from "../../src/oci/layout.ts";
import { pullImage } from "../../src/oci/pull.ts";
import { ImageStore, INDEX_FILE } from "../../src/oci/store.ts";
import { collectGarbage } from "../../src/oci/stored-images.ts";
import { type CarrickOptions, carrick, startCarrick } from "../support/carrick.ts";
import { brokenOff, FakeRegistry } from "../support/fake-registry.ts";
import { fetchOptions, freshFolder, freshStore, pullInto, removeFolders, watcher } from "../support/image-store.ts";
import { DEFAULT_LAYER, layoutFiles, makeImage, named, type TestImage, tar, writeFiles } from "../support/images.ts";

// Many of these tests start programs, which a busy machine may do slowly.
setDefaultTimeout(60_000);

let registry: FakeRegistry;
let store: ImageStore;
let name: string;

beforeEach(() => {
  registry = new FakeRegistry();
  store = freshStore();
  name = `${registry.host}/a/b:1`;
});
afterEach(() => registry.stop());
afterAll(removeFolders);

const options = (more: CarrickOptions = {}): CarrickOptions => ({
  ...more,
  env: { CARRICK_HOME: store.path, ...more.env },
});
const work = (): string[] => readdirSync(join(store.path, "work"));
const layers = (): string[] => readdirSync(join(store.path, "layers"));

/** An image whose layer's second half is never sent; resolves `reached` when carrick waits for it. */
function stallingImage(): { image: TestImage; reached: Promise<void>; heal: () => void } {
  const body = crypto.getRandomValues(new Uint8Array(60_000));
  const image = makeImage({ layers: [tar([{ name: "a", body: Buffer.concat([body, body, body, body]) }])] });
  registry.add("1", image);
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const digest = image.layerDigests[0]!;
  registry.hook = (_r, url) => {
    if (!url.pathname.endsWith(digest)) return undefined;
    resolve();
    return brokenOff(image.blobs.get(digest)!, 0, 100_000, true);
  };
  return {
    image,
    reached,
    heal: () => {
      registry.hook = () => undefined;
    },
  };
}

/** Waits until a file of the layer is being written. */
async function untilWriting(image: TestImage): Promise<void> {
  const file = join(store.path, "work", digestFileName(image.diffIds[0]!), "tar");
  while (!existsSync(file)) await Bun.sleep(5);
}

test("a killed pull leaves nothing that counts, and the next command sweeps it", async () => {
  const { image, reached, heal } = stallingImage();
  const running = startCarrick(["pull", name], options());
  await reached;
  await untilWriting(image);
  running.child.kill("SIGKILL");
  await running.ended;
  expect(work().length).toBeGreaterThan(0);
  expect(layers()).toEqual([]);
  expect(store.records()).toEqual([]);
  heal();
  expect((await carrick(["prune"], options())).status).toBe(0);
  expect(work()).toEqual([]);
  expect((await carrick(["pull", name], options())).status).toBe(0);
  expect(store.isComplete(store.findRecord(name)!)).toBe(true);
});

test("Ctrl-C and SIGTERM end a pull at once and leave nothing", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const { image, reached } = stallingImage();
    const running = startCarrick(["pull", name], options());
    await reached;
    await untilWriting(image);
    running.child.kill(signal);
    const ended = await running.ended;
    expect([ended.signal, ended.status, ended.stderr.split("\n").slice(-2)]).toEqual([
      null,
      125,
      ["carrick: interrupted; only complete layers are kept", ""],
    ]);
    expect(work()).toEqual([]);
    expect(layers()).toEqual([]);
    expect(store.records()).toEqual([]);
  }
});

test("a pull in the background goes on when its terminal sends signals that its shell ignores", async () => {
  const { reached, heal } = stallingImage();
  const prefix = ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh"];
  const running = startCarrick(["pull", name], { ...options(), prefix });
  await reached;
  running.child.kill("SIGINT");
  running.child.kill("SIGHUP");
  await Bun.sleep(100);
  expect(running.child.exitCode).toBeNull();
  heal();
  running.child.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ status: 125, signal: null });
});

test("two pulls at once fetch each layer once", async () => {
  const image = makeImage({ layers: Array.from({ length: 4 }, (_, i) => tar([{ name: `f${i}`, body: `${i}` }])) });
  registry.add("1", image);
  registry.hook = async (request, url) => {
    if (url.pathname.includes("/blobs/")) await Bun.sleep(50);
    return registry.usual(request, url);
  };
  const ended = await Promise.all([0, 1, 2].map(() => carrick(["pull", name], options())));
  expect(ended.map(({ status, stderr }) => [status, /carrick:/.test(stderr)])).toEqual(ended.map(() => [0, false]));
  for (const digest of image.layerDigests) expect(registry.requests(digest).length).toBe(1);
  expect(work()).toEqual([]);
});

test("a pull takes over what a killed one was at", async () => {
  const { image, reached, heal } = stallingImage();
  const first = startCarrick(["pull", name], options());
  await reached;
  await untilWriting(image);
  heal();
  const second = startCarrick(["pull", name], options());
  await second.says("waiting for it");
  first.child.kill("SIGKILL");
  await first.ended;
  expect((await second.ended).status).toBe(0);
  expect(store.isComplete(store.findRecord(name)!)).toBe(true);
});

test("removing waits for whoever starts an image, and goes on when it has started", async () => {
  registry.add("1", makeImage());
  await pullInto(store, name);
  const image = (await store.openImage(name))!;
  const running = startCarrick(["rmi", name], options());
  await running.says("waiting for it");
  expect(running.child.exitCode).toBeNull();
  expect(existsSync(image.layers[0]!.tarPath)).toBe(true);
  image.release();
  const { status, stderr, stdout } = await running.ended;
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: "carrick: another carrick is using the image store; waiting for it\n",
  });
  expect(stdout).toMatch(/^Untagged: .*\nDeleted: sha256:[0-9a-f]{64}\n$/);
});

test("layers are shared, and removed with their last image; prune tells the bytes", async () => {
  const own = tar([{ name: "own", body: "own" }]);
  const both = makeImage({ layers: [DEFAULT_LAYER, own] });
  const one = makeImage();
  registry.add("1", both);
  registry.add("2", one);
  await pullInto(store, name);
  await pullInto(store, `${registry.host}/a/b:2`);
  expect(layers().length).toBe(2);
  store.removeRecord(name);
  const removed = collectGarbage(store);
  expect(removed.layers).toEqual([both.diffIds[1]!]);
  expect(layers()).toEqual([digestFileName(one.diffIds[0]!)]);
  expect(removed.bytes).toBeGreaterThan(0);
  const before = store.layerBytes(one.diffIds[0]!);
  store.removeRecord(`${registry.host}/a/b:2`);
  const { stdout } = await carrick(["prune"], options());
  expect(Number(/\((\d+) bytes\)/.exec(stdout)![1])).toBeGreaterThanOrEqual(before);
  for (const folder of ["layers", "documents", "images", "work"])
    expect(readdirSync(join(store.path, folder))).toEqual([]);
});

test("damage is found, told, and mended by the next pull", async () => {
  const image = makeImage();
  registry.add("1", image);
  await pullInto(store, name);
  const config = join(store.path, "documents", digestFileName(image.configDigest));
  writeFileSync(config, "{}");
  expect(store.openImage(name)).rejects.toThrow(/damaged in the image store/);
  expect((await carrick(["images"], options())).stdout).toMatch(/damaged/);
  await pullInto(store, name);
  (await store.openImage(name))!.release();
  rmSync(join(store.path, "layers", digestFileName(image.diffIds[0]!), INDEX_FILE));
  expect(store.openImage(name)).rejects.toThrow(/layer of .* is missing/);
  const again = await obtainImage(store, name, "missing", fetchOptions());
  expect(existsSync(again.layers[0]!.indexPath)).toBe(true);
  again.release();
  const digest = `sha256:${"0".repeat(64)}`;
  const record = { topDigest: digest, manifestDigest: digest, configDigest: digest, pulledMs: 0 };
  for (const text of ["rubbish", JSON.stringify(record), JSON.stringify({ ...record, name: "No Name" })]) {
    for (const file of readdirSync(join(store.path, "images"))) writeFileSync(join(store.path, "images", file), text);
    expect(store.records()).toEqual([]);
  }
  expect(await store.openImage(name)).toBeNull();
  await pullInto(store, name);
  (await store.openImage(name))!.release();
});

const bombs: readonly (readonly [limits: Partial<LayerLimits>, why: RegExp])[] = [
  [{ maxBytes: 1_000_000 }, /unpacks to more than 1000000 bytes/],
  [{ ratioFromBytes: 1_000_000, maxRatio: 100 }, /more than 100 times its size: a decompression bomb/],
];

test("decompression bombs are stopped by size and by ratio", async () => {
  const folder = freshFolder();
  const zeros = new Uint8Array(20_000_000);
  for (const compression of ["gzip", "zstd"] as const) {
    writeFiles(
      folder,
      layoutFiles([named(makeImage({ layers: [tar([{ name: "zeros", body: zeros }])], compression }), "x")]),
    );
    for (const [limits, why] of bombs) {
      store.prepare();
      const source = new LayoutSource(new FolderTree(folder), "", "bomb");
      const all = { maxBytes: 2 ** 40, maxRatio: 1e9, ratioFromBytes: 2 ** 40, ...limits };
      expect(pullImage(store, source, "bomb", { progress: watcher().progress, limits: all })).rejects.toThrow(why);
      await Bun.sleep(0);
    }
  }
  while (work().length > 0) await Bun.sleep(5);
  expect(layers()).toEqual([]);
});

test("a store that is no folder, and a home that is not there", async () => {
  const file = join(freshFolder(), "file");
  writeFileSync(file, "");
  registry.add("1", makeImage());
  for (const home of [file, join(file, "below"), "/proc/nowhere"]) {
    const { status, stderr } = await carrick(["pull", name], { env: { CARRICK_HOME: home } });
    expect(status).toBe(125);
    expect(stderr).toMatch(/^carrick: the image store .*\n$/);
  }
});

/** Runs in a mount namespace of its own; null where the host does not allow that. */
function namespace(script: string): readonly string[] | null {
  const flags = process.getuid!() === 0 ? ["-m"] : ["-rm"];
  const probe = Bun.spawnSync(["unshare", ...flags, "mount", "-t", "tmpfs", "none", "/mnt"], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  if (probe.exitCode !== 0) return null;
  return ["unshare", ...flags, "sh", "-c", `${script} && exec "$@"`, "sh"];
}

const canMount = namespace("true") !== null;
if (!canMount) console.log("skipped: tests of full and read-only disks, because this host allows no mount namespaces");

test.skipIf(!canMount)("a full disk is one sentence, and nothing stays", async () => {
  const home = freshFolder();
  const noise = crypto.getRandomValues(new Uint8Array(65536));
  registry.add("1", makeImage({ layers: [tar([{ name: "a", body: Buffer.concat(Array(40).fill(noise)) }])] }));
  const prefix = namespace(`mount -t tmpfs -o size=1m none ${home}`)!;
  const { status, stderr } = await carrick(["pull", "-q", name], { prefix, env: { CARRICK_HOME: home } });
  expect(stderr).toBe(`carrick: the disk with the image store ${home} is full\n`);
  expect(status).toBe(125);
  const left = namespace(`mount -t tmpfs -o size=1m none ${home}; "$@"; find ${home} -type f -size +0 >&2; true`)!;
  const { stderr: files } = await carrick(["pull", "-q", name], { prefix: left, env: { CARRICK_HOME: home } });
  expect(files).not.toContain(`${home}/work`);
  expect(files).not.toContain(`${home}/layers`);
});

test.skipIf(!canMount)("a read-only store can be used but not changed", async () => {
  registry.add("1", makeImage());
  registry.add("2", makeImage({ layers: [tar([{ name: "other", body: "x" }])] }));
  await pullInto(store, name);
  const prefix = namespace(`mount --bind ${store.path} ${store.path} && mount -o remount,bind,ro ${store.path}`)!;
  const pull = await carrick(["pull", "-q", `${registry.host}/a/b:2`], options({ prefix }));
  expect(pull.stderr).toMatch(/^carrick: the image store .* is on a read-only file system\n$/);
  expect(pull.status).toBe(125);
  const images = await carrick(["images"], options({ prefix }));
  expect(images.status).toBe(0);
  expect(images.stdout).toContain(`${registry.host}/a/b`);
  const removal = await carrick(["rmi", name], options({ prefix }));
  expect(removal.stderr).toMatch(/^carrick: the image store .* is on a read-only file system\n$/);
  expect(removal.status).toBe(125);
});

test("stray files of every kind in the work folder are swept", async () => {
  store.prepare();
  mkdirSync(join(store.path, "work", "a", "b"), { recursive: true });
  writeFileSync(join(store.path, "work", "c"), "x");
  writeFileSync(join(store.path, "work", "d.lock"), "");
  store.prepare();
  expect(work()).toEqual([]);
});

test("work in progress of others is not swept", async () => {
  store.prepare();
  const claimed = await store.claimWork("mine");
  writeFileSync(join(claimed.path, "tar"), "x");
  expect((await carrick(["prune"], options())).status).toBe(0);
  expect(readFileSync(join(claimed.path, "tar"), "utf8")).toBe("x");
  claimed.release();
  expect(work()).toEqual([]);
});

test("an empty store answers", async () => {
  const home = join(freshFolder(), "not", "yet");
  const empty = new ImageStore(home);
  expect(empty.records()).toEqual([]);
  expect((await carrick(["images"], { env: { CARRICK_HOME: home } })).stdout).toMatch(
    /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n$/,
  );
  expect(existsSync(home)).toBe(false);
  expect((await carrick(["prune"], { env: { CARRICK_HOME: home } })).stdout).toBe(
    "Total reclaimed space: 0B (0 bytes)\n",
  );
});
