// What the bundler is told about carrick's sources beyond what they say themselves, so that a start has little to do.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { BunPlugin } from "bun";
import { root } from "../toolchain.ts";
import { withoutConstants } from "./constants.ts";

const SOURCES = join(root, "src");
/**
 * Whatever a running guest needs later finds this loaded. That it says so keeps all that this imports in one file of the bundle: the
 * bundler makes a file of its own of whatever has other users than the rest.
 */
const CORE = ["container/machine.ts", "container/mounting.ts", "kernel/task-exec.ts"].map((name) =>
  join(SOURCES, name),
);
/** What is loaded only where there is a guest. */
const GUESTS =
  /\/src\/(?:(?:syscalls|fs|net|tty|vfs|kernel|mm|loader)\/|container\/system-trees\.ts|cli\/(?:trace|compat-report|mount-options)\.ts)/;

/** Files that others load by `require` or `import()`. */
function loadedLater(paths: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const path of paths) {
    const text = readFileSync(path, "utf8");
    for (const [, target] of text.matchAll(/\b(?:require|import)\("(\.[^"]+)"\)/g))
      found.add(join(dirname(path), target!));
  }
  return found;
}

export const layOut: BunPlugin = {
  name: "layout",
  setup(build) {
    const names = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) =>
      /(?<!\.d)\.ts$/.test(name),
    );
    const paths = names.sort().map((name) => join(SOURCES, name));
    const later = loadedLater(paths);
    // In an order of their own: the bundler asks for them in any.
    const sources = new Map(paths.map((path) => [path, withoutConstants(path)]));
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const code = sources.get(path);
      if (code === undefined) return undefined;
      const needsCore = later.has(path) && GUESTS.test(path.slice(root.length));
      const core = needsCore
        ? CORE.map((file) => `import "${relative(dirname(path), file).replace(/^(?!\.)/, "./")}";`)
        : [];
      return { contents: [...core, code].join("\n"), loader: "js" };
    });
  },
};
