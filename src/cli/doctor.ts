// `carrick doctor`: placeholder until written below.
import type { Command } from "./commands.ts";
export const command: Command = {
  name: "doctor",
  summary: "Check this machine",
  operands: "[OPTIONS]",
  options: [],
  run: () => 0,
};
