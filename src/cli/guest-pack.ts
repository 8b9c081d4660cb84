// The image that carrick carries to look at itself and at the machine, with programs whose output is known. Each of them is run by a carrick
// of its own, as a user would: `carrick run`, from a store that is there for this only.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../cpu/cpu.ts";
import { selfCommand } from "../host/self.ts";
import { writeErr } from "../host/stdio.ts";
import { onEnding } from "./ending.ts";
import { printable, UserError } from "./user-error.ts";

/** How long a program may take: what hangs takes longer. */
const TIMEOUT_MS = 120_000;

export const NO_PACK = "this carrick carries no test programs; `bun run build` makes one that does";

export interface Outcome {
  /** What it printed on stdout as a byte string, and "status N" or what killed it. */
  readonly output: string;
  readonly errors: string;
  readonly seconds: number;
}

export class GuestPack {
  /** What programs must print, by their names. */
  readonly expected: ReadonlyMap<string, string>;
  private readonly archive: Uint8Array;
  private readonly folder: string;
  private child: Bun.Subprocess | null = null;
  private readonly stopWatching: () => void;

  private constructor(expected: ReadonlyMap<string, string>, archive: Uint8Array, folder: string) {
    this.expected = expected;
    this.archive = archive;
    this.folder = folder;
    this.stopWatching = onEnding((signal) => {
      this.child?.kill("SIGKILL");
      this.end();
      writeErr("carrick: interrupted\n");
      return 128 + signal;
    });
  }

  /** Null when this carrick carries none. `end` removes what was made, and so does a signal that ends carrick. Throws UserError. */
  static async open(): Promise<GuestPack | null> {
    let packed: Uint8Array;
    try {
      // The sources alone do not have it, and quick builds an empty one.
      const { default: path } = await import("../../dist/guests.pack", { with: { type: "file" } });
      packed = readFileSync(path);
    } catch {
      packed = new Uint8Array(0);
    }
    if (packed.length === 0) return null;
    const { expected, archive } = contentOf(packed);
    return new GuestPack(expected, archive, freshFolder());
  }

  /** Makes the programs ready to be run. Throws UserError. */
  async load(): Promise<void> {
    const file = join(this.folder, "image.tar");
    try {
      writeFileSync(file, this.archive);
    } catch (error) {
      throw cannotUse(error);
    }
    const { output, errors } = await this.carrick(["load", "--quiet", "--input", file]);
    if (!output.endsWith("status 0\n")) throw new UserError(`the test programs cannot be loaded: ${errors.trim()}`);
  }

  run(name: string, engine: Engine): Promise<Outcome> {
    const options = ["--pull", "never", "--cpu", engine, "--env", "GREETING=hi", "--workdir", "/"];
    return this.carrick(["run", ...options, "carrick-guests", `/test/${name}-image`, "one", "two words"]);
  }

  end(): void {
    this.stopWatching();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async carrick(words: readonly string[]): Promise<Outcome> {
    const start = performance.now();
    const child = Bun.spawn([...selfCommand, ...words], {
      env: {
        ...forwarded(),
        PATH: process.env["PATH"] ?? "",
        HOME: this.folder,
        CARRICK_HOME: join(this.folder, "store"),
        TMPDIR: tmpdir(),
      },
      stdin: new Uint8Array(0),
      stdout: "pipe",
      stderr: "pipe",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    this.child = child;
    const [output, errors] = await Promise.all([new Response(child.stdout).bytes(), new Response(child.stderr).text()]);
    await child.exited;
    this.child = null;
    const end = child.signalCode === null ? `status ${child.exitCode}` : `killed by ${child.signalCode}`;
    const seconds = (performance.now() - start) / 1000;
    return { output: `${Buffer.from(output).toString("latin1")}${end}\n`, errors, seconds };
  }
}

/** What makes the hypervisor's engine another one (docs/hypervisor.md) is for the programs. */
function forwarded(): Record<string, string | undefined> {
  return Object.fromEntries(["CARRICK_HV", "CARRICK_HVF_FORCE"].map((name) => [name, process.env[name]]));
}

/** One line of JSON, then the archive (scripts/release/guest-pack.ts). */
function contentOf(packed: Uint8Array): { expected: ReadonlyMap<string, string>; archive: Uint8Array } {
  try {
    const content = Bun.zstdDecompressSync(packed);
    const line = content.indexOf(10);
    const expected = JSON.parse(content.toString("utf8", 0, line)) as Record<string, string>;
    return { expected: new Map(Object.entries(expected)), archive: content.subarray(line + 1) };
  } catch {
    throw new UserError("the test programs that this carrick carries are damaged: install it anew");
  }
}

function freshFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "carrick-guests-"));
  } catch (error) {
    throw cannotUse(error);
  }
}

function cannotUse(error: unknown): UserError {
  return new UserError(`TMPDIR ${printable(tmpdir())} cannot be used: ${(error as NodeJS.ErrnoException).code}`);
}
