// `carrick pull IMAGE...`: brings images into the store, whether they are there already or not.

import { writeOut } from "../host/stdio.ts";
import { parseImageName, shownName } from "../oci/image-name.ts";
import { pull } from "../oci/images.ts";
import type { Command } from "./commands.ts";
import { fetching, INSECURE, PLATFORM, QUIET, withStore } from "./image-command.ts";
import { type Parsed, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

export const command: Command = {
  name: "pull",
  summary: "Bring images into the image store",
  operands: "[OPTIONS] IMAGE...",
  options: [PLATFORM, QUIET, INSECURE],
  mixed: true,
  run: pullImages,
};

async function pullImages(parsed: Parsed): Promise<number> {
  if (parsed.rest.length === 0) throw usageError("pull needs an image");
  await withStore(async (store) => {
    for (const text of parsed.rest) {
      const record = await fetching(parsed, (options) => pull(store, parseImageName(text), options));
      writeOut(`${printable(shownName(record.name))}\n`);
    }
  });
  return 0;
}
