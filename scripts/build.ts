// `bun run build`: the shim, and dist/carrick-linux-x64 as one file with the shim embedded. A first executable records which
// functions a start uses; the real one has their bytecode together, and keeps the JIT compilers away until the guest runs
// (host/process.ts, startIsOver). docs/performance.md says what that is worth.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { buildShim, bun, must, root, zig } from "./toolchain.ts";

const RECORDER = "dist/record-start";
const PROGRAM = "dist/start-program";
const ORDER = "dist/start.order";
const GUEST_COMPILER = [zig, "cc", "-target", "aarch64-linux-musl", "-Os", "-nostdlib", "-static"];

function compile(entry: string, out: string, ...flags: readonly string[]): void {
  must([
    bun,
    "build",
    "--compile",
    "--minify-syntax",
    "--minify-whitespace",
    "--bytecode",
    "--format=esm",
    // Modules that are imported on demand stay files of their own, loaded when they are asked for.
    "--splitting",
    "--compile-jit-policy=10",
    // Without these a compiled program runs what bunfig.toml and .env in the user's directory say.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--target=bun-linux-x64",
    ...flags,
    entry,
    "--outfile",
    out,
  ]);
}

/** Runs a small guest under carrick and leaves what was used in ORDER. */
function recordStart(): void {
  compile("scripts/start/record.ts", RECORDER);
  must([...GUEST_COMPILER, "scripts/start/program.c", "-o", PROGRAM]);
  must([join(root, RECORDER), "run-elf", PROGRAM], { env: { BUN_BYTECODE_ORDER_OUT: join(root, ORDER) }, quiet: true });
  for (const file of [RECORDER, PROGRAM]) rmSync(join(root, file));
}

buildShim();
recordStart();
compile("src/main.ts", "dist/carrick-linux-x64", `--bytecode-order=${ORDER}`);
