// What the bundler is told about carrick's sources beyond what they say themselves, so that a start has little to do.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BunPlugin } from "bun";
import { root } from "../toolchain.ts";
import { withoutConstants } from "./constants.ts";

const SOURCES = join(root, "src");
/** Whatever is loaded later finds this loaded: with all that it imports it is one file of the bundle. */
const CORE = join(SOURCES, "container/machine.ts");

/** Files that others load by `require`. */
function loadedLater(): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const path = join(SOURCES, name);
    for (const [, target] of readFileSync(path, "utf8").matchAll(/\brequire\("(\.[^"]+)"\)/g))
      found.add(join(dirname(path), target!));
  }
  return found;
}

export const layOut: BunPlugin = {
  name: "layout",
  setup(build) {
    const later = loadedLater();
    const inKernel = /\/src\/(syscalls|fs|net|tty|vfs|kernel|mm|loader)\//;
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const contents = withoutConstants(path);
      return {
        contents: later.has(path) && inKernel.test(path) ? `import "${CORE}";\n${contents}` : contents,
        loader: "js",
      };
    });
  },
};
