// Makes dist/carrick-linux-x64, one file with the shim embedded; with --release (`bun run build`) everything that a release has.

import { compileCarrick, recordStart } from "./release/compile.ts";
import { makePack } from "./release/guest-pack.ts";
import { HOST } from "./release/targets.ts";
import { buildShim } from "./toolchain.ts";

buildShim();
makePack();
recordStart();
compileCarrick(HOST);
if (process.argv.includes("--release")) await (await import("./release/release.ts")).release();
