// strace and gdb of Debian above a small program: what is run, and what of their output does not differ from run to run.

import { join } from "node:path";
import { debianRoot } from "../../scripts/corpora.ts";
import { compile } from "./guest.ts";

const tracers = join(import.meta.dir, "../guest/tracers");

/** A root with both. */
export const tracerRoot = (): string =>
  debianRoot("tracers", ["strace", "gdb", "bash", "coreutils", "grep", "sed", "gawk"]);

/** What is traced; with debugging information. */
export const shapes = (): string => compile(join(tracers, "shapes.c"), "musl", "aarch64", ["-g", "-O0"]);

/** The record of a name. */
export const recordOf = (name: string): string => join(tracers, "expected", `${name}.txt`);

/** Words behind run-elf for a line of bash that prints on both streams. `folder` is where the program lies, as "shapes". */
export function tracerWords(root: string, folder: string, line: string): string[] {
  return ["--rootfs", root, "-v", `${folder}:/t`, "-w", "/t", "/bin/bash", "-c", `exec 2>&1\n${line}`];
}

/** Without process ids, addresses and times. */
export function comparable(output: string): string {
  return output
    .replace(/0x[0-9a-f]{4,}/g, "ADDR")
    .replace(/\S*\/(\w+\.[ch])\b/g, "$1")
    .replace(/=\d{9,}/g, "=N")
    .replace(/parent_tid=\[\d+\]/g, "parent_tid=[N]")
    .replace(
      /(\[pid +|Process |process |LWP |program=|tgkill\(|kill\(|si_pid=|wait4\(|child_tidptr=ADDR\) = )\d+(, \d+(?=, SIG))?/g,
      "$1N",
    )
    .replace(/^(wait4\(.*= )\d+$/gm, "$1N")
    .replace(/si_[us]time=[^,}]*/g, (all) => `${all.slice(0, 9)}T`)
    .replace(/^(tgkill\(.*\)|wait4\(.*\)|write\(.*\)|\)) +=/gm, "$1 =")
    .replace(/^\n/gm, "");
}

const gdb = (args: string, ...commands: string[]): string =>
  `gdb -nx -batch ${commands.map((c) => `-ex '${c}'`).join(" ")} --args ./shapes ${args} </dev/null`;

const begin = ["handle SIGUSR1 nostop noprint", "break area", "run", "bt", "next", "next"];
const watch = ["watch sum", "continue", "continue", "print sum", "set var sum=100", "delete", "finish"];
const rest = ["print area(5, 5)", "stepi", "print $pc != 0", "info registers sp", "print $v0.d.u[0] == 1", "continue"];
const fault = ["print $_siginfo.si_signo", "print $_siginfo._sifields._sigfault.si_addr"];
const catches = ["handle SIGUSR1 nostop noprint", "catch syscall write", "catch fork", "run", "continue", "continue"];

/** Lines of bash by the name of their record, and what they show. */
export const TRACERS = {
  strace: {
    shows: "strace shows calls, signals and the end",
    lines: ["strace -e trace=tgkill,wait4,write,exit_group ./shapes"],
  },
  "strace-follow": {
    shows: "strace follows children and threads",
    lines: [
      "strace -f -q -o log -e trace=none ./shapes; sed 's/^[0-9 ]*//' log | sort",
      "strace -f -q -o log -e trace=clone,exit,exit_group ./shapes thread; sed 's/^[0-9 ]*//' log | sort",
    ],
  },
  "strace-count": {
    shows: "strace counts calls",
    lines: [`strace -f -q -c -o log ./shapes; gawk '/write|wait4|clone|tgkill/ {print $4, $NF}' log | sort`],
  },
  "strace-inject": {
    shows: "strace changes results and sends signals",
    lines: [
      "strace -q -e signal=none -e trace=write -e inject=write:error=ENOSPC ./shapes; echo $?",
      "strace -q -e signal=none -e trace=write -e inject=write:retval=8 ./shapes; echo $?",
      "strace -q -e signal=SIGTERM -e trace=write -e inject=write:signal=SIGTERM ./shapes; echo $?",
    ],
  },
  "strace-attach": {
    shows: "strace attaches to a running program and lets it go",
    lines: [
      `./shapes wait & program=$!
    strace -q -o log -p $program & tracer=$!
    until grep -q nanosleep log 2>/dev/null; do sleep 0.02; done
    grep TracerPid /proc/$program/status | grep -c $tracer
    kill -INT $tracer; wait $tracer
    grep TracerPid /proc/$program/status
    kill -USR2 $program; wait $program; echo $?
    grep -o 'nanosleep(' log | sort -u`,
    ],
  },
  gdb: { shows: "gdb breaks, steps, watches, calls and finishes", lines: [gdb("", ...begin, ...watch, ...rest)] },
  "gdb-signals": {
    shows: "gdb stops at signals, and shows where a program has died",
    lines: [gdb("crash", "run", "continue", "bt", ...fault, "continue")],
  },
  "gdb-catch": {
    shows: "gdb catches calls and forks, and sees threads",
    lines: [
      gdb("", ...catches, "continue"),
      gdb("thread", "break worker", "run", "print $_inferior_thread_count", "bt 1", "continue"),
    ],
  },
  "gdb-attach": {
    shows: "gdb attaches to a running program and changes it",
    lines: [
      `./shapes wait & program=$!
    gdb -nx -batch -p $program -ex 'bt -4' -ex 'print total' -ex 'set var going=0' -ex detach </dev/null
    wait $program; echo $?`,
    ],
  },
} as const;

/** Between the lines of one record. */
export const SEPARATOR = "--\n";
export const SEPARATOR_LINE = /^--\n/m;
