// Where the shim's shared library lies. In a checkout it is dist/libcarrick.so. In a compiled binary it is embedded, and
// dlopen needs a file: Bun puts one into TMPDIR, named by its content, and takes what it finds there only when that is a
// regular file of this user with the right size.

import embedded from "#shim" with { type: "file" };

/** Where Bun shows the files inside a compiled binary. */
const BUNDLE = "/$bunfs/";

/** Calls `open` with a path that it can load. */
export function openLibrary<T>(open: (path: string) => T): T {
  try {
    return open(embedded);
  } catch (error) {
    if (!embedded.startsWith(BUNDLE)) throw error;
    const { openCopy } = require("./library-copy.ts") as typeof import("./library-copy.ts");
    return openCopy(embedded, open);
  }
}
