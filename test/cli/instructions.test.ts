// `carrick trace --instructions`: every line of a program without a library, and of a larger one that no instruction is missing.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { busybox, cli, hostShell, workFolder } from "../support/busybox.ts";
import { engines } from "../support/engines.ts";
import { compile } from "../support/guest.ts";

const work = workFolder();
const steps = compile(join(import.meta.dir, "steps.c"), "musl", "aarch64", ["-nostdlib"]);
const stepped = compile(join(import.meta.dir, "stepped.c"));

/** Lines with addresses counted from the first one's, the stack's as such, and blanks taken out. */
function relative(trace: string): string[] {
  const base = BigInt(/^\[pid +1\] (0x\w+)/m.exec(trace)![1]!);
  return trace
    .trimEnd()
    .split("\n")
    .map((line) =>
      line
        .replace(/ +/g, " ")
        .replace(/\bsp=0x7\w+/, "sp=STACK")
        .replace(/0x\w+/g, (text) => {
          const distance = BigInt(text) - base;
          return distance >= 0n && distance < 256n ? `+${distance}` : text;
        }),
    );
}

const BEGIN = ["[pid 1] +0 ldr x5, [sp] x5=0x1", "[pid 1] +4 cmp x5, #0x2 nzcv=Nzcv"];
const BRANCHES = ["[pid 1] +8 b.eq +56", "[pid 1] +12 b.hi +60"];

describe.each(engines)("trace --instructions on %s", (engine) => {
  const trace = (...argv: string[]) => cli(["trace", "-i", "run-elf", "--cpu", engine, ...argv], { cwd: work });

  test("prints each instruction and what it changes, and the calls between them", () => {
    const result = trace(steps);
    expect([result.status, result.stdout]).toEqual([3, ""]);
    expect(relative(result.stderr)).toEqual([
      ...BEGIN,
      ...BRANCHES,
      "[pid 1] +16 mov x0, #0x3 x0=0x3",
      "[pid 1] +20 mov x1, #-1 x1=0xffffffffffffffff",
      "[pid 1] +24 subs x2, x0, #0x3 nzcv=nZCv",
      "[pid 1] +28 b.ne +56",
      "[pid 1] +32 sub sp, sp, #0x10 sp=STACK",
      "[pid 1] +36 stp x0, x1, [sp]",
      "[pid 1] +40 ldp x3, x4, [sp], #16 x3=0x3 x4=0xffffffffffffffff sp=STACK",
      "[pid 1] +44 fmov d0, x1 v0=0xffffffffffffffff",
      "[pid 1] +48 mov x8, #0x5d x8=0x5d",
      "[pid 1] +52 svc #0x0",
      "[pid 1] exit(3) = ?",
      "[pid 1] +++ exited with 3 +++",
    ]);
  });

  test("tells the instruction at which a program dies", () => {
    const fault = trace(steps, "one");
    expect(fault.status).toBe(128 + 11);
    expect(relative(fault.stderr)).toEqual([
      "[pid 1] +0 ldr x5, [sp] x5=0x2",
      "[pid 1] +4 cmp x5, #0x2 nzcv=nZCv",
      BRANCHES[0]!,
      "[pid 1] +56 ldr x1, [x2] not completed",
      "[pid 1] --- SIGSEGV ---",
      "[pid 1] +++ killed by SIGSEGV +++",
    ]);
    const undefined_ = trace(steps, "one", "two");
    expect(undefined_.status).toBe(128 + 4);
    expect(relative(undefined_.stderr).slice(2)).toEqual([
      ...BRANCHES,
      "[pid 1] +60 udf #0x1 not completed",
      "[pid 1] --- SIGILL at +60: udf #0x1 ---",
      "[pid 1] +++ killed by SIGILL +++",
    ]);
  });

  test("follows threads, signals, fork and exec, and leaves nothing out", () => {
    const result = cli(["trace", "--instructions", "-o", "trace", "run-elf", "--cpu", engine, stepped], { cwd: work });
    expect(result).toEqual({ status: 5, stdout: "sum 60, child killed\n", stderr: "" });
    const text = readFileSync(join(work, "trace"), "latin1");
    expect(text).toEndWith("[pid     1] +++ exited with 5 +++\n");
    expect(text).toMatch(/^\[pid +3\] 0x\w+ {2}str \w+, \[\w+\] +not completed\n\[pid +3\] --- SIGSEGV ---$/m);
    const lines = text.trimEnd().split("\n");
    expect(gaps(lines)).toEqual([]);
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line.slice(0, 11), (counts.get(line.slice(0, 11)) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual(["[pid     1]", "[pid     2]", "[pid     3]"]);
    for (const count of counts.values()) expect(count).toBeGreaterThan(150);
  });
});

/** Places where a task goes on otherwise than behind its last instruction, without a branch, a call or a signal there. */
function gaps(lines: readonly string[]): string[] {
  const next = new Map<string, number>();
  const wrong: string[] = [];
  for (const line of lines) {
    const [, task, address, mnemonic] = /^\[pid +(\d+)\] (?:0x(\w+) {2}(\S+))?/.exec(line)!;
    const pc = Number.parseInt(address ?? "", 16);
    const due = next.get(task!);
    if (address !== undefined && due !== undefined && due !== pc) wrong.push(`${line}, due ${due.toString(16)}`);
    if (address === undefined || /^(b|bl|b\..*|br|blr|ret|cbn?z|tbn?z)$/.test(mnemonic!)) next.delete(task!);
    else next.set(task!, pc + 4);
  }
  return wrong;
}

describe("trace --instructions", () => {
  test("ends quietly when its reader has gone", () => {
    const script = `carrick trace -i run-elf "$BUSYBOX" yes 2>&1 >/dev/null | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const result = hostShell(script, { cwd: work });
    expect(result.stdout).toMatch(/^\[pid +1\] 0x\w+ .*\n\[pid +1\] 0x\w+ .*\n141\n$/);
    expect(result.stderr).toBe("");
    const file = hostShell(`carrick trace -io >(head -n 1 >/dev/null) run-elf "$BUSYBOX" yes >/dev/null`, {
      cwd: work,
    });
    expect([file.status, file.stderr]).toEqual([141, ""]);
  });

  test("says when the trace cannot be written", () => {
    const result = cli(["trace", "-i", "-o", "/dev/full", "run-elf", steps]);
    expect([result.status, result.stdout]).toEqual([125, ""]);
    expect(result.stderr).toBe("carrick: -o: cannot write /dev/full: ENOSPC (No space left on device)\n");
  });

  test("gives a guest one CPU that can step", () => {
    expect(cli(["trace", "-i", "run-elf", busybox, "nproc"]).stdout).toBe("1\n");
    const several = cli(["trace", "-i", "run-elf", "--cpus", "2", steps]);
    expect([several.status, several.stderr]).toEqual([
      125,
      "carrick: instructions are traced on one CPU only: leave --cpus out\n",
    ]);
    const mac = cli(["trace", "-i", "run-elf", "--cpu", "hvf", steps]);
    expect([mac.status, mac.stderr]).toEqual([
      125,
      "carrick: the CPU hvf cannot be traced instruction by instruction; --cpu interp can\n",
    ]);
  });
});
