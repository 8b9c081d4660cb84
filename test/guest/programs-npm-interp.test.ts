// Programs out of npm packages (programs-npm.test.ts) on the interpreter, which is what a Mac without a hypervisor has.

import { test } from "bun:test";
import { NPM_LIMIT_MS, npmProgramsPass } from "../support/npm-suite.ts";

test(
  "esbuild, ripgrep, node and bun on the interpreter",
  () => npmProgramsPass({ CARRICK_TEST_CPU: "interp" }),
  NPM_LIMIT_MS,
);
