// scripts/install.sh under dash, bash and busybox's shell, with curl and with wget, against a release server of the test's own, on
// machines that stubs of uname, sw_vers and sysctl describe. Each run has its own mount namespace, in which /usr/local/bin is
// a folder of the test.

import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { has, root } from "../../scripts/toolchain.ts";

setDefaultTimeout(120_000);

const script = join(root, "scripts/install.sh");
const work = mkdtempSync(join(tmpdir(), "carrick-install-"));
const bin = join(work, "usr-local-bin");
const home = join(work, "home");
const local = join(home, ".local/bin");
/** A Mac's own shell is the last one, which somebody will pipe into sooner or later. */
const SHELLS: readonly (readonly string[])[] = [
  ["dash"],
  ["bash", "--posix"],
  ["bash"],
  ["busybox", "sh"],
  ...(Bun.which("zsh") === null ? [] : [["zsh"]]),
];
const DASH = SHELLS[0]!;
/** What the script may use, besides what a test gives it. */
const TOOLS = [
  "cat",
  "chmod",
  "cut",
  "gzip",
  "id",
  "mkdir",
  "mktemp",
  "mv",
  "printf",
  "rm",
  "sed",
  "tail",
  "sha256sum",
];

/** name -> content, below /VERSION/. */
type Release = Record<string, Uint8Array | string>;
const releases: Record<string, Release> = {};
/** Resolves when somebody has begun to fetch what never comes. */
let hanging = Promise.withResolvers<void>();
let requests: string[] = [];
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const path = new URL(request.url).pathname;
    requests.push(path);
    const [, version = "", name = ""] = path.split("/");
    if (version === "v0.0.0" && name.endsWith(".gz")) {
      hanging.resolve();
      return new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1000)) }));
    }
    const found = releases[version]?.[name];
    return found === undefined ? new Response("no such file", { status: 404 }) : new Response(found);
  },
});

afterAll(async () => {
  await server.stop(true);
  rmSync(work, { recursive: true, force: true });
});

/** A "carrick" that is a script, as a release has it. */
function release(version: string, body = `echo "carrick ${version}"`): Release {
  const files: Release = {};
  const sums: string[] = [];
  for (const target of ["darwin-arm64", "linux-x64", "linux-arm64"]) {
    const program = Buffer.from(`#!/bin/sh\n# ${target}\n${body}\n`);
    files[`carrick-${target}.gz`] = Bun.gzipSync(program);
    const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
    sums.push(
      `${sha(program)}  carrick-${target}`,
      `${sha(files[`carrick-${target}.gz`] as Uint8Array)}  carrick-${target}.gz`,
    );
  }
  files["SHA256SUMS"] = `${sums.join("\n")}\n`;
  return files;
}

/** A folder of programs that the script finds: real tools, and stubs given as shell text. */
function tools(name: string, real: readonly string[], stubs: Readonly<Record<string, string>>): string {
  const folder = join(work, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const tool of real) symlinkSync(Bun.which(tool)!, join(folder, tool));
  for (const [tool, text] of Object.entries(stubs))
    writeFileSync(join(folder, tool), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return folder;
}

const LINUX = { uname: "case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac" };
const MAC = {
  uname: 'case $1 in -s) echo Darwin ;; -m) echo "$MACHINE" ;; esac',
  sw_vers: 'echo "$MACOS"',
  sysctl:
    'case $2 in kern.hv_support) echo "$HV" ;; sysctl.proc_translated) [ "$ROSETTA" = 1 ] && echo 1 || exit 1 ;; esac',
};
const M2 = { MACHINE: "arm64", MACOS: "14.5", HV: "1", ROSETTA: "0" };

/** Those of fetchers that are not a program of their own. */
const STUBS: Readonly<Record<string, string>> = { "busybox wget": "wget" };

interface Options {
  readonly shell?: readonly string[];
  readonly machine?: Readonly<Record<string, string>>;
  readonly fetcher?: string;
  readonly real?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Shell text that runs in the namespace before the script. */
  readonly before?: string;
  readonly script?: string;
  /** Resolves when the script and what it has started are to be killed by SIGTERM. */
  readonly kill?: Promise<void>;
}

const FETCHERS = ["curl", "wget", "busybox wget"];

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function install(args: readonly string[], options: Options = {}): Promise<Ended> {
  const shell = options.shell ?? DASH;
  const fetcher = options.fetcher ?? "curl";
  const real = [...(options.real ?? TOOLS), ...(fetcher === "" || fetcher in STUBS ? [] : [fetcher])];
  const stubs = fetcher in STUBS ? { [STUBS[fetcher]!]: `exec ${Bun.which("busybox")} wget "$@"` } : {};
  const path = tools("tools", real, { ...(options.machine ?? LINUX), ...stubs });
  const inside = `mount --bind "${bin}" /usr/local/bin; ${options.before ?? ""}
exec "$@"`;
  const env = {
    PATH: `${path}:/usr/local/bin`,
    HOME: home,
    CARRICK_RELEASES: `http://127.0.0.1:${server.port}`,
    ...options.env,
  };
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = [Bun.which(shell[0]!)!, ...shell.slice(1), "-s", "--", ...args];
  const child = Bun.spawn(["unshare", "-rm", "sh", "-c", inside, "sh", "env", "-i", ...words, ...command], {
    stdin: Buffer.from(options.script ?? readFileSync(script, "utf8")),
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  options.kill?.then(() => process.kill(-child.pid, "SIGTERM"));
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { status: await child.exited, stdout, stderr };
}

/** All files below a folder. */
function below(folder: string): string[] {
  return existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).sort() : [];
}

beforeEach(() => {
  for (const folder of [bin, home]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [bin, home]) mkdirSync(folder);
  for (const version of Object.keys(releases)) delete releases[version];
  releases["latest"] = release("2.0.0");
  releases["v1.0.0"] = release("1.0.0");
  requests = [];
});

/** In a namespace of its own root is not the machine's, so that a folder may be read-only to it. */
const READ_ONLY = "mount -o remount,bind,ro /usr/local/bin";

describe.each(SHELLS.map((shell) => [shell.join(" "), shell] as const))("%s", (_, shell) => {
  test.each(FETCHERS)("installs the latest with %s, and once", async (fetcher) => {
    const first = await install([], { shell, fetcher });
    expect(first).toEqual({
      status: 0,
      stdout: "",
      stderr: `carrick: downloading carrick-linux-x64 (latest)\ncarrick: installed carrick 2.0.0 as /usr/local/bin/carrick\n`,
    });
    expect(below(bin)).toEqual(["carrick"]);
    expect(statSync(join(bin, "carrick")).mode & 0o777).toBe(0o755);
    expect(requests).toEqual(["/latest/SHA256SUMS", "/latest/carrick-linux-x64.gz"]);
    const again = await install([], { shell, fetcher });
    expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining("/usr/local/bin/carrick is up to date") });
    expect(requests.length).toBe(3);
    expect(below(bin)).toEqual(["carrick"]);
  });

  test("installs another version over it, and removes it", async () => {
    await install([], { shell });
    const inode = statSync(join(bin, "carrick")).ino;
    expect(await install(["--version", "1.0.0"], { shell })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("installed carrick 1.0.0"),
    });
    expect(statSync(join(bin, "carrick")).ino).not.toBe(inode);
    expect(await install(["--uninstall"], { shell })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("removed /usr/local/bin/carrick"),
    });
    expect(below(bin)).toEqual([]);
    expect(await install(["--uninstall"], { shell })).toMatchObject({
      status: 1,
      stderr: "carrick: there is no carrick to remove\n",
    });
  });

  test("a wrong checksum installs nothing and leaves what is there", async () => {
    await install(["--version=v1.0.0"], { shell });
    releases["latest"]!["carrick-linux-x64.gz"] = Bun.gzipSync(Buffer.from("#!/bin/sh\necho evil\n"));
    const result = await install([], { shell });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("has another checksum than the release says; nothing was installed");
    expect(below(bin)).toEqual(["carrick"]);
    expect(readFileSync(join(bin, "carrick"), "utf8")).toContain("1.0.0");
  });

  test("a release that is not there, and a server that is not there", async () => {
    const missing = await install(["--version", "9.9"], { shell });
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain(
      `cannot download the list of checksums of carrick v9.9 from http://127.0.0.1:${server.port}/v9.9/SHA256SUMS: the server does not have it`,
    );
    const dead = await install([], { shell, env: { CARRICK_RELEASES: "http://127.0.0.1:1" } });
    expect(dead.status).toBe(1);
    expect(dead.stderr).toContain("the server cannot be reached");
    expect([below(bin), below(home)]).toEqual([[], []]);
  });
});

describe("machines", () => {
  const mac = (env: Record<string, string> = {}): Promise<Ended> =>
    install([], { machine: MAC, env: { ...M2, ...env } });

  test("Apple silicon, in a native shell and under Rosetta", async () => {
    for (const env of [{}, { MACHINE: "x86_64", ROSETTA: "1" }]) {
      expect(await mac(env)).toMatchObject({ status: 0 });
      expect(readFileSync(join(bin, "carrick"), "utf8")).toContain("darwin-arm64");
      rmSync(join(bin, "carrick"));
    }
  });

  test("the quarantine mark is taken off where there can be one", async () => {
    const mark = join(work, "marked");
    await install([], { machine: { ...MAC, xattr: `echo "$1 $2" >"${mark}"; exit 1` }, env: M2 });
    expect(readFileSync(mark, "utf8")).toBe("-d com.apple.quarantine\n");
    expect(below(bin)).toEqual(["carrick"]);
  });

  test("a Mac without a hypervisor gets a warning", async () => {
    const result = await mac({ HV: "0" });
    expect(result.status).toBe(0);
    expect(result.stderr).toStartWith("carrick: warning: this machine has no hypervisor");
  });

  test.each([
    [{ MACHINE: "x86_64" }, "this Mac has an Intel processor; carrick needs Apple silicon"],
    [{ MACOS: "13.6.1" }, "this is macOS 13.6.1; carrick needs macOS 14 or later"],
    [{ MACOS: "beta" }, "cannot tell the version of macOS from 'beta'"],
  ] as [Record<string, string>, string][])("a Mac with %j is refused", async (env, message) => {
    expect(await mac(env)).toEqual({ status: 1, stdout: "", stderr: `carrick: ${message}\n` });
    expect(requests).toEqual([]);
  });

  test("a Mac is not taken for the 10.16 that old programs are told, and one without sw_vers is told so", async () => {
    const asked = { ...MAC, sw_vers: '[ "$SYSTEM_VERSION_COMPAT" = 0 ] && echo 15.1 || echo 10.16' };
    expect(await install([], { machine: asked, env: { ...M2, SYSTEM_VERSION_COMPAT: "1" } })).toMatchObject({
      status: 0,
    });
    const { sw_vers: _, ...without } = MAC;
    expect(await install([], { machine: without, env: M2 })).toMatchObject({
      status: 1,
      stderr: "carrick: cannot tell the version of macOS from ''\n",
    });
  });

  test("sysctl is found where a short PATH does not look", async () => {
    const { sysctl, ...rest } = MAC;
    const place = join(work, "sbin");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "sysctl"), `#!/bin/sh\n${sysctl}\n`, { mode: 0o755 });
    const options = { machine: rest, env: { ...M2, MACHINE: "x86_64", ROSETTA: "1" } };
    expect(await install([], { ...options, before: `mount --bind "${place}" /usr/sbin` })).toEqual({
      status: 0,
      stdout: "",
      stderr: expect.stringMatching(/^carrick: downloading carrick-darwin-arm64/),
    });
  });

  test("Linux on arm64, and what else there is", async () => {
    const machine = (system: string, name: string): Promise<Ended> =>
      install([], { machine: { uname: `case $1 in -s) echo ${system} ;; *) echo ${name} ;; esac` } });
    expect(await machine("Linux", "aarch64")).toMatchObject({ status: 0 });
    expect(readFileSync(join(bin, "carrick"), "utf8")).toContain("linux-arm64");
    rmSync(join(bin, "carrick"));
    for (const [system, name] of [
      ["Linux", "riscv64"],
      ["FreeBSD", "amd64"],
    ] as const) {
      expect(await machine(system, name)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(`there is no carrick for ${system} on ${name}`),
      });
    }
    expect(below(bin)).toEqual([]);
  });

  test("a program that does not start there is not installed", async () => {
    releases["latest"] = release("2.0.0", "echo 'this needs a newer system' >&2; exit 1");
    const result = await install([]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("does not start on this machine; nothing was installed: this needs a newer system");
    expect(below(bin)).toEqual([]);
  });
});

describe("places", () => {
  test("the user's own folder when /usr/local/bin is read-only, with a word about PATH", async () => {
    const result = await install([], { before: READ_ONLY, env: { PATH: join(work, "tools") } });
    expect(result.status).toBe(0);
    expect(result.stderr).toContain(`installed carrick 2.0.0 as ${local}/carrick`);
    expect(result.stderr).toEndWith(`${local} is not in your PATH; add it: export PATH="${local}:$PATH"\n`);
    expect(below(bin)).toEqual([]);
    expect(await install(["--uninstall"], { before: READ_ONLY })).toMatchObject({ status: 0 });
    expect(below(local)).toEqual([]);
  });

  test("root makes /usr/local/bin where there is none, and nothing in a home that is somebody else's", async () => {
    const local = join(work, "usr-local");
    rmSync(local, { recursive: true, force: true });
    mkdirSync(local);
    const before = `umount /usr/local/bin; mount --bind "${local}" /usr/local; umask 077`;
    expect(await install([], { before })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("installed carrick 2.0.0 as /usr/local/bin/carrick"),
    });
    expect(below(local)).toEqual(["bin", "bin/carrick"]);
    expect(statSync(join(local, "bin")).mode & 0o777).toBe(0o755);
    expect(below(home)).toEqual([]);
  });

  test("what is removed says that it is carrick, or does not start", async () => {
    const path = join(bin, "carrick");
    writeFileSync(path, "#!/bin/sh\necho some other program 1.0\n", { mode: 0o755 });
    expect(await install(["--uninstall"])).toMatchObject({
      status: 1,
      stderr: "carrick: /usr/local/bin/carrick is some other program; it stays\n",
    });
    expect(below(bin)).toEqual(["carrick"]);
    for (const make of [
      () => writeFileSync(path, "#!/bin/sh\nexit 1\n"),
      () => writeFileSync(path, "half of it", { mode: 0o644 }),
      () => symlinkSync("/nowhere", path),
    ]) {
      make();
      expect(await install(["--uninstall"])).toMatchObject({ status: 0 });
      expect(below(bin)).toEqual([]);
    }
  });

  test("neither", async () => {
    const result = await install([], { before: `${READ_ONLY}; unset HOME`, env: { HOME: "" } });
    expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining("say --prefix DIR") });
  });

  test("--prefix, relative and absolute, with spaces", async () => {
    const prefix = join(work, "my programs");
    for (const args of [
      ["--prefix", prefix],
      [`--prefix=${prefix}`, "--version", "1.0.0"],
    ]) {
      expect(await install(args)).toMatchObject({ status: 0 });
      expect(below(prefix)).toEqual(["bin", "bin/carrick"]);
    }
    expect(await install(["--uninstall", "--prefix", prefix])).toMatchObject({ status: 0 });
    expect(below(prefix)).toEqual(["bin"]);
    rmSync(prefix, { recursive: true });
    expect(await install(["--prefix", "here"], { before: `cd "${home}"` })).toMatchObject({ status: 0 });
    expect(below(join(home, "here"))).toEqual(["bin", "bin/carrick"]);
  });

  test("a place that cannot be written, or is something else", async () => {
    const file = join(home, "file");
    writeFileSync(file, "");
    expect((await install(["--prefix", file])).stderr).toBe(`carrick: cannot make the directory ${file}/bin\n`);
    mkdirSync(join(home, "odd/bin/carrick"), { recursive: true });
    expect((await install(["--prefix", join(home, "odd")])).stderr).toBe(
      `carrick: ${home}/odd/bin/carrick is a directory\n`,
    );
    mkdirSync(join(home, "full/bin"), { recursive: true });
    const readOnly = `mount --bind "${home}/full" "${home}/full"; mount -o remount,bind,ro "${home}/full"`;
    expect((await install(["--prefix", join(home, "full")], { before: readOnly })).stderr).toBe(
      `carrick: cannot write to ${home}/full/bin\n`,
    );
    expect(requests).toEqual([]);
  });

  test.each(FETCHERS)("a full disk leaves nothing behind (%s)", async (fetcher) => {
    const prefix = join(home, "small");
    mkdirSync(prefix);
    const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(65536)));
    const filler = Array.from({ length: 6 }, () => noise.toString("base64")).join("\n#");
    releases["latest"] = release("2.0.0", `echo carrick\nexit\n#${filler}`);
    const listing = join(home, "left");
    // As large as what is downloaded, or large enough for that but not for what it unpacks to.
    for (const size of [16384, 450_000]) {
      const before = `mount -t tmpfs -o size=${size} none "${prefix}"; trap 'ls -A "${prefix}/bin" >"${listing}"' EXIT; run() { "$@"; }; run "$@"; exit`;
      const result = await install(["--prefix", prefix], { before, fetcher });
      expect(result.status).toBe(1);
      // busybox's wget has one status for all that can go wrong.
      expect(result.stderr).toMatch(
        fetcher === "busybox wget" ? /the transfer failed|disk full/ : /is the disk full\?/,
      );
      expect(readFileSync(listing, "utf8")).toBe("");
    }
  });

  test("another carrick that comes first in PATH is named", async () => {
    const result = await install([], {
      machine: { ...LINUX, carrick: "echo carrick 0" },
      env: { PATH: `${join(work, "tools")}:/usr/local/bin` },
    });
    expect(result.stderr).toEndWith(`another carrick comes first in your PATH: ${join(work, "tools/carrick")}\n`);
  });
});

describe("the script", () => {
  test.each(["dash", "bash", "busybox sh"])("leaves nothing behind when it is killed (%s)", async (shell) => {
    hanging = Promise.withResolvers();
    releases["v0.0.0"] = release("0.0.0");
    const result = await install(["--version", "0.0.0"], { shell: shell.split(" "), kill: hanging.promise });
    expect([0, 1]).not.toContain(result.status);
    expect(below(bin)).toEqual([]);
  });

  test("says what it takes, and refuses what it does not know", async () => {
    const help = await install(["--help"]);
    expect(help).toMatchObject({ status: 0, stderr: "" });
    for (const option of ["--version", "--prefix", "--uninstall", "CARRICK_RELEASES"])
      expect(help.stdout).toContain(option);
    expect((await install(["--frobnicate"])).stderr).toBe(
      "carrick: unknown option --frobnicate; --help shows them all\n",
    );
    expect((await install(["--version"])).stderr).toBe("carrick: --version needs a value\n");
    expect((await install(["--prefix"])).stderr).toBe("carrick: --prefix needs a value\n");
    expect((await install(["--version", "../x"])).stderr).toBe("carrick: '../x' is not a version\n");
    expect(requests).toEqual([]);
  });

  test("works with any of the programs that make checksums, and not without", async () => {
    const rest = TOOLS.filter((tool) => tool !== "sha256sum");
    for (const tool of ["shasum", "openssl"].filter(has)) {
      expect(await install([], { real: [...rest, tool] })).toMatchObject({ status: 0 });
      rmSync(join(bin, "carrick"));
    }
    expect(await install([], { real: rest })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("cannot be checked"),
    });
    expect(below(bin)).toEqual([]);
  });

  test("says what is missing when it cannot download at all", async () => {
    expect(await install([], { fetcher: "" })).toMatchObject({
      status: 1,
      stderr: "carrick: neither curl nor wget is installed\n",
    });
    expect(below(bin)).toEqual([]);
  });

  test("a list of checksums that is something else installs nothing", async () => {
    releases["latest"]!["SHA256SUMS"] = "<html>404</html>";
    expect(await install([])).toMatchObject({
      status: 1,
      stderr: "carrick: the release's list of checksums does not have carrick-linux-x64\n",
    });
    expect(below(bin)).toEqual([]);
  });

  test("a part of it does nothing, wherever it was cut", async () => {
    const text = readFileSync(script, "utf8").trimEnd();
    const cuts = Array.from({ length: text.length }, (_, i) => i).filter((i) => i % 211 === 0 || i > text.length - 14);
    const shells = await Promise.all(
      ["dash", "bash"].map(async (shell) => {
        for (const cut of cuts) {
          const child = Bun.spawn([shell, "-s", "--", "--prefix", join(work, "cut")], {
            stdin: Buffer.from(text.slice(0, cut)),
            stdout: "pipe",
            stderr: "ignore",
            env: { PATH: dirname(Bun.which("ls")!), CARRICK_RELEASES: `http://127.0.0.1:${server.port}` },
          });
          expect(await new Response(child.stdout).text()).toBe("");
          await child.exited;
        }
        return cuts.length;
      }),
    );
    expect(Math.min(...shells)).toBeGreaterThan(40);
    expect(requests).toEqual([]);
    expect(existsSync(join(work, "cut"))).toBe(false);
  });

  test.skipIf(!has("shellcheck"))("is clean to shellcheck", () => {
    const result = Bun.spawnSync(["shellcheck", script]);
    expect(result.stdout.toString()).toBe("");
    expect(result.exitCode).toBe(0);
  });
});
