// `bun run check`: format, lint, types, house rules and unit tests; everything that needs no guest program.

import { buildShim, bun, must } from "./toolchain.ts";

buildShim();
must(["node_modules/.bin/biome", "ci", "--error-on-warnings", "."]);
must(["node_modules/.bin/tsc"]);
must([bun, "test", "--timeout=60000", "test/tidy.test.ts", "test/unit"]);
