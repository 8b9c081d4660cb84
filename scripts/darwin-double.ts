// Builds the Darwin host code above its double, for CARRICK_TEST_HOST=darwin-double. Fast when nothing changed.

import { must, zig } from "./toolchain.ts";

must([zig, "build", "darwin-double", "-Doptimize=ReleaseFast"]);
