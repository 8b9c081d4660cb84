// Image references by the distribution project's grammar, normalised as Docker does: a registry when the first
// component looks like a host, else the default registry; "library/" and "latest" filled in.
//   reference := name [":" tag] ["@" digest]     name := [host [":" port] "/"] component *("/" component)

import { isDigest } from "./digest.ts";
import { OciError } from "./oci-error.ts";

/** The registry of names that have none: how it is written, where its API is, its key in Docker's configuration. */
export const DEFAULT_REGISTRY = {
  name: "docker.io",
  alias: "index.docker.io",
  api: "registry-1.docker.io",
  credentials: "https://index.docker.io/v1/",
  namespace: "library",
} as const;

export interface Reference {
  /** Host with optional port, as written. */
  readonly registry: string;
  /** Path of the repository on the registry. */
  readonly repository: string;
  /** "" only when there is a digest. */
  readonly tag: string;
  /** "" for none; decides when there is one. */
  readonly digest: string;
}

const LABEL = "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)";
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_REPOSITORY = 255;
const MAX_REFERENCE = 1024;

/** Throws OciError with one sentence for whatever is no reference. */
export function parseReference(text: string): Reference {
  const wrong = (why: string): OciError => new OciError(`${quoted(text)} is not an image name: ${why}`);
  if (text === "") throw new OciError("the image name is empty");
  if (text.length > MAX_REFERENCE) throw wrong("it is too long");
  if (/^[0-9a-f]{64}$/.test(text)) throw wrong("it is 64 hexadecimal digits, which a name may not be");
  const at = text.indexOf("@");
  const digest = at < 0 ? "" : text.slice(at + 1);
  if (at >= 0 && !isDigest(digest)) throw wrong("what follows the @ is not a digest that can be checked");
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const tag = tagged ? named.slice(colon + 1) : digest === "" ? "latest" : "";
  if (tagged && !TAG.test(tag)) throw wrong("its tag is not made of up to 128 letters, digits, _ . and -");
  const { registry, path } = splitRegistry(tagged ? named.slice(0, colon) : named);
  if (!HOST.test(registry)) throw wrong(`${quoted(registry)} is not a host`);
  const port = /:([0-9]+)$/.exec(registry);
  if (port !== null && Number(port[1]) > 65535) throw wrong("its port is above 65535");
  if (path !== path.toLowerCase()) throw wrong("the repository must be in lower case");
  const bare = registry === DEFAULT_REGISTRY.name && !path.includes("/");
  const repository = bare ? `${DEFAULT_REGISTRY.namespace}/${path}` : path;
  if (!path.split("/").every((part) => COMPONENT.test(part)))
    throw wrong("the repository has characters in a wrong place");
  if (repository.length > MAX_REPOSITORY) throw wrong(`the repository has more than ${MAX_REPOSITORY} characters`);
  return { registry, repository, tag, digest };
}

/** The first component is a host when it has a dot, a port or an upper-case letter, or is "localhost". */
function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  if (!isHost) return { registry: DEFAULT_REGISTRY.name, path: name };
  const registry = first === DEFAULT_REGISTRY.alias ? DEFAULT_REGISTRY.name : first;
  return { registry, path: name.slice(slash + 1) };
}

/** Complete and unambiguous: what the store files images under. */
export function formatReference(ref: Reference): string {
  return `${ref.registry}/${ref.repository}${suffix(ref)}`;
}

/** Repository as people write it: without what parsing fills in. */
export function familiarRepository(ref: Reference): string {
  if (ref.registry !== DEFAULT_REGISTRY.name) return `${ref.registry}/${ref.repository}`;
  const prefix = `${DEFAULT_REGISTRY.namespace}/`;
  const rest = ref.repository.startsWith(prefix) ? ref.repository.slice(prefix.length) : "";
  return rest === "" || rest.includes("/") ? ref.repository : rest;
}

export function familiarName(ref: Reference): string {
  return familiarRepository(ref) + suffix(ref);
}

function suffix(ref: Reference): string {
  return (ref.tag === "" ? "" : `:${ref.tag}`) + (ref.digest === "" ? "" : `@${ref.digest}`);
}

function quoted(text: string): string {
  return `"${text.length > 100 ? `${text.slice(0, 100)}...` : text}"`;
}
