// strace and gdb of Debian for arm64 above a small program: what they print, but for process ids, addresses and times. No emulator can be
// asked (qemu's user mode has no ptrace), so the records in tracers/expected were read through; CARRICK_RECORD=1 writes them anew.

import { expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianRoot } from "../../scripts/corpora.ts";
import { carrick, compile, run, testCpu } from "../support/guest.ts";

const root = debianRoot("tracers", ["strace", "gdb", "bash", "coreutils", "grep", "sed", "gawk"]);
const shapes = compile(join(import.meta.dir, "tracers/shapes.c"), "musl", "aarch64", ["-g", "-O0"]);

/** What a command prints on both streams, without what differs from run to run. */
function traced(command: string): string {
  const dir = mkdtempSync(join(tmpdir(), "carrick-tracers-"));
  copyFileSync(shapes, join(dir, "shapes"));
  const cpu = testCpu === undefined ? [] : ["--cpu", testCpu];
  const start = [...carrick, "run-elf", ...cpu, "--rootfs", root, "-v", `${dir}:/t`, "-w", "/t"];
  const result = run([...start, "/bin/bash", "-c", `exec 2>&1\n${command}`], { timeoutMs: 100_000 });
  rmSync(dir, { recursive: true });
  return result.stdout
    .replace(/0x[0-9a-f]{4,}/g, "ADDR")
    .replace(/\S*\/(\w+\.[ch])\b/g, "$1")
    .replace(/=\d{9,}/g, "=N")
    .replace(/parent_tid=\[\d+\]/g, "parent_tid=[N]")
    .replace(
      /(\[pid +|Process |process |LWP |program=|tgkill\(|kill\(|si_pid=|wait4\(|child_tidptr=ADDR\) = )\d+(, \d+(?=, SIG))?/g,
      "$1N",
    )
    .replace(/^(wait4\(.*= )\d+$/gm, "$1N")
    .replace(/si_[us]time=[^,}]*/g, (all) => all.slice(0, 9) + "T")
    .replace(/^(tgkill\(.*\)|wait4\(.*\)|write\(.*\)|\)) +=/gm, "$1 =")
    .replace(/^\n/gm, "");
}

/** Compares with tracers/expected/NAME.txt. */
function check(name: string, commands: readonly string[]): void {
  const file = join(import.meta.dir, "tracers/expected", `${name}.txt`);
  const text = commands.map(traced).join("--\n");
  if (process.env["CARRICK_RECORD"] === "1") writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, "utf8"));
}

const LONG = 120_000;

const gdb = (args: string, ...commands: string[]) =>
  `gdb -nx -batch ${commands.map((c) => `-ex '${c}'`).join(" ")} --args ./shapes ${args} </dev/null`;

test(
  "strace shows calls, signals and the end",
  () => {
    check("strace", ["strace -e trace=tgkill,wait4,write,exit_group ./shapes"]);
  },
  LONG,
);

test(
  "strace follows children and threads",
  () => {
    check("strace-follow", [
      "strace -f -q -o log -e trace=none ./shapes; sed 's/^[0-9 ]*//' log | sort",
      "strace -f -q -o log -e trace=clone,exit,exit_group ./shapes thread; sed 's/^[0-9 ]*//' log | sort",
    ]);
  },
  LONG,
);

test(
  "strace counts calls",
  () => {
    check("strace-count", [
      `strace -f -q -c -o log ./shapes; gawk '/write|wait4|clone|tgkill/ {print $4, $NF}' log | sort`,
    ]);
  },
  LONG,
);

test(
  "strace changes results and sends signals",
  () => {
    check("strace-inject", [
      "strace -q -e signal=none -e trace=write -e inject=write:error=ENOSPC ./shapes; echo $?",
      "strace -q -e signal=none -e trace=write -e inject=write:retval=8 ./shapes; echo $?",
      "strace -q -e signal=SIGTERM -e trace=write -e inject=write:signal=SIGTERM ./shapes; echo $?",
    ]);
  },
  LONG,
);

test(
  "strace attaches to a running program and lets it go",
  () => {
    check("strace-attach", [
      `./shapes wait & program=$!
    strace -q -o log -p $program & tracer=$!
    until grep -q nanosleep log 2>/dev/null; do sleep 0.02; done
    grep TracerPid /proc/$program/status | grep -c $tracer
    kill -INT $tracer; wait $tracer
    grep TracerPid /proc/$program/status
    kill -USR2 $program; wait $program; echo $?
    grep -o 'nanosleep(' log | sort -u`,
    ]);
  },
  LONG,
);

test(
  "gdb breaks, steps, watches, calls and finishes",
  () => {
    const begin = ["handle SIGUSR1 nostop noprint", "break area", "run", "bt", "next", "next"];
    const watch = ["watch sum", "continue", "continue", "print sum", "set var sum=100", "delete", "finish"];
    const rest = [
      "print area(5, 5)",
      "stepi",
      "print $pc != 0",
      "info registers sp",
      "print $v0.d.u[0] == 1",
      "continue",
    ];
    check("gdb", [gdb("", ...begin, ...watch, ...rest)]);
  },
  LONG,
);

test(
  "gdb stops at signals, and shows where a program has died",
  () => {
    const fault = ["print $_siginfo.si_signo", "print $_siginfo._sifields._sigfault.si_addr"];
    check("gdb-signals", [gdb("crash", "run", "continue", "bt", ...fault, "continue")]);
  },
  LONG,
);

test(
  "gdb catches calls and forks, and sees threads",
  () => {
    const catches = [
      "handle SIGUSR1 nostop noprint",
      "catch syscall write",
      "catch fork",
      "run",
      "continue",
      "continue",
    ];
    check("gdb-catch", [
      gdb("", ...catches, "continue"),
      gdb("thread", "break worker", "run", "print $_inferior_thread_count", "bt 1", "continue"),
    ]);
  },
  LONG,
);

test(
  "gdb attaches to a running program and changes it",
  () => {
    check("gdb-attach", [
      `./shapes wait & program=$!
    gdb -nx -batch -p $program -ex 'bt -4' -ex 'print total' -ex 'set var going=0' -ex detach </dev/null
    wait $program; echo $?`,
    ]);
  },
  LONG,
);
