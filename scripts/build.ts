// `bun run build`: the shim, and dist/carrick-linux-x64 as one file with the shim embedded.

import { buildShim, bun, must } from "./toolchain.ts";

buildShim();
must([
  bun,
  "build",
  "--compile",
  "--minify-syntax",
  "--minify-whitespace",
  "--bytecode",
  // Without these a compiled program runs what bunfig.toml and .env in the user's directory say.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--target=bun-linux-x64",
  "src/main.ts",
  "--outfile",
  "dist/carrick-linux-x64",
]);
