// Shell scripts under Debian's busybox for arm64, each in an empty working directory of a root folder that holds nothing
// but busybox. The expected output was recorded with the same busybox under qemu-aarch64 (or with the amd64 one on the
// host's kernel, where a script says "# native:") and is compared with it again where that can run.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { carrick, compile, qemu, type Result, run } from "../support/guest.ts";

const scripts = join(import.meta.dir, "scripts");
const expected = join(scripts, "expected");
const record = process.env["CARRICK_RECORD"] === "1";
const isRoot = process.getuid?.() === 0;
const timeoutMs = 20_000;
/** What namespace.c says where it is not allowed to do its work. */
const UNAVAILABLE = 99;

const work = mkdtempSync(join(tmpdir(), "carrick-busybox-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** A root folder with busybox in /bin, the scripts in /scripts and an empty /work. */
function makeRoot(name: string, architecture: string): string {
  const root = join(work, name);
  for (const dir of ["bin", "scripts", "tmp", "dev", "proc", "work"]) mkdirSync(join(root, dir), { recursive: true });
  const busybox = join(root, "bin/busybox");
  copyFileSync(join(debianPackage("busybox-static", architecture), "bin/busybox"), busybox);
  chmodSync(busybox, 0o755);
  for (const link of ["sh", "true", "echo"]) symlinkSync("busybox", join(root, "bin", link));
  for (const file of names) copyFileSync(join(scripts, file), join(root, "scripts", file));
  return root;
}

const names = readdirSync(scripts)
  .filter((name) => name.endsWith(".sh"))
  .sort();
const ENV = ["PATH=/bin", "HOME=/work", "LC_ALL=C", "MARK=mark", "TZ=UTC"];

/** The script's output and its status, in a fresh /work. */
function outcome(root: string, start: readonly string[], file: string): string {
  const dir = join(root, "work");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { mode: 0o755 });
  const command = ["/bin/busybox", "env", "-i", ...ENV, "/bin/busybox", "sh", `/scripts/${file}`];
  const result: Result = run([...start, ...command], { timeoutMs });
  return `${result.stdout}status ${result.status}\n${result.stderr === "" ? "" : `stderr: ${result.stderr}`}`;
}

function oracle(file: string): string | null {
  const native = readFileSync(join(scripts, file), "latin1").startsWith("# native:");
  if (!isRoot || qemu === null || process.arch !== "x64") return null;
  const emulator = native ? "-" : join(debianPackage("qemu-user-static", "amd64"), "usr/bin/qemu-aarch64-static");
  const root = native ? (nativeRoot ??= makeRoot("native", "amd64")) : guestRoot;
  const namespace = compile(join(import.meta.dir, "../support/namespace.c"), "musl", "x86_64");
  const text = outcome(root, [namespace, emulator, root, "/work"], file);
  return text.startsWith(`status ${UNAVAILABLE}\n`) ? null : text;
}

let nativeRoot: string | undefined;
const guestRoot = makeRoot("guest", "arm64");

for (const file of names) {
  const answer = join(expected, file.replace(/\.sh$/, ".txt"));
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
        const ours = outcome(guestRoot, [...carrick, "run-elf", "--rootfs", guestRoot, "-w", "/work"], file);
        expect(ours).toBe(readFileSync(answer, "latin1"));
      },
      timeoutMs,
    );
  });
}
