// Images from this machine: layouts, archives of both kinds, compressed or piped, broken and hostile.

import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OciError } from "../../src/oci/oci-error.ts";
import type { ImageStore } from "../../src/oci/store.ts";
import { carrick, startCarrick } from "../support/carrick.ts";
import { freshFolder, freshStore, pullInto, removeFolders } from "../support/image-store.ts";
import {
  DEFAULT_LAYER,
  dockerArchive,
  layoutFiles,
  makeImage,
  makeIndex,
  named,
  type TestImage,
  tar,
  tarOf,
  writeFiles,
} from "../support/images.ts";

// Many of these tests start programs, which a busy machine may do slowly.
setDefaultTimeout(60_000);

const OTHER_LAYER = tar([{ name: "other", body: "other" }]);

let store: ImageStore;
let folder: string;
let image: TestImage;

beforeEach(() => {
  store = freshStore();
  folder = freshFolder();
  image = makeImage();
});
afterAll(removeFolders);

async function failure(name: string): Promise<string> {
  try {
    await pullInto(store, name);
  } catch (caught) {
    expect(caught).toBeInstanceOf(OciError);
    expect(readdirSync(join(store.path, "work"))).toEqual([]);
    return (caught as Error).message;
  }
  throw new Error("it succeeded");
}

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const load = (args: readonly string[], stdin?: Uint8Array) =>
  carrick(["load", ...args], { env: { CARRICK_HOME: store.path }, ...(stdin === undefined ? {} : { stdin }) });

test("a layout: the only image, one of several, one for several platforms", async () => {
  const other = makeImage({ layers: [OTHER_LAYER] });
  const amd64 = makeImage({ architecture: "amd64" });
  writeFiles(folder, layoutFiles([named(image, "x")]));
  expect((await pullInto(store, `oci:${folder}`)).manifestDigest).toBe(image.manifestDigest);
  expect((await pullInto(store, `oci:${folder}:x`)).manifestDigest).toBe(image.manifestDigest);
  writeFiles(folder, layoutFiles([named(image, "x"), named(other, "y")]));
  expect((await pullInto(store, `oci:${folder}:y`)).manifestDigest).toBe(other.manifestDigest);
  expect(await failure(`oci:${folder}`)).toMatch(/several images; name one of: x, y/);
  expect(await failure(`oci:${folder}:z`)).toMatch(/does not exist there; there are: x, y/);
  const platforms = [
    { image: amd64, platform: { os: "linux", architecture: "amd64" } },
    { image, platform: { os: "linux", architecture: "arm64" } },
  ];
  writeFiles(folder, layoutFiles(platforms));
  expect((await pullInto(store, `oci:${folder}`)).manifestDigest).toBe(image.manifestDigest);
  writeFiles(folder, layoutFiles([]));
  expect(await failure(`oci:${folder}`)).toMatch(/holds no image/);
});

test("a layout that changes is read anew", async () => {
  writeFiles(folder, layoutFiles([named(image, "x")]));
  await pullInto(store, `oci:${folder}:x`);
  const changed = makeImage({ layers: [OTHER_LAYER] });
  writeFiles(folder, layoutFiles([named(changed, "x")]));
  expect((await pullInto(store, `oci:${folder}:x`)).manifestDigest).toBe(changed.manifestDigest);
});

test("what is no layout, and layouts with holes", async () => {
  expect(await failure(`oci:${join(folder, "none")}`)).toMatch(/not an image layout: it has no oci-layout/);
  const files = layoutFiles([named(image, "x")]);
  const broken = async (change: (path: string) => void, why: RegExp): Promise<void> => {
    rmSync(folder, { recursive: true });
    writeFiles(folder, files);
    change(folder);
    expect(await failure(`oci:${folder}`)).toMatch(why);
  };
  const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
  await broken((f) => rmSync(join(f, "index.json")), /has no index\.json/);
  await broken((f) => writeFileSync(join(f, "oci-layout"), '{"imageLayoutVersion":"9"}'), /unknown layout version 9/);
  await broken((f) => writeFileSync(join(f, "index.json"), "{"), /not valid JSON/);
  await broken((f) => writeFileSync(join(f, "index.json"), image.manifest), /but was sent as/);
  await broken((f) => rmSync(join(f, blob(image.manifestDigest))), /is missing/);
  await broken((f) => rmSync(join(f, blob(image.configDigest))), /is missing/);
  await broken((f) => rmSync(join(f, blob(image.layerDigests[0]!))), /is missing/);
  await broken((f) => writeFileSync(join(f, blob(image.manifestDigest)), "{}"), /bytes instead of/);
  await broken((f) => writeFileSync(join(f, blob(image.configDigest)), "{}"), /ends after|more than|damaged/);
  await broken((f) => {
    rmSync(join(f, blob(image.layerDigests[0]!)));
    mkdirSync(join(f, blob(image.layerDigests[0]!)));
  }, /is missing/);
});

test("an archive of a layout, plain, compressed and piped", async () => {
  const bytes = tarOf(
    layoutFiles([named(image, "reg.example/a/b:1"), named(makeImage({ layers: [OTHER_LAYER] }), "y")]),
  );
  const plain = write("a.tar", bytes);
  expect((await pullInto(store, `oci-archive:${plain}:reg.example/a/b:1`)).manifestDigest).toBe(image.manifestDigest);
  const packed = write("a.tar.gz", Bun.gzipSync(bytes as Uint8Array<ArrayBuffer>));
  const expected = (path: string): string => `Loaded image: reg.example/a/b:1\nLoaded image: oci-archive:${path}:y\n`;
  expect(await load(["-i", plain])).toMatchObject({ status: 0, stdout: expected(plain) });
  expect(await load(["-q", "-i", packed])).toMatchObject({ status: 0, stdout: expected(packed), stderr: "" });
  expect(await load([], bytes)).toMatchObject({ status: 0, stdout: expected("/dev/stdin") });
  expect(readdirSync(join(store.path, "work"))).toEqual([]);
});

test("Ctrl-C ends a load that waits for its pipe, and leaves nothing", async () => {
  const running = startCarrick(["load"], { env: { CARRICK_HOME: store.path }, stdin: "pipe" });
  (running.child.stdin as Bun.FileSink).write(DEFAULT_LAYER.slice(0, 100));
  (running.child.stdin as Bun.FileSink).flush();
  const work = join(store.path, "work");
  while (!existsSync(work) || !readdirSync(work).some((name) => existsSync(join(work, name, "archive"))))
    await Bun.sleep(5);
  running.child.kill("SIGINT");
  expect(await running.ended).toMatchObject({
    signal: null,
    status: 125,
    stderr: "carrick: interrupted; only complete layers are kept\n",
  });
  expect(readdirSync(work)).toEqual([]);
});

test("what docker save writes, with and without names, with compressed and linked layers", async () => {
  const two = makeImage({ layers: [DEFAULT_LAYER, OTHER_LAYER], compression: "none" });
  const archive = write("d.tar", dockerArchive(two, [DEFAULT_LAYER, OTHER_LAYER], ["a/b:1", "localhost:5000/c:2"]));
  expect(await load(["-i", archive])).toMatchObject({
    status: 0,
    stdout: "Loaded image: a/b:1\nLoaded image: localhost:5000/c:2\n",
  });
  const opened = (await store.openImage("localhost:5000/c:2"))!;
  expect(opened.layers.map((l) => l.diffId)).toEqual([...two.diffIds]);
  expect(readFileSync(opened.layers[1]!.tarPath).equals(OTHER_LAYER)).toBe(true);
  opened.release();
  for (const name of [`docker-archive:${archive}`, `docker-archive:${archive}:a/b:1`, `docker-archive:${archive}:@0`])
    expect((await pullInto(store, name)).configDigest).toBe(two.configDigest);
  const unnamed = write("u.tar", dockerArchive(two, [DEFAULT_LAYER, OTHER_LAYER], null));
  expect((await load([unnamed])).stdout).toBe(`Loaded image: docker-archive:${unnamed}:@0\n`);
  const fresh = freshStore();
  const packed = [DEFAULT_LAYER, OTHER_LAYER].map((l) => Bun.gzipSync(l as Uint8Array<ArrayBuffer>));
  await pullInto(fresh, `docker-archive:${write("c.tar", dockerArchive(two, packed, null))}`);
  (await fresh.openImage(`docker-archive:${join(folder, "c.tar")}`))!.release();
  const hex = (i: number): string => two.diffIds[i]!.slice(7);
  const json = (value: unknown): string => JSON.stringify(value);
  const linked = tar([
    { name: `./${hex(0)}/layer.tar`, body: DEFAULT_LAYER },
    { name: "x/layer.tar", type: "2", link: `../${hex(0)}/layer.tar` },
    { name: "cfg.json", body: two.blobs.get(two.configDigest)! },
    { name: `${hex(1)}/layer.tar`, body: OTHER_LAYER },
    {
      name: "manifest.json",
      body: json([{ Config: "cfg.json", RepoTags: [], Layers: ["x/layer.tar", `${hex(1)}/layer.tar`] }]),
    },
  ]);
  await pullInto(freshStore(), `docker-archive:${write("l.tar", linked)}`);
});

test("archives that are none, or are broken, are refused with a reason", async () => {
  const two = makeImage({ layers: [DEFAULT_LAYER], compression: "none" });
  const config = two.blobs.get(two.configDigest)!;
  const manifest = (value: unknown): Uint8Array =>
    tar([
      { name: "c", body: config },
      { name: "manifest.json", body: JSON.stringify(value) },
    ]);
  const cases: readonly (readonly [bytes: Uint8Array, why: RegExp])[] = [
    [new TextEncoder().encode("hello"), /not an image archive/],
    [new Uint8Array(5000), /no manifest\.json/],
    [tar([]), /no manifest\.json/],
    [dockerArchive(two, [DEFAULT_LAYER], null).slice(0, 1500), /ends too early|not an image archive/],
    [manifest([]), /holds no image/],
    [manifest({}), /list is not a list/],
    [manifest([{ Config: "c", Layers: [] }]), /0 layers, but 1/],
    [manifest([{ Config: "d", Layers: [] }]), /d is missing/],
    [manifest([{ Config: "c", Layers: ["../../../../etc/passwd"] }]), /etc\/passwd is missing/],
    [manifest([{ Config: "c", Layers: ["c"] }]), /damaged|not what|cannot be used/],
    [manifest([{ Config: "c", RepoTags: ["Not A Name"], Layers: ["c"] }]), /not an image name/],
    [dockerArchive(two, [OTHER_LAYER], null), /damaged|ends after|more than/],
  ];
  for (const [bytes, why] of cases) expect(await failure(`docker-archive:${write("x.tar", bytes)}`)).toMatch(why);
  expect(await failure(`docker-archive:${join(folder, "none")}`)).toMatch(/none does not exist/);
  expect(await failure(`docker-archive:${folder}`)).toMatch(/is a folder/);
  expect(await failure(`oci-archive:${write("y.tar", tar([]))}`)).toMatch(/not an image layout/);
  const { status, stderr } = await load(["-q", "-i", join(folder, "none")]);
  expect([status, stderr]).toEqual([125, `carrick: ${join(folder, "none")} does not exist\n`]);
});

test("names in an archive are never paths of this machine", async () => {
  const secret = write("secret", new TextEncoder().encode("secret"));
  const hostile = tar([
    { name: "oci-layout", type: "2", link: secret },
    { name: "index.json", type: "2", link: "/etc/passwd" },
    { name: "manifest.json", type: "1", link: secret },
    { name: "../../escape", body: "x" },
    { name: "/absolute", body: "x" },
  ]);
  const path = write("h.tar", hostile);
  for (const kind of ["oci-archive", "docker-archive"])
    expect(await failure(`${kind}:${path}`)).toMatch(/not an image layout|no manifest/);
  expect(existsSync(join(folder, "..", "..", "escape"))).toBe(false);
  const circle = tar([
    { name: "oci-layout", type: "2", link: "b" },
    { name: "b", type: "2", link: "oci-layout" },
  ]);
  expect(await failure(`oci-archive:${write("c.tar", circle)}`)).toMatch(/no oci-layout/);
});

test("an index of 4 MiB in a layout is refused", async () => {
  writeFiles(folder, layoutFiles([named(image, "x")]));
  writeFileSync(
    join(folder, "index.json"),
    Buffer.concat([makeIndex([named(image, "x")]), Buffer.alloc(5 << 20, 0x20)]),
  );
  expect(await failure(`oci:${folder}`)).toMatch(/more than 4194304/);
});
