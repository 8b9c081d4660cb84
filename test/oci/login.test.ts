// Logging in: where credentials come from, whom they are shown to, and what is said when they do not help.

import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { askHelper, findCredentials } from "../../src/oci/credentials.ts";
import { DEFAULT_REGISTRY } from "../../src/oci/reference.ts";
import { error, FakeRegistry } from "../support/fake-registry.ts";
import { fetchOptions, freshFolder, freshStore, pullInto, removeFolders } from "../support/image-store.ts";
import { makeImage } from "../support/images.ts";

// Many of these tests start programs, which a busy machine may do slowly.
setDefaultTimeout(60_000);

const SECRET = "s3cret-word";
const AUTH = Buffer.from(`alice:${SECRET}`).toString("base64");

let registry: FakeRegistry;
let home: string;

beforeEach(() => {
  registry = new FakeRegistry();
  registry.add("1", makeImage());
  home = freshFolder();
});
afterEach(() => registry.stop());
afterAll(removeFolders);

function writeConfig(config: unknown, path = ".docker/config.json"): void {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config));
}

/** A docker-credential-NAME in a folder for PATH. */
function writeHelper(name: string, script: string): string {
  const folder = join(home, "bin");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, `docker-credential-${name}`), 0o755);
  return folder;
}

const env = (more: Record<string, string> = {}) => ({ HOME: home, PATH: process.env["PATH"] ?? "", ...more });
const find = (host = registry.host, repository = "a/b", more: Record<string, string> = {}) =>
  findCredentials(host, repository, env(more));
const pullIt = (more: Record<string, string> = {}) =>
  pullInto(freshStore(), `${registry.host}/a/b:1`, fetchOptions(env(more)));

async function message(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
  } catch (caught) {
    const text = String((caught as Error).message);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(AUTH);
    return text;
  }
  throw new Error("it succeeded");
}

/** Asks for Basic and takes alice's. */
function wantBasic(): void {
  registry.hook = (request) =>
    request.headers.get("authorization") === `Basic ${AUTH}`
      ? undefined
      : error(401, "no", { "www-authenticate": 'Basic realm="r"' });
}

const TOKEN = "the-token";

/** Asks for tokens of its own token server. */
function wantToken(give: (request: Request, url: URL) => Response | Promise<Response>): void {
  registry.hook = (request, url) => {
    if (url.pathname === "/token") return give(request, url);
    if (request.headers.get("authorization") === `Bearer ${TOKEN}`) return undefined;
    return error(401, "no", {
      "www-authenticate": `Bearer realm="${registry.origin}/token",service="svc",scope="repository:a/b:pull"`,
    });
  };
}

test("Docker's configuration: every way that it holds credentials", async () => {
  expect(await find()).toBeNull();
  writeConfig({ auths: { [registry.host]: { auth: AUTH } } });
  expect(await find()).toEqual({ kind: "password", user: "alice", password: SECRET });
  writeConfig({ auths: { [`https://${registry.host}/v2/`]: { auth: Buffer.from("a:b:c").toString("base64") } } });
  expect(await find()).toEqual({ kind: "password", user: "a", password: "b:c" });
  writeConfig({ auths: { [registry.host]: { username: "u", password: "p" } } });
  expect(await find()).toEqual({ kind: "password", user: "u", password: "p" });
  writeConfig({ auths: { [registry.host]: { auth: AUTH, identitytoken: "idt" } } });
  expect(await find()).toEqual({ kind: "identity", token: "idt" });
  writeConfig({ auths: { [registry.host]: { registrytoken: "rt" } } });
  expect(await find()).toEqual({ kind: "bearer", token: "rt" });
  writeConfig({ auths: { [registry.host]: {} } });
  expect(await find()).toBeNull();
  expect(await find("other.example")).toBeNull();
  writeConfig({ auths: { [DEFAULT_REGISTRY.credentials]: { auth: AUTH } } });
  expect(await find(DEFAULT_REGISTRY.name)).toMatchObject({ user: "alice" });
});

test("DOCKER_CONFIG decides; what Docker's file has not is looked for in Podman's, the longest name first", async () => {
  writeConfig({ auths: { [registry.host]: { auth: AUTH } } }, "elsewhere/config.json");
  expect(await find()).toBeNull();
  expect(await find(registry.host, "a/b", { DOCKER_CONFIG: join(home, "elsewhere") })).toMatchObject({ user: "alice" });
  const auth = (user: string) => ({ auth: Buffer.from(`${user}:p`).toString("base64") });
  writeConfig(
    { auths: { "h.example": auth("host"), "h.example/a": auth("part"), "h.example/a/b": auth("whole") } },
    ".config/containers/auth.json",
  );
  expect(await find("h.example", "a/b")).toMatchObject({ user: "whole" });
  expect(await find("h.example", "a/c")).toMatchObject({ user: "part" });
  expect(await find("h.example", "x")).toMatchObject({ user: "host" });
  writeConfig({ auths: { "other.example": { auth: AUTH } } });
  expect(await find("h.example", "x")).toMatchObject({ user: "host" });
  expect(await find("other.example", "x")).toMatchObject({ user: "alice" });
  expect(await find("h.example", "x", { DOCKER_CONFIG: join(home, "elsewhere") })).toBeNull();
});

test("broken configurations are named, and not quoted", async () => {
  for (const text of [`{"auths": ${SECRET}`, `"${SECRET}"`, `{"auths":{"${registry.host}":{"auth":"${SECRET}`]) {
    writeConfig(text);
    expect(await message(() => find())).toMatch(/config\.json is not valid JSON$/);
  }
  for (const config of [
    { auths: [SECRET] },
    { auths: { [registry.host]: SECRET } },
    { credHelpers: SECRET },
    { credsStore: [SECRET] },
  ]) {
    writeConfig(config);
    expect(await message(() => find())).toMatch(/config\.json/);
  }
  writeConfig({ auths: { [registry.host]: { auth: Buffer.from(SECRET).toString("base64") } } });
  expect(await message(() => find())).toMatch(/not a user and a password/);
});

test("credential helpers: by registry, by default, for identity tokens; never from the current folder", async () => {
  const bin = writeHelper(
    "one",
    `read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"u-$server-$1\\",\\"Secret\\":\\"${SECRET}\\"}"`,
  );
  const PATH = `${bin}:${process.env["PATH"]}`;
  writeConfig({ credHelpers: { [registry.host]: "one" }, auths: { "x.example": { auth: AUTH } } });
  expect(await find(registry.host, "a", { PATH })).toEqual({
    kind: "password",
    user: `u-${registry.host}-get`,
    password: SECRET,
  });
  expect(await find("x.example", "a", { PATH })).toMatchObject({ user: "alice" });
  writeConfig({ credsStore: "one" });
  expect(await find(DEFAULT_REGISTRY.name, "a", { PATH })).toMatchObject({
    user: `u-${DEFAULT_REGISTRY.credentials}-get`,
  });
  writeHelper("two", `cat >/dev/null; echo '{"Username":"<token>","Secret":"idt"}'`);
  writeConfig({ credsStore: "two" });
  expect(await find("x.example", "a", { PATH })).toEqual({ kind: "identity", token: "idt" });
  writeHelper("none", "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1");
  writeConfig({ credsStore: "none", auths: { "x.example": { auth: AUTH } } });
  expect(await find("x.example", "a", { PATH })).toMatchObject({ user: "alice" });
  const before = process.cwd();
  process.chdir(bin);
  try {
    writeConfig({ credsStore: "one" });
    expect(await message(() => find("x.example", "a", { PATH: ".:" }))).toMatch(
      /docker-credential-one is not installed/,
    );
  } finally {
    process.chdir(before);
  }
});

test("helpers that fail are named, and not quoted", async () => {
  const PATH = `${writeHelper("bad", `echo ${SECRET}; echo ${SECRET} >&2; exit 3`)}:${process.env["PATH"]}`;
  writeConfig({ credsStore: "bad" });
  expect(await message(() => find("x.example", "a", { PATH }))).toMatch(/docker-credential-bad failed with status 3/);
  writeHelper("bad", `echo ${SECRET}`);
  expect(await message(() => find("x.example", "a", { PATH }))).toMatch(/makes no sense/);
  writeConfig({ credsStore: "../../bin/sh" });
  expect(await message(() => find("x.example", "a", { PATH }))).toMatch(/name of the credential helper/);
  expect(existsSync(join(home, "bin"))).toBe(true);
});

test("helpers that hang, leave something running, or print without end are ended", async () => {
  const PATH = `${writeHelper("slow", `sleep 600 & echo $! >${home}/slow; wait`)}:${process.env["PATH"]}`;
  const ask = (name: string, timeoutMs: number): Promise<unknown> => askHelper(name, "x.example", { PATH }, timeoutMs);
  expect(await message(() => ask("slow", 100))).toMatch(/did not answer in time/);
  writeHelper("child", `sleep 600 & echo $! >${home}/child; echo '{"Username":"u","Secret":"s"}'`);
  expect(await ask("child", 60_000)).toEqual({ kind: "password", user: "u", password: "s" });
  for (const left of ["slow", "child"]) process.kill(Number(readFileSync(join(home, left), "utf8")), "SIGKILL");
  writeHelper("endless", "exec cat /dev/zero");
  expect(await message(() => ask("endless", 60_000))).toMatch(/at too great length/);
});

test("Basic: nothing is sent before it is asked for; the configuration is not touched", async () => {
  wantBasic();
  writeConfig({ auths: { [registry.host]: { auth: AUTH } } });
  const before = readFileSync(join(home, ".docker/config.json"), "utf8");
  await pullIt();
  expect(registry.log.find(({ method }) => method === "GET")?.authorization).toBeNull();
  // Once known, it is sent at once.
  expect(registry.log.filter(({ authorization }) => authorization === null).length).toBeLessThan(3);
  expect(readFileSync(join(home, ".docker/config.json"), "utf8")).toBe(before);
});

test("without credentials, and with wrong ones", async () => {
  wantBasic();
  expect(await message(() => pullIt())).toMatch(/wants a login for a\/b, or it does not exist/);
  writeConfig({ auths: { [registry.host]: { auth: Buffer.from(`bob:${SECRET}`).toString("base64") } } });
  expect(await message(() => pullIt())).toMatch(/refuses the credentials/);
  writeConfig({ auths: { [registry.host]: { identitytoken: SECRET } } });
  expect(await message(() => pullIt())).toMatch(/refuses the credentials/);
});

test("Bearer: one token for all requests, anonymous or with the password", async () => {
  const asked: string[] = [];
  wantToken((request, url) => {
    asked.push(
      `${request.headers.get("authorization")} ${url.searchParams.get("service")} ${url.searchParams.get("scope")}`,
    );
    return Response.json({ token: TOKEN, expires_in: 300 });
  });
  await pullIt();
  expect(asked).toEqual(["null svc repository:a/b:pull"]);
  writeConfig({ auths: { [registry.host]: { auth: AUTH } } });
  asked.length = 0;
  await pullIt();
  expect(asked).toEqual([`Basic ${AUTH} svc repository:a/b:pull`]);
});

test("Bearer: an identity token is exchanged, a registry token used as it is", async () => {
  const bodies: string[] = [];
  wantToken(async (request) => {
    bodies.push(`${request.method} ${await request.text()}`);
    return Response.json({ access_token: TOKEN });
  });
  writeConfig({ auths: { [registry.host]: { identitytoken: "idt" } } });
  await pullIt();
  expect(bodies.length).toBe(1);
  expect(bodies[0]).toStartWith("POST ");
  expect(Object.fromEntries(new URLSearchParams(bodies[0]!.slice(5)))).toEqual({
    service: "svc",
    scope: "repository:a/b:pull",
    grant_type: "refresh_token",
    client_id: "carrick",
    refresh_token: "idt",
  });
  bodies.length = 0;
  writeConfig({ auths: { [registry.host]: { registrytoken: TOKEN } } });
  await pullIt();
  expect(bodies).toEqual([]);
});

test("Bearer: a token that runs out is renewed", async () => {
  let given = 0;
  const good = new Set<string>();
  registry.hook = (request, url) => {
    if (url.pathname === "/token") {
      given += 1;
      good.add(`Bearer t${given}`);
      return Response.json({ token: `t${given}`, expires_in: 3600 });
    }
    const header = request.headers.get("authorization") ?? "";
    // Each token is good for one request.
    if (good.delete(header)) return undefined;
    return error(401, "no", { "www-authenticate": `Bearer realm="${registry.origin}/token",service="svc"` });
  };
  await pullIt();
  expect(given).toBeGreaterThan(1);
});

test("Bearer: refusals and rubbish of token servers", async () => {
  const cases: readonly (readonly [answer: () => Response, why: RegExp])[] = [
    [() => error(401, "no"), /wants a login for a\/b/],
    [() => error(403, "no"), /wants a login for a\/b/],
    [() => error(404, "no"), /token server of .* answers with error 404/],
    [() => new Response("<html>"), /not valid JSON/],
    [() => Response.json({}), /has no token/],
    [() => Response.json({ token: "a\r\nx: y" }), /has no token/],
    [() => Response.json({ token: 3 }), /token is not a string/],
    [() => new Response(new Uint8Array(2 * 1024 * 1024)), /more than 1048576 bytes/],
    [() => Response.json({ token: "useless" }), /wants a login for a\/b/],
  ];
  for (const [answer, why] of cases) {
    wantToken(answer);
    expect(await message(() => pullIt())).toMatch(why);
  }
});

test("Bearer: a login that is accepted but opens nothing", async () => {
  writeConfig({ auths: { [registry.host]: { auth: AUTH } } });
  let given = 0;
  wantToken(() => {
    given += 1;
    return Response.json({ token: `useless-${given}` });
  });
  expect(await message(() => pullIt())).toMatch(/denies this login access to a\/b, or it does not exist/);
});

test("a token server without TLS elsewhere, or of no address, is not asked", async () => {
  writeConfig({ auths: { [registry.host]: { auth: AUTH } } });
  for (const realm of [
    "http://token.example/t",
    "ftp://127.0.0.1/",
    "nonsense",
    "",
    `http://a:b@${registry.host}/token`,
  ]) {
    registry.hook = () => error(401, "no", { "www-authenticate": `Bearer realm="${realm}"` });
    expect(await message(() => pullIt())).toMatch(/not safe to ask/);
  }
  registry.hook = () => error(401, "no", { "www-authenticate": "Negotiate" });
  expect(await message(() => pullIt())).toMatch(/kind that carrick does not know/);
});
