// `carrick prune`: removes what no image of the store needs; with --all the images too.

import { writeOut } from "../host/stdio.ts";
import { shownName } from "../oci/image-name.ts";
import { collectGarbage } from "../oci/stored-images.ts";
import type { Command } from "./commands.ts";
import { formatBytes } from "./format.ts";
import { noteWaiting, withStore } from "./image-command.ts";
import { isOn, type Parsed, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

export const command: Command = {
  name: "prune",
  summary: "Remove what no image needs",
  operands: "[OPTIONS]",
  options: [
    { name: "all", short: "a", help: "Remove all images" },
    { name: "force", short: "f", help: "Accepted for Docker's sake; nothing asks back" },
  ],
  mixed: true,
  run: prune,
};

async function prune(parsed: Parsed): Promise<number> {
  if (parsed.rest.length > 0) throw usageError("prune takes no operands");
  return withStore(async (store) => {
    store.prepare();
    const lock = await store.lockExclusive(noteWaiting);
    try {
      for (const { name } of isOn(parsed, "all") ? store.records() : []) {
        store.removeRecord(name);
        writeOut(`Untagged: ${printable(shownName(name))}\n`);
      }
      const { layers, bytes } = collectGarbage(store);
      for (const layer of layers) writeOut(`Deleted: ${layer}\n`);
      writeOut(`Total reclaimed space: ${formatBytes(bytes)} (${bytes} bytes)\n`);
    } finally {
      lock.release();
    }
    return 0;
  });
}
