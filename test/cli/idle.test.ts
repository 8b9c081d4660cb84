// A guest that waits costs nothing: carrick's own CPU clock stands still. A busy guest shows that the clock is the right one.

import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { carrick, compile } from "../support/guest.ts";

const program = compile(join(import.meta.dir, "idle.c"));
const WAITS = ["poll", "nanosleep", "pipe", "stdin", "epoll", "itimer", "threads", "wait"];
const WATCHED_MS = 3000;
/** Clock ticks of 10 ms: a loop that looks around instead of sleeping would use up to 300. */
const FEW = 10;

const running: Bun.Subprocess[] = [];
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a guest and returns when it is about to wait. */
async function start(how: string): Promise<Bun.Subprocess> {
  const child = Bun.spawn([...carrick, "run-elf", program, how], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  running.push(child);
  const { value } = await child.stdout.getReader().read();
  expect(Buffer.from(value!).toString()).toBe("waiting\n");
  return child;
}

/** utime and stime of all threads, in clock ticks (proc_pid_stat(5)). */
function ticks(child: Bun.Subprocess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

test("waiting guests use no CPU", async () => {
  const children = await Promise.all(WAITS.map(start));
  // What the start has left to do in other threads.
  await Bun.sleep(1000);
  const before = children.map(ticks);
  await Bun.sleep(WATCHED_MS);
  const used = children.map((child, i) => ticks(child) - before[i]!);
  expect(children.map((child) => child.exitCode)).toEqual(WAITS.map(() => null));
  expect(Object.fromEntries(WAITS.map((how, i) => [how, used[i]! <= FEW ? "idle" : `${used[i]} ticks`]))).toEqual(
    Object.fromEntries(WAITS.map((how) => [how, "idle"])),
  );
}, 60_000);

test("a busy guest is seen", async () => {
  const child = await start("busy");
  const before = ticks(child);
  while (ticks(child) - before <= FEW) await Bun.sleep(20);
}, 60_000);
