// What a command finds in a container: its user, directory, environment and mounts, what PID 1 is spared, and what its changes leave behind.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { has } from "../../scripts/toolchain.ts";
import type { RunRequest } from "../../src/container/run-request.ts";
import type { ImageConfig } from "../../src/oci/image-config.ts";
import type { OpenImage } from "../../src/oci/store.ts";
import { compile } from "../support/guest.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { type ContainerResult, containerCommand, containerRun } from "../support/run-container.ts";
import { type Member, tarOf } from "../support/tar-writer.ts";

setDefaultTimeout(60_000);

const work = mkdtempSync(join(tmpdir(), "carrick-container-test-"));
const APPLETS =
  "sh cat chmod chown echo env head id kill ln ls mkdir mount mv pwd rm rmdir sleep stat touch true wc yes test tail tty stty ps dd cmp".split(
    " ",
  );
const BIG = "0123456789abcdef".repeat(4096);

const lower: Member[] = [
  { name: "bin/", type: "5" },
  { name: "etc/", type: "5" },
  {
    name: "etc/passwd",
    body: "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\nbad:x:99999999999:1::/:/bin/sh\n",
  },
  { name: "etc/group", body: "root:x:0:\napp:x:1000:\nextra:x:2000:app\nmore:x:2001:root,app\n" },
  { name: "etc/hosts", body: "the image's own\n" },
  { name: "etc/resolv.conf", type: "2", link: "../run/resolv.conf" },
  { name: "data/big", body: BIG, uid: 1000, gid: 1000 },
  { name: "data/one", body: "linked" },
  { name: "data/two", type: "1", link: "data/one" },
  { name: "data/gone", body: "x" },
  { name: "bin/noexec", body: "#!/bin/sh\n", mode: 0o644 },
  { name: "bin/script", body: "#!/bin/sh\necho script $*\n", mode: 0o755 },
  { name: "bin/alien", body: "MZ\x90", mode: 0o755 },
  { name: "bin/lost", body: "#!/no/interpreter\n", mode: 0o755 },
  ...APPLETS.map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
];
const upper: Member[] = [{ name: "data/.wh.gone" }, { name: "data/new", body: "upper\n" }];

let layers: OpenImage["layers"];

function run(
  request: Partial<RunRequest>,
  config: Partial<ImageConfig> = {},
  options: { stdin?: string } = {},
): ContainerResult {
  return containerRun(image("test", layers, config), request, options);
}

function sh(script: string, request: Partial<RunRequest> = {}, config: Partial<ImageConfig> = {}): ContainerResult {
  return run({ command: ["sh", "-c", script], ...request }, config);
}

const out = (result: ContainerResult): string => {
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
  return result.stdout;
};

beforeAll(() => {
  const busybox = readFileSync(join(debianPackage("busybox-static"), "bin/busybox"));
  const bottom = tarOf([...lower, { name: "bin/busybox", body: busybox, mode: 0o755 }]);
  const capable = { "SCHILY.xattr.security.capability": "\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0" };
  upper.push({ name: "caps/cat", body: busybox, mode: 0o755, pax: capable });
  layers = [storeLayer(work, "lower", bottom), storeLayer(work, "upper", tarOf(upper))];
}, 60_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

test("user, groups and home come from the image", () => {
  const who = "id -u; id -g; id -G; echo $HOME";
  expect(out(sh(who))).toBe("0\n0\n0 2001\n/root\n");
  expect(out(sh(who, { user: "app" }))).toBe("1000\n1000\n1000 2000 2001\n/home/app\n");
  expect(out(sh(who, { user: "1000:extra" }))).toBe("1000\n2000\n2000\n/home/app\n");
  expect(out(sh(who, { user: "77:88" }, { env: ["HOME=/set"] }))).toBe("77\n88\n88\n/set\n");
  for (const [user, words] of [
    ["nobody", "no user nobody"],
    ["app:none", "no group none"],
    ["bad", "no user bad"],
    ["2147483648", "out of range"],
  ] as const) {
    const refused = sh("true", { user });
    expect([refused.status, refused.stderr]).toEqual([125, expect.stringContaining(words)]);
  }
});

test("capabilities are those of Docker, and those of the file for others than root", () => {
  const caps = (cat: string, user: string): string =>
    /^CapEff:\t(.*)$/m.exec(out(run({ command: [cat, "/proc/self/status"], user })))![1]!;
  expect(caps("cat", "root")).toBe("00000000a80425fb");
  expect(caps("cat", "app")).toBe("0000000000000000");
  expect(caps("/caps/cat", "app")).toBe("0000000000000400");
});

test("environment, host name, working directory, files of /etc", () => {
  expect(out(sh("echo $PATH $HOSTNAME; pwd; stat -c %a:%u .", { hostname: "box", workdir: "/made/for/it" }))).toBe(
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin box\n/made/for/it\n755:0\n",
  );
  const hosts = out(
    sh("cat /etc/hosts /etc/hostname", { hostname: "box", hosts: [{ name: "db", address: "10.0.0.5" }] }),
  );
  expect(hosts).toContain("127.0.0.1\tlocalhost\n");
  expect(hosts).toContain("10.0.0.5\tdb\n");
  expect(hosts).toEndWith("box\n");
  expect(out(sh("test -s /etc/resolv.conf && echo mine >/etc/hosts && cat /etc/hosts"))).toBe("mine\n");
  const refused = sh("true", { workdir: "/etc/passwd/x" });
  expect([refused.status, refused.stderr]).toEqual([125, expect.stringContaining("working directory")]);
});

test("commands that are not there, not executable, or nothing at all", () => {
  const status = (command: string[]): [number, string] => {
    const result = run({ command });
    return [result.status, result.stderr];
  };
  expect(status(["nothing"])).toEqual([127, "carrick: nothing does not exist in the container's PATH\n"]);
  expect(status(["/bin/nothing"])).toEqual([127, "carrick: /bin/nothing does not exist\n"]);
  expect(status(["noexec"])).toEqual([126, "carrick: noexec is in the container's PATH, but not executable\n"]);
  expect(status(["/bin/noexec"])).toEqual([126, "carrick: /bin/noexec is not executable\n"]);
  expect(status(["/etc"])).toEqual([126, "carrick: /etc is a directory\n"]);
  expect(status(["alien"])[0]).toBe(126);
  expect(status(["lost"])).toEqual([127, "carrick: /bin/lost needs an interpreter that does not exist here\n"]);
  expect(status([])).toEqual([125, "carrick: test names no command, and none was given\n"]);
  expect(out(run({ command: ["script", "a", "b c"] }))).toBe("script a b c\n");
  expect(out(run({ command: ["x"], workdir: "/bin" }, { entrypoint: ["./script", "e"], cmd: ["gone"] }))).toBe(
    "script e x\n",
  );
});

test("exit statuses, and standard input only when asked for", () => {
  expect(sh("exit 7").status).toBe(7);
  expect(sh("sh -c 'kill -9 $$'; exit $?").status).toBe(137);
  expect(out(run({ command: ["cat"] }, {}, { stdin: "words" }))).toBe("words");
  expect(out(run({ command: ["cat"], interactive: false }, {}, { stdin: "words" }))).toBe("");
});

test("changes are seen, and are gone afterwards", () => {
  const before = Bun.hash(readFileSync(layers[0]!.tarPath));
  const script = `
    cd /data; test -e gone && echo no; cat new
    printf XY | dd of=big bs=1 seek=40000 conv=notrunc 2>/dev/null; head -c 40004 big | tail -c 6; echo; stat -c %s:%u big
    echo changed >one; cat two; stat -c %h two
    mkdir -p d/e; mv d/e f; mv big f/; ls f; rm -r f d; ls
    ln -s new link; cat link; chmod 4711 two; chown 5:6 two; stat -c %a:%u:%g one`;
  const middle = `${BIG.slice(39998, 40000)}XY${BIG.slice(40002, 40004)}`;
  const rest = "65536:1000\nchanged\n2\nbig\nnew\none\ntwo\nupper\n711:5:6\n";
  expect(out(sh(script))).toBe(`upper\n${middle}\n${rest}`);
  expect(out(sh("ls /data; stat -c %a:%u:%h /data/two"))).toBe("big\nnew\none\ntwo\n644:0:2\n");
  expect(Bun.hash(readFileSync(layers[0]!.tarPath))).toBe(before);
  expect(readdirSync(work).filter((name) => name.startsWith(".")).length).toBe(0);
});

test("a read-only root stays as it is; volumes and tmpfs do not", () => {
  const request: Partial<RunRequest> = {
    readOnly: true,
    volumes: ["/vol"],
    mounts: [
      {
        type: "tmpfs",
        target: "/tmp/t",
        readOnly: false,
        noExec: true,
        noSuid: true,
        noDev: true,
        data: "size=1m,mode=700",
      },
    ],
  };
  const script = `
    for c in 'touch /x' 'rm /data/new' 'chmod 1 /data/new' 'mkdir /d' 'mv /data/new /y' 'ln /data/new /z'; do $c 2>/dev/null && echo $c; done
    touch /vol/x /tmp/t/y /dev/shm/z && ls /vol /tmp/t; stat -c %a /tmp/t; cat /bin/busybox 2>/dev/null >/tmp/t/b
    stat -c %s /tmp/t/b; mount -o remount,rw / 2>/dev/null || echo refused`;
  expect(out(sh(script, request))).toBe("/tmp/t:\ny\n\n/vol:\nx\n700\n1048576\nrefused\n");
});

test("what the mounts are called", () => {
  const mounts = out(
    sh("cat /proc/mounts", { mounts: [{ type: "bind", source: work, target: "/w", readOnly: true }] }),
  );
  const lines = mounts.split("\n").map((line) => line.split(" "));
  expect(lines[0]!.slice(0, 3)).toEqual(["overlay", "/", "overlay"]);
  const points = lines.map((line) => line[1]);
  for (const point of [
    "/proc",
    "/sys",
    "/dev",
    "/dev/pts",
    "/dev/shm",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/w",
  ])
    expect(points).toContain(point);
  expect(lines.find((line) => line[1] === "/w")![3]).toStartWith("ro");
});

test("a read-only bind mount refuses every change", () => {
  const source = mkdtempSync(join(work, "ro-"));
  writeFileSync(join(source, "f"), "host");
  mkdirSync(join(source, "d"));
  const stamp = (): string => ["", "f", "d"].map((name) => `${statSync(join(source, name)).ctimeMs}`).join();
  const before = stamp();
  const commands = [
    "touch /w/f",
    "echo x >/w/f",
    "rm /w/f",
    "rmdir /w/d",
    "mkdir /w/n",
    "mv /w/f /w/g",
    "ln /w/f /w/h",
    "ln -s f /w/s",
    "chmod 777 /w/f",
    "chown 1 /w/f",
    "touch /w/new",
  ];
  const script = commands.map((c) => `(${c}) 2>/dev/null && echo '${c}'`).join("; ");
  const mounts = [{ type: "bind", source, target: "/w", readOnly: true }] as const;
  expect(out(sh(`${script}; cat /w/f`, { mounts }))).toBe("host");
  expect(stamp()).toBe(before);
});

test("owners in a bind mount are the guest's own business", () => {
  const source = mkdtempSync(join(work, "rw-"));
  chmodSync(source, 0o777);
  writeFileSync(join(source, "f"), "host");
  const me = statSync(join(source, "f"));
  const mounts = [{ type: "bind", source, target: "/w", readOnly: false }] as const;
  const script = `
    cd /w; chown 123:456 f; chmod 4750 f; stat -c %u:%g:%a f; echo more >>f; cat f
    echo mine >made; mkdir sub; stat -c %u:%g made sub; chown -h 7:8 made; ln -s f link; mv made moved; stat -c %u:%g moved link`;
  expect(out(sh(script, { mounts }))).toBe("123:456:4750\nhostmore\n0:0\n0:0\n7:8\n0:0\n");
  for (const name of ["f", "moved", "sub"]) {
    const now = statSync(join(source, name));
    expect([now.uid, now.gid, now.mode & 0o6000]).toEqual([me.uid, me.gid, 0]);
  }
  expect(statSync(join(source, "f")).mode & 0o777).toBe(0o750);
  expect(readFileSync(join(source, "f"), "utf8")).toBe("hostmore\n");
  const asUser = out(sh("cd /w; echo u >user; stat -c %u:%g user; chmod 600 user; cat user", { mounts, user: "app" }));
  expect(asUser).toBe("1000:1000\nu\n");
  expect(statSync(join(source, "user")).uid).toBe(me.uid);
});

test("no way leads out of a bind mount", () => {
  const source = mkdtempSync(join(work, "jail-"));
  const secret = join(work, "secret");
  writeFileSync(secret, "host's own");
  const mounts = [{ type: "bind", source, target: "/w/deep", readOnly: false }] as const;
  const script = `cd /w/deep; ln -s ${secret} a; ln -s ../../../../../../${secret} b; ln -s .. up; cat a b up/../${secret} 2>/dev/null; ls ../..`;
  const { stdout } = sh(script, { mounts });
  expect(stdout).not.toContain("host's own");
  expect(stdout).toContain("proc\n");
});

test("mounts inside bind mounts leave the host's directory alone", () => {
  const source = mkdtempSync(join(work, "outer-"));
  const inner = mkdtempSync(join(work, "inner-"));
  writeFileSync(join(inner, "f"), "inner\n");
  const mounts = [
    { type: "bind", source: inner, target: "/w/a/b", readOnly: false },
    { type: "bind", source: join(inner, "f"), target: "/w/file", readOnly: false },
    { type: "bind", source, target: "/w", readOnly: false },
  ] as const;
  expect(out(sh("cat /w/a/b/f /w/file; ls /w /w/a", { mounts }))).toBe("inner\ninner\n/w:\na\nfile\n\n/w/a:\nb\n");
  expect(readdirSync(source)).toEqual([]);
  expect(out(sh("pwd", { mounts: [mounts[2]], workdir: "/w/new/dir" }))).toBe("/w/new/dir\n");
  expect(readdirSync(source)).toEqual(["new"]);
  const refused = sh("pwd", { mounts: [{ ...mounts[2], readOnly: true }], workdir: "/w/other" });
  expect([refused.status, refused.stderr]).toEqual([125, expect.stringContaining("/w/other cannot be made")]);
});

test("files may be mounted on files, and the user's mounts win", () => {
  const file = join(work, "hosts-file");
  writeFileSync(file, "from the user\n");
  const mounts = [
    { type: "bind", source: file, target: "/etc/hosts", readOnly: true },
    { type: "bind", source: file, target: "/new/place/file", readOnly: true },
  ] as const;
  expect(out(sh("cat /etc/hosts /new/place/file", { mounts }))).toBe("from the user\nfrom the user\n");
  const refused = sh("true", { mounts: [{ type: "bind", source: file, target: "/etc", readOnly: true }] });
  expect([refused.status, refused.stderr]).toEqual([125, expect.stringContaining("cannot mount on /etc")]);
});

/** Starts a container, waits for its first line, does `then` with the process, and answers how it ended. */
async function started(
  request: Partial<RunRequest>,
  then: (child: Bun.Subprocess<"pipe", "pipe", "inherit">) => void | Promise<void>,
): Promise<{ status: number; stdout: string }> {
  const { argv, done } = containerCommand(image("test", layers), request);
  const child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const more = async (): Promise<boolean> => {
    const { value, done: end } = await reader.read();
    if (value !== undefined) text += decoder.decode(value);
    return !end;
  };
  while (!text.includes("\n") && (await more()));
  await then(child);
  while (await more());
  const status = await child.exited;
  done();
  return { status: child.signalCode === null ? status : 255, stdout: text };
}

/** Asks until the command has ended: a signal that comes while another of its kind waits is lost. */
async function insist(child: Bun.Subprocess, signal: NodeJS.Signals): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await Promise.race([child.exited, Bun.sleep(20)]);
  }
}

test("PID 1 is spared what it does not handle, and gets what it does", async () => {
  const script = "echo up; read line; echo still";
  const deaf = await started({ command: ["sh", "-c", script], interactive: true }, (child) => {
    child.kill("SIGTERM");
    child.stdin.write("\n");
    child.stdin.end();
  });
  expect(deaf).toEqual({ status: 0, stdout: "up\nstill\n" });
  const trap = "trap 'echo got; exit 5' TERM; echo up; while :; do sleep 0.05; done";
  expect(await started({ command: ["sh", "-c", trap] }, (child) => child.kill("SIGTERM"))).toEqual({
    status: 5,
    stdout: "up\ngot\n",
  });
  const insisted = await started({ command: ["sh", "-c", "trap '' INT; echo up; exec sleep 1000"] }, (child) =>
    insist(child, "SIGINT"),
  );
  expect(insisted.status).toBe(137);
});

test("with --init the command is a child of PID 1, which passes signals on and ends as it does", async () => {
  const init = { init: true };
  expect(out(sh("echo $$ $PPID $(cat /proc/1/comm)", init))).toBe("2 1 init\n");
  expect(sh("exit 7", init).status).toBe(7);
  expect(sh("sleep 1000 & kill -KILL $$", init).status).toBe(137);
  const inside = "trap 'echo got; exit 5' TERM; kill -KILL 1; kill -SEGV 1; kill -TERM 1; while :; do sleep 0.05; done";
  expect(sh(inside, init)).toMatchObject({ stdout: "got\n", status: 5 });
  const killed = await started({ ...init, command: ["sh", "-c", "echo up; exec sleep 1000"] }, (child) =>
    child.kill("SIGTERM"),
  );
  expect(killed.status).toBe(143);
});

test("orphans go to PID 1, and vanish when a minimal init is asked for", () => {
  const orphan = (seconds: string): string => `sh -c 'sleep ${seconds} & echo $! >/pid'; p=$(cat /pid);`;
  const adopted = `${orphan("1000")} while ! grep -q 'PPid:.1$' /proc/$p/status; do sleep 0.05; done; echo adopted`;
  expect(out(sh(adopted))).toBe("adopted\n");
  const gone = `${orphan("0.05")} while test -d /proc/$p; do sleep 0.05; done; echo gone`;
  expect(out(sh(gone, { init: true }))).toBe("gone\n");
});

test.skipIf(!has("script"))(
  "-t gives a terminal, raw outside and edited inside",
  async () => {
    const command = ["sh", "-c", "tty; stty size; read line; echo got:$line; exit 3"];
    const { argv, done } = containerCommand(image("test", layers), { tty: true, interactive: true, command });
    const quoted = argv.map((word) => `'${word}'`).join(" ");
    const child = Bun.spawn(
      ["script", "-qec", `stty rows 33 cols 77; ${quoted}; echo status:$?; stty -a | head -n 1`, "/dev/null"],
      {
        stdin: "pipe",
        stdout: "pipe",
      },
    );
    const reader = child.stdout.getReader();
    let text = "";
    let typed = false;
    for (;;) {
      const { value, done: end } = await reader.read();
      if (value !== undefined) text += new TextDecoder().decode(value);
      if (!typed && text.includes("33 77")) {
        typed = true;
        child.stdin.write("worX\x7fds\r");
        child.stdin.flush();
      }
      if (end) break;
    }
    await child.exited;
    done();
    expect(text).toContain("/dev/pts/0\r\n33 77\r\n");
    expect(text).toContain("got:words\r\n");
    expect(text).toContain("status:3\r\n");
    expect(text).toContain("rows 33; columns 77");
  },
  60_000,
);

test("an image store that lost a file is named, not crashed on", () => {
  const broken = [{ ...layers[0]!, indexPath: join(work, "no-such-index") }];
  const result = containerRun(image("test", broken), { command: ["true"] });
  expect([result.status, result.stderr]).toEqual([125, expect.stringContaining("no-such-index cannot be read")]);
  expect(existsSync(join(work, "no-such-index"))).toBe(false);
});

test("without a network there is a loopback to ask for", () => {
  const programs = join(import.meta.dir, "../guest/programs");
  for (const name of ["netlink", "interfaces", "nettables"]) {
    const body = readFileSync(compile(join(programs, `${name}.c`)));
    const only = image("net", [storeLayer(work, `net-${name}`, tarOf([{ name, body, mode: 0o755 }]))]);
    const { stdout, status } = containerRun(only, { command: [`/${name}`], network: "none" });
    expect(`${stdout}status ${status}\n`).toBe(readFileSync(join(programs, `../expected/${name}.txt`), "utf8"));
  }
});
