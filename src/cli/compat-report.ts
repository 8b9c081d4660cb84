// `carrick compat-report -- run ...` or `-- run-elf ...`: runs the command and then says which system calls it used, and which of
// them carrick does not have or has only in part. A JSON object on stderr, or in the file that -o names.

import { writeFileSync } from "node:fs";
import { writeErr } from "../host/stdio.ts";
import { CallCounter } from "../trace/call-counter.ts";
import type { Command } from "./commands.ts";
import { runWatched } from "./guest-command.ts";
import { openOutput } from "./host-paths.ts";
import { last, type Option } from "./options.ts";

const options: readonly Option[] = [
  { name: "output", short: "o", value: "FILE", help: "Write the report to FILE instead of stderr" },
];

export const command: Command = {
  name: "compat-report",
  summary: "Run a program and report the system calls it needed",
  operands: "[-o FILE] -- run|run-elf ...",
  options,
  async run(parsed) {
    const path = last(parsed, "output");
    const fd = path === undefined ? -1 : openOutput(path);
    const counter = new CallCounter();
    const status = await runWatched(parsed.rest, counter, "compat-report");
    const report = `${JSON.stringify(counter.report(), null, 2)}\n`;
    if (fd < 0) writeErr(report);
    else writeFileSync(fd, report);
    return status;
  },
};
