// The decoders of what registries send: only what they promise comes through, the rest is one sentence.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseChallenges } from "../../../src/oci/challenge.ts";
import { isDigest } from "../../../src/oci/digest.ts";
import { decodeImageConfig } from "../../../src/oci/image-config.ts";
import { decodeRecord } from "../../../src/oci/image-record.ts";
import { MAX_JSON_BYTES, parseJson } from "../../../src/oci/json.ts";
import { decodeManifest, OCI_MANIFEST } from "../../../src/oci/manifest.ts";
import { OciError } from "../../../src/oci/oci-error.ts";
import { checkPlatform, selectPlatform } from "../../../src/oci/platform.ts";
import { makeImage, makeIndex } from "../../support/images.ts";

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const DIGEST = `sha256:${"0".repeat(64)}`;
const CONFIG = { mediaType: "application/vnd.oci.image.config.v1+json", digest: DIGEST, size: 2 };
const LAYER = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: DIGEST, size: 2 };
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

test("digests are names only when they are complete and canonical", () => {
  expect(isDigest(DIGEST)).toBe(true);
  for (const text of [
    "",
    "sha256",
    "sha256:",
    `sha256:${"0".repeat(63)}`,
    `sha256:${"0".repeat(63)}G`,
    `SHA256:${"0".repeat(64)}`,
  ])
    expect(isDigest(text)).toBe(false);
  expect(isDigest(`sha256:../../${"0".repeat(58)}`)).toBe(false);
  expect(isDigest(`constructor:${"0".repeat(64)}`)).toBe(false);
});

test("a manifest and an index", () => {
  const image = makeImage();
  const manifest = decodeManifest(image.manifest, OCI_MANIFEST, "it");
  expect(manifest).toMatchObject({ kind: "manifest", config: { digest: image.configDigest } });
  const index = decodeManifest(makeIndex([{ image, platform: { os: "linux", architecture: "arm64" } }]), "", "it");
  expect(index.kind === "index" && index.entries[0]?.platform).toEqual({
    os: "linux",
    architecture: "arm64",
    variant: "",
  });
});

test("broken and hostile manifests are refused with a reason", () => {
  const cases: readonly (readonly [document: unknown, type: string, why: RegExp])[] = [
    [[], "", /not a JSON object/],
    [{ schemaVersion: 1, name: "a", fsLayers: [] }, "", /schema 1/],
    [{ schemaVersion: 2, config: CONFIG, layers: [], manifests: [] }, "", /index and a manifest at once/],
    [{ schemaVersion: 2, fsLayers: [], manifests: [] }, "", /at once/],
    [{ schemaVersion: 2 }, "", /neither/],
    [{ schemaVersion: 2, mediaType: INDEX_TYPE, config: CONFIG, layers: [] }, "", /not what its kind/],
    [{ schemaVersion: 2, mediaType: OCI_MANIFEST, manifests: [] }, "", /not what its kind/],
    [{ schemaVersion: 2, mediaType: OCI_MANIFEST, config: CONFIG, layers: [] }, INDEX_TYPE, /but was sent as/],
    [{ schemaVersion: 2, mediaType: "text/html" }, "", /unknown kind/],
    [
      { config: { ...CONFIG, mediaType: "application/vnd.cncf.helm.config.v1+json" }, layers: [] },
      "",
      /not an image but/,
    ],
    [{ config: { ...CONFIG, digest: "sha256:../../x" }, layers: [] }, "", /digest/],
    [{ config: { ...CONFIG, size: -1 }, layers: [] }, "", /size/],
    [{ config: { ...CONFIG, size: 1e300 }, layers: [] }, "", /size/],
    [{ config: { ...CONFIG, size: "2" }, layers: [] }, "", /size/],
    [{ config: CONFIG, layers: {} }, "", /list/],
    [{ config: CONFIG, layers: [1] }, "", /not a JSON object/],
    [{ config: CONFIG, layers: Array(600).fill(LAYER) }, "", /600 layers/],
    [{ manifests: Array(1001).fill(CONFIG) }, "", /1001 manifests/],
    [{ config: CONFIG, layers: [{ ...LAYER, mediaType: `${LAYER.mediaType}+encrypted` }] }, "", /encrypted/],
    [
      {
        config: CONFIG,
        layers: [{ ...LAYER, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }],
      },
      "",
      /foreign/,
    ],
    [
      { config: CONFIG, layers: [{ ...LAYER, mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar" }] },
      "",
      /foreign/,
    ],
    [{ config: CONFIG, layers: [{ ...LAYER, mediaType: "text/plain" }] }, "", /unknown kind/],
  ];
  for (const [document, type, why] of cases) {
    expect(() => decodeManifest(encode(document), type, "it")).toThrow(OciError);
    expect(() => decodeManifest(encode(document), type, "it")).toThrow(why);
  }
});

test("JSON is capped, must be UTF-8, and may nest as it likes", () => {
  expect(() => parseJson(new Uint8Array(MAX_JSON_BYTES + 1), "it")).toThrow(/not accepted/);
  expect(() => parseJson(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), "it")).toThrow(/not valid JSON/);
  expect(() => parseJson(new TextEncoder().encode("[".repeat(1_000_000)), "it")).toThrow(OciError);
  const deep = `{"a":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`;
  try {
    parseJson(new TextEncoder().encode(deep), "it");
  } catch (error) {
    expect(error).toBeInstanceOf(OciError);
  }
});

test("configurations: what Docker writes, and what nobody should", () => {
  const image = makeImage({
    config: {
      User: "1:2",
      Env: ["A=b c"],
      Entrypoint: null,
      Cmd: [],
      WorkingDir: "/w",
      StopSignal: "SIGUSR1",
      Volumes: { "/v": {} },
      Labels: { l: "m" },
    },
  });
  const config = decodeImageConfig(image.blobs.get(image.configDigest)!, "it");
  expect(config).toMatchObject({
    user: "1:2",
    env: ["A=b c"],
    entrypoint: null,
    cmd: [],
    workingDir: "/w",
    volumes: ["/v"],
    stopSignal: "SIGUSR1",
  });
  expect(config.labels.get("l")).toBe("m");
  const rootfs = { type: "layers", diff_ids: [DIGEST] };
  const cases: readonly (readonly [document: unknown, why: RegExp])[] = [
    [{}, /rootfs/],
    [{ rootfs: { type: "zip" } }, /not made of layers/],
    [{ rootfs: { type: "layers", diff_ids: ["sha256:../x"] } }, /digest/],
    [{ rootfs, config: { Env: "A=b" } }, /list/],
    [{ rootfs, config: { Env: [1] } }, /list of strings/],
    [{ rootfs, config: { Cmd: ["a\u0000b"] } }, /NUL/],
    [{ rootfs, config: { WorkingDir: "/a\u0000" } }, /NUL/],
    [{ rootfs, config: { Volumes: { "/a\u0000": {} } } }, /NUL/],
    [{ rootfs, config: { Volumes: ["/a"] } }, /JSON object/],
    [{ rootfs, config: { User: 0 } }, /string/],
    [{ rootfs, config: [] }, /JSON object/],
    [{ rootfs, os: 3 }, /string/],
  ];
  for (const [document, why] of cases) expect(() => decodeImageConfig(encode(document), "it")).toThrow(why);
});

test("names of Object's own properties are no fields", () => {
  const root = parseJson(encode({}), "it");
  for (const name of ["constructor", "toString", "__proto__"]) expect(root.has(name)).toBe(false);
});

test("decoders answer any JSON and any bytes with a value or an OciError", () => {
  const field = fc.constantFrom(
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "digest",
    "size",
    "platform",
    "rootfs",
    "diff_ids",
    "type",
    "Env",
    "os",
    "annotations",
    "name",
    "topDigest",
  );
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(DIGEST),
    fc.constant(OCI_MANIFEST),
    fc.constant("layers"),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(field, tie("value"), { maxKeys: 6 }),
    ),
  }));
  const bytes = fc.oneof(value.map(encode), fc.uint8Array({ maxLength: 64 }));
  fc.assert(
    fc.property(bytes, (b) => {
      for (const decode of [
        (x: Uint8Array) => decodeManifest(x, "", "it"),
        (x: Uint8Array) => decodeImageConfig(x, "it"),
      ]) {
        try {
          decode(b);
        } catch (error) {
          expect(error).toBeInstanceOf(OciError);
        }
      }
      decodeRecord(b, "it");
    }),
    { numRuns: 2000 },
  );
});

test("platforms", () => {
  for (const text of ["linux/arm64", "linux/arm64/v8", "LINUX/aarch64", "arm64", "linux"]) checkPlatform(text);
  for (const text of ["linux/amd64", "windows/arm64", "linux/arm", "linux/arm64/v9", "linux/arm64/v8/x", "", "/"])
    expect(() => checkPlatform(text)).toThrow(/carrick runs linux\/arm64/);
  const entry = (architecture: string, variant = "", os = "linux") => ({ platform: { os, architecture, variant } });
  expect(selectPlatform([entry("amd64"), entry("arm64", "v8")], "it")).toEqual(entry("arm64", "v8"));
  expect(selectPlatform([entry("amd64"), { platform: null }], "it").platform).toBeNull();
  expect(() => selectPlatform([entry("amd64"), entry("arm", "v7"), entry("unknown", "", "unknown")], "it")).toThrow(
    "it has no image for linux/arm64, only for linux/amd64, linux/arm/v7",
  );
  expect(() => selectPlatform([], "it")).toThrow(/none at all/);
});

test("challenges: several in one header, quotes, escapes, rubbish", () => {
  const parse = (text: string) => parseChallenges(text).map((c) => [c.scheme, Object.fromEntries(c.parameters)]);
  expect(parse('Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"')).toEqual([
    ["bearer", { realm: "https://a/t", service: "s", scope: "repository:x:pull,push" }],
  ]);
  expect(parse('Basic realm="a, b=\\"c\\"", Bearer realm = x , Negotiate')).toEqual([
    ["basic", { realm: 'a, b="c"' }],
    ["bearer", { realm: "x" }],
    ["negotiate", {}],
  ]);
  expect(parse("")).toEqual([]);
  expect(parse('"""')).toEqual([]);
  fc.assert(fc.property(fc.string(), (text) => parseChallenges(text).length >= 0));
  expect(parseChallenges(`Bearer ${"a=".repeat(100_000)}`).length).toBeGreaterThan(0);
});
