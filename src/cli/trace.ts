// `carrick trace run-elf ...`: runs like the command behind it and prints each system call, as strace does.

import { closeSync, writeSync } from "node:fs";
import { writeErr } from "../host/stdio.ts";
import { table } from "../syscalls/table.ts";
import { Tracer } from "../trace/strace.ts";
import type { Command } from "./commands.ts";
import { openOutput } from "./host-paths.ts";
import { last, type Option, parseOptions, usageError } from "./options.ts";
import { runElf, command as runElfCommand } from "./run-elf.ts";
import { printable } from "./user-error.ts";

const options: readonly Option[] = [
  { name: "output", short: "o", value: "FILE", help: "Write the trace to FILE instead of stderr" },
];

export const command: Command = {
  name: "trace",
  summary: "Run a program and print its system calls",
  operands: "[-o FILE] run-elf [OPTIONS] FILE [ARG...]",
  options,
  run(parsed) {
    const [name, ...rest] = parsed.rest;
    if (name !== "run-elf")
      throw usageError(`trace needs the command run-elf${name === undefined ? "" : `, not ${printable(name)}`}`);
    const inner = parseOptions(runElfCommand.options, rest);
    const path = last(parsed, "output");
    if (path === undefined) return runElf(inner, new Tracer(table, writeErr));
    const fd = openOutput(path);
    try {
      return runElf(inner, new Tracer(table, (text) => writeSync(fd, text)));
    } finally {
      closeSync(fd);
    }
  },
};
