// The commands as a user sees them: what goes to stdout and what to stderr, exit codes, and texts of strangers that must not
// reach the terminal as they are.

import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { carrick, type Ended } from "../support/carrick.ts";
import { error, FakeRegistry } from "../support/fake-registry.ts";
import { freshFolder, removeFolders } from "../support/image-store.ts";
import { layoutFiles, makeImage, named, tar, writeFiles } from "../support/images.ts";

// Many of these tests start programs, which a busy machine may do slowly.
setDefaultTimeout(60_000);

let registry: FakeRegistry;
let home: string;
let name: string;

beforeEach(() => {
  registry = new FakeRegistry();
  home = join(freshFolder(), "home");
  name = `${registry.host}/a/b:1`;
});
afterEach(() => registry.stop());
afterAll(removeFolders);

const run = (...args: string[]): Promise<Ended> => carrick(args, { env: { CARRICK_HOME: home } });
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

test("pull: names on stdout, progress on stderr, silence with -q", async () => {
  const image = makeImage();
  registry.add("1", image);
  const first = await run("pull", name);
  expect(first).toMatchObject({ status: 0, stdout: `${name}\n` });
  expect(first.stderr).toBe(
    `pulling ${name}\nlayer ${image.layerDigests[0]!.slice(7, 19)}: pulled (${image.blobs.get(image.layerDigests[0]!)!.length}B)\n`,
  );
  expect(await run("pull", name)).toMatchObject({ status: 0, stdout: `${name}\n`, stderr: "" });
  registry.add("2", makeImage({ docker: true, layers: [tar([{ name: "x", body: "x" }])] }));
  expect(await run("pull", `${registry.host}/a/b:2`, "-q")).toMatchObject({ status: 0, stderr: "" });
});

test("images, inspect, rmi, by name and by identifier", async () => {
  const image = makeImage({ config: { Labels: { l: "v" }, Env: ["A=1"] } });
  registry.add("1", image);
  registry.add("2", image);
  await run("pull", name, `${registry.host}/a/b:2`);
  const id = image.configDigest.slice(7, 19);
  const list = (await run("images", "--digests")).stdout.split("\n");
  expect(list[0]).toMatch(/^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE$/);
  expect(list[1]).toMatch(
    new RegExp(`^${registry.host}/a/b +1 +${image.manifestDigest} +${id} +\\d+ years ago +[\\d.]+kB$`),
  );
  expect((await run("images", "-q")).stdout).toBe(`${id}\n`);
  const [inspected] = JSON.parse((await run("inspect", name)).stdout);
  expect(inspected).toMatchObject({
    Id: image.configDigest,
    RepoTags: [name],
    RepoDigests: [`${registry.host}/a/b@${image.manifestDigest}`],
    Architecture: "arm64",
    Config: { Env: ["A=1"], Labels: { l: "v" }, Cmd: null },
    RootFS: { Layers: image.diffIds },
  });
  expect(JSON.parse((await run("inspect", id)).stdout).length).toBe(2);
  expect(await run("rmi", name)).toMatchObject({ status: 0, stdout: `Untagged: ${name}\n` });
  expect((await run("rmi", "-f", id)).stdout).toBe(`Untagged: ${registry.host}/a/b:2\nDeleted: ${image.diffIds[0]}\n`);
  for (const command of ["rmi", "inspect"]) {
    expect(await run(command, name)).toMatchObject({
      status: 125,
      stdout: "",
      stderr: `carrick: ${name} is not in the image store\n`,
    });
    expect((await run(command, id)).status).toBe(125);
  }
});

test("rmi of several removes none when one is not there; prune --all removes all", async () => {
  registry.add("1", makeImage());
  await run("pull", name);
  expect((await run("rmi", name, "nothing/there")).status).toBe(125);
  expect((await run("images", "-q")).stdout).not.toBe("");
  expect((await run("prune", "-a")).stdout).toMatch(
    /^Untagged: .*\nDeleted: .*\nTotal reclaimed space: [\d.]+kB \(\d+ bytes\)\n$/,
  );
  expect((await run("images", "-q")).stdout).toBe("");
});

test("terminal escapes of registries, images and archives never reach the terminal", async () => {
  const evil = "\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e";
  registry.hook = (_r, url) => (url.pathname.includes("manifests") ? error(403, evil) : undefined);
  const refused = await run("pull", name);
  expect([refused.status, CONTROL.test(refused.stderr), refused.stderr.includes("denies access")]).toEqual([
    125,
    false,
    true,
  ]);
  registry.hook = () => undefined;
  const image = makeImage({
    config: { Labels: { [evil]: evil }, Env: [`A=${evil}`] },
    changeConfig: (config) => {
      config["created"] = evil;
    },
  });
  registry.add("1", image);
  const folder = freshFolder();
  writeFiles(folder, layoutFiles([named(image, evil)]));
  for (const args of [
    ["pull", name],
    ["images"],
    ["inspect", name],
    ["pull", `oci:${folder}`],
    ["pull", `oci:${folder}:x`],
    ["images"],
    ["pull", evil],
    ["run", `--${evil}`],
    ["run", evil],
  ]) {
    const { stdout, stderr } = await run(...args);
    expect([args[0], CONTROL.test(stdout + stderr)]).toEqual([args[0], false]);
  }
  expect(JSON.parse((await run("inspect", name)).stdout)[0].Config.Labels[evil]).toBe(evil);
  const layer = makeImage({ layers: [tar([{ name: `../${evil}`, body: "" }])] });
  registry.add("1", layer);
  expect(CONTROL.test((await run("pull", name)).stderr)).toBe(false);
  registry.add("1", makeImage({ architecture: evil }));
  expect(CONTROL.test((await run("pull", name)).stderr)).toBe(false);
});

test("misuse is one sentence and 125", async () => {
  const cases: readonly (readonly [args: readonly string[], why: RegExp])[] = [
    [["pull"], /pull needs an image/],
    [["pull", "Bad Name"], /not an image name/],
    [["pull", "--platform", "linux/amd64", "a"], /carrick runs linux\/arm64/],
    [["run", "--platform", "windows", "a"], /carrick runs linux\/arm64/],
    [["run", "--pull", "sometimes", "a"], /none of always/],
    [["run", "--pull", "never", "no/such"], /may not be pulled/],
    [["images", "x"], /takes no operands/],
    [["prune", "x"], /takes no operands/],
    [["rmi"], /rmi needs an image/],
    [["inspect"], /inspect needs an image/],
    [["load", "a", "b"], /one archive/],
    [["run", "-d", "a"], /carrick has no option -d: /],
    [["run", "-p", "80:80", "a"], /carrick has no option -p: /],
    [["pull", "--nope"], /unknown option --nope/],
  ];
  for (const [args, why] of cases) {
    const { status, stdout, stderr } = await run(...args);
    expect([args, status, stdout]).toEqual([args, 125, ""]);
    expect(stderr).toMatch(why);
    expect(stderr).toStartWith("carrick: ");
  }
});
