// The poller and the signals that reach carrick.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { files } from "../../../src/host/files.ts";
import { ALWAYS_READY, HostPoller } from "../../../src/host/poller.ts";
import { startHost } from "../../../src/host/process.ts";

const POLLIN = 1;
const POLLHUP = 0x10;

startHost();

function pipe(): [number, number] {
  const ends = files.pipe(0o4000);
  if (typeof ends === "number") throw new Error(`errno ${ends}`);
  return ends;
}

class Log {
  readonly events: number[] = [];
  wake(events: number): void {
    this.events.push(events);
  }
}

const one = new Uint8Array([1]);

test("a watcher is woken once for each edge", () => {
  const poller = new HostPoller();
  const [reader, writer] = pipe();
  expect(reader).toBeGreaterThanOrEqual(64);
  const log = new Log();
  const token = poller.watch(reader, POLLIN, log);
  poller.wait(0);
  expect(log.events).toEqual([]);
  files.write(writer, one, 0, 1, -1);
  poller.wait(Number.POSITIVE_INFINITY);
  expect(log.events).toEqual([POLLIN]);
  // Nobody reads: the next wait sleeps its whole time.
  const before = performance.now();
  poller.wait(20e6);
  expect(performance.now() - before).toBeGreaterThan(15);
  expect(log.events).toEqual([POLLIN]);
  files.close(writer);
  poller.wait(Number.POSITIVE_INFINITY);
  expect(log.events.at(-1)! & POLLHUP).toBe(POLLHUP);
  poller.unwatch(token);
  files.close(reader);
});

test("what was ready before the watch is reported", () => {
  const poller = new HostPoller();
  const [reader, writer] = pipe();
  files.write(writer, one, 0, 1, -1);
  const log = new Log();
  const token = poller.watch(reader, POLLIN, log);
  poller.wait(Number.POSITIVE_INFINITY);
  expect(log.events).toEqual([POLLIN]);
  poller.unwatch(token);
  files.close(writer);
  poller.wait(0);
  expect(log.events.length).toBe(1);
  files.close(reader);
});

test("a regular file is always ready, a bad descriptor an error", () => {
  const poller = new HostPoller();
  const fd = files.open(-100, import.meta.path, 0, 0);
  expect(poller.watch(fd, POLLIN, new Log())).toBe(ALWAYS_READY);
  expect(HostPoller.ready(fd, POLLIN)).toBe(POLLIN);
  files.close(fd);
  expect(poller.watch(fd, POLLIN, new Log())).toBeLessThan(0);
});

test("timeouts below a millisecond, and interrupt", () => {
  const poller = new HostPoller();
  const before = performance.now();
  poller.wait(200e3);
  expect(performance.now() - before).toBeGreaterThan(0.15);
  poller.interrupt();
  poller.wait(Number.POSITIVE_INFINITY);
});

test("a waker may remove another one of the same batch", () => {
  const poller = new HostPoller();
  const a = pipe();
  const b = pipe();
  const tokens: number[] = [];
  let woken = 0;
  const waker = {
    wake(): void {
      woken += 1;
      for (const token of tokens) poller.unwatch(token);
    },
  };
  tokens.push(poller.watch(a[0], POLLIN, waker), poller.watch(b[0], POLLIN, waker));
  files.write(a[1], one, 0, 1, -1);
  files.write(b[1], one, 0, 1, -1);
  poller.wait(Number.POSITIVE_INFINITY);
  expect(woken).toBe(1);
  for (const fd of [...a, ...b]) files.close(fd);
});

async function child(body: string): Promise<{ code: number | null; signal: unknown; out: string }> {
  const source = join(import.meta.dir, "../../../src/host");
  const script = `
    import { HostPoller } from "${source}/poller.ts";
    import { exitNow, signals, startHost } from "${source}/process.ts";
    import { writeOut } from "${source}/stdio.ts";
    startHost();
    const poller = new HostPoller();
    ${body}`;
  const proc = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const out = await new Response(proc.stdout).text();
  await proc.exited;
  return { code: proc.exitCode, signal: proc.signalCode, out };
}

test("signals end the wait and are reported once", async () => {
  const { code, out } = await child(`
    const ignored = signals.start();
    let got = 0;
    poller.onSignals = (bits) => { got |= bits; };
    process.kill(process.pid, "SIGTERM");
    process.kill(process.pid, "SIGWINCH");
    while (got !== ((1 << 14) | (1 << 27))) poller.wait(Infinity);
    got = 0;
    poller.wait(1e6);
    writeOut(ignored + " " + got);
    exitNow(7);`);
  expect(out).toBe("0 0");
  expect(code).toBe(7);
});

test("carrick dies as its guest did", async () => {
  const { signal } = await child(`signals.start(); signals.killSelf(15); exitNow(1);`);
  expect(signal).toBe("SIGTERM");
  expect((await child(`signals.killSelf(9); exitNow(1);`)).signal).toBe("SIGKILL");
  expect((await child(`signals.killSelf(11); exitNow(1);`)).signal).toBe("SIGSEGV");
});
