// A process of its own for one run of an image: `bun run-image.ts SPEC.json`, where the specification has an image and a request. Ends
// as `carrick run` would.

import { readFileSync } from "node:fs";
import { BootError } from "../../src/container/boot-error.ts";
import { runImage } from "../../src/container/image-run.ts";
import { ProgramError } from "../../src/container/run.ts";
import type { RunRequest } from "../../src/container/run-request.ts";
import { exitNow } from "../../src/host/process.ts";
import { writeErr } from "../../src/host/stdio.ts";
import type { OpenImage } from "../../src/oci/store.ts";

const { image, request } = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as {
  image: Omit<OpenImage, "release">;
  request: RunRequest;
};

function run(): number {
  try {
    return runImage({ ...image, release: () => {} }, request);
  } catch (error) {
    if (!(error instanceof BootError || error instanceof ProgramError)) throw error;
    writeErr(`carrick: ${error.message}\n`);
    return error instanceof ProgramError ? (error.notFound ? 127 : 126) : 125;
  }
}

exitNow(run());
