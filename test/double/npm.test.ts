// Programs out of npm packages (test/guest/programs-npm.test.ts) above the Darwin host code and its double, with the translator.

import { beforeAll, test } from "bun:test";
import { join } from "node:path";
import { must, root } from "../../scripts/toolchain.ts";
import { NPM_LIMIT_MS, npmProgramsPass } from "../support/npm-suite.ts";

beforeAll(() => must([process.execPath, join(root, "scripts/darwin-double.ts")]), 900_000);

test(
  "esbuild, ripgrep, node and bun",
  () => npmProgramsPass({ CARRICK_TEST_HOST: "darwin-double", CARRICK_TEST_CPU: "jit" }),
  NPM_LIMIT_MS,
);
