// `carrick images`: what is in the store.

import { shortDigest } from "../oci/digest.ts";
import { parseImageName } from "../oci/image-name.ts";
import type { ImageRecord } from "../oci/image-record.ts";
import { OciError } from "../oci/oci-error.ts";
import { familiarRepository } from "../oci/reference.ts";
import type { ImageStore } from "../oci/store.ts";
import type { Command } from "./commands.ts";
import { formatAge, formatBytes, formatTable } from "./format.ts";
import { withStore } from "./image-command.ts";
import { isOn, type Parsed, usageError } from "./options.ts";
import { print } from "./print.ts";
import { printable } from "./user-error.ts";

export const command: Command = {
  name: "images",
  summary: "List the images of the store",
  operands: "[OPTIONS]",
  options: [
    { name: "quiet", short: "q", help: "Show identifiers only" },
    { name: "digests", help: "Show the manifests' digests" },
  ],
  mixed: true,
  run: listImages,
};

async function listImages(parsed: Parsed): Promise<number> {
  if (parsed.rest.length > 0) throw usageError("images takes no operands");
  return withStore(async (store) => {
    const records = store.records();
    if (isOn(parsed, "quiet")) {
      print([...new Set(records.map((r) => `${shortDigest(r.configDigest)}\n`))].join(""));
      return 0;
    }
    const digests = isOn(parsed, "digests");
    const head = ["REPOSITORY", "TAG", ...(digests ? ["DIGEST"] : []), "IMAGE ID", "CREATED", "SIZE"];
    print(formatTable([head, ...records.map((record) => row(store, record, digests).map(printable))]));
    return 0;
  });
}

function row(store: ImageStore, record: ImageRecord, digests: boolean): string[] {
  const name = parseImageName(record.name);
  const [repository, tag] =
    name.kind === "registry" ? [familiarRepository(name.ref), name.ref.tag] : [`${name.kind}:${name.path}`, name.ref];
  const { created, size } = describe(store, record);
  const digest = digests ? [record.manifestDigest] : [];
  return [repository, tag === "" ? "<none>" : tag, ...digest, shortDigest(record.configDigest), created, size];
}

/** Layers that images share are counted for each of them. */
function describe(store: ImageStore, record: ImageRecord): { created: string; size: string } {
  try {
    const config = store.config(record);
    const bytes = config.diffIds.reduce((sum, id) => sum + store.layerBytes(id), 0);
    return { created: formatAge(Date.parse(config.created), Date.now()), size: formatBytes(bytes) };
  } catch (error) {
    if (error instanceof OciError) return { created: "damaged", size: "" };
    throw error;
  }
}
