// House rules that a reader should be able to rely on: imports go down only, files and functions stay small,
// the host is reached in one place, nothing in the kernel throws or waits.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

/** Rooms from the ground up. A room may import its own and those before it. */
const ORDER: readonly (readonly string[])[] = [
  ["abi", "lib"],
  ["host"],
  ["cpu"],
  ["mm"],
  ["vfs"],
  ["fs", "net", "tty"],
  ["kernel"],
  ["loader", "syscalls", "oci"],
  ["trace"],
  ["container"],
  ["cli"],
];
const KERNEL_ROOMS = ["mm", "vfs", "fs", "net", "tty", "kernel", "loader", "syscalls", "cpu", "abi", "lib"];
const MAX_FILE_LINES = 600;
const MAX_FUNCTION_LINES = 70;

function filesBelow(dir: string, ending: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync(join(root, dir))) {
    const path = join(dir, name);
    if (statSync(join(root, path)).isDirectory()) found.push(...filesBelow(path, ending));
    else if (name.endsWith(ending)) found.push(path);
  }
  return found;
}

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const sources: readonly Source[] = filesBelow("src", ".ts").map((path) => {
  const text = readFileSync(join(root, path), "utf8");
  const parts = path.split("/");
  return { path, room: parts.length > 2 ? parts[1]! : "main", text, lines: text.split("\n") };
});
const written = sources.filter((s) => !s.path.endsWith(".gen.ts"));
const zigFiles = filesBelow("shim", ".zig").map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const level = (room: string): number => ORDER.findIndex((rooms) => rooms.includes(room));

/** Comments and strings blanked, so that rules look at code only. */
function code(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, " "))
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/(^|[^:])\/\/.*$/gm, "$1");
}

test("imports go down only", () => {
  const wrong: string[] = [];
  for (const source of sources) {
    if (source.room === "main") continue;
    for (const match of source.text.matchAll(/(?:from |import\(|require\()"((?:\.\.?\/)[^"]+)"/g)) {
      const target = join(source.path, "..", match[1]!).split("/")[1]!;
      if (target === source.room) continue;
      // The contract of a blocking call names the task, and the task's rooms name the contract.
      if (level(target) > level(source.room)) wrong.push(`${source.path} imports ${match[1]}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("a start of run-elf loads none of Node's modules", () => {
  const byPath = new Map(sources.map((s) => [s.path, s]));
  const reached = new Set(["src/main.ts", "src/cli/run-elf.ts"]);
  const wrong: string[] = [];
  for (const path of reached) {
    const imports = byPath.get(path)!.text.matchAll(/^(?:import|export) (?!type )[^;]*? from "([^"]+)"/gm);
    for (const [, name] of imports) {
      if (name!.startsWith("node:")) wrong.push(`${path} imports ${name}: load it where it is used, with require`);
      else if (name!.startsWith(".") && name!.endsWith(".ts")) reached.add(join(path, "..", name!));
    }
  }
  expect(reached.size).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});

test("abi and lib import nothing", () => {
  const wrong = sources
    .filter((s) => ["abi", "lib"].includes(s.room) && /from "\.\.\//.test(s.text))
    .map((s) => s.path);
  expect(wrong).toEqual([]);
});

test("files are at most 600 lines", () => {
  const wrong = written
    .filter((s) => s.room !== "abi" && s.lines.length > MAX_FILE_LINES)
    .map((s) => `${s.path}: ${s.lines.length}`);
  // The tables of instructions are data.
  const zig = zigFiles
    .filter(({ path }) => !/\/table_\w+\.zig$/.test(path))
    .map(({ path, text }) => ({ path, count: text.split("\n").length }))
    .filter(({ count }) => count > MAX_FILE_LINES)
    .map(({ path, count }) => `${path}: ${count}`);
  expect([...wrong, ...zig]).toEqual([]);
});

test("the shim's files name nothing that they do not use", () => {
  const wrong: string[] = [];
  for (const { path, text } of zigFiles) {
    const used = text.replace(/\/\/.*$/gm, "");
    for (const [, name] of used.matchAll(/^const (\w+) = (?:@import\("[^"]+"\)[^;{}]*|\w+(?:\.\w+)+);$/gm)) {
      if ((used.match(new RegExp(`(?<![\\w.])${name}\\b`, "g")) ?? []).length < 2) wrong.push(`${path}: ${name}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("functions are at most 70 lines", () => {
  const wrong: string[] = [];
  for (const source of written) {
    let start = -1;
    let name = "";
    source.lines.forEach((line, i) => {
      const opens =
        /^( {2})?(?:export )?(?:private |protected |static |override |async )*(?:function )?(\w+)(?:<[^>]*>)?\(.*\{$/.exec(
          line,
        );
      if (opens !== null && !/^\s*(if|for|while|switch|return)\b/.test(line)) {
        start = i;
        name = opens[2]!;
      }
      if (start >= 0 && /^( {2})?\}$/.test(line)) {
        if (i - start + 1 > MAX_FUNCTION_LINES) wrong.push(`${source.path}: ${name} has ${i - start + 1} lines`);
        start = -1;
      }
    });
  }
  expect(wrong).toEqual([]);
});

test("bun:ffi and process.platform stay in the host room", () => {
  const wrong = sources
    .filter((s) => s.room !== "host" && (s.text.includes('"bun:ffi"') || /process\.(platform|arch)/.test(code(s.text))))
    .map((s) => s.path);
  expect(wrong).toEqual([]);
});

test("kernel rooms neither throw nor wait", () => {
  const wrong: string[] = [];
  for (const source of written) {
    if (!KERNEL_ROOMS.includes(source.room) || source.path === "src/lib/assert.ts") continue;
    const banned = /\b(throw|async|await|setTimeout|setInterval|Promise|Atomics)\b/.exec(code(source.text));
    if (banned !== null) wrong.push(`${source.path}: ${banned[1]}`);
  }
  expect(wrong).toEqual([]);
});

test("guests' and carrick's words never go through process.stdout", () => {
  const wrong = sources.filter((s) => /process\.(stdout|stderr|stdin)|console\./.test(code(s.text))).map((s) => s.path);
  expect(wrong).toEqual([]);
});

test("only main.ts and the host room end the process", () => {
  // Without the shim there is nothing else to end it with.
  const others = sources.filter((s) => s.path !== "src/host/library-copy.ts");
  const wrong = others.filter((s) => /process\.exit\b/.test(code(s.text))).map((s) => s.path);
  expect(wrong).toEqual([]);
});

test("every file opens by saying what it owns", () => {
  const silent = written.filter((s) => !s.text.startsWith("// ")).map((s) => s.path);
  const zig = zigFiles.filter(({ text }) => !text.startsWith("//!")).map(({ path }) => path);
  expect([...silent, ...zig]).toEqual([]);
});

test("nothing is left to do without an issue", () => {
  const all = [...sources.map((s) => [s.path, s.text]), ...zigFiles.map(({ path, text }) => [path, text])];
  const wrong = all.filter(([, text]) => /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(text!)).map(([path]) => path);
  expect(wrong).toEqual([]);
});
