// `carrick selftest` and `carrick doctor` of the built executable: a machine on which all is well, and what they say where it is not.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENTITLEMENTS } from "../../scripts/release/entitlements.ts";
import { sign } from "../../scripts/release/sign.ts";
import { root } from "../../scripts/toolchain.ts";
import { engineCheck } from "../../src/cli/doctor-engines.ts";
import { hypervisorCheck, signatureOf, versionCheck } from "../../src/cli/doctor-host.ts";
import { probeCheck } from "../../src/cli/doctor-hypervisor.ts";
import { differences } from "../../src/cli/selftest.ts";
import { readCodeSignature } from "../../src/host/code-signature.ts";
import { withPack } from "../support/altered-pack.ts";
import { run } from "../support/guest.ts";

setDefaultTimeout(600_000);

const executable = join(root, "dist/carrick-linux-x64");
const work = mkdtempSync(join(tmpdir(), "carrick-doctor-"));
const temporary = join(work, "tmp");
mkdirSync(temporary);
afterAll(() => rmSync(work, { recursive: true, force: true }));

const ENV = { CARRICK_HOME: join(work, "none"), HOME: work, TMPDIR: temporary };

/** What stays behind, except for the shim, which every carrick leaves for the next. */
const leftBehind = (): string[] => readdirSync(temporary).filter((name) => !name.startsWith(".bun-"));

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function carrick(
  words: readonly string[],
  env: Record<string, string> = {},
  command: readonly string[] = [executable],
): Ended {
  return run([...command, ...words], { env: { ...ENV, ...env }, timeoutMs: 550_000 });
}

describe("selftest", () => {
  test("all programs of the pack print what they must, for an ordinary user too", () => {
    const isRoot = process.geteuid!() === 0;
    const open = join(work, "open");
    mkdirSync(open);
    for (const folder of [work, open]) chmodSync(folder, 0o777);
    const user = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    const result = carrick(["selftest"], { TMPDIR: open, HOME: open }, [...user, executable]);
    const lines = result.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^carrick \d+\.\d+\.\d+ selftest on Linux \S+, .+; CPU \w+$/);
    expect(lines.at(-1)).toMatch(/^[4-9]\d passed, 0 failed$/);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(readdirSync(open).filter((name) => !name.startsWith(".bun-"))).toEqual([]);
  });

  test("programs can be named, and the CPU", () => {
    const result = carrick(["selftest", "--cpu", "interp", "eventfds", "hello"]);
    const expected = /^carrick .*; CPU interp\nok {4}eventfds \(.* s\)\nok {4}hello \(.* s\)\n2 passed, 0 failed\n$/;
    expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(expected), stderr: "" });
    expect(carrick(["selftest", "helo"])).toMatchObject({
      status: 125,
      stderr: "carrick: there is no test program helo; did you mean hello?\n",
    });
    expect(carrick(["selftest", "--cpu", "z80"])).toMatchObject({ status: 125, stdout: "" });
  });

  test("a program that prints something else is a failure, tried twice and shown", () => {
    const altered = join(work, "altered");
    withPack(altered, (pack) => {
      const { hello, eventfds } = pack.expected as { hello: string; eventfds: string };
      pack.expected = {
        eventfds,
        hello: hello.replace("two words", "three words").replace("status 7\n", "more\nstatus 8\n"),
      };
    });
    const result = carrick(["selftest"], {}, [altered]);
    expect(result.status).toBe(1);
    const lines = result.stdout
      .replace(/ \(.*? s\)/g, "")
      .trimEnd()
      .split("\n")
      .slice(1);
    expect(lines[0]).toBe("ok    eventfds");
    expect(lines[1]).toBe("again hello");
    const details = lines.slice(2, lines.indexOf("FAIL  hello"));
    expect(details.length).toBeGreaterThan(1);
    expect(details.join("\n")).toContain('got "status 7"');
    expect(lines.slice(-1 - details.length, -1)).toEqual(details);
    expect(lines.at(-1)).toBe("1 passed, 1 failed");
    expect(leftBehind()).toEqual([]);
  });

  test("where no CPU can be used, that is all that is said", () => {
    expect(carrick(["selftest", "--cpu", "hvf"])).toEqual({
      status: 125,
      stdout: expect.stringMatching(/^carrick .*; CPU hvf\n$/),
      stderr:
        "carrick: the CPU hvf cannot be used: Hypervisor.framework needs a Mac with Apple silicon; --cpu interp does without it, slowly\n",
    });
    expect(leftBehind()).toEqual([]);
  });

  test("a signal ends it at once, and nothing stays behind", async () => {
    for (const [signal, number] of [
      ["SIGINT", 2],
      ["SIGTERM", 15],
      ["SIGHUP", 1],
    ] as const) {
      const child = Bun.spawn([executable, "selftest"], {
        env: { PATH: process.env["PATH"], ...ENV },
        stdout: "pipe",
        stderr: "pipe",
      });
      const reader = child.stdout.getReader();
      let seen = "";
      while (!seen.includes("\nok ")) seen += Buffer.from((await reader.read()).value!).toString();
      child.kill(signal);
      expect(await child.exited).toBe(128 + number);
      expect(await new Response(child.stderr).text()).toBe("carrick: interrupted\n");
      expect(leftBehind()).toEqual([]);
    }
  });

  test("damaged programs, and a report that cannot be written, are said in a sentence", () => {
    const damaged = join(work, "damaged");
    const pack = readFileSync(join(root, "dist/guests.pack"));
    const bytes = readFileSync(executable);
    bytes.fill(0x55, bytes.indexOf(pack), bytes.indexOf(pack) + 100);
    writeFileSync(damaged, bytes, { mode: 0o755 });
    const sentence = "the test programs that this carrick carries are damaged: install it anew";
    expect(carrick(["selftest"], {}, [damaged])).toEqual({ status: 125, stdout: "", stderr: `carrick: ${sentence}\n` });
    expect(find(report({}, [damaged]), "cpu")).toMatchObject({ status: "bad", text: sentence });
    const sh = ["sh", "-c"];
    for (const command of ["selftest", "doctor", "doctor --json"]) {
      const full = run([...sh, `"$0" ${command} >/dev/full`, executable], { env: ENV });
      const said = "carrick: standard output cannot be written to: No space left on device\n";
      expect(full).toEqual({ status: 125, stdout: "", stderr: said });
    }
    const unread = run(["bash", "-c", `"$0" selftest | head -1; exit \${PIPESTATUS[0]}`, executable], { env: ENV });
    expect(unread).toMatchObject({ status: 141, stderr: "" });
    expect(unread.stdout.split("\n").length).toBe(2);
    expect(leftBehind()).toEqual([]);
  });

  test("differences are shown line by line, and not without end", () => {
    const outcome = (output: string, errors = ""): { output: string; errors: string; seconds: number } => ({
      output,
      errors,
      seconds: 1,
    });
    expect(differences("a\nb\n", outcome("a\nc\nd\n", "one\ntwo\n"))).toBe(
      '     line 2: expected "b", got "c"\n     line 3: expected nothing, got "d"\n     stderr: one\n     stderr: two\n',
    );
    expect(differences("a\n", outcome("\u001b[31mred\n"))).toBe('     line 1: expected "a", got "?[31mred"\n');
    const many = differences("x\n".repeat(20), outcome("y\n".repeat(20)));
    expect(many.split("\n").length).toBe(7);
    expect(many).toEndWith("     and 15 more lines\n");
  });
});

interface Report {
  healthy: boolean;
  checks: { name: string; status: string; text: string; facts?: Record<string, unknown> }[];
}

function report(
  env: Record<string, string> = {},
  command: readonly string[] = [executable],
): Report & { status: number } {
  const result = carrick(["doctor", "--json"], env, command);
  expect(result.stderr).toBe("");
  return { ...(JSON.parse(result.stdout) as Report), status: result.status };
}

const find = (r: Report, name: string): Report["checks"][number] => r.checks.find((check) => check.name === name)!;

describe("doctor", () => {
  test("finds nothing wrong here, and says what it saw", () => {
    const text = carrick(["doctor"]);
    expect(text).toMatchObject({ status: 0, stderr: "" });
    expect(text.stdout).toStartWith("carrick 0.1.0\nok   executable ");
    expect(text.stdout).toEndWith("\nall is well\n");
    const r = report();
    expect(r).toMatchObject({ healthy: true, status: 0 });
    expect(find(r, "executable").facts).toMatchObject({ path: executable, built: true });
    expect(find(r, "cpu interp")).toMatchObject({
      status: "ok",
      facts: { stale_pages: 0, stale_rights: 0, stale_code: 0, call_ns: expect.any(Number) },
    });
    expect(find(r, "store").text).toEndWith("none does not exist yet");
    expect(existsSync(ENV.CARRICK_HOME)).toBe(false);
    expect(leftBehind()).toEqual([]);
  });

  test("takes no operands", () => {
    expect(carrick(["doctor", "now"])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("takes no operands"),
    });
  });

  test("runs from the sources too", () => {
    const r = report({}, [process.execPath, join(root, "src/main.ts")]);
    expect(find(r, "executable")).toMatchObject({ status: "note", facts: { built: false } });
    expect(find(r, "cpu interp").status).toBe("ok");
  });

  test("finds images whose parts are missing or damaged", () => {
    const home = join(work, "store");
    const archive = join(work, "image.tar");
    withPack(join(work, "unused"), (pack) => {
      writeFileSync(archive, pack.archive);
      pack.expected = {};
    });
    expect(carrick(["load", "-q", "-i", archive], { CARRICK_HOME: home }).status).toBe(0);
    const store = (): Report["checks"][number] & { exit: number } => {
      const r = report({ CARRICK_HOME: home });
      return { ...find(r, "store"), exit: r.status };
    };
    expect(store()).toMatchObject({ status: "ok", text: `${home}: 1 images, all whole`, exit: 0 });
    const config = readdirSync(join(home, "documents"))
      .map((name) => join(home, "documents", name))
      .find((file) => readFileSync(file, "utf8").includes('"rootfs"'))!;
    const whole = readFileSync(config);
    writeFileSync(config, "{}");
    expect(store()).toMatchObject({
      status: "bad",
      facts: { broken: [expect.stringContaining("carrick-guests")] },
      exit: 1,
    });
    writeFileSync(config, whole);
    const layer = join(home, "layers", readdirSync(join(home, "layers"))[0]!);
    rmSync(join(layer, "tar"));
    expect(store()).toMatchObject({ status: "bad", text: expect.stringContaining("to be pulled again"), exit: 1 });
    const record = join(home, "images", readdirSync(join(home, "images"))[0]!);
    truncateSync(record, 10);
    expect(store()).toMatchObject({ status: "bad", exit: 1 });
  });

  test("finds folders that cannot be used", () => {
    const file = join(work, "file");
    writeFileSync(file, "");
    const r = report({ CARRICK_HOME: file, TMPDIR: join(work, "missing"), HOME: join(work, "home-of-mine") });
    expect(r).toMatchObject({ healthy: false, status: 1 });
    expect(find(r, "store")).toMatchObject({ status: "bad", text: `${file} is not a folder` });
    expect(find(r, "temporary")).toMatchObject({ status: "bad", text: expect.stringContaining("ENOENT") });
    expect(find(r, "cpu")).toMatchObject({ status: "bad", text: expect.stringContaining("cannot be used: ENOENT") });
    rmSync(join(work, "home-of-mine"), { recursive: true, force: true });
  });

  test("finds a guest that does not run", () => {
    const altered = join(work, "altered");
    withPack(altered, (pack) => {
      const name = pack.archive.indexOf("test/machine-image");
      pack.archive = Buffer.concat([pack.archive]);
      pack.archive.fill(0x55, name + 512 + 64, name + 512 + 4096);
      pack.expected = {};
    });
    const r = report({}, [altered]);
    expect(r).toMatchObject({ healthy: false, status: 1 });
    const cpu = r.checks.find((check) => check.name.startsWith("cpu"))!;
    expect(cpu.status).toBe("bad");
  });
});

describe("what doctor makes of what it sees", () => {
  const outcome = (output: string, errors = ""): { output: string; errors: string; seconds: number } => ({
    output,
    errors,
    seconds: 1,
  });
  const good =
    "call_ns 300\nfault_ns 500\nstale_pages 0\nstale_rights 0\nstale_code 0\ncode_ns 9\nicache_line 64\ndcache_line 64\nidc 0\ndic 0\ncounter_hz 24000000\n";

  test("a CPU that shows what is not there any more is bad", () => {
    expect(engineCheck("interp", outcome(`${good}status 0\n`), true).status).toBe("ok");
    for (const [key, word] of [
      ["stale_pages", "3 old pages"],
      ["stale_rights", "3 old rights of pages"],
      ["stale_code", "3 old instructions"],
    ] as const) {
      const seen = engineCheck("interp", outcome(`${good.replace(`${key} 0`, `${key} 3`)}status 0\n`), false);
      expect(seen).toMatchObject({ status: "bad", text: `changes are not seen: ${word}` });
    }
  });

  test("a CPU that is not there is bad only where it is needed", () => {
    const absent = outcome("status 125\n", "carrick: the translator needs an x86-64 host\n");
    expect(engineCheck("jit", absent, true)).toMatchObject({
      status: "bad",
      text: "the translator needs an x86-64 host",
    });
    expect(engineCheck("jit", absent, false).status).toBe("note");
  });

  test("a guest that dies is bad, whatever it said before", () => {
    for (const end of ["status 139", "killed by SIGKILL", "status 1"]) {
      expect(engineCheck("interp", outcome(`${good}${end}\n`, "x\nlast\n"), false)).toMatchObject({
        status: "bad",
        text: `the program that looks at it ended with ${end}: last`,
      });
    }
    expect(engineCheck("interp", outcome("status 0\n"), false).status).toBe("bad");
  });

  test("signatures", () => {
    const library = readFileSync(join(root, ".cache/runtimes/_oven_bun-darwin-aarch64-1.4.5/bin/bun"));
    expect(signatureOf(readCodeSignature(library))).toMatchObject({
      status: "bad",
      text: expect.stringContaining("hypervisor is missing"),
    });
    const signed = sign(library, { identifier: "carrick", entitlements: ENTITLEMENTS });
    expect(signatureOf(readCodeSignature(signed))).toMatchObject({
      status: "ok",
      facts: { adHoc: true, identifier: "carrick" },
    });
    signed[500_000]! ^= 1;
    expect(signatureOf(readCodeSignature(signed))).toMatchObject({
      status: "bad",
      text: expect.stringContaining("not what was signed"),
    });
    expect(signatureOf("there is no signature").status).toBe("bad");
    // As many load commands as a number can say, of no length.
    const endless = Buffer.from(library.subarray(0, 1 << 16));
    endless.writeUInt32LE(0xffffffff, 16);
    endless.writeUInt32LE(0, 36);
    expect(readCodeSignature(endless)).toContain("damaged");
  });

  test("the hypervisor: each way that a machine can take, and what must work", () => {
    const facts = {
      ...{
        ready: 1,
        ipa_bits: 36,
        max_vcpus: 64,
        asid_bits: 16,
        asids_isolate: 1,
        mmu_by_stub: 0,
        exec_alias: 0,
        split_wx: 0,
      },
      ...{ id_trap_class: 0x18, counter_is_hosts: 1, counter_hz: 24_000_000, host_counter_hz: 24_000_000 },
      ...{ tlb_works: 1, icache_works: 1, memory_works: 1, timer_works: 1, kick_works: 1, exit_ns: 900 },
    };
    const check = (change: Record<string, number>): { status: string; text: string } =>
      probeCheck(JSON.stringify({ ...facts, ...change }), "status 0");
    expect(check({})).toMatchObject({ status: "ok", facts });
    const texts = new Set([check({}).text]);
    for (const key of ["asids_isolate", "mmu_by_stub", "exec_alias", "split_wx", "counter_is_hosts"] as const) {
      texts.add(check({ [key]: 1 - facts[key] }).text);
    }
    texts.add(check({ counter_hz: 1_000_000_000, counter_is_hosts: 0 }).text);
    expect(texts.size).toBe(7);
    for (const key of ["ready", "tlb_works", "icache_works", "memory_works", "timer_works", "kick_works"]) {
      expect(check({ [key]: 0 }).status).toBe("bad");
    }
    expect(probeCheck('{"reason":"no"}', "status 1")).toMatchObject({ status: "bad", text: "no" });
    for (const nothing of ["", "null\n", '{"ready":1', "7"]) {
      expect(probeCheck(nothing, "killed by SIGKILL")).toMatchObject({
        status: "bad",
        text: "trying the hypervisor ended with killed by SIGKILL",
      });
    }
  });

  test("there is no such hypervisor here", () => {
    const result = carrick(["doctor", "--hypervisor"]);
    expect(result).toMatchObject({ status: 1, stderr: "" });
    expect(JSON.parse(result.stdout)).toEqual({ reason: "Hypervisor.framework needs a Mac with Apple silicon" });
  });

  test("Macs", () => {
    const mac = { name: "macOS", isMac: true, cpu: "Apple M2" };
    expect(versionCheck({ ...mac, version: "14.0" }).status).toBe("ok");
    expect(versionCheck({ ...mac, version: "26.1" }).status).toBe("ok");
    expect(versionCheck({ ...mac, version: "13.7.2" })).toMatchObject({
      status: "bad",
      text: expect.stringContaining("needs macOS 14"),
    });
    expect(hypervisorCheck("1").status).toBe("ok");
    expect(versionCheck({ ...mac, version: "Darwin 23.6.0" }).status).toBe("ok");
    expect(versionCheck({ ...mac, version: "Darwin 22.6.0" }).status).toBe("bad");
    expect(hypervisorCheck("0").status).toBe("bad");
    // Then what the framework does is known all the same.
    expect(hypervisorCheck(null).status).toBe("note");
  });
});
