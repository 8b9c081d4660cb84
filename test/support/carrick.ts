// carrick as a command: from the sources, with a store, a home and an environment of the test's own.

import { join } from "node:path";
import { root } from "../../scripts/toolchain.ts";
import { onDarwinDouble } from "./guest.ts";

export interface Ended {
  readonly status: number;
  /** Name of the signal that ended it, or null. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CarrickOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array | "pipe";
  readonly cwd?: string;
  /** Words before the command, such as a program that prepares a namespace. */
  readonly prefix?: readonly string[];
}

export interface Running {
  readonly child: Bun.Subprocess<"ignore" | "pipe" | Uint8Array, "pipe", "pipe">;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr has this text in it, or is over. */
  says(text: string): Promise<void>;
}

export const CARRICK: readonly string[] =
  process.env["CARRICK_TEST_HOST"] === "darwin-double" ? onDarwinDouble : [process.execPath, join(root, "src/main.ts")];

export function startCarrick(args: readonly string[], options: CarrickOptions = {}): Running {
  const child = Bun.spawn([...(options.prefix ?? []), ...CARRICK, ...args], {
    cwd: options.cwd ?? root,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...options.env },
    stdin: options.stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let stderr = "";
  let isOver = false;
  const waiting: (() => void)[] = [];
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      stderr += decoder.decode(chunk, { stream: true });
      for (const wake of waiting.splice(0)) wake();
    }
    isOver = true;
    for (const wake of waiting.splice(0)) wake();
  })();
  const end = async (): Promise<Ended> => {
    const [stdout] = await Promise.all([new Response(child.stdout).text(), reading]);
    const status = await child.exited;
    return { status, signal: child.signalCode === null ? null : String(child.signalCode), stdout, stderr };
  };
  return {
    child,
    ended: end(),
    async says(text) {
      while (!stderr.includes(text) && !isOver) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

export function carrick(args: readonly string[], options: CarrickOptions = {}): Promise<Ended> {
  return startCarrick(args, options).ended;
}
