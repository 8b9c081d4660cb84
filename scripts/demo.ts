// `npm run demo`: builds carrick and runs a real Linux/ARM64 program under it, the esbuild bundler, on a small
// TypeScript project that comes with the toolchain.

import { join } from "node:path";
import { npmPackage } from "./corpora.ts";
import { bun, must, root } from "./toolchain.ts";

must([bun, join(root, "scripts/build.ts")]);
const esbuild = join(npmPackage("@esbuild/linux-arm64"), "bin/esbuild");
const bundle = [
  "node_modules/citty/dist/index.mjs",
  "--bundle",
  "--platform=node",
  "--minify",
  "--outfile=.cache/demo/citty.js",
];

console.log("\n$ file $(which esbuild)    # what is going to run here");
must([
  "sh",
  "-c",
  `od -An -tx1 -j16 -N4 ${esbuild} | sed 's/^ 02 00 b7 00/ELF executable for machine 0xb7 (AArch64)/'`,
]);
console.log(`\n$ carrick run-elf esbuild ${bundle.join(" ")}`);
must([join(root, "dist/carrick-linux-x64"), "run-elf", esbuild, ...bundle]);
console.log("\n$ node -e 'import(...)'    # the bundle works");
must([
  "node",
  "-e",
  `import("${join(root, ".cache/demo/citty.js")}").then((m) => console.log(Object.keys(m.default ?? m).join(" ")))`,
]);
