// Standard streams, arguments, environment and exit statuses: carrick in a script is like the program itself. Where the
// host's shell can show how a native command behaves, the same script with the host's own tools is the reference.

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busybox, cli, guestShell, hostShell, workFolder } from "../support/busybox.ts";
import { carrick, run } from "../support/guest.ts";

const work = workFolder();

describe("exit statuses", () => {
  test("0 to 255 pass through", () => {
    for (const status of [0, 1, 2, 63, 64, 125, 126, 127, 128, 129, 137, 254, 255])
      expect(guestShell(`exit ${status}`)).toEqual({ status, stdout: "", stderr: "" });
  });
  test("carrick dies of the signal that killed the program", () => {
    for (const [name, signal] of [
      ["HUP", 1],
      ["INT", 2],
      ["ILL", 4],
      ["TRAP", 5],
      ["ABRT", 6],
      ["BUS", 7],
      ["FPE", 8],
      ["KILL", 9],
      ["USR1", 10],
      ["SEGV", 11],
      ["PIPE", 13],
      ["ALRM", 14],
      ["TERM", 15],
      ["SYS", 31],
    ] as const) {
      const child = Bun.spawnSync([...carrick, "run-elf", busybox, "sh", "-c", `kill -${name} $$`]);
      expect([child.signalCode as string, name]).toEqual([`SIG${name}`, name]);
      expect(hostShell(`carrick run-elf $BUSYBOX sh -c 'kill -${name} $$'; exit $?`).status).toBe(128 + signal);
    }
  });
  test("no core file is written", () => {
    hostShell("ulimit -c unlimited; carrick run-elf $BUSYBOX sh -c 'kill -SEGV $$'", { cwd: work });
    expect(existsSync(join(work, "core"))).toBe(false);
  });
});

describe("pipes", () => {
  test("in pipelines of the host", () => {
    const script = `seq 1 100000 | TOOL sort -rn | TOOL head -n 3 | TOOL tr '\\n' ' '; echo \${PIPESTATUS[@]}`;
    const guest = hostShell(script.replaceAll("TOOL", "carrick run-elf $BUSYBOX"));
    expect(guest).toEqual({ status: 0, stdout: "100000 99999 99998 0 141 0 0\n", stderr: "" });
  });
  test("a reader that goes away ends the program by SIGPIPE", () => {
    const result = hostShell(`carrick run-elf $BUSYBOX yes | head -n 1; echo \${PIPESTATUS[0]}`);
    expect(result).toEqual({ status: 0, stdout: "y\n141\n", stderr: "" });
  });
  test("much data both ways", () => {
    const data = "0123456789abcdef".repeat(1 << 17);
    expect(cli(["run-elf", busybox, "cat"], { stdin: data }).stdout).toBe(data);
    expect(guestShell("cat | cat | cat", { stdin: data }).stdout).toBe(data);
  });
  test("a part of the input is left to the next command", () => {
    writeFileSync(join(work, "lines"), "one\ntwo\nthree\n");
    const result = hostShell("(carrick run-elf $BUSYBOX sh -c 'read x; echo $x'; cat) < lines", { cwd: work });
    expect(result.stdout).toBe("one\ntwo\nthree\n");
    const piped = hostShell("cat lines | (carrick run-elf $BUSYBOX sh -c 'read x; echo $x'; cat)", { cwd: work });
    expect(piped.stdout).toBe("one\ntwo\nthree\n");
  });
  test("further descriptors", () => {
    writeFileSync(join(work, "five"), "from five\n");
    const script = "carrick run-elf $BUSYBOX sh -c 'cat <&5; echo to six >&6' 5<five 6>six; cat six; rm six";
    expect(hostShell(script, { cwd: work }).stdout).toBe("from five\nto six\n");
    expect(hostShell("carrick run-elf $BUSYBOX cat <(echo a) <(echo b)").stdout).toBe("a\nb\n");
  });
});

describe("files and devices as streams", () => {
  test("a file is appended to, and its position is shared", () => {
    const script =
      "echo a > f; carrick run-elf $BUSYBOX echo b >> f; (echo c; carrick run-elf $BUSYBOX echo d; echo e) >> f; cat f";
    expect(hostShell(script, { cwd: work }).stdout).toBe("a\nb\nc\nd\ne\n");
    const shared = "(echo 1; carrick run-elf $BUSYBOX echo 2; echo 3) > g; cat g";
    expect(hostShell(shared, { cwd: work }).stdout).toBe("1\n2\n3\n");
  });
  test("a full device", () => {
    for (const script of ["echo x > /dev/full", "cat f > /dev/full", "yes > /dev/full"]) {
      const guest = hostShell(script.replace(/^/, "carrick run-elf $BUSYBOX "), { cwd: work });
      expect(guest.status).toBe(1);
      expect(guest.stderr).toContain("No space left on device");
    }
  });
  test("/dev/null both ways", () => {
    expect(hostShell("carrick run-elf $BUSYBOX cat < /dev/null > /dev/null; echo $?").stdout).toBe("0\n");
  });
  test("closed streams do not confuse the program's files", () => {
    const script = "carrick run-elf $BUSYBOX sh -c 'echo kept > kept; cat kept >&2' <&- >&-; echo $?";
    expect(hostShell(script, { cwd: work })).toEqual({ status: 0, stdout: "0\n", stderr: "kept\n" });
    for (const closed of ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
      expect(hostShell(`carrick run-elf $BUSYBOX true ${closed}; echo $?`).stdout).toBe("0\n");
  });
  test("carrick's own message does not need the streams", () => {
    expect(hostShell("carrick run-elf ./missing 2>&-; echo $?").stdout).toBe("127\n");
    expect(hostShell("carrick run-elf ./missing 2>/dev/full; echo $?").stdout).toBe("127\n");
    expect(hostShell("carrick --help > /dev/full; carrick --help | true; echo $?").stdout).toBe("0\n");
  });
});

describe("arguments and environment", () => {
  test("arguments arrive byte for byte", () => {
    const words = ["", " ", "a b", "*", "$HOME", "-x", "--", "\n", "\\", '"', "'", "ä", "日本"];
    const result = cli(["run-elf", busybox, "printf", "<%s>", ...words]);
    expect(result.stdout).toBe(Buffer.from(words.map((w) => `<${w}>`).join("")).toString("latin1"));
    const bytes = hostShell("carrick run-elf $BUSYBOX printf '%s,' $'\\377' $'a\\200\\303\\244' ä $'\\355\\260\\200'");
    expect(bytes.stdout).toBe("\xff,a\x80\xc3\xa4,\xc3\xa4,\xed\xb0\x80,");
  });
  test("argv[0] is the file as it was given", () => {
    expect(cli(["run-elf", busybox, "sh", "-c", "tr '\\0' '\\n' < /proc/$$/cmdline | head -n 1"]).stdout).toBe(
      `${busybox}\n`,
    );
  });
  test("the environment, and nothing else", () => {
    const script = "env -i A=1 'B=two words' C= $'D=x\\ny' $'E=\\377' BASH=$BASH \"$@\" $BUSYBOX env";
    const words = carrick.map((word) => `'${word}'`).join(" ");
    const result = run(["bash", "-c", `set -- ${words} run-elf; BUSYBOX='${busybox}'; ${script}`]);
    const lines = result.stdout.split("\n").filter((line) => !line.startsWith("BASH="));
    expect(lines.sort()).toEqual(["", "A=1", "B=two words", "C=", "D=x", "E=\xff", "y"]);
  });
  test("-e sets, empties and passes on", () => {
    const env = { FROM_HERE: "here" };
    const result = cli(
      [
        "run-elf",
        "-e",
        "SET=a=b",
        "-e",
        "EMPTY=",
        "-e",
        "FROM_HERE",
        "-e",
        "UNSET_HERE",
        "--env=SET2=x",
        busybox,
        "env",
      ],
      { env },
    );
    const lines = result.stdout.split("\n");
    for (const line of ["SET=a=b", "EMPTY=", "FROM_HERE=here", "SET2=x"]) expect(lines).toContain(line);
    expect(result.stdout).not.toContain("UNSET_HERE");
    expect(cli(["run-elf", "-e", "A=1", "-e", "A=2", busybox, "sh", "-c", "echo $A"]).stdout).toBe("2\n");
  });
  test("long arguments and environments", () => {
    const big = "x".repeat(120_000);
    expect(guestShell(`echo "\${#BIG}"`, { env: { BIG: big } }).stdout).toBe("120000\n");
    const many = Array.from({ length: 20_000 }, (_, i) => `${i}`);
    expect(cli(["run-elf", busybox, "sh", "-c", `echo $# "\${20000}"`, "sh", ...many]).stdout).toBe("20000 19999\n");
    const tooLong = guestShell("x=$(head -c 200000 /dev/zero | tr '\\0' x); (exec /proc/self/exe echo $x) 2>&1");
    expect(tooLong.stdout).toContain("Argument list too long");
  });
});

describe("the working directory and the user", () => {
  test("is where carrick was started", () => {
    mkdirSync(join(work, "sub/dir"), { recursive: true });
    const result = guestShell("pwd; cd ..; pwd; echo x > made; umask", { cwd: join(work, "sub/dir") });
    expect(result.stdout.split("\n").slice(0, 2)).toEqual([join(work, "sub/dir"), join(work, "sub")]);
    expect(readFileSync(join(work, "sub/made"), "utf8")).toBe("x\n");
  });
  test("files belong to the user, with the umask's mode", () => {
    const script =
      "umask 027; carrick run-elf $BUSYBOX sh -c 'umask; > new; mkdir newdir; (umask 077; > private)'; stat -c '%a %u %g' new newdir private; touch own; stat -c '%u %g' own";
    const result = hostShell(script, { cwd: work }).stdout.trim().split("\n");
    const owner = result.pop();
    expect(result).toEqual(["0027", `640 ${owner}`, `750 ${owner}`, `600 ${owner}`]);
  });
  test("programs are found by relative paths and through links", () => {
    hostShell("mkdir -p other; cp $BUSYBOX sub/echo; ln -sf sub/echo echo; ln -sf ../echo other/echo", { cwd: work });
    for (const path of ["./echo", "echo", "other/echo", "sub/../sub/echo", "./sub/dir/../echo"])
      expect(cli(["run-elf", path, path], { cwd: work })).toEqual({ status: 0, stdout: `${path}\n`, stderr: "" });
  });
  test("#! scripts run with their arguments", () => {
    writeFileSync(join(work, "script"), `#!${busybox} sh\necho "script $0 $#: $*"\nexit 1\n`, { mode: 0o755 });
    expect(cli(["run-elf", "./script", "a", "b c"], { cwd: work })).toEqual({
      status: 1,
      stdout: "script ./script 2: a b c\n",
      stderr: "",
    });
  });
});
