// Shell scripts under Debian's busybox for arm64, in a root folder that holds nothing else.

import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { workFolder } from "../support/busybox.ts";
import { testScripts } from "../support/scripts.ts";

const work = workFolder();

function makeRoot(architecture: string): string {
  const root = join(work, architecture);
  for (const dir of ["bin", "tmp", "dev", "proc", "work"]) mkdirSync(join(root, dir), { recursive: true });
  const busybox = join(root, "bin/busybox");
  copyFileSync(join(debianPackage("busybox-static", architecture), "bin/busybox"), busybox);
  chmodSync(busybox, 0o755);
  for (const link of ["sh", "true", "echo"]) symlinkSync("busybox", join(root, "bin", link));
  return root;
}

let nativeRoot: string | undefined;

testScripts({
  folder: join(import.meta.dir, "scripts"),
  shell: ["/bin/busybox", "sh"],
  root: makeRoot("arm64"),
  nativeRoot: () => {
    nativeRoot ??= makeRoot("amd64");
    return nativeRoot;
  },
});
