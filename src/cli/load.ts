// `carrick load`: adds the images of an archive (of docker save, or an OCI layout as a tar) to the store.

import { writeOut } from "../host/stdio.ts";
import { terminal } from "../host/terminal.ts";
import { shownName } from "../oci/image-name.ts";
import { loadArchive, STDIN_PATH } from "../oci/images.ts";
import type { Command } from "./commands.ts";
import { fetching, PLATFORM, QUIET, withStore } from "./image-command.ts";
import { last, type Parsed, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

const STDIN = 0;

export const command: Command = {
  name: "load",
  summary: "Add the images of an archive to the store",
  operands: "[OPTIONS] [FILE]",
  options: [{ name: "input", short: "i", value: "FILE", help: "Archive to read, instead of stdin" }, PLATFORM, QUIET],
  mixed: true,
  run: load,
};

async function load(parsed: Parsed): Promise<number> {
  const [operand, ...more] = parsed.rest;
  const path = last(parsed, "input") ?? operand ?? "-";
  if (more.length > 0) throw usageError("load takes one archive");
  if (path === "-" && terminal.isTerminal(STDIN)) throw usageError("load needs an archive: -i FILE, or one on stdin");
  return withStore(async (store) => {
    const file = path === "-" ? STDIN_PATH : path;
    const records = await fetching(parsed, (options) => loadArchive(store, file, options));
    for (const { name } of records) writeOut(`Loaded image: ${printable(shownName(name))}\n`);
    return 0;
  });
}
