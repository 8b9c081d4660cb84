// Where the shim's shared library lies: beside the sources in a checkout, embedded in a compiled binary.

import { join } from "node:path";

/** Path that dlopen can use. */
export function libraryPath(): string {
  return join(import.meta.dir, "../../dist/libcarrick.so");
}
