// The registry client and the pull against a registry that misbehaves in every way that real ones and hostile ones do.

import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../src/oci/digest.ts";
import { obtainImage } from "../../src/oci/images.ts";
import { OciError } from "../../src/oci/oci-error.ts";
import { type ImageStore, INDEX_FILE } from "../../src/oci/store.ts";
import { brokenOff, error, FakeRegistry, ranged } from "../support/fake-registry.ts";
import { fetchOptions, freshFolder, freshStore, pullInto, removeFolders, watcher } from "../support/image-store.ts";
import { DEFAULT_LAYER, makeImage, makeIndex, type TestImage, tar } from "../support/images.ts";

// Many of these tests start programs, which a busy machine may do slowly.
setDefaultTimeout(60_000);

const INDEX = "application/vnd.oci.image.index.v1+json";
const ARM64 = { os: "linux", architecture: "arm64", variant: "v8" };
const BIG = tar([
  { name: "big", body: new Uint8Array(new Bun.CryptoHasher("sha512").update("x").digest()).slice(0, 64) },
]);

let registry: FakeRegistry;
let store: ImageStore;
const open: FakeRegistry[] = [];

function another(): FakeRegistry {
  const made = new FakeRegistry();
  open.push(made);
  return made;
}

beforeEach(() => {
  registry = another();
  store = freshStore();
});
afterEach(() => {
  for (const r of open.splice(0)) r.stop();
});
afterAll(removeFolders);

/** An image whose layer is large enough to be broken off in the middle. */
function largeImage(): { image: TestImage; layer: Uint8Array } {
  const noise = new Uint8Array(300_000);
  for (let i = 0; i < noise.length; i += 65536)
    crypto.getRandomValues(noise.subarray(i, Math.min(noise.length, i + 65536)));
  const image = makeImage({ layers: [tar([{ name: "noise", body: noise }])] });
  return { image, layer: image.blobs.get(image.layerDigests[0]!)! };
}

async function failure(name = `${registry.host}/a/b:1`, options = fetchOptions()): Promise<string> {
  try {
    await pullInto(store, name, options);
  } catch (caught) {
    expect(caught).toBeInstanceOf(OciError);
    return (caught as Error).message;
  } finally {
    expectNothingHalf();
  }
  throw new Error("the pull succeeded");
}

/** No work folders, and no layer without both its files. */
function expectNothingHalf(): void {
  if (!existsSync(store.path)) return;
  expect(readdirSync(join(store.path, "work"))).toEqual([]);
  for (const layer of readdirSync(join(store.path, "layers")))
    expect(readdirSync(join(store.path, "layers", layer)).sort()).toEqual([INDEX_FILE, "tar"]);
}

test("pulls OCI and Docker manifests, plain, gzip and zstd layers", async () => {
  for (const compression of ["none", "gzip", "zstd"] as const)
    for (const docker of [false, true]) {
      const tag = `${compression}-${docker}`;
      const image = makeImage({ compression, docker, layers: [DEFAULT_LAYER, BIG] });
      registry.add(tag, image);
      const fresh = freshStore();
      const record = await pullInto(fresh, `${registry.host}/a/b:${tag}`);
      expect(record.manifestDigest).toBe(image.manifestDigest);
      const opened = (await fresh.openImage(`${registry.host}/a/b:${tag}`))!;
      expect(opened.layers.map((l) => l.diffId)).toEqual([...image.diffIds]);
      expect(readFileSync(opened.layers[0]!.tarPath).equals(DEFAULT_LAYER)).toBe(true);
      expect(readFileSync(opened.layers[1]!.tarPath).equals(BIG)).toBe(true);
      opened.release();
    }
});

test("gzip of several members and zstd of several frames are read to their end", async () => {
  const half = DEFAULT_LAYER.length / 2;
  const parts = [DEFAULT_LAYER.slice(0, half), DEFAULT_LAYER.slice(half)];
  for (const blob of [
    Buffer.concat(parts.map((p) => Bun.gzipSync(p))),
    Buffer.concat(parts.map((p) => Bun.zstdCompressSync(p))),
  ]) {
    const descriptor = {
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: digestOf(blob),
      size: blob.length,
    };
    const image = makeImage({
      changeManifest: (m) => {
        m["layers"] = [descriptor];
      },
    });
    registry.add("1", image);
    registry.blobs.set(descriptor.digest, blob);
    await pullInto(freshStore(), `${registry.host}/a/b:1`);
  }
});

test("an index leads to linux/arm64, through another index if need be", async () => {
  const image = makeImage();
  const foreign = makeImage({ architecture: "amd64" });
  const index = makeIndex([
    { image: foreign, platform: { os: "linux", architecture: "amd64" } },
    { image, platform: ARM64 },
    { image: foreign, platform: { os: "unknown", architecture: "unknown" } },
  ]);
  registry.add("x", image);
  registry.addManifest("1", index, INDEX);
  const record = await pullInto(store, `${registry.host}/a/b:1`);
  expect(record).toMatchObject({ manifestDigest: image.manifestDigest, topDigest: digestOf(index) });
  const inner = { ...image, manifest: index, manifestDigest: digestOf(index), manifestType: INDEX };
  registry.addManifest(digestOf(index), index, INDEX);
  registry.addManifest("2", makeIndex([{ image: inner }]), INDEX);
  expect((await pullInto(store, `${registry.host}/a/b:2`)).manifestDigest).toBe(image.manifestDigest);
});

test("images for other platforms are refused with the platforms that there are", async () => {
  const amd64 = makeImage({ architecture: "amd64" });
  registry.add("1", amd64);
  expect(await failure()).toMatch(/has no image for linux\/arm64, only for linux\/amd64$/);
  registry.addManifest("1", makeIndex([{ image: amd64, platform: { os: "linux", architecture: "amd64" } }]), INDEX);
  expect(await failure()).toMatch(/only for linux\/amd64$/);
});

test("an index without end is refused", async () => {
  // Nested by hand: a digest cannot name itself.
  let image: TestImage = makeImage();
  registry.add("x", image);
  for (let depth = 0; depth < 5; depth += 1) {
    const index = makeIndex([{ image }]);
    image = { ...image, manifest: index, manifestDigest: digestOf(index), manifestType: INDEX };
    registry.addManifest(digestOf(index), index, INDEX);
  }
  registry.addManifest("1", image.manifest, INDEX);
  expect(await failure()).toMatch(/index of indexes/);
});

test("pulled again, an unchanged image costs one request; what is there is not fetched", async () => {
  const image = makeImage();
  registry.add("1", image);
  await pullInto(store, `${registry.host}/a/b:1`);
  registry.log.length = 0;
  await pullInto(store, `${registry.host}/a/b:1`);
  expect(registry.log.filter(({ path }) => path !== "/v2/").map(({ method, path }) => `${method} ${path}`)).toEqual([
    "HEAD /v2/a/b/manifests/1",
  ]);
  registry.add("2", image);
  await pullInto(store, `${registry.host}/c:2`);
  expect(registry.requests(image.layerDigests[0]!)).toEqual([]);
});

test("policies: missing, always, never", async () => {
  const name = `${registry.host}/a/b:1`;
  const obtain = (policy: "always" | "missing" | "never") => obtainImage(store, name, policy, fetchOptions());
  expect(obtain("never")).rejects.toThrow(/may not be pulled/);
  registry.add("1", makeImage());
  (await obtain("missing")).release();
  const changed = makeImage({ layers: [BIG] });
  registry.add("1", changed);
  const old = await obtain("missing");
  expect(old.layers.length).toBe(1);
  expect(old.manifestDigest).not.toBe(changed.manifestDigest);
  old.release();
  const fresh = await obtain("always");
  expect(fresh.manifestDigest).toBe(changed.manifestDigest);
  fresh.release();
  registry.stop();
  const offline = await obtain("never");
  expect(offline.manifestDigest).toBe(changed.manifestDigest);
  offline.release();
});

test("by digest: what the registry sends must have it", async () => {
  const image = makeImage();
  registry.add("1", image);
  await pullInto(store, `${registry.host}/a/b@${image.manifestDigest}`);
  const other = `sha256:${"1".repeat(64)}`;
  registry.addManifest(other, image.manifest, image.manifestType);
  expect(await failure(`${registry.host}/a/b@${other}`)).toMatch(/damaged/);
});

test("an index's word about a manifest counts", async () => {
  const image = makeImage();
  registry.add("x", image);
  registry.addManifest(image.manifestDigest, makeImage({ layers: [BIG] }).manifest, image.manifestType);
  registry.addManifest("1", makeIndex([{ image, platform: ARM64 }]), INDEX);
  expect(await failure()).toMatch(/damaged/);
  registry.addManifest(image.manifestDigest, image.manifest, image.manifestType);
  registry.addManifest("1", makeIndex([{ image: { ...image, manifest: new Uint8Array(3) }, platform: ARM64 }]), INDEX);
  expect(await failure()).toMatch(/bytes instead of 3/);
});

test("statuses become sentences", async () => {
  const cases: readonly (readonly [status: number, why: RegExp])[] = [
    [401, /kind that carrick does not know/],
    [403, /denies access to .*because/],
    [404, /does not exist on/],
    [429, /limits how often/],
    [418, /error 418/],
    [500, /error 500/],
    [503, /error 503/],
  ];
  for (const [status, why] of cases) {
    registry.hook = (_r, url) => (url.pathname.includes("manifests") ? error(status, "because") : undefined);
    expect(await failure()).toMatch(why);
  }
});

test("what passes is tried again, and Retry-After is kept to", async () => {
  registry.add("1", makeImage());
  for (const status of [408, 429, 500, 502, 503, 504]) {
    let refusals = 2;
    registry.hook = (r, url) => {
      if (r.method !== "GET" || !url.pathname.includes("manifests") || refusals === 0) return undefined;
      refusals -= 1;
      return error(status, "later", { "retry-after": "0" });
    };
    await pullInto(freshStore(), `${registry.host}/a/b:1`);
    expect(refusals).toBe(0);
  }
  registry.hook = (_r, url) =>
    url.pathname.includes("manifests") ? error(429, "", { "retry-after": "3600" }) : undefined;
  registry.log.length = 0;
  expect(await failure()).toMatch(/limits how often/);
  expect(registry.requests("manifests").length).toBe(1);
});

test("a missing blob is named", async () => {
  const image = makeImage();
  registry.add("1", image);
  registry.blobs.delete(image.layerDigests[0]!);
  expect(await failure()).toContain(image.layerDigests[0]!);
});

test("a download that breaks off goes on from there", async () => {
  const { image, layer } = largeImage();
  registry.add("1", image);
  registry.hook = (request, url) => {
    if (!url.pathname.endsWith(image.layerDigests[0]!)) return undefined;
    const from = Number(/bytes=(\d+)-/.exec(request.headers.get("range") ?? "bytes=0-")![1]);
    return from < 200_000 ? brokenOff(layer, from, 100_000) : ranged(request, layer);
  };
  await pullInto(store, `${registry.host}/a/b:1`);
  const ranges = registry.requests(image.layerDigests[0]!).map(({ range }) => range);
  expect(ranges.length).toBeGreaterThan(1);
  expect(ranges[0]).toBeNull();
  for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=[1-9]\d*-$/);
});

test("so it does with a registry that knows no ranges, and one that stalls", async () => {
  const { image, layer } = largeImage();
  registry.add("1", image);
  for (const stall of [false, true]) {
    let breaks = 2;
    registry.hook = (_r, url) => {
      if (!url.pathname.endsWith(image.layerDigests[0]!)) return undefined;
      breaks -= 1;
      return breaks >= 0 ? brokenOff(layer, 0, 100_000, stall) : new Response(layer as Uint8Array<ArrayBuffer>);
    };
    await pullInto(freshStore(), `${registry.host}/a/b:1`, fetchOptions({}, { patienceMs: 300 }));
    expect(breaks).toBeLessThan(0);
  }
});

test("a connection that is cut in the middle of a body is taken up again", async () => {
  const { image, layer } = largeImage();
  registry.add("1", image);
  const asked: string[] = [];
  // Says all that is missing, sends half of it, hangs up; in the end there is little left to be cut.
  const server = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, bytes) {
        const from = Number(/range: bytes=(\d+)-/i.exec(bytes.toString("latin1"))?.[1] ?? 0);
        asked.push(String(from));
        const rest = layer.slice(from);
        const part = rest.length > 5000 ? rest.slice(0, rest.length / 2) : rest;
        const status =
          from === 0
            ? "200 OK"
            : `206 Partial Content\r\nContent-Range: bytes ${from}-${layer.length - 1}/${layer.length}`;
        socket.write(`HTTP/1.1 ${status}\r\nContent-Length: ${rest.length}\r\nConnection: close\r\n\r\n`);
        socket.write(part);
        // What is still on its way when the connection ends may be lost.
        setTimeout(() => socket.end(), 30);
      },
    },
  });
  registry.hook = (_r, url) =>
    url.pathname.endsWith(image.layerDigests[0]!)
      ? Response.redirect(`http://127.0.0.1:${server.port}/`, 302)
      : undefined;
  try {
    await pullInto(store, `${registry.host}/a/b:1`);
  } finally {
    server.stop(true);
  }
  expect(asked.length).toBeGreaterThan(3);
});

test("a download that only ever breaks off ends", async () => {
  const { image, layer } = largeImage();
  registry.add("1", image);
  registry.hook = (_r, url) => (url.pathname.endsWith(image.layerDigests[0]!) ? brokenOff(layer, 0, 0) : undefined);
  expect(await failure()).toMatch(/cannot reach|ends after 0 of/);
});

test("an answer that never comes ends", async () => {
  registry.hook = () => new Promise<Response>(() => {});
  expect(await failure(`${registry.host}/a/b:1`, fetchOptions({}, { patienceMs: 100 }))).toMatch(/in time/);
});

test("truncated, longer and changed blobs are refused", async () => {
  const { image, layer } = largeImage();
  registry.add("1", image);
  const serve = (bytes: Uint8Array): void => {
    registry.hook = (request, url) =>
      url.pathname.endsWith(image.layerDigests[0]!) ? ranged(request, bytes) : undefined;
  };
  serve(layer.slice(0, -10));
  expect(await failure()).toMatch(/ends after \d+ of \d+ bytes/);
  serve(Buffer.concat([layer, Buffer.from("more")]));
  expect(await failure()).toMatch(/has more than the \d+ bytes/);
  const changed = new Uint8Array(layer);
  changed[layer.length - 6]! ^= 1;
  serve(changed);
  expect(await failure()).toMatch(/damaged|not valid gzip/);
  serve(new Uint8Array(layer.length));
  expect(await failure()).toMatch(/damaged|not what the image/);
  registry.hook = () => undefined;
  await pullInto(store, `${registry.host}/a/b:1`);
});

test("an uncompressed digest that is not what the configuration says is refused", async () => {
  registry.add(
    "1",
    makeImage({
      changeConfig: (config) => {
        config["rootfs"] = { type: "layers", diff_ids: [`sha256:${"2".repeat(64)}`] };
      },
    }),
  );
  expect(await failure()).toMatch(/not what the image's configuration says/);
  registry.add(
    "1",
    makeImage({
      changeConfig: (config) => {
        config["rootfs"] = { type: "layers", diff_ids: [] };
      },
    }),
  );
  expect(await failure()).toMatch(/1 layers, but 0/);
});

test("layers of other compressions, and tars that are none, are refused", async () => {
  for (const [layer, why] of [
    [new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2]), /compressed with xz/],
    [new Uint8Array([0x42, 0x5a, 0x68, 0x39, 0, 0, 0, 0]), /compressed with bzip2/],
    [new TextEncoder().encode("no tar ".repeat(200)), /layer [0-9a-f]{12} cannot be used: /],
  ] as const) {
    registry.add("1", makeImage({ compression: "none", layers: [layer] }));
    expect(await failure()).toMatch(why);
  }
});

test("manifests over 4 MiB are refused, announced or not", async () => {
  const huge = new Uint8Array(5 * 1024 * 1024).fill(0x20);
  registry.addManifest("1", huge, "application/vnd.oci.image.manifest.v1+json");
  expect(await failure()).toMatch(/more than 4194304 bytes/);
  registry.hook = (_r, url) => {
    if (!url.pathname.includes("manifests")) return undefined;
    return new Response(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(huge.subarray(0, 1024 * 1024));
        },
      }),
    );
  };
  expect(await failure()).toMatch(/more than 4194304 bytes/);
});

test("a configuration that claims to be huge is not fetched", async () => {
  const image = makeImage({
    changeManifest: (m) => {
      (m["config"] as { size: number }).size = 5 * 1024 * 1024;
    },
  });
  registry.add("1", image);
  expect(await failure()).toMatch(/more than 4194304/);
  expect(registry.requests(image.configDigest)).toEqual([]);
});

test("blobs may come from elsewhere, but credentials do not go there", async () => {
  const image = makeImage();
  const elsewhere = another();
  elsewhere.add("1", image);
  registry.add("1", image);
  const basic = `Basic ${Buffer.from("alice:s3cret").toString("base64")}`;
  registry.hook = (request, url) => {
    if (request.headers.get("authorization") !== basic)
      return error(401, "", { "www-authenticate": 'Basic realm="r"' });
    if (!url.pathname.includes("/blobs/")) return undefined;
    return new Response(null, { status: 307, headers: { location: `${elsewhere.origin}${url.pathname}` } });
  };
  await pullInto(
    store,
    `${registry.host}/a/b:1`,
    fetchOptions(dockerConfig({ [registry.host]: { auth: basic.slice(6) } })),
  );
  expect(elsewhere.log.length).toBeGreaterThan(0);
  expect(elsewhere.log.every(({ authorization }) => authorization === null)).toBe(true);
});

test("another origin that asks for a login gets none (CVE-2020-15157)", async () => {
  const image = makeImage();
  const thief = another();
  thief.hook = () => error(401, "", { "www-authenticate": `Bearer realm="${thief.origin}/token"` });
  registry.add("1", image);
  registry.hook = (_r, url) =>
    url.pathname.includes("/blobs/") ? Response.redirect(`${thief.origin}/x`, 302) : undefined;
  const auth = Buffer.from("alice:s3cret").toString("base64");
  const options = fetchOptions(dockerConfig({ [registry.host]: { auth }, [thief.host]: { auth } }));
  expect(await failure(`${registry.host}/a/b:1`, options)).toMatch(/denies access/);
  expect(thief.requests("token")).toEqual([]);
  expect(thief.log.every(({ authorization }) => authorization === null)).toBe(true);
});

test("redirects in circles, to plain HTTP elsewhere and to files are refused", async () => {
  registry.hook = (_r, url) => Response.redirect(`${registry.origin}${url.pathname}`, 302);
  expect(await failure()).toMatch(/in circles/);
  for (const location of ["http://other.example/x", "file:///etc/passwd", "http://", "ftp://127.0.0.1/"]) {
    registry.hook = () => new Response(null, { status: 302, headers: { location } });
    expect(await failure()).toMatch(/not safe to follow/);
  }
});

test("a content encoding does not change what is checked", async () => {
  const image = makeImage();
  registry.add("1", image);
  registry.hook = (request, url) => {
    if (!url.pathname.endsWith(image.layerDigests[0]!)) return undefined;
    expect(request.headers.get("accept-encoding")).toBe("identity");
    return new Response(image.blobs.get(image.layerDigests[0]!)! as Uint8Array<ArrayBuffer>, {
      headers: { "content-encoding": "gzip" },
    });
  };
  await pullInto(store, `${registry.host}/a/b:1`);
});

test("documents that are compressed unasked are read, as far as they may go", async () => {
  const image = makeImage();
  registry.add("1", image);
  registry.hook = (_request, url) => {
    if (!url.pathname.includes("/manifests/")) return undefined;
    const body = Bun.gzipSync(Uint8Array.from(image.manifest));
    return new Response(body, { headers: { "content-type": image.manifestType, "content-encoding": "gzip" } });
  };
  await pullInto(store, `${registry.host}/a/b:1`);
  await pullInto(store, `${registry.host}/a/b@${image.manifestDigest}`);
  registry.hook = () =>
    new Response(Bun.gzipSync(new Uint8Array(64 << 20)), { headers: { "content-encoding": "gzip" } });
  await expect(pullInto(store, `${registry.host}/a/c:1`)).rejects.toThrow(/has more than 4194304 bytes/);
  registry.hook = () => new Response("no gzip", { headers: { "content-encoding": "gzip" } });
  await expect(pullInto(store, `${registry.host}/a/c:1`)).rejects.toThrow(/manifest of .* is not valid JSON/);
});

test("no registry, no TLS, no proxy for this machine", async () => {
  registry.add("1", makeImage());
  const before = process.env["HTTP_PROXY"];
  process.env["HTTP_PROXY"] = "http://127.0.0.1:1";
  try {
    await pullInto(
      store,
      `${registry.host}/a/b:1`,
      fetchOptions({ HTTP_PROXY: "http://127.0.0.1:1", HTTPS_PROXY: "http://127.0.0.1:1" }),
    );
  } finally {
    if (before === undefined) delete process.env["HTTP_PROXY"];
    else process.env["HTTP_PROXY"] = before;
  }
  registry.stop();
  expect(await failure(`${registry.host}/a/c:1`)).toMatch(/cannot reach .*refused/);
  expect(await failure("no-such-host.invalid/a:1", fetchOptions({}, { attempts: 1 }))).toMatch(
    /cannot reach no-such-host.invalid/,
  );
});

test("a proxy from the environment is used, credentials for plain HTTP only with --insecure", async () => {
  const image = makeImage();
  const seen: string[] = [];
  registry.add("1", image);
  registry.hook = (request, url) => {
    seen.push(request.url);
    return registry.usual(request, url);
  };
  const options = { ...fetchOptions({ HTTP_PROXY: registry.origin, HTTPS_PROXY: registry.origin }), insecure: true };
  await pullInto(store, "plain.invalid/a/b:1", options);
  expect(seen.some((url) => url.startsWith("http://plain.invalid/"))).toBe(true);
});

test("layers come in parallel, at most three at a time, each once", async () => {
  const layers = Array.from({ length: 8 }, (_, i) => tar([{ name: `f${i}`, body: `${i}` }]));
  const image = makeImage({ layers: [...layers, layers[0]!] });
  registry.add("1", image);
  let now = 0;
  let most = 0;
  registry.hook = async (request, url) => {
    if (!image.layerDigests.some((d) => url.pathname.endsWith(d))) return registry.usual(request, url);
    now += 1;
    most = Math.max(most, now);
    await Bun.sleep(20);
    now -= 1;
    return registry.usual(request, url);
  };
  const watched = watcher();
  await pullInto(store, `${registry.host}/a/b:1`, { ...fetchOptions(), progress: watched.progress });
  expect(most).toBe(3);
  expect(registry.requests("/blobs/").length).toBe(9);
  expect(watched.states.filter(([, state]) => state === "done").length).toBe(8);
});

test("one bad layer stops the others", async () => {
  const { image: large } = largeImage();
  const good = large.blobs.get(large.layerDigests[0]!)!;
  const image = makeImage({ layers: [DEFAULT_LAYER, Bun.gunzipSync(good as Uint8Array<ArrayBuffer>)] });
  registry.add("1", image);
  registry.hook = (request, url) => {
    if (url.pathname.endsWith(image.layerDigests[0]!)) return error(404, "gone");
    return url.pathname.endsWith(image.layerDigests[1]!)
      ? trickle(request, image.blobs.get(image.layerDigests[1]!)!)
      : undefined;
  };
  expect(await failure()).toContain(image.layerDigests[0]!);
  expect(readdirSync(join(store.path, "images"))).toEqual([]);
});

/** A kilobyte every few milliseconds. */
function trickle(_request: Request, bytes: Uint8Array): Response {
  let at = 0;
  return new Response(
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        await Bun.sleep(5);
        controller.enqueue(bytes.slice(at, at + 1024));
        at += 1024;
        if (at >= bytes.length) controller.close();
      },
    }),
  );
}

function dockerConfig(auths: Record<string, object>): { DOCKER_CONFIG: string } {
  const folder = join(freshFolder(), "docker");
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }));
  return { DOCKER_CONFIG: folder };
}
