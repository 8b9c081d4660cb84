// Writes down which functions a start uses (scripts/start/functions.order), for builds to come. To be run when a test says that too few
// of those are still there.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ORDER, recordStart } from "./release/compile.ts";
import { buildShim, root } from "./toolchain.ts";

buildShim();
writeFileSync(join(root, ORDER), `${(await recordStart()).join("\n")}\n`);
