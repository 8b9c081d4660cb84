// From sources to one executable: `bun build --compile` with the shim of the target inside. The bytecode of what a start uses is together
// in it, by a list that was recorded, and the JIT compilers keep away until the guest runs (src/host/process.ts, startIsOver).
// docs/performance.md says what that is worth.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, root, zig } from "../toolchain.ts";
import { layOut } from "./layout.ts";
import { executablePath, HOST, type Target } from "./targets.ts";

const RECORDER = "dist/record-start";
const PROGRAM = "dist/start-program";
const RECORD = "dist/start-record";
/** What a start uses, in Bun's words. Functions that have changed since are left out, and cost a start some pages more. */
export const ORDER = "scripts/start/functions.order";
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
 * The functions that a start uses, as lines of ORDER: found by running a small guest under carrick. Which they are depends a little on how busy
 * the machine is and on who runs it, so builds take the list that is in the repository (scripts/record-start.ts).
 */
export async function recordStart(): Promise<string[]> {
  await compile(HOST, "scripts/start/record.ts", RECORDER, {});
  must([...GUEST_COMPILER, "scripts/start/program.c", "-o", PROGRAM]);
  must([join(root, RECORDER), "run-elf", PROGRAM], {
    env: { BUN_BYTECODE_ORDER_OUT: join(root, RECORD) },
    quiet: true,
  });
  const lines = readFileSync(join(root, RECORD), "utf8").split("\n");
  for (const file of [RECORDER, PROGRAM, RECORD]) rmSync(join(root, file));
  return lines.filter((line, i) => i === 0 || line.startsWith("F "));
}

/** Makes the executable of a target. `runtime`: Bun for it, where that is not the Bun that runs this. */
export async function compileCarrick(target: Target, runtime?: string, out = executablePath(target)): Promise<void> {
  await compile(target, "src/main.ts", out, { runtime, order: ORDER, metafile: METAFILE });
}
