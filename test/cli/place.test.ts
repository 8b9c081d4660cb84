// The built executable needs nothing but itself: alone in a folder, with any HOME and TMPDIR, several at once.

import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/toolchain.ts";
import { busybox, isRoot, workFolder } from "../support/busybox.ts";
import { run } from "../support/guest.ts";

const work = workFolder();
const alone = join(work, "alone");
mkdirSync(alone);
const executable = join(alone, "carrick");
copyFileSync(join(root, "dist/carrick-linux-x64"), executable);
chmodSync(executable, 0o755);

/** A host's shell script without any variable but the given ones. */
function bare(script: string, env: readonly string[] = [], cwd = alone) {
  return run(["env", "-i", ...env, "PATH=/usr/bin:/bin", "bash", "-c", script], { cwd });
}
const hello = `./carrick run-elf ${busybox} sh -c 'echo hello; exit 3'`;
const HELLO = { status: 3, stdout: "hello\n", stderr: "" };

function folder(name: string, mode = 0o755): string {
  mkdirSync(join(work, name));
  chmodSync(join(work, name), mode);
  return join(work, name);
}

describe("the executable alone", () => {
  test("in an empty folder with an empty home", () => {
    const home = folder("home");
    expect(bare(hello, [`HOME=${home}`])).toEqual(HELLO);
    expect(readdirSync(alone)).toEqual(["carrick"]);
  });
  test("without HOME, TMPDIR or any variable", () => {
    expect(bare(hello)).toEqual(HELLO);
  });
  test("through a link and by PATH", () => {
    const bin = folder("bin");
    expect(bare(`ln -s ../alone/carrick ${bin}/ca; PATH=${bin}:$PATH; ${hello.replace("./carrick", "ca")}`)).toEqual(
      HELLO,
    );
  });
  for (const [what, value] of [
    ["missing", join(work, "nowhere")],
    ["a file", "/etc/passwd"],
    ["a device", "/dev/null"],
    ["of the kernel", "/proc"],
    ["relative", "nowhere"],
    ["empty", ""],
  ] as const) {
    test(`with a TMPDIR, HOME and XDG_CACHE_HOME that is ${what}`, () => {
      for (const name of ["TMPDIR", "HOME", "XDG_CACHE_HOME"]) expect(bare(hello, [`${name}=${value}`])).toEqual(HELLO);
      expect(bare(hello, [`TMPDIR=${value}`, `HOME=${value}`, `XDG_CACHE_HOME=${value}`])).toEqual(HELLO);
    });
  }
  test.skipIf(isRoot)("with folders that may not be written", () => {
    const closed = folder("closed", 0o500);
    expect(bare(hello, [`TMPDIR=${closed}`, `HOME=${closed}`])).toEqual(HELLO);
  });
  test.skipIf(!isRoot)("as another user, without a writable home", () => {
    const closed = folder("root-home", 0o700);
    const result = bare(`setpriv --reuid=65534 --regid=65534 --clear-groups ${hello}`, [
      `TMPDIR=${closed}`,
      `HOME=${closed}`,
    ]);
    expect(result).toEqual(HELLO);
  });
  test.skipIf(!isRoot)("with a TMPDIR that does not allow execution, or is full", () => {
    const tmp = folder("small");
    for (const options of ["noexec", "size=4k", "ro"]) {
      const script = `mount -t tmpfs -o ${options} none ${tmp} || exit 9; TMPDIR=${tmp} HOME=${tmp} ${hello}`;
      const result = run(["unshare", "-m", "bash", "-c", script], { cwd: alone });
      if (result.status !== 9) expect(result).toEqual(HELLO);
    }
  });
});

describe("what runs leave behind", () => {
  test("nothing that grows", () => {
    const tmp = folder("tmp");
    const env = [`TMPDIR=${tmp}`, `HOME=${tmp}`];
    bare(hello, env);
    const first = readdirSync(tmp);
    for (const file of first) expect(statSync(join(tmp, file)).mode & 0o077).toBe(0);
    for (let i = 0; i < 3; i += 1) expect(bare(hello, env)).toEqual(HELLO);
    bare(`./carrick run-elf ${busybox} sh -c 'kill -9 $$'`, env);
    bare(`timeout -s KILL 0.3 ./carrick run-elf ${busybox} sleep 10`, env);
    bare("./carrick run-elf ./missing; ./carrick --help; ./carrick nonsense", env);
    expect(readdirSync(tmp)).toEqual(first);
  });
  test("eight at once with fresh folders", () => {
    const tmp = folder("shared");
    const script = `for i in 1 2 3 4 5 6 7 8; do ./carrick run-elf ${busybox} sh -c "echo $i" & done; wait`;
    const result = bare(script, [`TMPDIR=${tmp}`, `HOME=${tmp}`]);
    expect(result.stderr).toBe("");
    expect(result.stdout.trim().split("\n").sort().join("")).toBe("12345678");
  });
});
