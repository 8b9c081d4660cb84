// `carrick rmi IMAGE...`: removes names from the store, and what no other name needs.

import { writeOut } from "../host/stdio.ts";
import { shownName } from "../oci/image-name.ts";
import { collectGarbage, findImages } from "../oci/stored-images.ts";
import type { Command } from "./commands.ts";
import { noteWaiting, withStore } from "./image-command.ts";
import { type Parsed, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

export const command: Command = {
  name: "rmi",
  summary: "Remove images from the store",
  operands: "IMAGE...",
  options: [{ name: "force", short: "f", help: "Accepted for Docker's sake; nothing asks back" }],
  mixed: true,
  run: removeImages,
};

async function removeImages(parsed: Parsed): Promise<number> {
  if (parsed.rest.length === 0) throw usageError("rmi needs an image");
  return withStore(async (store) => {
    // All are looked for first: a wrong name removes nothing.
    const records = new Map(parsed.rest.flatMap((text) => findImages(store, text)).map((r) => [r.name, r]));
    store.prepare();
    const lock = await store.lockExclusive(noteWaiting);
    try {
      for (const name of records.keys()) {
        store.removeRecord(name);
        writeOut(`Untagged: ${printable(shownName(name))}\n`);
      }
      for (const layer of collectGarbage(store).layers) writeOut(`Deleted: ${layer}\n`);
    } finally {
      lock.release();
    }
    return 0;
  });
}
