// The engines that can run here.

import { ENGINES, type Engine } from "../../src/cpu/cpu.ts";

const NEEDS: Readonly<Record<Engine, boolean>> = {
  interp: true,
  jit: process.arch === "x64",
  hvf: process.platform === "darwin" && process.arch === "arm64",
};

export const engines: readonly Engine[] = ENGINES.filter((engine) => NEEDS[engine]);
