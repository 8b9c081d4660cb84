// Signals that reach carrick go to the program; what its parent ignores, the program ignores.

import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busybox, hostShell, workFolder } from "../support/busybox.ts";
import { carrick } from "../support/guest.ts";

const work = workFolder();

/** A guest shell that says "ready" and then waits; resolves with its lines, status and signal after `act`. */
async function during(script: string, act: (pid: number) => void): Promise<{ lines: string[]; end: string }> {
  const child = Bun.spawn([...carrick, "run-elf", busybox, "sh", "-c", script], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: work,
  });
  let text = "";
  let acted = false;
  for await (const chunk of child.stdout) {
    text += Buffer.from(chunk).toString();
    if (!acted && text.includes("ready\n")) {
      acted = true;
      act(child.pid);
    }
  }
  await child.exited;
  return { lines: text.split("\n").slice(1, -1), end: `${child.signalCode ?? child.exitCode}` };
}

const send = (...names: NodeJS.Signals[]) => {
  return (pid: number) => {
    for (const name of names) process.kill(pid, name);
  };
};

/** Whether somebody is left who makes the file `answer` soon after `question` has appeared. */
async function answersTo(question: string, answer: string): Promise<boolean> {
  writeFileSync(join(work, question), "");
  await Bun.sleep(500);
  return existsSync(join(work, answer));
}

describe("forwarded", () => {
  for (const name of ["HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "WINCH"] as const) {
    test(`SIG${name} runs the program's handler`, async () => {
      const script = `trap 'echo got ${name}; exit 3' ${name}; echo ready; while :; do sleep 0.05; done`;
      expect(await during(script, send(`SIG${name}`))).toEqual({ lines: [`got ${name}`], end: "3" });
    });
  }
  for (const name of ["HUP", "INT", "USR1", "ALRM", "TERM"] as const) {
    test(`SIG${name} without a handler ends both`, async () => {
      expect(await during("echo ready; exec sleep 20", send(`SIG${name}`))).toEqual({ lines: [], end: `SIG${name}` });
    });
  }
  test("a program that ignores the signal goes on", async () => {
    const script = "trap '' TERM INT; echo ready; read x < /dev/zero & sleep 0.3; echo survived; kill $!";
    expect(await during(script, send("SIGTERM", "SIGINT"))).toEqual({ lines: ["survived"], end: "0" });
  });
  test("a busy program is reached", async () => {
    const script = "trap 'echo stopped; exit 4' TERM; echo ready; while :; do :; done";
    expect(await during(script, send("SIGTERM"))).toEqual({ lines: ["stopped"], end: "4" });
  });
  test("SIGKILL takes every process of the guest along", async () => {
    const script = "(until test -e go; do sleep 0.05; done; echo alive > alive) & echo ready; wait";
    expect(await during(script, send("SIGKILL"))).toEqual({ lines: [], end: "SIGKILL" });
    expect(await answersTo("go", "alive")).toBe(false);
  });
  test("the end of the first process ends the others", async () => {
    const script = "(until test -e again; do sleep 0.05; done; echo alive > late) & echo ready; exit 0";
    expect(await during(script, () => {})).toEqual({ lines: [], end: "0" });
    expect(await answersTo("again", "late")).toBe(false);
  });
  test("SIGSTOP and SIGCONT from outside", async () => {
    const script = "echo ready; sleep 0.2; echo done";
    const stopAndGo = (pid: number): void => {
      process.kill(pid, "SIGSTOP");
      setTimeout(() => process.kill(pid, "SIGCONT"), 400);
    };
    expect(await during(script, stopAndGo)).toEqual({ lines: ["done"], end: "0" });
  });
});

describe("ignored by the parent", () => {
  test("nohup", () => {
    const result = hostShell("trap '' HUP; carrick run-elf $BUSYBOX sh -c 'kill -HUP $$; echo alive'");
    expect(result.stdout).toBe("alive\n");
  });
  test("not more than that", () => {
    const result = hostShell("trap '' HUP; carrick run-elf $BUSYBOX grep SigIgn /proc/self/status");
    expect(result.stdout).toBe("SigIgn:\t0000000000000001\n");
  });
  test("timeout(1) of the host", () => {
    expect(hostShell(`timeout 0.5 ${carrick.join(" ")} run-elf $BUSYBOX sleep 20; echo $?`).stdout).toBe("124\n");
  });
});
