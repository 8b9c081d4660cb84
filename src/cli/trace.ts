// `carrick trace run ...` and `carrick trace run-elf ...`: runs like the command behind it and prints each system call, as strace does.

import { closeSync, writeSync } from "node:fs";
import { writeErr } from "../host/stdio.ts";
import { findRow } from "../syscalls/table.ts";
import { Tracer } from "../trace/strace.ts";
import type { Command } from "./commands.ts";
import { runWatched } from "./guest-command.ts";
import { openOutput } from "./host-paths.ts";
import { last, type Option } from "./options.ts";

const options: readonly Option[] = [
  { name: "output", short: "o", value: "FILE", help: "Write the trace to FILE instead of stderr" },
];

export const command: Command = {
  name: "trace",
  summary: "Run a program and print its system calls",
  operands: "[-o FILE] run|run-elf ...",
  options,
  async run(parsed) {
    const path = last(parsed, "output");
    if (path === undefined) return runWatched(parsed.rest, new Tracer(findRow, writeErr), "trace");
    const fd = openOutput(path);
    try {
      return await runWatched(parsed.rest, new Tracer(findRow, (text) => writeSync(fd, text)), "trace");
    } finally {
      closeSync(fd);
    }
  },
};
