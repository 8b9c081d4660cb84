// Images as other builders, registries and tools make them: what carrick has no use for must not be in the way, and what cannot be an
// image is refused in one sentence.

import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../src/oci/digest.ts";
import { OciError } from "../../src/oci/oci-error.ts";
import type { ImageStore } from "../../src/oci/store.ts";
import { carrick, type Ended } from "../support/carrick.ts";
import { FakeRegistry } from "../support/fake-registry.ts";
import { freshFolder, freshStore, pullInto, removeFolders } from "../support/image-store.ts";
import {
  DEFAULT_LAYER,
  type ImageOptions,
  layoutFiles,
  makeImage,
  makeIndex,
  named,
  type TestImage,
  tar,
  tarOf,
  writeFiles,
} from "../support/images.ts";

setDefaultTimeout(60_000);

const OCI = "application/vnd.oci.image";
const DOCKER = "application/vnd.docker";
const INDEX = `${OCI}.index.v1+json`;
const ARM64 = { os: "linux", architecture: "arm64" };
const UNKNOWN = { os: "unknown", architecture: "unknown" };

let registry: FakeRegistry;
let store: ImageStore;

beforeEach(() => {
  registry = new FakeRegistry();
  store = freshStore();
});
afterEach(() => registry.stop());
afterAll(removeFolders);

/** Pulls what the registry has under "1"; the stored tars. */
async function pulled(): Promise<Buffer[]> {
  const fresh = freshStore();
  const name = `${registry.host}/a/b:1`;
  await pullInto(fresh, name);
  const opened = (await fresh.openImage(name))!;
  const tars = opened.layers.map(({ tarPath }) => readFileSync(tarPath));
  opened.release();
  return tars;
}

async function failure(): Promise<string> {
  try {
    await pulled();
  } catch (error) {
    expect(error).toBeInstanceOf(OciError);
    expect((error as Error).message).not.toContain("\n");
    return (error as Error).message;
  }
  throw new Error("the pull succeeded");
}

/** An image whose one layer is `blob`, which unpacks to `content`. */
function packed(blob: Uint8Array, content: Uint8Array, layer: object = {}, options: ImageOptions = {}): TestImage {
  const descriptor = { mediaType: `${OCI}.layer.v1.tar+gzip`, digest: digestOf(blob), size: blob.length, ...layer };
  const made = makeImage({
    layers: [content],
    ...options,
    changeManifest: (m) => {
      m["layers"] = [descriptor];
      options.changeManifest?.(m);
    },
  });
  made.blobs.set(digestOf(blob), blob);
  return made;
}

/** The image as it is, with changes to its manifest. */
function changed(change: (manifest: Record<string, unknown>) => void, options: ImageOptions = {}): TestImage {
  return makeImage({ ...options, changeManifest: change });
}

const config = (m: Record<string, unknown>): Record<string, unknown> => m["config"] as Record<string, unknown>;
const layers = (m: Record<string, unknown>): Record<string, unknown>[] => m["layers"] as Record<string, unknown>[];

test("zstd:chunked: frames for each file, skippable frames with the table of contents and the footer behind them", async () => {
  const skippable = (bytes: number): Buffer => {
    const frame = Buffer.alloc(8 + bytes, "t");
    frame.writeUInt32LE(0x184d2a50, 0);
    frame.writeUInt32LE(bytes, 4);
    return frame;
  };
  const cut = [0, 512, 1024, DEFAULT_LAYER.length];
  const frames = cut.slice(1).map((end, i) => Bun.zstdCompressSync(DEFAULT_LAYER.slice(cut[i], end)));
  const blob = Buffer.concat([frames[0]!, frames[1]!, frames[2]!, skippable(3000), skippable(64)]);
  const annotations = { "io.github.containers.zstd-chunked.manifest-position": "1:2:3:1" };
  registry.add("1", packed(blob, DEFAULT_LAYER, { mediaType: `${OCI}.layer.v1.tar+zstd`, annotations }));
  expect(await pulled()).toEqual([Buffer.from(DEFAULT_LAYER)]);
});

test("eStargz: a member for each file, a table of contents among the files, an empty member with an extra field as footer", async () => {
  const content = tar([
    { name: ".no.prefetch.landmark", body: "\x0f" },
    { name: "bin/", type: "5" },
    { name: "bin/f", body: "f".repeat(5000) },
    { name: "stargz.index.json", body: JSON.stringify({ version: 1, entries: [] }) },
  ]);
  const cuts = [0, 1024, 1536, 7168, content.length];
  const members = cuts.slice(1).map((end, i) => Bun.gzipSync(content.slice(cuts[i], end) as Uint8Array<ArrayBuffer>));
  const footer = Buffer.from(
    "1f8b08040000000000ff1a00534716003030303030303030303030303062363653544152475a010000ffff0000000000000000",
    "hex",
  );
  expect(Bun.gunzipSync(footer)).toHaveLength(0);
  const annotations = { "containerd.io/snapshot/stargz/toc.digest": `sha256:${"0".repeat(64)}` };
  registry.add("1", packed(Buffer.concat([...members, footer]), content, { annotations }));
  expect(await pulled()).toEqual([Buffer.from(content)]);
});

test("empty layers: Docker's, one of no bytes at all, one that packs no bytes", async () => {
  const zeros = new Uint8Array(1024);
  registry.add("1", makeImage({ layers: [DEFAULT_LAYER, zeros, zeros] }));
  expect((await pulled()).map((t) => t.length)).toEqual([DEFAULT_LAYER.length, 1024, 1024]);
  const nothing = new Uint8Array(0);
  for (const blob of [Bun.gzipSync(nothing), Bun.zstdCompressSync(nothing), nothing]) {
    registry.add("1", packed(blob, nothing));
    expect(await pulled()).toEqual([Buffer.alloc(0)]);
  }
  registry.add("1", makeImage({ layers: [] }));
  expect(await pulled()).toEqual([]);
});

test("fields that say nothing to us: data, urls, subject, annotations, history, artifact types", async () => {
  const image = changed(
    (m) => {
      config(m)["data"] = "e30=";
      m["subject"] = { mediaType: `${OCI}.manifest.v1+json`, digest: `sha256:${"1".repeat(64)}`, size: 5 };
      m["annotations"] = { a: "b" };
      m["artifactType"] = "application/vnd.example";
      for (const layer of layers(m)) {
        layer["urls"] = ["http://169.254.169.254/latest", "file:///etc/passwd"];
        layer["data"] = "AAAA";
        layer["platform"] = { os: "windows" };
      }
    },
    {
      changeConfig: (c) => {
        c["history"] = [{ empty_layer: true }, {}, { created_by: "x" }];
        c["os.version"] = "1";
        c["docker_version"] = "1";
        Object.assign(c["config"] as object, {
          Healthcheck: { Test: ["NONE"] },
          OnBuild: ["RUN x"],
          Shell: ["/x"],
          ArgsEscaped: true,
          MacAddress: "",
          OpenStdin: true,
          Volumes: null,
          Entrypoint: null,
        });
      },
    },
  );
  registry.add("1", image);
  expect(await pulled()).toEqual([Buffer.from(DEFAULT_LAYER)]);
});

test("a configuration without a config, and one that is null", async () => {
  for (const value of [undefined, null]) {
    registry.add("1", makeImage({ changeConfig: (c) => void (c["config"] = value) }));
    expect(await pulled()).toHaveLength(1);
  }
});

test("kinds of configurations and layers that other writers mix", async () => {
  for (const type of [
    `${DOCKER}.container.image.v1+json`,
    "application/octet-stream",
    "application/json",
    "text/html",
  ]) {
    registry.add(
      "1",
      changed((m) => void (config(m)["mediaType"] = type)),
    );
    expect(await pulled()).toHaveLength(1);
  }
  for (const type of [`${DOCKER}.image.rootfs.diff.tar.gzip`, `${OCI}.layer.v1.tar`, `${OCI}.layer.v1.tar+zstd`]) {
    registry.add(
      "1",
      changed((m) => void (layers(m)[0]!["mediaType"] = type)),
    );
    expect(await pulled()).toEqual([Buffer.from(DEFAULT_LAYER)]);
  }
  const refused: readonly (readonly [layer: string, why: RegExp])[] = [
    [`${DOCKER}.image.rootfs.foreign.diff.tar.gzip`, /foreign/],
    [`${OCI}.layer.nondistributable.v1.tar+zstd`, /foreign/],
    [`${OCI}.layer.v1.tar+gzip+encrypted`, /encrypted/],
    [`${OCI}.layer.v1.tar+lz4`, /unknown kind/],
    ["application/vnd.in-toto+json", /unknown kind/],
    ["application/vnd.wasm.content.layer.v1+wasm", /unknown kind/],
    ["", /unknown kind/],
  ];
  for (const [type, why] of refused) {
    registry.add(
      "1",
      changed((m) => void (layers(m)[0]!["mediaType"] = type)),
    );
    expect(await failure()).toMatch(why);
  }
});

test("artifacts that are no images: charts, signatures, attestations, policies", async () => {
  const kinds = [
    "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.oci.empty.v1+json",
    "application/vnd.unknown.config.v1+json",
  ];
  for (const type of kinds) {
    registry.add(
      "1",
      changed((m) => void (config(m)["mediaType"] = type)),
    );
    expect(await failure()).toContain(`not an image but ${type}`);
  }
  registry.add(
    "1",
    changed((m) => {
      config(m)["mediaType"] = kinds[1];
      m["artifactType"] = "application/vnd.dev.cosign.artifact.sig.v1+json";
    }),
  );
  expect(await failure()).toContain("not an image but application/vnd.dev.cosign.artifact.sig.v1+json");
  registry.addManifest(
    "1",
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: `${OCI}.artifact.manifest.v1+json`, blobs: [] })),
    "",
  );
  expect(await failure()).toMatch(/unknown kind/);
});

test("indexes with attestations first, with several variants, with ours twice, with none that runs", async () => {
  const image = makeImage();
  const other = makeImage({ layers: [tar([{ name: "other", body: "x" }])] });
  const attestation = changed((m) => void (layers(m)[0]!["mediaType"] = "application/vnd.in-toto+json"), {
    architecture: "unknown",
    os: "unknown",
  });
  const annotations = { "vnd.docker.reference.type": "attestation-manifest" };
  const index = (...members: Parameters<typeof makeIndex>[0]): void => {
    for (const { image: member } of members) registry.add("x", member);
    registry.addManifest("1", makeIndex(members), INDEX);
  };
  index({ image: attestation, platform: UNKNOWN, annotations }, { image, platform: ARM64 });
  expect(await pulled()).toEqual([Buffer.from(DEFAULT_LAYER)]);
  index(
    { image: other, platform: { ...ARM64, variant: "v9" } },
    { image: other, platform: { ...ARM64, variant: "v7" } },
    { image, platform: { ...ARM64, variant: "v8" } },
  );
  expect(await pulled()).toEqual([Buffer.from(DEFAULT_LAYER)]);
  index({ image, platform: ARM64 }, { image: other, platform: ARM64 });
  expect(await pulled()).toEqual([Buffer.from(DEFAULT_LAYER)]);
  index(
    { image: other, platform: { os: "windows", architecture: "arm64" } },
    { image: attestation, platform: UNKNOWN },
  );
  expect(await failure()).toMatch(/only for windows\/arm64$/);
  index({ image: attestation, platform: UNKNOWN });
  expect(await failure()).toMatch(/none at all$/);
  registry.addManifest("1", makeIndex([]), INDEX);
  expect(await failure()).toMatch(/none at all$/);
});

test("an index entry whose configuration says another platform is refused", async () => {
  const image = makeImage({ architecture: "amd64" });
  registry.add("x", image);
  registry.addManifest("1", makeIndex([{ image, platform: ARM64 }]), INDEX);
  expect(await failure()).toMatch(/no image for linux\/arm64, only for linux\/amd64/);
});

test("what servers say about a manifest: parameters, capitals, nothing, HTML, an empty body", async () => {
  const image = makeImage();
  const type = `${OCI}.manifest.v1+json`;
  registry.add("1", image);
  const sent = async (
    headers: Record<string, string>,
    body: string | Uint8Array = image.manifest,
  ): Promise<Buffer[]> => {
    registry.hook = (request, url) =>
      url.pathname.includes("/manifests/")
        ? new Response(request.method === "HEAD" ? null : (body as string), { headers })
        : undefined;
    return pulled();
  };
  for (const given of [
    `${type}; charset=utf-8`,
    "application/json",
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "",
  ])
    expect(await sent(given === "" ? {} : { "content-type": given })).toHaveLength(1);
  const bad = async (headers: Record<string, string>, body: string): Promise<string> => {
    try {
      await sent(headers, body);
    } catch (error) {
      expect(error).toBeInstanceOf(OciError);
      return (error as Error).message;
    }
    throw new Error("the pull succeeded");
  };
  expect(await bad({ "content-type": "text/html" }, "<html>Please log in to the network</html>")).toMatch(
    /manifest of .* is not/i,
  );
  expect(await bad({ "content-type": type }, "")).toMatch(/manifest/);
  expect(await bad({ "content-type": INDEX }, Buffer.from(image.manifest).toString())).toMatch(/says it is/);
  expect(await bad({ "content-type": type }, "[]")).toMatch(/manifest/);
  expect(await bad({ "content-type": type }, '{"schemaVersion":2,"config":{},"layers":{}}')).toMatch(/manifest|config/);
  expect(
    await bad(
      { "content-type": `${DOCKER}.distribution.manifest.v1+prettyjws` },
      '{"schemaVersion":1,"fsLayers":[],"history":[]}',
    ),
  ).toMatch(/schema 1/);
});

test("digests by SHA-512, for manifests, configurations, layers and uncompressed layers", async () => {
  const sha512 = (bytes: Uint8Array): string => digestOf(bytes, "sha512");
  const image = makeImage({
    changeConfig: (c) => void (c["rootfs"] = { type: "layers", diff_ids: [sha512(DEFAULT_LAYER)] }),
  });
  const manifest = JSON.parse(Buffer.from(image.manifest).toString()) as Record<string, unknown>;
  for (const part of [config(manifest), ...layers(manifest)]) {
    const bytes = image.blobs.get(part["digest"] as string)!;
    part["digest"] = sha512(bytes);
    registry.blobs.set(part["digest"] as string, bytes);
  }
  const bytes = Buffer.from(JSON.stringify(manifest));
  registry.addManifest(sha512(bytes), bytes, image.manifestType);
  await pullInto(store, `${registry.host}/a/b@${sha512(bytes)}`);
  expect(await store.openImage(`${registry.host}/a/b@${sha512(bytes)}`)).not.toBeNull();
});

/** What docker save has written since it writes both: a layout, and manifest.json beside it. */
function bothFormats(image: TestImage, name: string, extra: Map<string, Uint8Array> = new Map()): Uint8Array {
  const entry = { image, annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": "1" } };
  const files = new Map([...layoutFiles([entry]), ...extra]);
  const path = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
  const document = [
    { Config: path(image.configDigest), RepoTags: [name], Layers: image.layerDigests.map(path), LayerSources: {} },
  ];
  files.set("manifest.json", Buffer.from(JSON.stringify(document)));
  files.set("repositories", Buffer.from("{}"));
  return tarOf(files);
}

const load = (path: string): Promise<Ended> =>
  carrick(["load", "-q", "-i", path], { env: { CARRICK_HOME: store.path } });

function write(name: string, bytes: Uint8Array): string {
  const path = join(freshFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

test("archives that are a layout and have manifest.json too", async () => {
  for (const compression of ["none", "gzip"] as const) {
    const image = makeImage({ compression, layers: [DEFAULT_LAYER, tar([{ name: compression, body: "x" }])] });
    const path = write("both.tar", bothFormats(image, "reg.example/a/b:1"));
    expect(await load(path)).toMatchObject({ status: 0, stdout: "Loaded image: reg.example/a/b:1\n", stderr: "" });
    const opened = (await store.openImage("reg.example/a/b:1"))!;
    // The manifest that the registry had, not one made up.
    expect(opened.manifestDigest).toBe(image.manifestDigest);
    opened.release();
    for (const scheme of ["docker-archive", "oci-archive"]) await pullInto(store, `${scheme}:${path}`);
  }
});

test("an archive of a layout with an index in its index: ours is found, though manifest.json has another", async () => {
  const ours = makeImage();
  const amd64 = makeImage({ architecture: "amd64", layers: [tar([{ name: "amd", body: "x" }])] });
  const index = makeIndex([
    { image: amd64, platform: { os: "linux", architecture: "amd64" } },
    { image: ours, platform: ARM64 },
  ]);
  const whole = { ...ours, manifest: index, manifestType: INDEX, manifestDigest: digestOf(index) };
  whole.blobs.set(digestOf(index), index);
  const entry = { image: whole, annotations: { "io.containerd.image.name": "docker.io/library/x:1" } };
  const files = new Map([...layoutFiles([entry, named(amd64, "amd")])]);
  const indexJson = JSON.parse(Buffer.from(files.get("index.json")!).toString()) as {
    manifests: Record<string, unknown>[];
  };
  indexJson.manifests[0]!["mediaType"] = INDEX;
  indexJson.manifests.length = 1;
  files.set("index.json", Buffer.from(JSON.stringify(indexJson)));
  files.set(
    "manifest.json",
    Buffer.from(
      JSON.stringify([
        {
          Config: `blobs/${amd64.configDigest.replace(":", "/")}`,
          RepoTags: ["x:1"],
          Layers: amd64.layerDigests.map((d) => `blobs/${d.replace(":", "/")}`),
        },
      ]),
    ),
  );
  expect(await load(write("multi.tar", tarOf(files)))).toMatchObject({
    status: 0,
    stdout: "Loaded image: x:1\n",
    stderr: "",
  });
});

test("an oci-archive with several names, with names of every form, and with members that begin with ./", async () => {
  const images = [1, 2, 3].map((i) => makeImage({ layers: [tar([{ name: `f${i}`, body: `${i}` }])] }));
  const files = layoutFiles([named(images[0]!, "1.0"), named(images[1]!, "reg.example/x:2"), { image: images[2]! }]);
  const path = write("several.tar", tarOf(new Map([...files].map(([name, bytes]) => [`./${name}`, bytes]))));
  for (const ref of ["1.0", "@2"]) await pullInto(store, `oci-archive:${path}:${ref}`);
  expect(await load(path)).toMatchObject({
    status: 0,
    stdout: `Loaded image: oci-archive:${path}:1.0\nLoaded image: reg.example/x:2\nLoaded image: oci-archive:${path}:@2\n`,
  });
  const folder = freshFolder();
  writeFiles(folder, layoutFiles([named(images[0]!, "1.0"), named(images[1]!, "1.0")]));
  await pullInto(store, `oci:${folder}:1.0`);
});
