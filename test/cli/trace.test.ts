// `carrick trace` against strace itself on the same program built for the host; `compat-report`'s JSON.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { has } from "../../scripts/toolchain.ts";
import { busybox, cli, workFolder } from "../support/busybox.ts";
import { compile, run } from "../support/guest.ts";

const work = workFolder();
const source = join(import.meta.dir, "traced.c");
/** Calls that are the same on both architectures. */
const CALLS = /^(openat|write|read|lseek|close|unlinkat|mkdirat|pipe2|chdir|wait4|exit_group)\(|^<\.\.\. wait4|^\+\+\+/;

/** Lines without process numbers and alignment; the children's apart from the parent's, since they may interleave. */
function normal(trace: string): string[] {
  const lines = trace.split("\n").map((line) => line.replace(/^(\[pid +\d+\] |\d+ +)/, ""));
  const shown = lines.filter((line) => CALLS.test(line)).map((line) => line.replace(/ += /, " = "));
  const own = shown.map((line) => line.replace(/wait4\(\d+/, "wait4(PID").replace(/(wait4.*= )\d+$/, "$1PID"));
  // A wait that finds its child dead already is one line.
  return own
    .join("\n")
    .replace(/wait4\(PID, {2}?<unfinished \.\.\.>/g, "")
    .split("\n")
    .filter(Boolean)
    .map((line) => line.replace("<... wait4 resumed>", "wait4(PID, "))
    .sort();
}

const EXPECTED = [
  "+++ exited with 3 +++",
  "+++ exited with 7 +++",
  "+++ killed by SIGKILL +++",
  'chdir("/") = 0',
  "close(3) = 0",
  "close(77) = -1 EBADF (Bad file descriptor)",
  "exit_group(3) = ?",
  "exit_group(7) = ?",
  "lseek(3, 0, SEEK_SET) = 0",
  'mkdirat(AT_FDCWD, "/no/such", 0750) = -1 ENOENT (No such file or directory)',
  'openat(AT_FDCWD, "/no/such/file", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)',
  'openat(AT_FDCWD, "traced-file", O_RDWR|O_CREAT|O_TRUNC, 0644) = 3',
  "pipe2([3, 4], O_CLOEXEC) = 0",
  'read(3, "", 8) = 0',
  'read(3, "hello\\n\\"quoted\\"\\t\\1\\377", 64) = 17',
  'unlinkat(AT_FDCWD, "traced-file", 0) = 0',
  "wait4(PID, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = PID",
  "wait4(PID, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = PID",
  'write(1, "done\\n", 5) = 5',
  'write(3, "a text that is longer than thirt"..., 43) = 43',
  'write(3, "hello\\n\\"quoted\\"\\t\\1\\377", 17) = 17',
].sort();

describe("trace", () => {
  test("prints what strace prints", () => {
    const result = cli(["trace", "-o", "ours", "run-elf", compile(source)], { cwd: work });
    expect(result).toEqual({ status: 7, stdout: "done\n", stderr: "" });
    expect(normal(readFileSync(join(work, "ours"), "latin1"))).toEqual(EXPECTED);
    if (!has("strace")) return;
    run(["strace", "-f", "-o", "theirs", compile(source, "musl", "x86_64")], { cwd: work });
    expect(normal(readFileSync(join(work, "theirs"), "latin1"))).toEqual(EXPECTED);
  });
  test("goes to stderr without -o, the program's output to stdout", () => {
    const result = cli(["trace", "run-elf", busybox, "echo", "hello"]);
    expect([result.status, result.stdout]).toEqual([0, "hello\n"]);
    expect(result.stderr).toContain('write(1, "hello\\n", 6)                  = 6\n');
    expect(result.stderr).toEndWith("+++ exited with 0 +++\n");
  });
  test("names the process once there are several", () => {
    const result = cli(["trace", "run-elf", busybox, "sh", "-c", "(exit 3); kill -TERM $$"]);
    expect(result.status).toBe(143);
    expect(result.stderr).toMatch(/\[pid +2\] \+\+\+ exited with 3 \+\+\+/);
    expect(result.stderr).toMatch(/\[pid +1\] --- SIGTERM/);
    expect(result.stderr).toEndWith("[pid     1] +++ killed by SIGTERM +++\n");
  });
  test("names the instruction that the CPU does not know, and none when the signal was sent", () => {
    const steps = compile(join(import.meta.dir, "steps.c"), "musl", "aarch64", ["-nostdlib"]);
    const result = cli(["trace", "run-elf", steps, "one", "two"]);
    expect(result.status).toBe(128 + 4);
    expect(result.stderr).toMatch(/^--- SIGILL at 0x\w+: udf #0x1 ---\n\+\+\+ killed by SIGILL \+\+\+\n$/);
    const sent = cli(["trace", "run-elf", busybox, "sh", "-c", "kill -ILL $$"]);
    expect(sent.stderr).toEndWith("--- SIGILL ---\n+++ killed by SIGILL +++\n");
  });
  test("a program that cannot run is told as without a trace", () => {
    expect(cli(["trace", "run-elf", "./missing"])).toEqual({
      status: 127,
      stdout: "",
      stderr: "carrick: ./missing does not exist\n",
    });
  });
});

describe("compat-report", () => {
  test("is a list of calls as JSON, the worst first", () => {
    const result = cli(
      ["compat-report", "-o", "report", "--", "run-elf", busybox, "sh", "-c", "echo hi; ls /no/such; exit 4"],
      { cwd: work },
    );
    expect([result.status, result.stdout]).toEqual([4, "hi\n"]);
    const report = JSON.parse(readFileSync(join(work, "report"), "utf8"));
    const coverages = report.map((call: { coverage: string }) => ["missing", "partial", "full"].indexOf(call.coverage));
    expect(coverages).toEqual(coverages.toSorted());
    for (const call of report) {
      expect(Object.keys(call)).toEqual(["name", "number", "calls", "failed", "coverage", "note"]);
      expect(call.calls).toBeGreaterThanOrEqual(Math.max(1, call.failed));
    }
    const named = (name: string) => report.find((call: { name: string }) => call.name === name);
    expect(named("exit_group").number).toBe(94);
    expect(named("newfstatat").failed).toBeGreaterThanOrEqual(1);
  });
  test("goes to stderr behind the program's own words", () => {
    const result = cli(["compat-report", "run-elf", busybox, "sh", "-c", "echo err >&2"]);
    expect(result.stderr).toStartWith("err\n[\n");
    expect(JSON.parse(result.stderr.slice(4)).length).toBeGreaterThan(5);
  });
});
