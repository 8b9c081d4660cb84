// What carrick says when the command line or the program is wrong: one sentence on stderr, nothing on stdout, Docker's exit
// statuses (125 carrick's own failure, 126 not executable, 127 not found), nothing left behind.

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { debianRoot, npmPackage } from "../../scripts/corpora.ts";
import { busybox, cli, isRoot, workFolder } from "../support/busybox.ts";
import { run } from "../support/guest.ts";

const work = workFolder();
const at = (name: string): string => join(work, name);

/** An executable file with this content. */
function file(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content, { mode: 0o755 });
  return `./${name}`;
}

/** A copy of busybox with bytes of its header changed. */
function header(name: string, offset: number, ...bytes: number[]): string {
  const elf = readFileSync(busybox);
  elf.set(bytes, offset);
  return file(name, elf);
}

function truncated(bytes: number): string {
  copyFileSync(busybox, at(`truncated-${bytes}`));
  truncateSync(at(`truncated-${bytes}`), bytes);
  return `./truncated-${bytes}`;
}

copyFileSync(busybox, at("good"));
copyFileSync(busybox, at("no-x"));
chmodSync(at("no-x"), 0o644);
mkdirSync(at("dir"));
mkdirSync(at("empty-root"));
symlinkSync("loop", at("loop"));
symlinkSync("nowhere", at("dangling"));
run(["mkfifo", "-m", "755", at("fifo")]);
const shared = debianRoot("c", ["libc6"]);
copyFileSync(join(shared, "usr/lib/aarch64-linux-gnu/libm.so.6"), at("libm.so"));
chmodSync(at("libm.so"), 0o755);

/** Program file, exit status, what the sentence says. */
const PROGRAMS: readonly (readonly [string, number, string])[] = [
  ["./missing", 127, "./missing does not exist"],
  ["missing", 127, "missing does not exist"],
  ["./missing/x", 127, "does not exist"],
  ["./good/x", 127, "does not exist"],
  ["./dangling", 127, "does not exist"],
  ["./dir", 126, "is a directory"],
  ["./no-x", 126, "is not executable"],
  ["./fifo", 126, "is not executable"],
  ["/dev/null", 126, "is not executable"],
  ["./loop", 126, "too many symbolic links"],
  [file("empty", ""), 126, "is empty"],
  [file("text", "echo no interpreter\n"), 126, "is not an ELF file"],
  [file("nul", new Uint8Array(4096)), 126, "is not an ELF file"],
  [file("no-interpreter", "#!/no/such/interpreter\n"), 127, "needs an interpreter that does not exist"],
  [file("blank-interpreter", "#!  \n"), 126, "names no interpreter"],
  [file("directory-interpreter", "#!/etc\n"), 126, ""],
  [truncated(30), 126, "truncated"],
  [truncated(70), 126, "truncated"],
  [truncated(5000), 126, "truncated"],
  [truncated(100_000), 126, "truncated"],
  [header("x86-64", 18, 62), 126, "x86-64"],
  [header("i386", 4, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3), 126, "32-bit x86"],
  [header("arm", 4, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 40), 126, "32-bit ARM"],
  [header("riscv", 18, 243), 126, "RISC-V"],
  [header("ilp32", 4, 1), 126, "32-bit"],
  [header("big-endian", 5, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 183), 126, "big-endian"],
  [header("object", 16, 1), 126, "not an executable"],
  [header("core", 16, 4), 126, "not an executable"],
  [header("no-headers", 56, 0, 0), 126, "headers that make no sense"],
  ["./libm.so", 126, "is a shared library"],
  [join(npmPackage("@oven/bun-linux-aarch64"), "bin/bun"), 127, "needs an interpreter that does not exist"],
  ["", 127, "name is empty"],
];

/** Arguments, what the sentence says; always 125. */
const COMMAND_LINES: readonly (readonly [readonly string[], string])[] = [
  [["frobnicate"], "unknown command frobnicate"],
  [["run-elff"], "did you mean run-elf?"],
  [["--frobnicate"], "unknown"],
  [["run-elf"], "needs a program file"],
  [["run-elf", "--"], "needs a program file"],
  [["run-elf", "--frobnicate", "./good"], "unknown option --frobnicate"],
  [["run-elf", "--rootfss", "./good"], "did you mean --rootfs?"],
  [["run-elf", "-x", "./good"], "unknown option -x"],
  [["run-elf", "-e"], "-e needs a value"],
  [["run-elf", "-v"], "-v needs a value"],
  [["run-elf", "-w"], "-w needs a value"],
  [["run-elf", "--cpu"], "--cpu needs a value"],
  [["run-elf", "--rootfs"], "--rootfs needs a value"],
  [["run-elf", "--help=x", "./good"], "takes no value"],
  [["run-elf", "--rootfs", "", "./good"], "--rootfs needs a directory"],
  [["run-elf", "--rootfs", "/no/such", "./good"], "/no/such does not exist"],
  [["run-elf", "--rootfs", "./good", "./good"], "./good is not a directory"],
  [["run-elf", "--cpu", "abacus", "./good"], "--cpu abacus is not known"],
  [["run-elf", "-v", "/no/such:/x", "./good"], "/no/such does not exist"],
  [["run-elf", "-v", "/tmp", "./good"], "is not SRC:DST"],
  [["run-elf", "-v", "", "./good"], "is not SRC:DST"],
  [["run-elf", "-v", ":/x", "./good"], "is not SRC:DST"],
  [["run-elf", "-v", "/tmp:", "./good"], "must be absolute"],
  [["run-elf", "-v", "/tmp:relative", "./good"], "must be absolute"],
  [["run-elf", "-v", "/tmp:/", "./good"], "nothing can be mounted over /"],
  [["run-elf", "-v", "/tmp:/x:rx", "./good"], "unknown mode rx"],
  [["run-elf", "-v", "/tmp:/x:ro:ro", "./good"], "is not SRC:DST"],
  [["run-elf", "-w", "relative", "./good"], "needs an absolute path"],
  [["run-elf", "-w", "", "./good"], "needs an absolute path"],
  [["run-elf", "-w", "/no/such", "./good"], "/no/such does not exist"],
  [["run-elf", "-w", "/etc/passwd", "./good"], "/etc/passwd is not a directory"],
  [["run-elf", "-e", "", "./good"], "has no name"],
  [["run-elf", "-e", "=x", "./good"], "has no name"],
  [["trace"], "needs the command run or run-elf"],
  [["trace", "frobnicate"], "frobnicate is none of them"],
  [["trace", "-o"], "-o needs a value"],
  [["trace", "-o", "/no/such/file", "run-elf", "./good"], "its directory does not exist"],
  [["trace", "-o", "/tmp", "run-elf", "./good"], "it is a directory"],
  [["compat-report"], "needs the command run or run-elf"],
  [["compat-report", "-o", "/no/such/file", "--", "run-elf", "./good"], "its directory does not exist"],
];

function expectSentence(args: readonly string[], status: number, says: string): void {
  const result = cli(args, { cwd: work });
  expect(result.stdout).toBe("");
  expect(result.stderr).toMatch(/^carrick: [^\n]+\n(Run `carrick --help`[^\n]+\n)?$/);
  expect(result.stderr).toContain(says);
  expect(result.status).toBe(status);
}

describe("programs that cannot run", () => {
  for (const [program, status, says] of PROGRAMS) {
    test(program === "" ? "an empty name" : program, () => expectSentence(["run-elf", program], status, says));
  }
  test("in a folder that may not be searched", () => {
    if (isRoot) return;
    mkdirSync(at("closed"), { mode: 0 });
    expectSentence(["run-elf", "./closed/x"], 126, "is not executable");
  });
  test("a program that is not in the root folder", () => {
    expectSentence(["run-elf", "--rootfs", at("empty-root"), at("good")], 127, "does not exist");
  });
  test("names are shown without control characters", () => {
    expectSentence(["run-elf", "./\u001b[31mred\n"], 127, "./?[31mred? does not exist");
  });
});

describe("command lines that make no sense", () => {
  for (const [args, says] of COMMAND_LINES) test(args.join(" "), () => expectSentence(args, 125, says));
});

describe("texts", () => {
  test("no arguments: usage on stderr", () => {
    const result = cli([]);
    expect([result.status, result.stdout]).toEqual([125, ""]);
    expect(result.stderr).toContain("run-elf");
  });
  for (const args of [["--help"], ["-h"], ["help"], ["run-elf", "--help"], ["trace", "--help"], ["run-elf", "-h"]]) {
    test(args.join(" "), () => {
      const result = cli(args);
      expect([result.status, result.stderr]).toEqual([0, ""]);
      expect(result.stdout).toContain("USAGE");
      expect(result.stdout).not.toContain("\u001b");
    });
  }
  test("--version", () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dir, "../../package.json"), "utf8"));
    for (const word of ["--version", "-V", "version"]) {
      expect(cli([word])).toEqual({ status: 0, stdout: `carrick ${version}\n`, stderr: "" });
    }
  });
  test("options end at the file", () => {
    for (const args of [["--help"], ["-v"], ["--", "x"]]) {
      const result = cli(["run-elf", busybox, "echo", ...args]);
      expect(result).toEqual({ status: 0, stdout: `${args.join(" ")}\n`, stderr: "" });
    }
  });
});

test("failures leave nothing behind", () => {
  const tmp = at("tmp");
  mkdirSync(tmp);
  const env = { TMPDIR: tmp, HOME: tmp, XDG_CACHE_HOME: tmp };
  cli(["run-elf", busybox, "true"], { cwd: work, env });
  const before = readdirSync(tmp);
  for (const [program, status] of PROGRAMS) {
    expect(cli(["run-elf", program], { cwd: work, env }).status).toBe(status);
  }
  expect(readdirSync(tmp)).toEqual(before);
});
