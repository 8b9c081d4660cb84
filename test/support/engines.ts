// The engines that can run here.

import { type Engine, ENGINES } from "../../src/cpu/cpu.ts";

const NEEDS: Readonly<Record<Engine, boolean>> = {
  interp: true,
  jit: process.arch === "x64",
  hvf: process.platform === "darwin" && process.arch === "arm64",
};

export const engines: readonly Engine[] = ENGINES.filter((engine) => NEEDS[engine]);
