// Programs of Debian for arm64 that run scripts, and a shell script that runs a thousand commands: command lines for carrick and qemu-aarch64.

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { debianPackage, debianRoot } from "../../scripts/corpora.ts";
import { carrick, qemu } from "../support/guest.ts";

export interface Pair {
  readonly name: string;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const scripts = join(import.meta.dir, "scripts");
const SHOWN = "/scripts";

/** Name of the row, program, and arguments, the script last. */
const PROGRAMS = [
  ["python", "/usr/bin/python3.11", ["-S"], "mixed.py"],
  ["perl", "/usr/bin/perl", [], "mixed.pl"],
  ["lua", "/usr/bin/lua5.4", [], "mixed.lua"],
  ["sqlite", "/usr/bin/sqlite3", ["-init"], "mixed.sql"],
  ["bash", "/usr/bin/bash", [], "mixed.bash"],
  ["awk", "/usr/bin/gawk", ["-f"], "mixed.awk"],
] as const;

const LAST: Readonly<Record<string, readonly string[]>> = { sqlite: [":memory:", ".exit"] };

export function interpreters(): Pair[] {
  const root = debianRoot("interpreters", ["python3", "perl", "lua5.4", "sqlite3", "bash", "gawk"]);
  return PROGRAMS.map(([name, program, options, script]) => {
    const last = LAST[name] ?? [];
    return {
      name,
      ours: [
        ...[...carrick, "run-elf", "--rootfs", root, "-v", `${scripts}:${SHOWN}:ro`, "-e", "LC_ALL=C"],
        ...["--", program, ...options, join(SHOWN, script), ...last],
      ],
      theirs: [qemu!, "-L", root, join(root, program), ...options, join(scripts, script), ...last],
      env: { LC_ALL: "C", QEMU_SET_ENV: `PYTHONHOME=${join(root, "usr")}` },
    };
  });
}

/** `busybox sh`, each of whose commands is a process that executes busybox. `folder` becomes the guest's root. */
export function commands(folder: string): Pair {
  const busybox = join(debianPackage("busybox-static"), "bin/busybox");
  mkdirSync(join(folder, "bin"), { recursive: true });
  const copy = join(folder, "bin/busybox");
  copyFileSync(busybox, copy);
  const script = join(scripts, "commands.sh");
  // Executing a program from inside qemu means naming qemu again, which a kernel with binfmt_misc does by itself.
  copyFileSync(script, join(folder, "commands.sh"));
  return {
    name: "busybox sh, 1,000 commands",
    ours: [...carrick, "run-elf", "--rootfs", folder, "--", "/bin/busybox", "sh", "/commands.sh", "/bin/busybox"],
    theirs: [qemu!, copy, "sh", script, `${Bun.which(qemu!)} ${copy}`],
  };
}
