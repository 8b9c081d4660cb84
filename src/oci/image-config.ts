// The image configuration (OCI image-spec config.md; Docker's image JSON has the same fields): what a layer stack
// runs by default. Everything in it is the image author's word and is treated as hostile.

import { isDigest } from "./digest.ts";
import { type JsonObject, parseJson } from "./json.ts";
import { OciError } from "./oci-error.ts";

/** What one image asks for. Absent lists are null where Docker tells "none" from "empty". */
export interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  readonly created: string;
  readonly user: string;
  /** NAME=value. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  readonly workingDir: string;
  readonly stopSignal: string;
  /** Paths in the guest. */
  readonly volumes: readonly string[];
  readonly exposedPorts: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  /** Digests of the uncompressed layers, bottom first. */
  readonly diffIds: readonly string[];
}

/** More layers than any builder makes (Docker stops at 127). */
export const MAX_LAYERS = 512;
const MAX_WORDS = 65536;

export function decodeImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const root = parseJson(bytes, what);
  const rootfs = root.object("rootfs");
  if (rootfs.string("type") !== "layers")
    throw new OciError(`${what} has a root file system that is not made of layers`);
  const diffIds = rootfs.optionalStrings("diff_ids", MAX_LAYERS) ?? [];
  const bad = diffIds.find((id) => !isDigest(id));
  if (bad !== undefined) throw new OciError(`${what} is broken: ${bad.slice(0, 100)} is not a digest`);
  const config = root.optionalObject("config");
  return {
    os: root.optionalString("os") ?? "",
    architecture: root.optionalString("architecture") ?? "",
    variant: root.optionalString("variant") ?? "",
    created: root.optionalString("created") ?? "",
    user: config?.optionalString("User") ?? "",
    env: noNul(config?.optionalStrings("Env", MAX_WORDS) ?? [], what),
    entrypoint: words(config, "Entrypoint", what),
    cmd: words(config, "Cmd", what),
    workingDir: noNul([config?.optionalString("WorkingDir") ?? ""], what)[0]!,
    stopSignal: config?.optionalString("StopSignal") ?? "",
    volumes: noNul(config?.optionalObject("Volumes")?.keys() ?? [], what),
    exposedPorts: config?.optionalObject("ExposedPorts")?.keys() ?? [],
    labels: config?.stringMap("Labels") ?? new Map(),
    diffIds,
  };
}

/** A list of words; Docker also wrote a single string here once, for one word. */
function words(config: JsonObject | undefined, name: string, what: string): readonly string[] | null {
  const list = config?.optionalStrings(name, MAX_WORDS);
  return list === undefined ? null : noNul(list, what);
}

/** A NUL would cut a path or a variable short on its way into the guest. */
function noNul(texts: readonly string[], what: string): readonly string[] {
  if (texts.some((text) => text.includes("\0"))) throw new OciError(`${what} has a NUL in one of its words`);
  return texts;
}
