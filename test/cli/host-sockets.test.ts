// UNIX sockets in folders of the host: programs of the host and guests find each other there, whoever serves.

import { beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/toolchain.ts";
import { workFolder } from "../support/busybox.ts";
import { carrick, compile } from "../support/guest.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { containerCommand } from "../support/run-container.ts";
import { tarOf } from "../support/tar-writer.ts";

const SOURCE = join(root, "test/cli/meet.c");
const guest = compile(SOURCE);
const native = compile(SOURCE, "musl", process.arch === "arm64" ? "aarch64" : "x86_64");
const work = workFolder();
const meeting = join(work, "meeting");

beforeEach(() => {
  rmSync(meeting, { recursive: true, force: true });
  mkdirSync(meeting);
  writeFileSync(join(meeting, "note"), "what is in the note");
});

/** How to run the program: natively, as a guest at the host's own paths, or with the folder mounted elsewhere. */
const NATIVE = (role: string): string[] => [native, role, meeting];
const AT_HOME = (role: string): string[] => [...carrick, "run-elf", guest, role, meeting];
const MOUNTED = (role: string): string[] => [...carrick, "run-elf", "-v", `${meeting}:/m`, guest, role, "/m"];
const READ_ONLY = (role: string): string[] => [...carrick, "run-elf", "-v", `${meeting}:/m:ro`, guest, role, "/m"];

async function meet(server: string[], client: string[]): Promise<{ server: string; client: string }> {
  const serving = Bun.spawn(server, { stdout: "pipe", stderr: "inherit" });
  try {
    while (!existsSync(join(meeting, "ready")) && serving.exitCode === null) await Bun.sleep(20);
    const asking = Bun.spawn(client, { stdout: "pipe", stderr: "inherit" });
    const [told, heard] = await Promise.all([
      new Response(serving.stdout).text(),
      new Response(asking.stdout).text(),
      serving.exited,
      // A client that gave up says no farewell.
      asking.exited.then((status) => status !== 0 && serving.kill()),
    ]);
    return { server: told, client: heard };
  } finally {
    serving.kill("SIGKILL");
  }
}

const ANSWER = (text: string): string =>
  `4 bytes\nclient: 're:${text}' with 'what is in the note'\nclient: ''\nsent to nobody: -1 Broken pipe\n`;
const CONNECTED = `${ANSWER("a")}${ANSWER("b")}${ANSWER("c")}client: 're:packet' with 'what is in the note'
another type: -1 Protocol wrong type for socket
`;
const CLIENT = `${CONNECTED}client: 're:one'
client: 're:quit'
no socket: -1 Connection refused
nobody there: -1 Connection refused
`;
const SERVER = `stream is 140750
server: 'a'
server: 'b'
server: 'c'
server: 'packet' with 'what is in the note'
server: ''
server: 'one'
server: 'quit'
`;

test("the programs themselves", async () => {
  expect(await meet(NATIVE("serve"), NATIVE("ask"))).toEqual({ server: SERVER, client: CLIENT });
});
test("a guest asks a program of the host", async () => {
  expect(await meet(NATIVE("serve"), AT_HOME("ask"))).toEqual({ server: SERVER, client: CLIENT });
});
test("a program of the host asks a guest", async () => {
  expect(await meet(AT_HOME("serve"), NATIVE("ask"))).toEqual({ server: SERVER, client: CLIENT });
});
test("guests of two runs", async () => {
  expect(await meet(MOUNTED("serve"), AT_HOME("ask"))).toEqual({ server: SERVER, client: CLIENT });
});
test("a read-only mount lets in, but makes no names", async () => {
  const { client } = await meet(NATIVE("serve"), READ_ONLY("ask"));
  expect(client).toBe(`${CONNECTED}bind: Read-only file system\n`);
});
test("a socket as the mount itself", async () => {
  const socket = join(meeting, "grams");
  const tell = [...carrick, "run-elf", "-v", `${socket}:/run/it.sock:ro`, guest, "tell", "/", "/run/it.sock"];
  expect(await meet(NATIVE("serve"), tell)).toEqual({ server: "stream is 140750\nserver: 'quit'\n", client: "" });
});
test("names stay when those who bound them are gone", async () => {
  await meet(AT_HOME("serve"), NATIVE("ask"));
  expect(readdirSync(meeting).sort()).toEqual(["client", "grams", "note", "packets", "ready", "stale", "stream"]);
});

test("a container, where the folder's files have owners of their own", async () => {
  const layer = storeLayer(work, "empty", tarOf([{ name: "bin/", type: "5" }]));
  const mounts = [
    { type: "bind", source: meeting, target: "/m", readOnly: false },
    { type: "bind", source: guest, target: "/bin/meet", readOnly: true },
  ] as const;
  const run = (role: string) =>
    containerCommand(image("test", [layer]), { command: ["/bin/meet", role, "/m"], mounts, network: "none" });
  const [asks, serves] = [run("ask"), run("serve")];
  try {
    expect(await meet(NATIVE("serve"), asks.argv)).toEqual({ server: SERVER, client: CLIENT });
    rmSync(meeting, { recursive: true });
    mkdirSync(meeting);
    writeFileSync(join(meeting, "note"), "what is in the note");
    expect(await meet(serves.argv, NATIVE("ask"))).toEqual({ server: SERVER, client: CLIENT });
  } finally {
    asks.done();
    serves.done();
  }
});
