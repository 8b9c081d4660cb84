// Programs of Debian for arm64, dynamically linked: shells, interpreters, compilers, version control, databases.

import { join } from "node:path";
import { debianRoot } from "../../scripts/corpora.ts";
import { testScripts } from "../support/scripts.ts";

const PACKAGES = [
  ...["bash", "coreutils", "findutils", "grep", "sed", "gawk", "diffutils", "tar", "gzip", "xz-utils", "zstd", "less"],
  ...["perl", "python3", "lua5.4", "expect", "git", "make", "gcc", "libc6-dev", "sqlite3", "jq", "vim-tiny", "openssl"],
  ...["procps", "base-files", "base-passwd", "ncurses-base"],
];

testScripts({
  folder: join(import.meta.dir, "debian"),
  shell: ["/bin/bash"],
  slow: true,
  root: debianRoot("programs", PACKAGES),
});
