// Debian's busybox for arm64 as the program that command line tests run, and folders for them.

import { afterAll } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { carrick, type Result, type RunOptions, run } from "./guest.ts";

export const busybox = join(debianPackage("busybox-static"), "bin/busybox");
export const isRoot = process.getuid?.() === 0;

/** A folder that is gone after the tests of the file. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carrick-test-"));
  afterAll(() => {
    run(["chmod", "-R", "u+rwX", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  chmodSync(folder, 0o755);
  return folder;
}

/** `carrick ARGS...` */
export function cli(args: readonly string[], options: RunOptions = {}): Result {
  return run([...carrick, ...args], options);
}

/** `carrick run-elf busybox sh -c SCRIPT` */
export function guestShell(script: string, options: RunOptions = {}): Result {
  return cli(["run-elf", busybox, "sh", "-c", script], options);
}

/** A script of the host's shell in which $CARRICK is the command and $BUSYBOX the program. */
export function hostShell(script: string, options: RunOptions = {}): Result {
  const words = carrick.map((word) => `'${word}'`).join(" ");
  return run(["bash", "-c", `carrick() { ${words} "$@"; }; BUSYBOX='${busybox}'; ${script}`], options);
}
