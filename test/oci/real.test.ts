// Against software that carrick's authors did not write: Debian's docker-registry holds the images, skopeo puts them there
// and writes archives.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { ImageStore } from "../../src/oci/store.ts";
import { carrick } from "../support/carrick.ts";
import { freshFolder, removeFolders } from "../support/image-store.ts";
import { DEFAULT_LAYER, layoutFiles, makeImage, named, type TestImage, tar, writeFiles } from "../support/images.ts";
import {
  missingTools,
  PASSWORD,
  PROXIED,
  type RealRegistries,
  startConnectProxy,
  startRegistries,
  USER,
} from "../support/real-registries.ts";

const missing = missingTools();
if (missing.length > 0)
  console.log(`skipped: tests with real registries, because ${missing.join(", ")} is not installed`);

const MORE = tar([
  { name: "usr/", type: "5" },
  { name: "usr/big", body: new Uint8Array(3_000_000).fill(7) },
]);
const image = makeImage({ layers: [DEFAULT_LAYER, MORE] });
const amd64 = makeImage({ architecture: "amd64", layers: [MORE] });

let registries: RealRegistries;
let layout: string;
let docker: string;
let wrong: string;

function dockerConfig(password: string): string {
  const folder = freshFolder();
  const auth = Buffer.from(`${USER}:${password}`).toString("base64");
  const auths = Object.fromEntries(
    [registries.basic, registries.tls, registries.token].map((host) => [host, { auth }]),
  );
  writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }));
  return folder;
}

/** skopeo copy, with credentials and an authority where they are needed. The token server runs meanwhile. */
async function skopeo(from: string, to: string, ...options: string[]): Promise<void> {
  const certificates = join(freshFolder(), "certs");
  mkdirSync(certificates);
  writeFileSync(join(certificates, "ca.crt"), readFileSync(registries.caFile));
  const remote = to.startsWith("docker://");
  const login = remote && !to.includes(registries.plain) ? ["--dest-creds", `${USER}:${PASSWORD}`] : [];
  const verify = !remote
    ? []
    : to.includes(registries.tls)
      ? ["--dest-cert-dir", certificates]
      : ["--dest-tls-verify=false"];
  const command = [
    "skopeo",
    "--insecure-policy",
    "--override-arch",
    "arm64",
    "copy",
    "-q",
    ...login,
    ...verify,
    ...options,
    from,
    to,
  ];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const text = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(text);
}

async function pull(
  name: string,
  env: Record<string, string> = {},
): Promise<{ home: string; status: number; stderr: string }> {
  const home = freshFolder();
  const { status, stderr } = await carrick(["pull", name], { env: { CARRICK_HOME: home, ...env } });
  return { home, status, stderr };
}

/** The image is there, and its layers are the very tars that were pushed. */
async function expectPulled(home: string, name: string, of = image): Promise<void> {
  const opened = await new ImageStore(home).openImage(name);
  expect(opened).not.toBeNull();
  expect(opened!.layers.map((l) => digestOf(readFileSync(l.tarPath)))).toEqual([...of.diffIds]);
  opened!.release();
}

setDefaultTimeout(120_000);

describe.skipIf(missing.length > 0)("with skopeo and docker-registry", () => {
  beforeAll(async () => {
    registries = await startRegistries(freshFolder());
    layout = freshFolder();
    writeFiles(layout, layoutFiles([named(image, "x"), named(amd64, "amd64")]));
    docker = dockerConfig(PASSWORD);
    wrong = dockerConfig("guess");
  });
  afterAll(() => {
    registries?.stop();
    removeFolders();
  });

  test("plain: as pushed, as Docker's format, with zstd, by digest", async () => {
    // Content of its own: skopeo would reuse what it has pushed before.
    const uncompressed = makeImage({ layers: [tar([{ name: "zstd", body: "packed" }])], compression: "none" });
    const plain = freshFolder();
    writeFiles(plain, layoutFiles([named(uncompressed, "x")]));
    const zstd = ["--dest-compress", "--dest-compress-format", "zstd", "--dest-compress-level", "3"];
    const variants: readonly (readonly [of: TestImage, from: string, name: string, options: string[], type: string])[] =
      [
        [image, layout, "some/image:1", [], "oci.image.layer.v1.tar+gzip"],
        [image, layout, "some/image:docker", ["--format", "v2s2"], "docker.image.rootfs.diff.tar.gzip"],
        [uncompressed, plain, "packed/image:1", zstd, "oci.image.layer.v1.tar+zstd"],
      ];
    for (const [of, source, path, options, type] of variants) {
      const name = `${registries.plain}/${path}`;
      await skopeo(`oci:${source}:x`, `docker://${name}`, ...options);
      const { home, status, stderr } = await pull(name);
      expect([path, status, stderr.includes("carrick:")]).toEqual([path, 0, false]);
      await expectPulled(home, name, of);
      const store = new ImageStore(home);
      expect(new TextDecoder().decode(store.document(store.findRecord(name)!.manifestDigest, "it"))).toContain(type);
    }
    const digest = `${registries.plain}/some/image@${image.manifestDigest}`;
    await expectPulled((await pull(digest)).home, digest);
  });

  test("an index pushed with all its images; one without ours", async () => {
    const index = freshFolder();
    const entry = (of: typeof image, architecture: string) => ({ image: of, platform: { os: "linux", architecture } });
    writeFiles(index, layoutFiles([entry(amd64, "amd64"), entry(image, "arm64")]));
    // skopeo pushes an index only from inside another one.
    const bytes = readFileSync(join(index, "index.json"));
    const inner = {
      ...image,
      blobs: new Map([...image.blobs, ...amd64.blobs]),
      manifest: bytes,
      manifestType: "application/vnd.oci.image.index.v1+json",
    };
    const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
    inner.blobs.set(digest, bytes);
    const outer = freshFolder();
    writeFiles(outer, layoutFiles([named({ ...inner, manifestDigest: digest }, "multi")]));
    const name = `${registries.plain}/multi:1`;
    await skopeo(`oci:${outer}:multi`, `docker://${name}`, "--all");
    await expectPulled((await pull(name)).home, name);
    const only = `${registries.plain}/only-amd64:1`;
    await skopeo(`oci:${layout}:amd64`, `docker://${only}`);
    const { status, stderr } = await pull(only);
    expect([status, stderr.split("\n").at(-2)]).toEqual([
      125,
      `carrick: ${only} has no image for linux/arm64, only for linux/amd64`,
    ]);
  });

  test("basic: with the password, without, with a wrong one", async () => {
    const name = `${registries.basic}/a/b:1`;
    await skopeo(`oci:${layout}:x`, `docker://${name}`);
    await expectPulled((await pull(name, { DOCKER_CONFIG: docker })).home, name);
    const without = await pull(name);
    expect([without.status, without.stderr]).toEqual([
      125,
      expect.stringMatching(/wants a login for a\/b, or it does not exist/),
    ]);
    const guessed = await pull(name, { DOCKER_CONFIG: wrong });
    expect([guessed.status, guessed.stderr]).toEqual([
      125,
      expect.stringMatching(/refuses the credentials of the Docker configuration/),
    ]);
  });

  test("TLS: with the authority, without, and without any checks", async () => {
    const name = `${registries.tls}/a/b:1`;
    await skopeo(`oci:${layout}:x`, `docker://${name}`);
    const env = { DOCKER_CONFIG: docker };
    await expectPulled((await pull(name, { ...env, SSL_CERT_FILE: registries.caFile })).home, name);
    const unknown = await pull(name, env);
    expect([unknown.status, unknown.stderr]).toEqual([
      125,
      expect.stringMatching(/certificate of .* is not trusted .*SSL_CERT_FILE/),
    ]);
    const home = freshFolder();
    const insecure = await carrick(["pull", "--insecure", name], { env: { CARRICK_HOME: home, ...env } });
    expect(insecure.status).toBe(0);
    await expectPulled(home, name);
    const elsewhere = name.replace("localhost", "127.0.0.1");
    const misnamed = await pull(elsewhere, { ...env, SSL_CERT_FILE: registries.caFile });
    expect([misnamed.status, misnamed.stderr]).toEqual([
      125,
      expect.stringMatching(/certificate of .* is not trusted/),
    ]);
    for (const file of ["/nonexistent", join(docker, "config.json")]) {
      const broken = await pull(name, { ...env, SSL_CERT_FILE: file });
      expect([broken.status, broken.stderr]).toEqual([
        125,
        expect.stringMatching(/SSL_CERT_FILE names .* (cannot be read|holds no certificates)/),
      ]);
    }
  });

  test("TLS through a proxy: the authority and the login count there too", async () => {
    const path = "a/b:1";
    await skopeo(`oci:${layout}:x`, `docker://${registries.tls}/${path}`);
    const proxy = startConnectProxy();
    const host = registries.tls.replace("localhost", PROXIED);
    const auth = Buffer.from(`${USER}:${PASSWORD}`).toString("base64");
    const config = freshFolder();
    writeFileSync(join(config, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
    const env = { HTTPS_PROXY: proxy.url, DOCKER_CONFIG: config };
    try {
      await expectPulled(
        (await pull(`${host}/${path}`, { ...env, SSL_CERT_FILE: registries.caFile })).home,
        `${host}/${path}`,
      );
      expect(new Set(proxy.asked)).toEqual(new Set([host]));
      const unknown = await pull(`${host}/${path}`, env);
      expect([unknown.status, unknown.stderr]).toEqual([
        125,
        expect.stringMatching(/certificate of .* is not trusted/),
      ]);
      proxy.asked.length = 0;
      const direct = await pull(`${host}/${path}`, { ...env, NO_PROXY: PROXIED });
      expect([direct.status, direct.stderr, proxy.asked]).toEqual([
        125,
        expect.stringMatching(/cannot reach registry\.test/),
        [],
      ]);
    } finally {
      proxy.stop();
    }
  });

  test("token: anonymous for public images, with the password for others", async () => {
    for (const path of ["public/b", "private/b"])
      await skopeo(`oci:${layout}:x`, `docker://${registries.token}/${path}:1`);
    const open = `${registries.token}/public/b:1`;
    const closed = `${registries.token}/private/b:1`;
    await expectPulled((await pull(open)).home, open);
    await expectPulled((await pull(closed, { DOCKER_CONFIG: docker })).home, closed);
    const without = await pull(closed);
    expect([without.status, without.stderr]).toEqual([125, expect.stringMatching(/wants a login for private\/b/)]);
    const guessed = await pull(closed, { DOCKER_CONFIG: wrong });
    expect([guessed.status, guessed.stderr]).toEqual([125, expect.stringMatching(/refuses the credentials/)]);
  });

  test("archives that skopeo writes", async () => {
    const folder = freshFolder();
    const archives: readonly (readonly [transport: string, suffix: string, loaded: string])[] = [
      ["docker-archive", ":some/name:tag", "some/name:tag"],
      ["oci-archive", ":x", `oci-archive:${join(folder, "oci-archive.tar")}:x`],
    ];
    for (const [transport, suffix, loaded] of archives) {
      const file = join(folder, `${transport}.tar`);
      await skopeo(`oci:${layout}:x`, `${transport}:${file}${suffix}`);
      const home = freshFolder();
      const { status, stdout } = await carrick(["load", "-q", "-i", file], { env: { CARRICK_HOME: home } });
      expect([status, stdout]).toEqual([0, `Loaded image: ${loaded}\n`]);
      const stored = transport === "docker-archive" ? new ImageStore(home).records()[0]!.name : loaded;
      await expectPulled(home, stored);
    }
  });

  test("run pulls a real program and runs it; then the registry is not needed", async () => {
    const busybox = readFileSync(join(debianPackage("busybox-static"), "bin/busybox"));
    const program = makeImage({
      layers: [
        tar([
          { name: "bin/", type: "5" },
          { name: "bin/busybox", body: busybox, mode: 0o755 },
        ]),
      ],
      config: { Entrypoint: ["/bin/busybox"], Cmd: ["echo", "from the image"], Env: ["PATH=/bin"] },
    });
    const folder = freshFolder();
    writeFiles(folder, layoutFiles([named(program, "bb")]));
    const name = `${registries.token}/private/busybox:1`;
    await skopeo(`oci:${folder}:bb`, `docker://${name}`);
    const env = { CARRICK_HOME: freshFolder(), DOCKER_CONFIG: docker };
    expect(await carrick(["run", "-q", name], { env })).toMatchObject({
      status: 0,
      stdout: "from the image\n",
      stderr: "",
    });
    registries.stop();
    expect(await carrick(["run", name, "sh", "-c", "exit 3"], { env })).toMatchObject({ status: 3, stderr: "" });
    expect(await carrick(["run", "--pull", "always", name], { env })).toMatchObject({ status: 125, stdout: "" });
  });
});
