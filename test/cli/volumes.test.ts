// -v, -w and --rootfs: what the guest sees where, and what it can change there.

import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busybox, cli, workFolder } from "../support/busybox.ts";

const work = workFolder();
const at = (name: string): string => join(work, name);
for (const dir of ["one/deep", "two", "root/bin", "root/etc", "outside"]) mkdirSync(at(dir), { recursive: true });
writeFileSync(at("one/file"), "one\n");
writeFileSync(at("one/deep/file"), "deep\n");
writeFileSync(at("two/file"), "two\n");
writeFileSync(at("outside/secret"), "secret\n");
writeFileSync(at("single"), "single\n");
writeFileSync(at("root/etc/name"), "root folder\n");
copyFileSync(busybox, at("root/bin/busybox"));
symlinkSync("/etc/name", at("root/absolute"));
symlinkSync("../../../../outside/secret", at("root/climbing"));
symlinkSync("/outside/secret", at("one/away"));

/** A guest shell with options; its output with errors. */
function shell(options: readonly string[], script: string, program = busybox): string {
  const result = cli(["run-elf", ...options, program, "sh", "-c", `exec 2>&1; ${script}`], { cwd: work });
  expect(result.stderr).toBe("");
  return result.stdout;
}

describe("-v", () => {
  test("shows a folder where nothing was", () => {
    expect(
      shell(["-v", `${at("one")}:/data/here`], "cat /data/here/file; ls /data; cd /data/here/deep; pwd; cat ../file"),
    ).toBe("one\nhere\n/data/here/deep\none\n");
    expect(existsSync("/data/here")).toBe(false);
  });
  test("hides what was there", () => {
    expect(shell(["-v", `${at("two")}:${at("one")}`], `cat ${at("one")}/file; ls ${at("one")}`)).toBe("two\nfile\n");
    expect(readFileSync(at("one/file"), "utf8")).toBe("one\n");
  });
  test("changes reach the host, and the host's the guest", () => {
    expect(shell(["-v", `${at("two")}:/v`], "echo new > /v/new; mkdir /v/dir; mv /v/new /v/dir; ls /v/dir")).toBe(
      "new\n",
    );
    expect(readFileSync(at("two/dir/new"), "utf8")).toBe("new\n");
  });
  test("a single file", () => {
    expect(shell(["-v", `${at("single")}:/etc/only`], "cat /etc/only; echo more >> /etc/only; cat /etc/only")).toBe(
      "single\nsingle\nmore\n",
    );
    expect(readFileSync(at("single"), "utf8")).toBe("single\nmore\n");
    expect(
      shell(["-v", `${at("single")}:/etc/passwd:ro`], "head -n 1 /etc/passwd; echo x >> /etc/passwd; rm /etc/passwd"),
    ).toMatch(/^single\nsh: can't create \/etc\/passwd: Read-only file system\nrm: .*busy\n$/);
  });
  test("ro refuses every change", () => {
    const script =
      "cd /v; cat file; echo x > file; echo x > new; rm file; mkdir d; mv file f; chmod 777 file; ln file l; touch file; truncate -s 0 file; mkfifo p; rmdir deep";
    const lines = shell(["-v", `${at("one")}:/v:ro`], script)
      .trim()
      .split("\n");
    expect(lines.shift()).toBe("one");
    expect(lines.length).toBe(11);
    for (const line of lines) expect(line).toContain("Read-only file system");
    expect(readFileSync(at("one/file"), "utf8")).toBe("one\n");
  });
  test("inside each other, in any order of names", () => {
    const options = ["-v", `${at("one")}:/v:ro`, "-v", `${at("two")}:/v/deep`, "-v", `${at("single")}:/v/deep/file`];
    const script =
      "cat /v/file; head -n 1 /v/deep/file; echo x > /v/no; echo y > /v/deep/yes; cat /v/deep/yes; grep -c ' /v' /proc/mounts";
    expect(shell(options, script)).toBe("one\nsingle\nsh: can't create /v/no: Read-only file system\ny\n3\n");
  });
  test("relative sources, spaces, trailing slashes, dots", () => {
    mkdirSync(at("with space"), { recursive: true });
    writeFileSync(at("with space/f"), "spaced\n");
    expect(shell(["-v", "with space:/with space"], "cat '/with space/f'")).toBe("spaced\n");
    expect(shell(["-v", "./one/:/a/./b/../c/"], "cat /a/c/file")).toBe("one\n");
  });
  test("links are the guest's to follow", () => {
    expect(shell(["-v", `${at("one")}:/v`], "cat /v/away")).toBe(
      "cat: can't open '/v/away': No such file or directory\n",
    );
  });
});

describe("-w", () => {
  test("starts there", () => {
    expect(shell(["-w", at("one/deep")], "pwd; cat file")).toBe(`${at("one/deep")}\ndeep\n`);
    expect(shell(["-v", `${at("one")}:/v`, "-w", "/v/deep"], "pwd; cat file; cat ../file")).toBe(
      "/v/deep\ndeep\none\n",
    );
  });
  test("the program's path is relative to it", () => {
    copyFileSync(busybox, at("two/busybox"));
    expect(shell(["-w", at("two")], "echo found", "./busybox")).toBe("found\n");
  });
});

describe("--rootfs", () => {
  test("is the guest's /", () => {
    const script = "pwd; cat /etc/name; cat /absolute; ls /; ls -d /proc/self /dev/null";
    expect(shell(["--rootfs", at("root")], script, "/bin/busybox")).toBe(
      "/\nroot folder\nroot folder\nabsolute\nbin\nclimbing\ndev\netc\nproc\nsys\n/dev/null\n/proc/self\n",
    );
  });
  test("no path leads out of it", () => {
    const script = `cat /climbing; cat ../../..${at("outside/secret")}; cd ..; pwd; cat /proc/1/root/etc/name; ls ${work}`;
    const lines = shell(["--rootfs", at("root")], script, "/bin/busybox");
    expect(lines).not.toContain("secret\n");
    expect(lines.split("\n")[2]).toBe("/");
    expect(lines).toContain("root folder\n");
  });
  test("with volumes and a working directory, and relative names", () => {
    const options = ["--rootfs", "root", "-v", "one:/v", "-w", "/v"];
    expect(shell(options, "cat file; cat /etc/name; echo $PWD", "/bin/busybox")).toBe("one\nroot folder\n/v\n");
  });
});
