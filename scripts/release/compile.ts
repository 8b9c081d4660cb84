// From sources to one executable: `bun build --compile` with the shim of the target inside. A first executable for this machine
// records which functions a start uses; the real ones have their bytecode together, and keep the JIT compilers away until
// the guest runs (src/host/process.ts, startIsOver). docs/performance.md says what that is worth.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cache, must, root, zig } from "../toolchain.ts";
import { layOut } from "./layout.ts";
import { executablePath, HOST, type Target } from "./targets.ts";

const RECORDER = "dist/record-start";
const PROGRAM = "dist/start-program";
/** What a start uses, as Bun writes it down. */
export const ORDER = "dist/start.order";
/** What is in the bundle. */
export const METAFILE = "dist/bundle.json";
const GUEST_COMPILER = [zig, "cc", "-target", "aarch64-linux-musl", "-Os", "-nostdlib", "-static"];

interface CompileOptions {
  /** Bun for the target, where that is not the Bun that runs this. */
  readonly runtime?: string | undefined;
  readonly order?: string;
  readonly metafile?: string;
}

async function compile(target: Target, entry: string, out: string, options: CompileOptions): Promise<void> {
  const result = await Bun.build({
    entrypoints: [join(root, entry)],
    root,
    target: "bun",
    format: "esm",
    bytecode: true,
    minify: { syntax: true, whitespace: true },
    // Modules that are imported on demand stay files of their own, loaded when they are asked for.
    splitting: true,
    conditions: [target.name],
    metafile: true,
    plugins: [layOut],
    compile: {
      target: target.bun as Bun.Build.CompileTarget,
      outfile: join(root, out),
      jitPolicy: 10,
      // Without these a compiled program runs what bunfig.toml and .env in the user's directory say.
      autoloadDotenv: false,
      autoloadBunfig: false,
      bytecodeOrder: options.order === undefined ? null : join(root, options.order),
      ...(options.runtime === undefined ? {} : { executablePath: options.runtime }),
    },
  });
  if (options.metafile !== undefined) writeFileSync(join(root, options.metafile), JSON.stringify(result.metafile));
}

/**
 * Leaves in ORDER what a start uses: by running a small guest under carrick. Which functions run depends a little on how busy the
 * machine is, so a record is kept for as long as nothing changes, and a release ships its record.
 */
export async function recordStart(): Promise<void> {
  await compile(HOST, "scripts/start/record.ts", RECORDER, {});
  must([...GUEST_COMPILER, "scripts/start/program.c", "-o", PROGRAM]);
  const hash = createHash("sha256");
  for (const file of [RECORDER, PROGRAM]) hash.update(readFileSync(join(root, file)));
  const kept = join(cache, "start-order", hash.digest("hex"));
  if (!existsSync(kept)) {
    mkdirSync(join(cache, "start-order"), { recursive: true });
    const work = `${kept}.part-${process.pid}`;
    must([join(root, RECORDER), "run-elf", PROGRAM], { env: { BUN_BYTECODE_ORDER_OUT: work }, quiet: true });
    renameSync(work, kept);
  }
  copyFileSync(kept, join(root, ORDER));
  for (const file of [RECORDER, PROGRAM]) rmSync(join(root, file));
}

/** Makes the executable of a target. `runtime`: Bun for it, where that is not the Bun that runs this. */
export async function compileCarrick(target: Target, runtime?: string, out = executablePath(target)): Promise<void> {
  await compile(target, "src/main.ts", out, { runtime, order: ORDER, metafile: METAFILE });
}
