// Very many processes, threads and mappings in one run: carrick holds no more memory and descriptors afterwards than before.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { carrick, compile } from "../support/guest.ts";

/** By how much the last round may end above the one before it. A leak of 1 KiB each would be more. */
const SLACK_KIB = 12 * 1024;
const PARTS = ["fork", "exec", "thread", "map", "storm"];

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

test("ten thousand forks, threads and more leave nothing behind", async () => {
  const program = compile(join(import.meta.dir, "endurance/endure.c"), "musl");
  const child = Bun.spawn([...carrick, "run-elf", program], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const seen: { part: string; microseconds: number; residentKib: number; descriptors: number }[] = [];
  let text = "";
  for await (const bytes of child.stdout) {
    text += Buffer.from(bytes).toString("latin1");
    if (!text.endsWith("\n")) continue;
    const [part, each] = text.trim().split(" ");
    text = "";
    seen.push({
      part: part!,
      microseconds: Number(each),
      residentKib: residentKib(child.pid),
      descriptors: descriptors(child.pid),
    });
    child.stdin.write("\n");
    child.stdin.flush();
  }
  expect(await child.exited).toBe(0);
  expect(seen.map((line) => line.part)).toEqual([...PARTS, ...PARTS, ...PARTS]);
  const last = seen.slice(2 * PARTS.length);
  console.log(last.map((line) => `${line.part}: ${line.microseconds} us, ${line.residentKib} KiB`).join("; "));
  for (const line of seen) expect(line.descriptors).toBe(seen[0]!.descriptors);
  expect(last.at(-1)!.residentKib).toBeLessThan(seen[2 * PARTS.length - 1]!.residentKib + SLACK_KIB);
}, 120_000);
