// Runs a guest under carrick that stops at agreed lines of its output, and looks at the host process meanwhile.

import { readdirSync, readFileSync } from "node:fs";
import { carrick } from "../support/guest.ts";

export interface Sample {
  readonly descriptors: number;
  readonly residentKib: number;
  readonly peakKib: number;
}

export interface Watched {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
  /** What the host process held when the guest had printed the word. */
  readonly samples: ReadonlyMap<string, Sample>;
}

function sample(pid: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kib = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, residentKib: kib("VmRSS"), peakKib: kib("VmHWM") };
}

/** At each of `words` on a line of its own the guest waits for a line of input; after the last one its input ends. */
export async function watch(args: readonly string[], words: readonly string[], timeoutMs: number): Promise<Watched> {
  const child = Bun.spawn([...carrick, "run-elf", ...args], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const stderr = new Response(child.stderr).text();
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const samples = new Map<string, Sample>();
  let stdout = "";
  for await (const chunk of child.stdout) {
    stdout += Buffer.from(chunk).toString("latin1");
    const word = words[samples.size];
    if (word === undefined || !stdout.includes(`${word}\n`)) continue;
    samples.set(word, sample(child.pid));
    child.stdin.write("\n");
    if (samples.size === words.length) child.stdin.end();
    else child.stdin.flush();
  }
  const status = await child.exited;
  clearTimeout(timer);
  return { stdout, stderr: await stderr, status, samples };
}
