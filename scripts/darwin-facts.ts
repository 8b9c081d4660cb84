// Writes docs/darwin-facts.md: what is proven about Darwin (test/double/facts.ts).

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { factsPage } from "../test/double/facts.ts";
import { must, root, zig } from "./toolchain.ts";

must([zig, "build", "darwin-facts"]);
writeFileSync(join(root, "docs/darwin-facts.md"), factsPage());
