// `carrick trace run ...` and `carrick trace run-elf ...`: runs like the command behind it and prints each system call, as strace does, and
// with --instructions each instruction.

import { closeSync } from "node:fs";
import { EPIPE } from "../abi/errno.ts";
import { writeAll } from "../host/stdio.ts";
import { findRow } from "../syscalls/table.ts";
import { resultText } from "../trace/format.ts";
import { InstructionTracer } from "../trace/instructions.ts";
import { Tracer } from "../trace/strace.ts";
import type { Command } from "./commands.ts";
import { runWatched } from "./guest-command.ts";
import { openOutput } from "./host-paths.ts";
import { isOn, last, type Option, type Parsed } from "./options.ts";
import { EXIT_UNREAD } from "./print.ts";
import { printable, UserError } from "./user-error.ts";

const STDERR = 2;

const options: readonly Option[] = [
  { name: "output", short: "o", value: "FILE", help: "Write the trace to FILE instead of stderr" },
  {
    name: "instructions",
    short: "i",
    help: "Print every instruction too, and the registers that it changes: one CPU steps, at about a microsecond each",
  },
];

export const command: Command = {
  name: "trace",
  summary: "Run a program and print its system calls",
  operands: "[-i] [-o FILE] run|run-elf ...",
  options,
  async run(parsed) {
    const path = last(parsed, "output");
    if (path === undefined) return runWatched(parsed.rest, tracer(parsed, writeErrors), "trace");
    const fd = openOutput(path);
    try {
      return await runWatched(parsed.rest, tracer(parsed, writer(fd, path)), "trace");
    } finally {
      closeSync(fd);
    }
  },
};

function tracer(parsed: Parsed, write: (text: string) => void): Tracer {
  return isOn(parsed, "instructions") ? new InstructionTracer(findRow, write) : new Tracer(findRow, write);
}

/** To stderr. Nobody can be told that it cannot be written to; when its reader has gone (`| head`), the run is over. */
function writeErrors(text: string): void {
  if (writeAll(STDERR, text) === -EPIPE) throw new UserError("", EXIT_UNREAD);
}

function writer(fd: number, path: string): (text: string) => void {
  return (text) => {
    const error = writeAll(fd, text);
    if (error === -EPIPE) throw new UserError("", EXIT_UNREAD);
    if (error < 0) throw new UserError(`-o: cannot write ${printable(path)}: ${resultText(error, false).slice(3)}`);
  };
}
