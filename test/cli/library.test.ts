// The shim inside the built executable has to become a file before it can be loaded. Wherever that file lies, only one that
// this user has written is loaded.

import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/toolchain.ts";
import { compile, run } from "../support/guest.ts";

setDefaultTimeout(60_000);

const executable = join(root, "dist/carrick-linux-x64");
const program = compile(join(root, "test/bench/hello/hello.c"));
const work = mkdtempSync(join(tmpdir(), "carrick-library-"));
const home = join(work, "home");
const temporary = join(work, "tmp");

beforeEach(() => {
  for (const folder of [home, temporary]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
  }
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function hello(env: Record<string, string>): string {
  const result = run([executable, "run-elf", program], { env: { HOME: home, XDG_CACHE_HOME: "", ...env } });
  return result.status === 0 ? result.stdout : result.stderr;
}

/** The one file in a folder. */
function only(folder: string): string {
  const names = readdirSync(folder);
  expect(names.length).toBe(1);
  return join(folder, names[0]!);
}

/** The file that a first run has left in TMPDIR. */
function extracted(): string {
  expect(hello({ TMPDIR: temporary })).toStartWith("hello");
  return only(temporary);
}

/** As many bytes as the file has, that are no library. */
function garbage(file: string): Buffer {
  return Buffer.alloc(statSync(file).size, 0x55);
}

test("the shim goes to TMPDIR once and is used again", () => {
  const file = extracted();
  const first = statSync(file);
  expect(first.mode & 0o077).toBe(0);
  expect(hello({ TMPDIR: temporary })).toStartWith("hello");
  expect(statSync(only(temporary)).ino).toBe(first.ino);
  expect(readdirSync(home)).toEqual([]);
});

test("a file of the wrong size is replaced", () => {
  const file = extracted();
  truncateSync(file, 1000);
  expect(hello({ TMPDIR: temporary })).toStartWith("hello");
  expect(statSync(file).size).toBeGreaterThan(1000);
});

test("a link is not followed", () => {
  const file = extracted();
  const target = join(work, "target");
  writeFileSync(target, garbage(file));
  rmSync(file);
  symlinkSync(target, file);
  expect(hello({ TMPDIR: temporary })).toStartWith("hello");
});

test.if(process.geteuid!() === 0)("another user's file is not loaded", () => {
  const file = extracted();
  writeFileSync(file, garbage(file));
  chownSync(file, 65534, 65534);
  expect(hello({ TMPDIR: temporary })).toStartWith("hello");
});

test("without a usable TMPDIR the shim goes to the user's cache folder", () => {
  const env = { TMPDIR: join(work, "missing") };
  expect(hello(env)).toStartWith("hello");
  const folder = join(home, ".cache/carrick");
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const file = only(folder);
  const content = readFileSync(file);
  writeFileSync(file, garbage(file));
  expect(hello(env)).toStartWith("hello");
  expect(readFileSync(only(folder)).equals(content)).toBe(true);
});

test("a cache folder that others may write is not used", () => {
  const folder = join(home, ".cache/carrick");
  mkdirSync(folder, { recursive: true });
  const env = { TMPDIR: join(work, "missing") };
  run(["chmod", "777", folder]);
  expect(hello(env)).toStartWith("hello");
  expect(readdirSync(folder)).toEqual([]);
});

test("the executable works alone in an empty folder", () => {
  const alone = join(work, "alone");
  mkdirSync(alone);
  const copy = join(alone, "renamed");
  writeFileSync(copy, readFileSync(executable), { mode: 0o755 });
  const result = run([copy, "run-elf", program], { cwd: alone, env: { TMPDIR: temporary } });
  expect(result).toMatchObject({ status: 0, stdout: expect.stringContaining("hello") });
});

test("a limit that forbids files is told in one sentence", () => {
  const env = { HOME: home, XDG_CACHE_HOME: "", TMPDIR: temporary };
  const result = run(["sh", "-c", 'ulimit -f 0; exec "$0" run-elf "$1"', executable, program], { env });
  expect(result).toMatchObject({ status: 125, stdout: "" });
  expect(result.stderr).toMatch(/^carrick: no folder can hold the library to load .*\n$/);
});

const namespaces = ["unshare", "--user", "--map-root-user", "--mount"];
const mayMount = run([...namespaces, "mount", "-t", "tmpfs", "tmpfs", "/var/tmp"]).status === 0;
test.if(mayMount)("where every folder is noexec the shim is loaded from memory", () => {
  const places = [temporary, home, "/dev/shm", "/var/tmp"];
  const script = 'for p in "$@"; do mount -t tmpfs -o noexec tmpfs "$p" || exit 9; done; exec $0';
  const env = { HOME: home, XDG_CACHE_HOME: "", TMPDIR: temporary };
  const result = run([...namespaces, "sh", "-c", script, `${executable} run-elf ${program}`, ...places], { env });
  expect(result).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("hello") });
});
