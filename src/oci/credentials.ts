// Credentials from Docker's configuration (config.json: auths, credHelpers, credsStore) and, where that has none, from Podman's
// auth file. Read only. Nothing from these files or helpers is ever part of a message.

import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { type JsonObject, MAX_JSON_BYTES, parseJson } from "./json.ts";
import { OciError } from "./oci-error.ts";
import { DEFAULT_REGISTRY } from "./reference.ts";

export type Credentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  /** An OAuth2 refresh token for the registry's token server. */
  | { readonly kind: "identity"; readonly token: string }
  /** A bearer token for the registry itself. */
  | { readonly kind: "bearer"; readonly token: string };

export type Environment = Readonly<Record<string, string | undefined>>;

const HELPER_TIMEOUT_MS = 60_000;
/** How long the output of a helper that has ended may still be on its way. */
const OUTPUT_GRACE_MS = 2000;
/** The user name by which a helper says that the secret is an identity token. */
const TOKEN_USER = "<token>";
const NOT_FOUND = /credentials not found|no credentials/i;

/** What is known for a registry and repository; null for nothing. Throws OciError when the configuration is broken. */
export async function findCredentials(
  registry: string,
  repository: string,
  env: Environment,
): Promise<Credentials | null> {
  for (const path of configFiles(env)) {
    const config = readConfig(path);
    const found = config === null ? null : await fromConfig(config, registry, repository, env);
    if (found !== null) return found;
  }
  return null;
}

function configFiles(env: Environment): string[] {
  const dockerDir = env["DOCKER_CONFIG"];
  if (dockerDir !== undefined && dockerDir !== "") return [join(dockerDir, "config.json")];
  const home = env["HOME"] || homedir();
  const files = [join(home, ".docker", "config.json")];
  const authFile = env["REGISTRY_AUTH_FILE"];
  if (authFile) files.unshift(authFile);
  const runtimeDir = env["XDG_RUNTIME_DIR"];
  if (runtimeDir) files.push(join(runtimeDir, "containers", "auth.json"));
  files.push(join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers", "auth.json"));
  return files;
}

function readConfig(path: string): JsonObject | null {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > MAX_JSON_BYTES) throw new OciError(`${path} is too large for a Docker configuration`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof OciError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new OciError(`${path} cannot be read (${code})`);
  }
  if (bytes.length === 0) return null;
  try {
    return parseJson(bytes, path);
  } catch {
    // The parser's own words may quote the file.
    throw new OciError(`${path} is not valid JSON`);
  }
}

async function fromConfig(
  config: JsonObject,
  registry: string,
  repository: string,
  env: Environment,
): Promise<Credentials | null> {
  const keys = keysFor(registry, repository);
  const helpers = config.stringMap("credHelpers");
  const helper = keys.map((key) => helpers.get(key)).find((name) => name !== undefined);
  if (helper !== undefined) return askHelper(helper, serverName(registry), env);
  const store = config.optionalString("credsStore");
  if (store !== undefined && store !== "") {
    const found = await askHelper(store, serverName(registry), env);
    if (found !== null) return found;
  }
  const auths = config.optionalObject("auths");
  if (auths === undefined) return null;
  for (const key of keys) {
    // Keys may be written as URLs ("https://host/v1/").
    const name = auths.keys().find((k) => k === key || bareKey(k) === key);
    const found = name === undefined ? null : fromEntry(auths.object(name), config.what);
    if (found !== null) return found;
  }
  return null;
}

/** Podman's keys may name a part of the repository; the longest wins. Docker's name the registry. */
function keysFor(registry: string, repository: string): string[] {
  const parts = repository.split("/");
  const keys = parts.map((_, i) => `${registry}/${parts.slice(0, parts.length - i).join("/")}`);
  const own = registry === DEFAULT_REGISTRY.name;
  return [...keys, registry, ...(own ? [DEFAULT_REGISTRY.credentials, DEFAULT_REGISTRY.alias] : [])];
}

function bareKey(key: string): string {
  return key
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
}

function serverName(registry: string): string {
  return registry === DEFAULT_REGISTRY.name ? DEFAULT_REGISTRY.credentials : registry;
}

function fromEntry(entry: JsonObject, path: string): Credentials | null {
  const identity = entry.optionalString("identitytoken");
  if (identity) return { kind: "identity", token: identity };
  const bearer = entry.optionalString("registrytoken");
  if (bearer) return { kind: "bearer", token: bearer };
  const auth = entry.optionalString("auth");
  if (auth) {
    const text = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
    const colon = text.indexOf(":");
    if (colon <= 0) throw new OciError(`${path} has an "auth" that is not a user and a password`);
    return { kind: "password", user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const user = entry.optionalString("username");
  return user ? { kind: "password", user, password: entry.optionalString("password") ?? "" } : null;
}

/** Asks docker-credential-NAME. Null when it knows nothing of the server. */
export async function askHelper(
  name: string,
  server: string,
  env: Environment,
  timeoutMs = HELPER_TIMEOUT_MS,
): Promise<Credentials | null> {
  const program = `docker-credential-${name}`;
  const path = findProgram(program, env["PATH"] ?? "");
  if (path === null) throw new OciError(`the credential helper ${program} is not installed`);
  const child = Bun.spawn([path, "get"], {
    stdin: new TextEncoder().encode(server),
    stdout: "pipe",
    stderr: "ignore",
    env: { ...env },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const output: Uint8Array[] = [];
  const read = readSome(child.stdout, output, () => child.kill("SIGKILL"));
  const status = await child.exited;
  if (child.signalCode !== null)
    throw new OciError(`the credential helper ${program} did not answer in time, or at too great length`);
  // What the helper has left running may hold its output open.
  await Promise.race([read, Bun.sleep(OUTPUT_GRACE_MS)]);
  const text = Buffer.concat(output).toString("utf8");
  if (status !== 0) {
    if (NOT_FOUND.test(text)) return null;
    throw new OciError(`the credential helper ${program} failed with status ${status}`);
  }
  return fromHelper(text, program);
}

/** Adds what a helper prints to `parts`, up to the size of any answer that makes sense. */
async function readSome(stream: ReadableStream<Uint8Array>, parts: Uint8Array[], tooMuch: () => void): Promise<void> {
  let length = 0;
  for await (const part of stream) {
    parts.push(part);
    length += part.length;
    if (length <= MAX_JSON_BYTES) continue;
    tooMuch();
    return;
  }
}

function fromHelper(text: string, program: string): Credentials | null {
  let answer: JsonObject;
  let user: string;
  let secret: string;
  try {
    answer = parseJson(new TextEncoder().encode(text), program);
    user = answer.optionalString("Username") ?? "";
    secret = answer.optionalString("Secret") ?? "";
  } catch {
    throw new OciError(`the credential helper ${program} gave an answer that makes no sense`);
  }
  if (secret === "") return null;
  return user === TOKEN_USER ? { kind: "identity", token: secret } : { kind: "password", user, password: secret };
}

/** Looks in absolute folders only: a program of the current folder must not become a helper. */
function findProgram(program: string, path: string): string | null {
  if (!/^[A-Za-z0-9._-]+$/.test(program)) throw new OciError("the name of the credential helper makes no sense");
  for (const folder of path.split(":")) {
    if (!isAbsolute(folder)) continue;
    const file = join(folder, program);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() && (stat.mode & 0o111) !== 0) return file;
  }
  return null;
}
