// `carrick run IMAGE [COMMAND...]`: a command in an image, as `docker run --rm` would run it.

import { runImage } from "../container/image-run.ts";
import type { RunRequest } from "../container/run-request.ts";
import { terminal } from "../host/terminal.ts";
import { parseImageName } from "../oci/image-name.ts";
import { checkPlatform } from "../oci/platform.ts";
import type { ImageStore, OpenImage } from "../oci/store.ts";
import { openById, openUsable } from "../oci/stored-images.ts";
import type { Observer } from "../trace/observer.ts";
import type { Command } from "./commands.ts";
import { fetching, PLATFORM, withStore } from "./image-command.ts";
import { last, type Parsed } from "./options.ts";
import { pullPolicy, RUN_OPTIONS, runRequest } from "./run-options.ts";
import { explained } from "./start-errors.ts";
import { UserError } from "./user-error.ts";

const STDIN = 0;

export const command: Command = {
  name: "run",
  summary: "Run a command in an image",
  operands: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  options: RUN_OPTIONS,
  run: (parsed) => runInImage(parsed, null),
};

/** Runs under an observer, unless that is null. The exit status for the shell. */
export async function runInImage(parsed: Parsed, observer: Observer | null): Promise<number> {
  const request = runRequest(parsed);
  if (request.tty && request.interactive && !terminal.isTerminal(STDIN))
    throw new UserError("-t with -i needs a terminal as stdin; leave -t out for pipes");
  const image = await withStore((store) => openForRun(store, parsed, request));
  return explained(() => runImage(image, request, observer));
}

/** The usual case, an image that is there, loads nothing of what pulls. */
async function openForRun(store: ImageStore, parsed: Parsed, request: RunRequest): Promise<OpenImage> {
  const policy = pullPolicy(parsed);
  checkPlatform(last(parsed, PLATFORM.name) ?? "linux/arm64");
  if (policy !== "always") {
    const name = parseName(request.image);
    const found = name === null ? null : await openUsable(store, name);
    if (found !== null) return found;
    const byId = await openById(store, request.image);
    if (byId !== null) return byId;
  }
  const { obtainImage } = await import("../oci/images.ts");
  return fetching(parsed, (options) => obtainImage(store, request.image, policy, options));
}

/** The name to look for in the store; null for images outside it, which are always looked at anew. */
function parseName(text: string): string | null {
  // An identifier of 64 digits is no name, but may be found as one.
  if (/^[0-9a-f]{64}$/.test(text)) return null;
  const name = parseImageName(text);
  return name.kind === "registry" ? name.name : null;
}
