// `carrick run` from the command line to the guest's last word, with a real busybox in an image of this machine.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busybox } from "../support/busybox.ts";
import { CARRICK, type CarrickOptions, carrick, type Ended, startCarrick } from "../support/carrick.ts";
import { FakeRegistry, slowly } from "../support/fake-registry.ts";
import { freshFolder, removeFolders } from "../support/image-store.ts";
import { layoutFiles, makeImage, named, type TestImage, tar, writeFiles } from "../support/images.ts";
import { Session } from "../support/pty.ts";

setDefaultTimeout(60_000);

const APPLETS = [
  "sh",
  "cat",
  "echo",
  "env",
  "id",
  "ls",
  "pwd",
  "sleep",
  "mkdir",
  "stat",
  "touch",
  "true",
  "hostname",
  "df",
  "tty",
  "stty",
];
const LINES = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n";

let image: TestImage;
let home: string;
let name: string;

beforeAll(async () => {
  const base = tar([
    { name: "bin/", type: "5" },
    { name: "bin/busybox", body: readFileSync(busybox), mode: 0o755 },
    ...APPLETS.map((applet) => ({ name: `bin/${applet}`, type: "2", link: "busybox" })),
    { name: "etc/", type: "5" },
    { name: "etc/passwd", body: LINES },
    { name: "etc/group", body: "root:x:0:\napp:x:1000:\nextra:x:2000:app\n" },
  ]);
  const top = tar([{ name: "etc/motd", body: "upper\n" }]);
  const config = {
    Entrypoint: ["/bin/busybox"],
    Cmd: ["echo", "default"],
    Env: ["PATH=/bin", "FROM=image"],
    WorkingDir: "/etc",
    User: "app",
  };
  image = makeImage({ layers: [base, top], config });
  const layout = freshFolder();
  writeFiles(layout, layoutFiles([named(image, "bb")]));
  home = freshFolder();
  name = `oci:${layout}:bb`;
  expect((await carrick(["pull", "-q", name], { env: { CARRICK_HOME: home } })).status).toBe(0);
});
afterAll(removeFolders);

const run = (args: readonly string[], options: CarrickOptions = {}): Promise<Ended> =>
  carrick(["run", ...args], { ...options, env: { CARRICK_HOME: home, ...options.env } });

test("the image's command, the user's, and the guest's own options", async () => {
  expect(await run([name])).toMatchObject({ status: 0, stdout: "default\n", stderr: "" });
  expect((await run([name, "echo", "-e", "--rm", "x"])).stdout).toBe("--rm x\n");
  expect((await run(["--entrypoint", "/bin/cat", name, "motd"])).stdout).toBe("upper\n");
  expect((await run(["--entrypoint", "", name, "pwd"])).stdout).toBe("/etc\n");
  expect((await run([name, "--help"])).stdout + (await run([name, "--help"])).stderr).toMatch(/BusyBox/);
});

test("environment, user, directory, names", async () => {
  const env = await run(["-e", "A=1", "-e", "HERE", "-e", "FROM", "--hostname", "box", name, "env"], {
    env: { HERE: "passed on" },
  });
  expect(env.stdout.trimEnd().split("\n").sort()).toEqual([
    "A=1",
    "HERE=passed on",
    "HOME=/home/app",
    "HOSTNAME=box",
    "PATH=/bin",
  ]);
  expect((await run([name, "id"])).stdout).toBe("uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\n");
  expect((await run(["-u", "root", name, "id"])).stdout).toStartWith("uid=0(root) gid=0(root)");
  expect((await run(["-u", "7:8", "-w", "/new/dir", name, "sh", "-c", "id; pwd"])).stdout).toBe(
    "uid=7 gid=8 groups=8\n/new/dir\n",
  );
  expect(
    (await run(["-h", "box", "--add-host", "db:10.1.2.3", name, "sh", "-c", "hostname; cat /etc/hosts"])).stdout,
  ).toMatch(/^box\n(.*\n)*10\.1\.2\.3\s+db\n/);
});

test("mounts: of the host, in memory, read-only", async () => {
  const shared = join(freshFolder(), "shared");
  mkdirSync(shared);
  writeFileSync(join(shared, "in"), "from the host");
  const script = "cat in; echo to the host > out; echo no > /ro/x; df /t | cat > /t/df; ls /t";
  const { stdout, stderr } = await run([
    "-v",
    `${shared}:/rw`,
    "-v",
    `${shared}:/ro:ro`,
    "--tmpfs",
    "/t:mode=1777,size=1m",
    "-u",
    "0",
    "-w",
    "/rw",
    name,
    "sh",
    "-c",
    script,
  ]);
  expect(stdout).toBe("from the hostdf\n");
  expect(stderr).toMatch(/\/ro\/x: Read-only file system/);
  expect(readdirSync(shared).sort()).toEqual(["in", "out"]);
  expect(readFileSync(join(shared, "out"), "utf8")).toBe("to the host\n");
  expect((await run(["--read-only", "-u", "0", name, "touch", "/x"])).stderr).toMatch(/Read-only file system/);
});

test("exit codes: the command's, 125, 126, 127", async () => {
  expect((await run([name, "sh", "-c", "exit 42"])).status).toBe(42);
  expect((await run([name, "sh", "-c", "sh -c 'kill -9 $$'; exit $?"])).status).toBe(137);
  // The first process of a container cannot kill itself, as on Linux.
  expect((await run([name, "sh", "-c", "kill -9 $$; exit 3"])).status).toBe(3);
  expect(await run(["--entrypoint", "nothing", name])).toMatchObject({ status: 127, stdout: "" });
  expect(await run(["--entrypoint", "/etc/motd", "-u", "0", name])).toMatchObject({ status: 126, stdout: "" });
  expect(await run(["-u", "nobody-here", name])).toMatchObject({ status: 125, stdout: "" });
});

test("stdin is the guest's with -i; stdout is only the guest's", async () => {
  const stdin = new TextEncoder().encode("through\n");
  expect(await run(["-i", name, "cat"], { stdin })).toMatchObject({ status: 0, stdout: "through\n", stderr: "" });
});

test("signals reach the guest, also after a pull", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const script = "trap 'echo got it >&2; exit 5' INT TERM; echo ready >&2; while :; do sleep 0.05; done";
    const running = startCarrick(["run", "-q", name, "sh", "-c", script], { env: { CARRICK_HOME: freshFolder() } });
    await running.says("ready");
    running.child.kill(signal);
    expect(await running.ended).toMatchObject({ status: 5, stderr: "ready\ngot it\n" });
  }
});

test("-v makes a directory where SRC is missing, --mount does not, and nothing is made for a run that fails before", async () => {
  const work = freshFolder();
  const source = join(work, "a", "b");
  const written = await run(["-u", "0", "-v", `${source}:/v`, name, "sh", "-c", "echo x >/v/f; stat -c %u:%a /v"]);
  expect(written).toMatchObject({ status: 0, stdout: "0:755\n", stderr: "" });
  expect(readFileSync(join(source, "f"), "utf8")).toBe("x\n");
  const mount = `type=bind,src=${join(work, "none")},dst=/v`;
  expect((await run(["--mount", mount, name, "true"])).status).toBe(125);
  expect((await run(["-v", `${work}/none:/v`, "oci:/nowhere:x", "true"])).status).toBe(125);
  expect((await run(["-v", `${work}/none:/v`, "--nonsense", name, "true"])).status).toBe(125);
  expect(readdirSync(work)).toEqual(["a"]);
  writeFileSync(join(work, "file"), "");
  const below = await run(["-v", `${work}/file/none:/v`, name, "true"]);
  expect([below.status, below.stderr.split("\n").length]).toEqual([125, 3]);
});

test("nothing of the store changes, and nothing stays", async () => {
  const list = (): string[] => [...new Bun.Glob("**").scanSync({ cwd: home, onlyFiles: false })].sort();
  const before = list();
  await run(["-u", "0", name, "sh", "-c", "echo x > /etc/motd; touch /new; echo $(cat /etc/motd)"]);
  const killed = startCarrick(["run", "-u", "0", name, "sh", "-c", "echo x > /new; echo ready >&2; sleep 60"], {
    env: { CARRICK_HOME: home },
  });
  await killed.says("ready");
  killed.child.kill("SIGKILL");
  await killed.ended;
  expect(list()).toEqual(before);
  expect((await run([name, "cat", "/etc/motd"])).stdout).toBe("upper\n");
});

test("killed at any moment: bind-mounted files are as the guest left them, the store and the folder for scratch files as before", async () => {
  const list = (folder: string): string[] =>
    [...new Bun.Glob("**").scanSync({ cwd: folder, onlyFiles: false, dot: true })].sort();
  const scratch = freshFolder();
  const env = { CARRICK_HOME: home, TMPDIR: scratch };
  await carrick(["run", "-u", "0", name, "true"], { env });
  const before = [list(home), list(scratch)];
  const script = [
    "i=0; while :; do i=$((i+1)); echo line $i >>/v/log; echo $i >/v/f$((i%7))",
    "echo big$i >>/scratch; mkdir /v/d$i; echo $i >/v/d$i/f; echo $i; done",
  ].join("; ");
  for (let round = 0; round < 6; round += 1) {
    const work = freshFolder();
    const running = startCarrick(["run", "-u", "0", "-v", `${work}:/v`, name, "sh", "-c", script], { env });
    while (!list(work).includes("log")) await Bun.sleep(2);
    await Bun.sleep(Math.random() * 100);
    running.child.kill("SIGKILL");
    const said = (await running.ended).stdout.split("\n").slice(0, -1).map(Number);
    const last = said.at(-1) ?? 0;
    const lines = readFileSync(join(work, "log"), "utf8").split("\n");
    expect(lines.pop()).toBe("");
    expect(lines).toEqual(lines.map((_, i) => `line ${i + 1}`));
    // At most the round that was on its way is there beside those that the guest has told of.
    expect(lines.length - last).toBeOneOf([0, 1]);
    const found = list(work).filter((file) => file !== "log" && !/^f[0-6]$/.test(file));
    const whole = Array.from({ length: last }, (_, i) => [`d${i + 1}`, `d${i + 1}/f`]).flat();
    expect(whole.filter((file) => !found.includes(file))).toEqual([]);
    expect(found.filter((file) => !whole.includes(file) && !file.startsWith(`d${last + 1}`))).toEqual([]);
    for (let i = Math.max(1, last - 6); i <= last; i += 1)
      expect(readFileSync(join(work, `d${i}/f`), "utf8")).toBe(`${i}\n`);
    expect([list(home), list(scratch)]).toEqual(before);
  }
});

test("a running image may be removed", async () => {
  const own = freshFolder();
  const env = { CARRICK_HOME: own };
  const running = startCarrick(["run", "-q", name, "sh", "-c", "echo ready >&2; cat; cat /etc/motd"], {
    env,
    stdin: "pipe",
  });
  await running.says("ready");
  expect((await carrick(["prune", "--all"], { env })).status).toBe(0);
  expect(readdirSync(join(own, "layers"))).toEqual([]);
  (running.child.stdin as Bun.FileSink).end();
  expect(await running.ended).toMatchObject({ status: 0, stdout: "upper\n" });
});

test("on a terminal: one line per layer, then the guest's own terminal", async () => {
  const registry = new FakeRegistry();
  registry.add("1", image);
  try {
    const words = [
      "env",
      `CARRICK_HOME=${freshFolder()}`,
      ...CARRICK,
      "run",
      "-it",
      `${registry.host}/a/bb:1`,
      "sh",
      "-c",
      "tty; stty size; read x; echo got $x",
    ];
    const session = new Session(words, 30, 90);
    const shown = await session.expect("/dev/");
    for (const digest of image.layerDigests)
      expect(shown).toMatch(new RegExp(`^(\u001b\\[2A\u001b\\[J)?${digest.slice(7, 19)}  pulled$`, "m"));
    await session.expect("30 90");
    session.send("hello\n");
    await session.expect("got hello");
    expect(await session.end()).toBe(0);
  } finally {
    registry.stop();
  }
});

test("Ctrl-C on a terminal while an image is pulled: the line of the layer is finished, then the sentence", async () => {
  const registry = new FakeRegistry();
  const slow = makeImage({ layers: [tar([{ name: "f", body: crypto.getRandomValues(new Uint8Array(50_000)) }])] });
  registry.add("1", slow);
  const digest = slow.layerDigests[0]!;
  registry.hook = (_request, url) => (url.pathname.endsWith(digest) ? slowly(slow.blobs.get(digest)!, 300) : undefined);
  const own = freshFolder();
  try {
    const words = ["env", `CARRICK_HOME=${own}`, ...CARRICK, "run", "-it", `${registry.host}/a/slow:1`, "/true"];
    const session = new Session(words, 30, 90);
    await session.expect(" of 50");
    session.send("\x03");
    const shown = await session.expect("only complete layers are kept");
    // What is drawn anew begins with the way back to the line; the last that was drawn stays whole above the sentence.
    const last = shown.slice(shown.lastIndexOf("\u001b[J") + 3);
    expect(last).toMatch(
      new RegExp(`^${digest.slice(7, 19)}  \\[[= ]*\\] \\S+ of 50[^\\n]*\\ncarrick: interrupted; $`),
    );
    expect(await session.end()).toBe(125);
    expect(readdirSync(join(own, "work"))).toEqual([]);
  } finally {
    registry.stop();
  }
});

test("trace and compat-report watch a run", async () => {
  const env = { CARRICK_HOME: home };
  const traced = await carrick(["trace", "run", name, "echo", "x"], { env });
  expect([traced.status, traced.stdout]).toEqual([0, "x\n"]);
  expect(traced.stderr).toMatch(/^write\(1, "x\\n", 2\) += 2$/m);
  const report = await carrick(["compat-report", "--", "run", name, "true"], { env });
  expect(JSON.parse(report.stderr)).toBeArray();
});
