// The command line of `carrick run`: Docker's spellings, and a sentence for everything else.

import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { DOCKER_ONLY } from "../../../src/cli/docker-options.ts";
import { parseOptions } from "../../../src/cli/options.ts";
import { pullPolicy, RUN_OPTIONS, runRequest } from "../../../src/cli/run-options.ts";
import { UserError } from "../../../src/cli/user-error.ts";
import type { RunRequest } from "../../../src/container/run-request.ts";
import { DEFAULT_ENGINE } from "../../../src/cpu/cpu.ts";

const work = mkdtempSync(join(tmpdir(), "carrick-options-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const run = (...argv: string[]): RunRequest => runRequest(parseOptions(RUN_OPTIONS, argv));

function refusal(...argv: string[]): string {
  try {
    run(...argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(125);
    return (error as UserError).message;
  }
  throw new Error(`accepted: ${argv.join(" ")}`);
}

test("options end at the image; what follows is the guest's", () => {
  expect(run("-i", "img", "--help", "-e", "x", "--")).toMatchObject({
    image: "img",
    command: ["--help", "-e", "x", "--"],
  });
  expect(run("--", "img", "-d")).toMatchObject({ image: "img", command: ["-d"] });
  expect(refusal("-i")).toMatch(/needs an image/);
});

test("bundled shorts, attached values, both spellings of values, switches with a value", () => {
  expect(run("-it", "i")).toMatchObject({ interactive: true, tty: true });
  expect(run("-itw/a", "i")).toMatchObject({ interactive: true, tty: true, workdir: "/a" });
  expect(run("-w=/a", "i").workdir).toBe("/a");
  expect(run("--workdir=/a", "i").workdir).toBe("/a");
  expect(run("--workdir", "/a", "i").workdir).toBe("/a");
  expect(run("-eA=1", "-e=B=2", "--env", "C=3", "--env=D=4", "i").env).toEqual(["A=1", "B=2", "C=3", "D=4"]);
  expect(run("--tty=false", "-t=true", "--interactive=1", "--rm=false", "i")).toMatchObject({
    tty: true,
    interactive: true,
  });
  expect(run("-t", "--tty=false", "i").tty).toBe(false);
  expect(refusal("--tty=maybe", "i")).toMatch(/true and false/);
  expect(refusal("-e")).toMatch(/needs a value/);
  expect(refusal("--nonsense", "i")).toMatch(/unknown option --nonsense/);
  expect(refusal("--hostnam", "x", "i")).toMatch(/did you mean --hostname/);
});

test("the CPU", () => {
  expect(run("i").engine).toBe(DEFAULT_ENGINE);
  expect(run("--cpu", "jit", "i").engine).toBe("jit");
  expect(run("--cpu=interp", "i").engine).toBe("interp");
  expect(run("i").cpus).toBe(null);
  expect(run("--cpus", "4", "i").cpus).toBe(4);
  expect(run("--cpus=1.5", "i").cpus).toBe(2);
  for (const bad of ["0", "-1", "x", "1e3", "54", ""]) expect(() => run("--cpus", bad, "i")).toThrow("--cpus");
  expect(refusal("--cpu", "fast", "i")).toMatch(/--cpu fast is not known; this build has: interp, jit/);
});

test("every option of Docker's that is missing is refused by name", () => {
  for (const { name, short, value } of DOCKER_ONLY) {
    expect(refusal(`--${name}`, ...(value === undefined ? [] : ["x"]), "i")).toStartWith(
      `carrick has no option --${name}`,
    );
    if (short !== undefined) expect(refusal(`-i${short}`, "x", "i")).toStartWith(`carrick has no option -${short}`);
  }
  const names = RUN_OPTIONS.flatMap(({ name, alias }) => [name, ...(alias === undefined ? [] : [alias])]);
  expect(new Set(names).size).toBe(names.length);
  const shorts = RUN_OPTIONS.map(({ short }) => short).filter((s) => s !== undefined);
  expect(new Set(shorts).size).toBe(shorts.length);
});

test("environment from here and from files", () => {
  const file = join(work, "env");
  process.env["CARRICK_TEST_HERE"] = "here";
  delete process.env["CARRICK_TEST_GONE"];
  writeFileSync(file, "\ufeff# comment\n\n  A=1 2 \r\nB='q'\nCARRICK_TEST_HERE\nCARRICK_TEST_GONE\nE=\nF=a=b#c\n");
  expect(run("-e", "A=cli", "--env-file", file, "-e", "CARRICK_TEST_HERE", "-e", "CARRICK_TEST_GONE", "i").env).toEqual(
    [
      "A=1 2 ",
      "B='q'",
      "CARRICK_TEST_HERE=here",
      "E=",
      "F=a=b#c",
      "A=cli",
      "CARRICK_TEST_HERE=here",
      "CARRICK_TEST_GONE",
    ],
  );
  for (const [text, why] of [
    ["=x", /line 1: there is no name/],
    ["A=1\nB C=2", /line 2: the name B C has a space/],
    ["A=\0", /NUL/],
  ] as const) {
    writeFileSync(file, text);
    expect(refusal("--env-file", file, "i")).toMatch(why);
  }
  writeFileSync(file, new Uint8Array([0x41, 0x3d, 0xff]));
  expect(refusal("--env-file", file, "i")).toMatch(/not UTF-8/);
  expect(refusal("--env-file", join(work, "none"), "i")).toMatch(/does not exist/);
  expect(refusal("--env-file", work, "i")).toMatch(/cannot be read/);
  expect(refusal("-e", "=x", "i")).toMatch(/has no name/);
  expect(refusal("-e", "", "i")).toMatch(/has no name/);
});

test("mounts", () => {
  mkdirSync(join(work, "src,comma"), { recursive: true });
  const bind = (target: string, readOnly = false, source = work) => ({
    type: "bind" as const,
    source,
    target,
    readOnly,
  });
  expect(
    run("-v", `${work}:/a/../b/`, "-v", `${work}:/c:ro,z`, "-v", `${work}/none:/d`, "--volume", "/data/", "i"),
  ).toMatchObject({
    mounts: [
      { ...bind("/b"), create: true },
      { ...bind("/c", true), create: true },
      { ...bind("/d", false, join(work, "none")), create: true },
    ],
    volumes: ["/data"],
  });
  expect(
    run(
      "--mount",
      `type=bind,src=${work},dst=/a,ro`,
      "--mount",
      `"source=${join(work, "src,comma")}",target=/b,type=bind,readonly=false`,
      "i",
    ).mounts,
  ).toEqual([bind("/a", true), bind("/b", false, join(work, "src,comma"))]);
  const tmpfs = { type: "tmpfs" as const, readOnly: false, noExec: true, noSuid: true, noDev: true, data: "" };
  expect(
    run(
      "--tmpfs",
      "/t",
      "--tmpfs",
      "/u:size=64m,mode=1777,exec,ro",
      "--mount",
      "type=tmpfs,target=/w,tmpfs-size=1k,tmpfs-mode=700",
      "i",
    ).mounts,
  ).toEqual([
    { ...tmpfs, target: "/w", data: "size=1k,mode=700" },
    { ...tmpfs, target: "/t" },
    { ...tmpfs, target: "/u", readOnly: true, noExec: false, data: "size=64m,mode=1777" },
  ]);
  const cases: readonly (readonly [argv: readonly string[], why: RegExp])[] = [
    [["-v", "named:/a"], /no named volumes/],
    [["-v", `${work}:rel`], /must be absolute/],
    [["-v", `${work}:/`], /over \//],
    [["-v", `${work}:/a/..`], /over \//],
    [["--mount", `type=bind,src=${work}/none,dst=/a`], /does not exist/],
    [["-v", `${work}:/a:rx`], /unknown mode rx/],
    [["-v", `${work}:/a:ro:x`], /not SRC:DST/],
    [["-v", ":/a"], /not SRC:DST/],
    [["-v", "rel"], /must be absolute/],
    [["--mount", "src=/tmp,dst=/a"], /no named volumes/],
    [["--mount", "type=volume,dst=/a,ro"], /read-only/],
    [["--mount", "type=npipe,src=a,dst=/b"], /type npipe is not known/],
    [["-v", "~/x:/a"], /write \$HOME/],
    [["-v", `${work}:/a:rshared`], /unknown mode rshared/],
    [["--mount", ""], /must be absolute/],
    [["--mount", "type=bind,dst=/a"], /no source/],
    [["--mount", `type=bind,src=${work}`], /must be absolute/],
    [["--mount", `type=bind,src=${work},dst=/a,bind-propagation=shared`], /bind-propagation shared is not known/],
    [["--mount", `type=bind,src=${work},dst=/a,ro=perhaps`], /true or false/],
    [["--mount", "type=tmpfs,dst=/a,src=/b"], /source is not known/],
    [["--mount", "type=bind,src"], /src needs a value/],
    [["--tmpfs", "/t:size=lots"], /not an option of tmpfs/],
    [["--tmpfs", "t"], /must be absolute/],
    [["--tmpfs", "/t", "-v", `${work}:/t`], /two mounts at \/t/],
  ];
  for (const [argv, why] of cases) expect(refusal(...argv, "i")).toMatch(why);
});

test("mounts, spelled in other ways", () => {
  const bind = { type: "bind" as const, source: work, target: "/t", readOnly: true };
  const tmpfs = { type: "tmpfs" as const, readOnly: false, noExec: true, noSuid: true, noDev: true };
  for (const text of [
    `type=bind,source=${work},target=/t,readonly`,
    `Type=bind,Source=${work},Target=/t,ReadOnly`,
    `"type=bind","src=${work}","destination=/t","ro=1"`,
    `type=bind,src=${work},dst=/t,readonly=true,bind-propagation=rprivate,consistency=cached,`,
  ])
    expect(run("--mount", text, "i").mounts).toEqual([bind]);
  expect(run("-v", `${work}:/t:ro,Z,rprivate`, "i").mounts).toEqual([{ ...bind, create: true }]);
  expect(run("--tmpfs", "/t:rw,noexec,nosuid,size=65536k,uid=5,relatime,sync", "i").mounts).toEqual([
    { ...tmpfs, target: "/t", data: "size=65536k,uid=5" },
  ]);
  expect(run("--mount", "type=volume,dst=/data", "--mount", "dst=/more", "-v", "/even", "i").volumes).toEqual([
    "/even",
    "/data",
    "/more",
  ]);
});

test("an empty value is as none, as scripts with unset variables give it", () => {
  const empty = ["-u", "", "-w", "", "--name", "", "--network", "", "--hostname", "", "--pull=", "--platform", ""];
  expect(run(...empty, "i")).toMatchObject({ user: null, workdir: null, name: null, network: "host", hostname: null });
});

test("names, addresses, the network, policies", () => {
  expect(
    run("-h", "box.local", "--name", "n_1", "--net", "none", "--read-only", "--init", "-u", "1:2", "i"),
  ).toMatchObject({
    hostname: "box.local",
    name: "n_1",
    network: "none",
    readOnly: true,
    init: true,
    user: "1:2",
  });
  expect(
    run(
      "--add-host",
      "a:10.0.0.1",
      "--add-host=b=::1",
      "--add-host",
      "c:[fe80::1]",
      "--add-host",
      "d:host-gateway",
      "i",
    ).hosts,
  ).toEqual([
    { name: "a", address: "10.0.0.1" },
    { name: "b", address: "::1" },
    { name: "c", address: "fe80::1" },
    { name: "d", address: "127.0.0.1" },
  ]);
  expect(run("--entrypoint", "", "i").entrypoint).toEqual([]);
  expect(run("--entrypoint", "/x y", "i").entrypoint).toEqual(["/x y"]);
  for (const policy of ["always", "missing", "never"] as const)
    expect(pullPolicy(parseOptions(RUN_OPTIONS, ["--pull", policy, "i"]))).toBe(policy);
  expect(() => pullPolicy(parseOptions(RUN_OPTIONS, ["--pull", "maybe", "i"]))).toThrow(
    /none of always, missing, never/,
  );
  const cases: readonly (readonly [argv: readonly string[], why: RegExp])[] = [
    [["--network", "bridge"], /there are host and none/],
    [["-h", "a b"], /not a host's name/],
    [["-h", "a".repeat(65)], /not a host's name/],
    [["--add-host", "a"], /not NAME:ADDRESS/],
    [["--add-host", "a:1.2.3"], /not an IP address/],
    [["--add-host", "a\nb:1.2.3.4"], /not NAME:ADDRESS/],
    [["-w", "rel"], /not an absolute path/],
    [["--name", "-x"], /not made of/],
  ];
  for (const [argv, why] of cases) expect(refusal(...argv, "i")).toMatch(why);
});

test("any words are a request or a UserError without control characters", () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...RUN_OPTIONS.map(({ name }) => `--${name}`),
      "-it",
      "-e",
      "-v",
      "--",
      "-",
      "",
      "a:b:c",
      "type=bind,x",
      "/t:size=1",
      "\u001b[31m",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      try {
        run(...argv);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there.
        expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }
    }),
    { numRuns: 2000 },
  );
});
