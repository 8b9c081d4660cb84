// Makes dist/carrick-linux-x64, one file with the shim embedded; with --release (`bun run build`) everything that a release has.

import { compileCarrick } from "./release/compile.ts";
import { makePack } from "./release/guest-pack.ts";
import { HOST } from "./release/targets.ts";
import { buildShim } from "./toolchain.ts";

const isRelease = process.argv.includes("--release");
buildShim();
makePack(isRelease);
await compileCarrick(HOST);
if (isRelease) await (await import("./release/release.ts")).release();
