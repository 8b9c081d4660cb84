// carrick's own standard streams, in child processes that have pipes and files there.

import { expect, test } from "bun:test";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const source = join(import.meta.dir, "../../../src");

const prelude = `
  import { HostFileSystem, openHostRoot } from "${source}/fs/host/host-file-system.ts";
  import { inheritedFile } from "${source}/fs/host/stdio.ts";
  import { HostPoller } from "${source}/host/poller.ts";
  import { exitNow, startHost } from "${source}/host/process.ts";
  import { KernelBuffer } from "${source}/mm/kernel-buffer.ts";
  startHost();
  const poller = new HostPoller();
  const fs = new HostFileSystem(openHostRoot("/"), poller);
  const [stdin, stdout, stderr] = [0, 1, 2].map((fd) => inheritedFile(fs, fd));
  const buffer = (n) => new KernelBuffer(new Uint8Array(n));
  const say = (text) => stderr.write(new KernelBuffer(new Uint8Array(Buffer.from(text))));
`;

interface Streams {
  stdin?: number | "pipe";
  stdout?: number | "pipe";
}

function streamOf(value: number | ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  if (typeof value === "number") throw new Error("not a pipe");
  return value;
}

function start(body: string, streams: Streams) {
  const command = [process.execPath, "-e", `${prelude}${body}\nexitNow(0);`];
  return Bun.spawn(command, { stdin: streams.stdin ?? "pipe", stdout: streams.stdout ?? "pipe", stderr: "pipe" });
}

test("an empty stream is waited for, its end is the end", async () => {
  const child = start(
    `
    const got = [];
    say("ready ");
    for (;;) {
      const into = buffer(100);
      const n = stdin.read(into);
      if (n === -11) { poller.wait(Infinity); continue; }
      got.push(Buffer.from(into.bytes.subarray(0, Math.max(n, 0))).toString());
      if (n <= 0) break;
    }
    say(got.join("|") + " " + (stdin.poll() & 0x10) + " " + stdin.name().replace(/[0-9]+/, ""));`,
    {},
  );
  const input = child.stdin as unknown as { write(text: string): void; flush(): Promise<void>; end(): void };
  const reader = child.stderr.getReader();
  let said = "";
  const decoder = new TextDecoder();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    said += decoder.decode(next.value);
    if (said === "ready ") {
      input.write("hello");
      await input.flush();
      input.end();
    }
  }
  expect(said).toBe("ready hello| 16 pipe:[]");
  expect(await child.exited).toBe(0);
});

test("a pipe of a shell", async () => {
  const body = `
    const into = buffer(100);
    while (stdin.read(into) === -11) poller.wait(Infinity);
    const text = Buffer.from(into.bytes.subarray(0, into.position)).toString();
    say(text + stdin.name().replace(/[0-9]+/, "") + stdout.name().replace(/[0-9]+/, ""));
    stdout.write(new KernelBuffer(new Uint8Array(Buffer.from(text))));
    exitNow(0);`;
  const command = `printf hello | '${process.execPath}' -e "$SCRIPT" | cat`;
  const child = Bun.spawn(["sh", "-c", command], {
    env: { ...process.env, SCRIPT: prelude + body },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toBe("hellopipe:[]pipe:[]");
  expect(await new Response(child.stdout).text()).toBe("hello");
});

test("a full stream answers EAGAIN and does not change the shared flags", async () => {
  const child = start(
    `
    let written = 0;
    const chunk = new KernelBuffer(new Uint8Array(65536).fill(97));
    let n;
    while ((n = stdout.write(chunk.rewind(0, 65536))) > 0) written += n;
    say(n + " " + (stdout.poll() & 4));
    const again = new KernelBuffer(new Uint8Array(10).fill(98));
    while (again.remaining > 0) if (stdout.write(again) < 0) poller.wait(Infinity);
    stdout.unref();`,
    {},
  );
  const said = new Response(child.stderr).text();
  // The child fills the pipe before anything is read.
  const out = await new Response(streamOf(child.stdout)).text();
  expect(out.endsWith("abbbbbbbbbb")).toBe(true);
  expect((await said).startsWith("-11 ")).toBe(true);
});

test("a reader that is gone is EPIPE", async () => {
  const child = start(
    `
    while (stdin.read(buffer(10)) === -11) poller.wait(Infinity);
    say(String(stdout.write(new KernelBuffer(new Uint8Array(5)))));`,
    {},
  );
  await streamOf(child.stdout).cancel();
  const input = child.stdin as unknown as { end(): void };
  input.end();
  expect(await new Response(child.stderr).text()).toBe("-32");
});

test("redirected files share their position", async () => {
  const dir = mkdtempSync(join(tmpdir(), "carrick-stdio-"));
  writeFileSync(join(dir, "in"), "one\ntwo\nthree\n");
  const input = openSync(join(dir, "in"), "r");
  const output = openSync(join(dir, "out"), "a");
  writeFileSync(join(dir, "out"), "before\n");
  const body = `
    const line = buffer(4);
    stdin.read(line);
    stdout.write(line.rewind(0, 4));
    say(stdin.pos + " " + stdin.seek(0, 1) + " " + stdin.stat().size);`;
  for (const text of ["4 4 14", "8 8 14"]) {
    const child = start(body, { stdin: input, stdout: output });
    expect(await new Response(child.stderr).text()).toBe(text);
  }
  expect(readFileSync(join(dir, "out"), "latin1")).toBe("before\none\ntwo\n");
  rmSync(dir, { recursive: true });
});
