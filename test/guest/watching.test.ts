// inotify(7) on directories of the host: what the host's programs do there is told to guests, on every host.

import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, root } from "../../scripts/toolchain.ts";
import { workFolder } from "../support/busybox.ts";
import { carrick, compile, onDarwinDouble } from "../support/guest.ts";

setDefaultTimeout(120_000);
const watch = compile(join(import.meta.dir, "watching/watch.c"));
const work = workFolder();

/** A guest that watches, what it has printed, and how it is waited for. */
class Watching {
  private readonly child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private text = "";

  constructor(command: readonly string[]) {
    this.child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    this.chunks = this.child.stdout[Symbol.asyncIterator]();
  }

  /** What it prints up to a line that has `mark`. */
  async until(mark: string): Promise<string[]> {
    while (!this.text.includes(`${mark}\n`)) {
      const { value, done } = await this.chunks.next();
      if (done) break;
      this.text += Buffer.from(value).toString();
    }
    const end = this.text.indexOf(`${mark}\n`) + mark.length + 1;
    const lines = this.text.slice(0, end).trimEnd().split("\n");
    this.text = this.text.slice(end);
    return lines;
  }

  async end(): Promise<number> {
    return await this.child.exited;
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}

async function scenario(command: readonly string[], folder: string, words: readonly string[]): Promise<void> {
  const at = (name: string): string => join(folder, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(at("sub"), { recursive: true });
  for (const name of ["old", "single", "replaced"]) writeFileSync(at(name), "old");
  const guest = new Watching([...command, ...words]);
  try {
    await guest.until("ready");
    writeFileSync(at("new"), "");
    expect(await guest.until("1 create 'new'")).toEqual(["1 create 'new'"]);
    writeFileSync(at("full"), "full");
    expect(await guest.until("1 close_write 'full'")).toEqual([
      "1 create 'full'",
      "1 modify 'full'",
      "1 close_write 'full'",
    ]);
    appendFileSync(at("old"), "more");
    expect(await guest.until("1 close_write 'old'")).toEqual(["1 modify 'old'", "1 close_write 'old'"]);
    chmodSync(at("old"), 0o640);
    expect(await guest.until("1 attrib 'old'")).toEqual(["1 attrib 'old'"]);
    mkdirSync(at("folder"));
    expect(await guest.until("'folder'")).toEqual(["1 create dir 'folder'"]);
    renameSync(at("new"), at("newer"));
    expect(await guest.until("1 to of it 'newer'")).toEqual(["1 from 'new'", "1 to of it 'newer'"]);
    renameSync(at("newer"), at("sub/elsewhere"));
    expect(await guest.until("2 to of it 'elsewhere'")).toEqual(["1 from 'newer'", "2 to of it 'elsewhere'"]);
    unlinkSync(at("full"));
    expect(await guest.until("1 delete 'full'")).toEqual(["1 delete 'full'"]);
    // As editors write files.
    writeFileSync(at("draft"), "a new text");
    await guest.until("1 close_write 'draft'");
    renameSync(at("draft"), at("replaced"));
    expect(await guest.until("1 to of it 'replaced'")).toEqual([
      "1 delete 'replaced'",
      "1 from 'draft'",
      "1 to of it 'replaced'",
    ]);
    // The file's own watch, and its directory's.
    writeFileSync(at("single"), "changed");
    expect((await guest.until("3 close_write ''")).sort()).toEqual(
      ["1 close_write 'single'", "1 modify 'single'", "3 close_write ''", "3 modify ''"].sort(),
    );
    unlinkSync(at("single"));
    const gone = [...(await guest.until("3 ignored ''"))];
    expect(gone.sort()).toEqual(["1 delete 'single'", "3 attrib ''", "3 delete_self ''", "3 ignored ''"].sort());
    // What the guest does itself is told once.
    writeFileSync(at("own"), "");
    const own = ["1 create 'own'", "1 create 'mine'", "1 modify 'mine'", "1 close_write 'mine'", "1 attrib 'mine'"];
    expect(await guest.until("1 attrib 'mine'")).toEqual(own);
    await Bun.sleep(600);
    writeFileSync(at("end"), "");
    expect(await guest.until("1 create 'end'")).toEqual(["1 create 'end'"]);
    expect(await guest.end()).toBe(0);
  } finally {
    guest.kill();
  }
}

const places = (folder: string): string[] => [folder, join(folder, "sub"), join(folder, "single")];

test("at the host's own paths", async () => {
  const folder = join(work, "at-home");
  await scenario([...carrick, "run-elf", watch], folder, places(folder));
});

test("in a mount, with another spelling of its place", async () => {
  const folder = join(work, "mounted");
  await scenario([...carrick, "run-elf", "-v", `${folder}:/w`, watch], folder, places("/w"));
});

test("above the Darwin host", async () => {
  must([process.execPath, join(root, "scripts/darwin-double.ts")]);
  const folder = join(work, "darwin");
  await scenario([...onDarwinDouble, "run-elf", watch], folder, places(folder));
}, 900_000);
