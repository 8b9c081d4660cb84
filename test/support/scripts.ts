// Shell scripts in a root folder, each in an empty working directory: the output under carrick must be what was recorded with
// the same programs under qemu-aarch64, or on the host's kernel with programs of its own architecture where a script
// begins with "# native:" because the emulator is wrong. Where the reference can run it is asked again.

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { isRoot, workFolder } from "./busybox.ts";
import { carrick, compile, qemu, run } from "./guest.ts";

/** CARRICK_RECORD=1 writes the records anew. */
const record = process.env["CARRICK_RECORD"] === "1";
const timeoutMs = 60_000;
/** The environment of every script. */
export const SCRIPT_ENV: readonly string[] = [
  ...["PATH=/usr/bin:/bin", "HOME=/work", "TMPDIR=/work", "LC_ALL=C", "MARK=mark", "TZ=UTC"],
];
/** What namespace.c says where it is not allowed to do its work. */
const UNAVAILABLE = 99;

export interface Scripts {
  /** Folder of NAME.sh files; expected/NAME.txt beside them. Scripts named root-* need root. */
  readonly folder: string;
  /** The shell and its words in front of the script's text. */
  readonly shell: readonly string[];
  readonly root: string;
  /** The scripts change their root: the reference gets a copy for each. */
  readonly writesRoot?: boolean;
  /** The command line up to the shell that starts carrick with `dir` as /work; without it, run-elf with `root`. */
  readonly start?: (dir: string) => string[];
  /** The reference takes too long to be asked on every run. */
  readonly slow?: boolean;
  /** A root with programs for the host's processor. */
  readonly nativeRoot?: () => string;
}

export function testScripts(scripts: Scripts): void {
  const work = workFolder();
  let count = 0;

  /** The script's output and its status, in a fresh /work. `start` makes a command line that gets there. */
  const outcome = (start: (dir: string) => string[], file: string): string => {
    count += 1;
    const dir = join(work, `${count}`);
    mkdirSync(dir, { mode: 0o755 });
    const text = readFileSync(join(scripts.folder, file), "latin1");
    const [shell, ...words] = scripts.shell;
    const command = [shell!, ...words, "-c", text, `/scripts/${file}`];
    const clean = ["env", "-i", ...SCRIPT_ENV];
    const result = run([...clean, ...start(dir), ...command], { timeoutMs });
    return `${result.stdout}status ${result.status}\n${result.stderr === "" ? "" : `stderr: ${result.stderr}`}`;
  };

  const oracle = (file: string): string | null => {
    const native = readFileSync(join(scripts.folder, file), "latin1").startsWith("# native:");
    if (scripts.slow && !record) return null;
    if (!isRoot || qemu === null || process.arch !== "x64") return null;
    if (native && scripts.nativeRoot === undefined) return null;
    const emulator = join(debianPackage("qemu-user-static", "amd64"), "usr/bin/qemu-aarch64-static");
    const root = native ? scripts.nativeRoot!() : scripts.writesRoot ? rootCopy(scripts.root, work) : scripts.root;
    const namespace = compile(join(import.meta.dir, "namespace.c"), "musl", "x86_64");
    const text = outcome((dir) => [namespace, native ? "-" : emulator, root, dir], file);
    return text.startsWith(`status ${UNAVAILABLE}\n`) ? null : text;
  };

  const names = readdirSync(scripts.folder).filter((name) => name.endsWith(".sh"));
  for (const file of names.sort()) {
    const answer = join(scripts.folder, "expected", file.replace(/\.sh$/, ".txt"));
    describe.skipIf(file.startsWith("root-") && !isRoot)(file, () => {
      test(
        "the record is what the reference says",
        () => {
          const truth = oracle(file);
          if (truth === null) return;
          if (record || !existsSync(answer)) writeFileSync(answer, truth, "latin1");
          expect(truth).toBe(readFileSync(answer, "latin1"));
        },
        timeoutMs,
      );
      test(
        "carrick agrees",
        () => {
          const runElf = (dir: string) => [
            ...[...carrick, "run-elf", "--rootfs", scripts.root],
            ...["-v", `${dir}:/work`, "-w", "/work"],
          ];
          expect(outcome(scripts.start ?? runElf, file)).toBe(readFileSync(answer, "latin1"));
        },
        timeoutMs,
      );
    });
  }
}

function rootCopy(root: string, work: string): string {
  const copy = join(work, "root");
  rmSync(copy, { recursive: true, force: true });
  const copied = run(["cp", "-a", "--reflink=auto", root, copy]);
  if (copied.status !== 0) throw new Error(copied.stderr);
  return copy;
}
