// `carrick inspect IMAGE...`: what the store knows of images, as JSON with the field names of Docker's.

import { parseImageName, shownName } from "../oci/image-name.ts";
import type { ImageRecord } from "../oci/image-record.ts";
import { familiarRepository } from "../oci/reference.ts";
import type { ImageStore } from "../oci/store.ts";
import { findImages } from "../oci/stored-images.ts";
import type { Command } from "./commands.ts";
import { withStore } from "./image-command.ts";
import { type Parsed, usageError } from "./options.ts";
import { print } from "./print.ts";

export const command: Command = {
  name: "inspect",
  summary: "Show what is known of images",
  operands: "IMAGE...",
  options: [],
  mixed: true,
  run: inspect,
};

async function inspect(parsed: Parsed): Promise<number> {
  if (parsed.rest.length === 0) throw usageError("inspect needs an image");
  return withStore(async (store) => {
    const found = parsed.rest.flatMap((text) => findImages(store, text)).map((record) => describe(store, record));
    print(`${plainJson(found)}\n`);
    return 0;
  });
}

function describe(store: ImageStore, record: ImageRecord): unknown {
  const config = store.config(record);
  const name = parseImageName(record.name);
  const repository = name.kind === "registry" ? familiarRepository(name.ref) : "";
  return {
    Id: record.configDigest,
    RepoTags: [shownName(record.name)],
    RepoDigests: repository === "" ? [] : [`${repository}@${record.topDigest}`],
    ManifestDigest: record.manifestDigest,
    Created: config.created,
    Pulled: new Date(record.pulledMs).toISOString(),
    Architecture: config.architecture,
    Variant: config.variant,
    Os: config.os,
    Size: config.diffIds.reduce((sum, id) => sum + store.layerBytes(id), 0),
    Config: {
      User: config.user,
      ExposedPorts: Object.fromEntries(config.exposedPorts.map((port) => [port, {}])),
      Env: config.env,
      Cmd: config.cmd,
      Entrypoint: config.entrypoint,
      Volumes: Object.fromEntries(config.volumes.map((path) => [path, {}])),
      WorkingDir: config.workingDir,
      StopSignal: config.stopSignal,
      Labels: Object.fromEntries(config.labels),
    },
    RootFS: { Type: "layers", Layers: config.diffIds },
  };
}

/** JSON escapes only some of what a terminal obeys; the rest is escaped here, so that the text stays exact. */
function plainJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
