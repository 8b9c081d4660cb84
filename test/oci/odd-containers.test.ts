// Images of shapes that nobody thinks of until somebody has one: links where directories are expected, nothing where files are,
// users that no file knows, working directories that are missing, logs that are links to a standard stream.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { BootError } from "../../src/container/boot-error.ts";
import { lookUpUser } from "../../src/container/image-users.ts";
import type { RunRequest } from "../../src/container/run-request.ts";
import type { ImageConfig } from "../../src/oci/image-config.ts";
import type { StoredLayer } from "../../src/oci/store.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { type ContainerResult, containerRun } from "../support/run-container.ts";
import { type Member, tarOf } from "../support/tar-writer.ts";

setDefaultTimeout(120_000);

const work = mkdtempSync(join(tmpdir(), "carrick-odd-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n1234:x:77:78::/named:/bin/sh\n";
const GROUP = "root:x:0:\napp:x:1000:\nextra:x:2000:app\n";
const BIN = { PATH: "/bin:/usr/bin" };

let busybox: Uint8Array;
/** busybox alone, in bin. */
let base: StoredLayer;
let count = 0;

beforeAll(() => {
  busybox = readFileSync(join(debianPackage("busybox-static"), "bin/busybox"));
  base = storeLayer(work, "base", tarOf([{ name: "bin/busybox", body: busybox, mode: 0o755 }, applet("sh")]));
});

function applet(name: string, dir = "bin"): Member {
  return { name: `${dir}/${name}`, type: "2", link: "/bin/busybox" };
}

/** Runs a script of busybox's in an image of the members on top of busybox (or of the members alone). */
function run(
  members: readonly Member[],
  script: string | readonly string[],
  request: Partial<RunRequest> = {},
  config: Partial<ImageConfig> = {},
  lower: readonly StoredLayer[] = [base],
): ContainerResult {
  count += 1;
  const layers = [...lower, storeLayer(work, `${count}`, tarOf(members))];
  const command = typeof script === "string" ? ["/bin/busybox", "sh", "-c", `exec 2>&1; ${script}`] : script;
  return containerRun(image("odd", layers, { env: [`PATH=${BIN.PATH}`], ...config }), { command, ...request });
}

function out(result: ContainerResult): string {
  expect(result.stderr).toBe("");
  return result.stdout;
}

/** One sentence, and an exit status of carrick's own. */
function refused(result: ContainerResult, status = 125): string {
  expect({ status: result.status, lines: result.stderr.trimEnd().split("\n").length }).toEqual({ status, lines: 1 });
  expect(result.stdout).toBe("");
  return result.stderr;
}

test("nothing but one static program: no /etc, /tmp, /proc, /dev", () => {
  const alone = [{ name: "busybox", body: busybox, mode: 0o755 }];
  expect(out(run(alone, ["/busybox", "ls", "/"], {}, {}, []))).toBe("busybox\ndev\netc\nproc\nsys\n");
  expect(out(run(alone, ["/busybox", "id"], { user: "7:8" }, {}, []))).toBe("uid=7 gid=8 groups=8\n");
  expect(out(run(alone, ["/busybox", "cat", "/etc/hostname"], { hostname: "h" }, {}, []))).toBe("h\n");
  expect(out(run(alone, ["busybox", "echo", "found"], {}, { env: ["PATH=/"] }, []))).toBe("found\n");
  expect(refused(run(alone, ["sh"], {}, {}, []), 127)).toContain("sh");
  expect(refused(run(alone, [], {}, {}, []))).toContain("command");
  expect(refused(run([], ["/busybox"], {}, {}, []), 127)).toContain("/busybox");
});

test("an image without any layer", () => {
  const empty = containerRun(image("empty", []), { command: ["/bin/true"] });
  expect([empty.status, empty.stderr.split("\n").length]).toEqual([127, 2]);
});

test("/etc is a symbolic link, to somewhere, to nowhere, to itself", () => {
  const users = [
    { name: "usr/etc/passwd", body: PASSWD },
    { name: "usr/etc/group", body: GROUP },
  ];
  for (const link of ["usr/etc", "/usr/etc", "./usr/../usr/etc"]) {
    const found = run([{ name: "etc", type: "2", link }, ...users], "id; cat /etc/hostname", {
      user: "app",
      hostname: "h",
    });
    expect(out(found)).toBe("uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\nh\n");
  }
  const nowhere = run([{ name: "etc", type: "2", link: "usr/none" }], "ls /etc; cat /etc/hostname", { hostname: "h" });
  expect([nowhere.status === 125, out(nowhere)]).toEqual([false, "hostname\nhosts\nresolv.conf\nh\n"]);
  expect(refused(run([{ name: "etc", type: "2", link: "etc" }], "true"))).toContain("/etc/");
});

test("/etc/hosts and /etc/resolv.conf are links into what is not there yet", () => {
  const links = [
    { name: "etc/resolv.conf", type: "2", link: "../run/systemd/resolve/stub-resolv.conf" },
    { name: "etc/hosts", type: "2", link: "/run/hosts" },
    { name: "etc/hostname", type: "5" },
  ];
  expect(refused(run(links, "true"))).toContain("/etc/hostname");
  expect(out(run(links.slice(0, 2), "grep -c localhost /etc/hosts; test -s /etc/resolv.conf && echo there"))).toBe(
    "2\nthere\n",
  );
});

test("bin, lib and sbin are links to usr", () => {
  const merged = storeLayer(
    work,
    "merged",
    tarOf([
      { name: "usr/bin/busybox", body: busybox, mode: 0o755 },
      { name: "usr/bin/sh", type: "2", link: "busybox" },
      { name: "bin", type: "2", link: "usr/bin" },
      { name: "sbin", type: "2", link: "usr/bin" },
    ]),
  );
  // A later layer that names a file through the link.
  const later = [{ name: "bin/tool", body: "#!/bin/sh\necho tool $0\n", mode: 0o755 }];
  expect(out(run(later, ["tool"], {}, {}, [merged]))).toBe("tool /bin/tool\n");
  expect(out(run(later, "ls -d /bin; /usr/bin/tool; /sbin/tool; readlink /bin", {}, {}, [merged]))).toBe(
    "/bin\ntool /usr/bin/tool\ntool /sbin/tool\nusr/bin\n",
  );
});

test("what carrick mounts on is a file, a link, or a link upwards", () => {
  expect(refused(run([{ name: "dev", body: "file" }], "true"))).toContain("/dev");
  expect(refused(run([{ name: "proc", body: "file" }], "true"))).toContain("/proc");
  for (const name of ["proc", "sys", "dev"]) {
    const linked = run(
      [
        { name, type: "2", link: "../../elsewhere" },
        { name: "elsewhere/", type: "5" },
      ],
      "cat /proc/1/comm; echo >/dev/null; ls -d /sys/kernel",
    );
    expect(out(linked)).toBe("busybox\n/sys/kernel\n");
  }
});

test("users: numbers that no file knows, names that look like numbers, files that are no files", () => {
  const files = [
    { name: "etc/passwd", body: PASSWD },
    { name: "etc/group", body: GROUP },
  ];
  const lookUp = (user: string): string => {
    const { uid, gid, groups, home } = lookUpUser(user, (path) => (path === "/etc/passwd" ? PASSWD : GROUP));
    return `${uid}:${gid}+${groups} ${home}`;
  };
  const cases: readonly (readonly [user: string, said: string])[] = [
    ["", "0:0+0 /root"],
    ["4711", "4711:0+0 /"],
    ["4711:12", "4711:12+12 /"],
    ["1234", "1234:0+0 /"],
    ["app", "1000:1000+1000,2000 /home/app"],
    ["1000", "1000:1000+1000,2000 /home/app"],
    ["app:", "1000:1000+1000,2000 /home/app"],
    ["app:extra", "1000:2000+2000 /home/app"],
    [":extra", "0:2000+2000 /root"],
    ["0:0", "0:0+0 /root"],
  ];
  for (const [user, said] of cases) expect(lookUp(user)).toBe(said);
  for (const user of ["nobody", "app:none", "2147483648", "-1", "1:99999999999", "app:extra:more"])
    expect(() => lookUp(user)).toThrow(BootError);
  const who = "id -u; id -g; id -G; echo $HOME";
  expect(out(run(files, who, { user: "4711" }, { user: "app" }))).toBe("4711\n0\n0\n/\n");
  expect(out(run(files, who, {}, { user: "app" }))).toBe("1000\n1000\n1000 2000\n/home/app\n");
  expect(refused(run(files, who, {}, { user: "app:none" }))).toContain("no group none");
  const odd: Member[][] = [
    [{ name: "etc/passwd", type: "6" }],
    [{ name: "etc/passwd", type: "5" }],
    [{ name: "etc/passwd", type: "2", link: "passwd" }],
    [{ name: "etc/passwd", type: "2", link: "/proc/self/fd/0" }],
    [{ name: "etc/passwd", type: "3", major: 1, minor: 5 }],
  ];
  const ids = "/bin/busybox grep -c 'Uid:.12.12.12' /proc/self/status";
  for (const members of odd) expect(out(run(members, ids, { user: "12" }))).toBe("1\n");
  const rubbish = [{ name: "etc/passwd", body: "\0\xff:::\napp:x:5:6:::\n\napp\n:" }];
  const five = "/bin/busybox grep -cE '(Uid:.5.5.5|Gid:.6.6.6)' /proc/self/status";
  expect(out(run(rubbish, five, { user: "app" }))).toBe("2\n");
});

test("working directories: missing, below a link, below a file, in a tmpfs, on a read-only root", () => {
  const members: Member[] = [
    { name: "srv/app/", type: "5" },
    { name: "app", type: "2", link: "srv/app" },
    { name: "file", body: "" },
  ];
  const pwd = "pwd; /bin/busybox pwd -P; stat -c %u:%a .";
  const at = (workingDir: string, request: Partial<RunRequest> = {}): string =>
    out(run([...members, applet("stat")], pwd, request, { workingDir }));
  expect(at("/made/by/run")).toBe("/made/by/run\n/made/by/run\n0:755\n");
  expect(at("relative/path")).toBe("/relative/path\n/relative/path\n0:755\n");
  expect(at("/app/deep")).toBe("/srv/app/deep\n/srv/app/deep\n0:755\n");
  expect(at("/made", { user: "1000" })).toBe("/made\n/made\n0:755\n");
  expect(at("/made", { readOnly: true })).toBe("/made\n/made\n0:755\n");
  expect(at("/x/../../../y//z/.")).toBe("/y/z\n/y/z\n0:755\n");
  const tmpfs = {
    type: "tmpfs",
    target: "/t",
    readOnly: false,
    noExec: true,
    noSuid: true,
    noDev: true,
    data: "",
  } as const;
  expect(at("/t/sub", { mounts: [tmpfs] })).toBe("/t/sub\n/t/sub\n0:755\n");
  for (const workingDir of ["/file", "/file/below", "/proc/self/fd/3", "/proc/self/fd/7/../..", "/proc/none"])
    expect(refused(run(members, pwd, {}, { workingDir }))).toContain("directory");
});

test("scripts: interpreters with arguments, through env, missing, nested, without a first line", () => {
  const script = (name: string, body: string, mode = 0o755): Member => ({ name, body, mode });
  const members = [
    applet("env", "usr/bin"),
    applet("cat"),
    script("a", "#!/bin/sh -e\necho $0 $#\nfalse\necho not here\n"),
    script("b", "#!/usr/bin/env sh\necho env $1\n"),
    script("c", "#! \t/bin/cat\nshown\n"),
    script("d", "#!/a one\n"),
    script("e", "#!/none/sh\n"),
    script("f", "echo no first line\n"),
    script("g", "#!/bin/sh\r\necho dos\n"),
    script("h", "", 0o755),
    script("loop", "#!/loop\n"),
  ];
  expect(run(members, ["/a", "x"])).toMatchObject({ status: 1, stdout: "/a 1\n" });
  expect(out(run(members, ["/b", "1"]))).toBe("env 1\n");
  expect(out(run(members, ["/c"]))).toBe("#! \t/bin/cat\nshown\n");
  expect(run(members, ["/d"])).toMatchObject({ status: 1, stdout: "/a 2\n" });
  expect(refused(run(members, ["/e"]), 127)).toContain("/e");
  expect(refused(run(members, ["/g"]), 127)).toContain("/g");
  expect(refused(run(members, ["/f"]), 126)).toContain("/f");
  expect(refused(run(members, ["/h"]), 126)).toContain("/h");
  expect(refused(run(members, ["/loop"]), 126)).toContain("/loop");
  expect(out(run(members, [], {}, { entrypoint: ["/b"], cmd: ["from cmd"] }))).toBe("env from cmd\n");
  expect(out(run(members, [], {}, { cmd: ["/bin/sh", "-c", "echo shell $((1+1)) $PATH"] }))).toBe(
    `shell 2 ${BIN.PATH}\n`,
  );
  expect(out(run(members, ["echo later"], {}, { entrypoint: ["/bin/sh", "-c"], cmd: ["echo never"] }))).toBe("later\n");
});

test("logs that are links to /dev/stdout and /dev/stderr, for any user and any kind of standard output", () => {
  const members = [
    { name: "var/log/access.log", type: "2", link: "/dev/stdout" },
    { name: "var/log/error.log", type: "2", link: "/dev/stderr" },
    { name: "var/log/self.log", type: "2", link: "/proc/self/fd/1" },
  ];
  const script = "echo a >>/var/log/access.log; echo e >>/var/log/error.log; echo s >/var/log/self.log";
  for (const user of ["0", "1000"]) {
    const command = ["/bin/busybox", "sh", "-c", script];
    const piped = run(members, command, { user });
    expect([piped.status, piped.stdout, piped.stderr]).toEqual([0, "a\ns\n", "e\n"]);
    const file = join(work, "out");
    writeFileSync(file, "");
    const layers = [base, storeLayer(work, "logs", tarOf(members))];
    const filed = containerRun(image("logs", layers), { command, user }, { stdoutTo: file });
    expect([filed.status, filed.stderr]).toEqual([0, "e\n"]);
    // The second opens with O_TRUNC, what a file is for.
    expect(["a\ns\n", "s\n"]).toContain(readFileSync(file, "utf8"));
  }
});

test("descriptors: the three streams and nothing of carrick's", () => {
  const members = ["ls", "readlink", "cat"].map((name) => applet(name));
  expect(out(run(members, "exec /bin/ls /proc/self/fd"))).toBe("0\n1\n2\n3\n");
  expect(
    out(run(members, "for f in 0 1 2; do readlink /proc/self/fd/$f; done | /bin/busybox sed 's/[0-9]\\+/N/'")),
  ).toBe("/dev/null\npipe:[N]\npipe:[N]\n");
  expect(
    run(members, "for f in 4 5 6 7 8 9 64 65 66 100; do cat /proc/self/fd/$f && echo $f is open; done").stdout,
  ).not.toContain("is open");
});

test("volumes and directories of the image's wish stay inside", () => {
  const volumes = ["../../../../up", "/", "/data/../../x", "/proc", "/etc/../vol", "", ".", "/link/v"];
  const made = run([{ name: "link", type: "2", link: "/../../../tmp" }], "ls -d /up /x /vol /tmp/v", {}, { volumes });
  expect(out(made)).toBe("/tmp/v\n/up\n/vol\n/x\n");
  expect(existsSync("/tmp/v")).toBe(false);
  expect(existsSync("/up")).toBe(false);
});

test("environments of an image that make no sense", () => {
  const env = [
    "NOVALUE",
    "=x",
    "A=1",
    "A=2",
    "B=a=b",
    "C=line\nline",
    "D=",
    "P\u00e4=\u20ac",
    `LONG=${"x".repeat(100_000)}`,
  ];
  const shown = out(
    run(
      [],
      'echo "$A|$B|$C|$D|$(echo $LONG | wc -c)"; /bin/busybox env | /bin/busybox grep -c ^A=',
      {},
      { env: [...env, "PATH=/bin"] },
    ),
  );
  expect(shown).toBe("2|a=b|line\nline||100001\n1\n");
  const many = Array.from({ length: 5000 }, (_, i) => `V${i}=${i}`);
  expect(out(run([], "echo $V4999", {}, { env: many }))).toBe("4999\n");
  expect(refused(run([], ["/bin/sh", "-c", "true", "x".repeat(200_000)]), 126)).toMatch(/long|large/i);
});

test("a root directory that is not for everybody", () => {
  const closed = [{ name: "./", type: "5", mode: 0o700 }];
  expect(out(run(closed, "echo root may"))).toBe("root may\n");
  expect(refused(run(closed, "true", { user: "1000" }), 126)).toContain("not executable");
});

test("more layers than Docker makes", () => {
  for (const layers of [127, 129, 512]) {
    const stack = Array.from({ length: layers - 1 }, (_, i) =>
      storeLayer(
        work,
        `l${i}`,
        tarOf([
          { name: `d/f${i}`, body: `${i}` },
          { name: "top", body: `${i}` },
        ]),
      ),
    );
    const shown = containerRun(image("many", [base, ...stack]), {
      command: ["/bin/busybox", "sh", "-c", "cat /top; echo; ls /d | wc -l; cat /d/f0; stat -c %s /d/f99"],
    });
    expect(shown).toMatchObject({ status: 0, stdout: `${layers - 2}\n${layers - 1}\n02\n`, stderr: "" });
  }
});

test("bind mounts over what is a link in the image land where the link leads, in the image", () => {
  const source = join(work, "bound");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "f"), "host\n");
  const mounts = [{ type: "bind", source, target: "/app/data", readOnly: false }] as const;
  const members = [{ name: "app", type: "2", link: "/../../../../srv" }];
  expect(out(run(members, "cat /srv/data/f; echo guest >/app/data/g; ls /srv", { mounts }))).toBe("host\ndata\n");
  expect(readdirSync(source).sort()).toEqual(["f", "g"]);
});
