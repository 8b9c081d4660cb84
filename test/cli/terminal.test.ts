// carrick on a terminal: the guest sees it as its own, keys become signals, a shell of the host does job control.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { busybox } from "../support/busybox.ts";
import { carrick } from "../support/guest.ts";
import { Session } from "../support/pty.ts";

setDefaultTimeout(30_000);

const guest = (...args: string[]): string[] => [...carrick, "run-elf", busybox, ...args];
const quoted = guest()
  .map((word) => `'${word}'`)
  .join(" ");

/** An interactive shell of the host, with `g` for a busybox under carrick. */
async function hostShell(): Promise<Session> {
  const session = new Session(["bash", "--norc", "--noprofile", "-i"]);
  await session.expect("$ ");
  session.send(`bind 'set enable-bracketed-paste off'; g() { ${quoted} "$@"; }; echo RE''ADY\n`);
  await session.expect("READY\r\n$ ");
  return session;
}

describe("the guest's view", () => {
  test("its streams are a terminal of the right size", async () => {
    const session = new Session(
      guest("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size; tty; echo END"),
      33,
      99,
    );
    expect(await session.expect("END")).toMatch(/^33 99\n\/dev\/(console|tty|pts\/\d+)\n$/);
    expect(await session.end()).toBe(0);
  });
  test("/dev/tty is the same terminal", async () => {
    const session = new Session(guest("sh", "-c", "echo to tty > /dev/tty; read x < /dev/tty; echo got $x"));
    await session.expect("to tty");
    session.send("hello\n");
    await session.expect("got hello");
    expect(await session.end()).toBe(0);
  });
  test("a new size is SIGWINCH", async () => {
    const session = new Session(
      guest("sh", "-c", "trap 'stty size; exit 5' WINCH; echo go; while :; do sleep 0.05; done"),
    );
    await session.expect("go");
    session.resize(41, 123);
    await session.expect("41 123");
    expect(await session.end()).toBe(5);
  });
  test("raw mode passes keys on, and is undone at the end", async () => {
    const script = "stty raw -echo; echo go; dd bs=1 count=3 2>/dev/null | od -An -tx1; stty sane";
    const session = new Session(guest("sh", "-c", script));
    await session.expect("go");
    session.send("\u0003\u001a\r");
    await session.expect("03 1a 0d");
    expect(await session.end()).toBe(0);
  });
  test("end of file by ^D", async () => {
    const session = new Session(guest("cat"));
    session.send("line\n");
    await session.expect("line\r\nline\r\n");
    session.send("\u0004");
    expect(await session.end()).toBe(0);
  });
});

describe("keys", () => {
  test("^C ends the foreground program by SIGINT", async () => {
    const session = new Session(guest("sh", "-c", "echo go; sleep 20"));
    await session.expect("go");
    session.send("\u0003");
    expect(await session.end()).toBe("SIGINT");
  });
  test("^C runs a handler", async () => {
    const session = new Session(
      guest("sh", "-c", "trap 'echo caught; exit 7' INT; echo go; while :; do sleep 0.05; done"),
    );
    await session.expect("go");
    session.send("\u0003");
    await session.expect("caught");
    expect(await session.end()).toBe(7);
  });
  test("^\\ ends by SIGQUIT", async () => {
    const session = new Session(guest("sleep", "20"));
    await Bun.sleep(300);
    session.send("\u001c");
    expect(await session.end()).toBe("SIGQUIT");
  });
  test("^C reaches a program that reads", async () => {
    const session = new Session(guest("cat"));
    session.send("x\n");
    await session.expect("x\r\nx");
    session.send("\u0003");
    expect(await session.end()).toBe("SIGINT");
  });
});

describe("under an interactive shell of the host", () => {
  test("^Z stops, fg continues, the status arrives", async () => {
    const session = await hostShell();
    session.send("g sh -c 'echo go; read x; echo got $x; exit 9'\n");
    await session.expect("go\r\n");
    session.send("\u001a");
    await session.expect("Stopped");
    session.send("jobs | wc -l; fg\n");
    await session.expect("1\r\n");
    await session.expect('"$@"');
    session.send("word\n");
    await session.expect("got word");
    session.send("echo st=$?\n");
    await session.expect("st=9");
    session.send("exit\n");
    expect(await session.end()).toBe(0);
  });
  test("^C interrupts a loop around carrick", async () => {
    const session = await hostShell();
    session.send("for i in 1 2 3; do g sh -c 'echo in; sleep 20'; done; echo st=$?\n");
    await session.expect("in\r\n");
    session.send("\u0003");
    await session.expect("$ ");
    session.send("echo after=$?\n");
    await session.expect("after=130");
    session.send("exit\n");
    await session.end();
  });
  test("a background job that reads is stopped, and goes on in the foreground", async () => {
    const session = await hostShell();
    session.send("g sh -c 'read x; echo got $x' &\n");
    await session.expect("$ ");
    for (let i = 0; i < 50; i += 1) {
      session.send("jobs\n");
      if ((await session.expect("$ ")).includes("Stopped")) break;
      await Bun.sleep(100);
    }
    session.send("fg\n");
    await session.expect("read x");
    session.send("late\n");
    await session.expect("got late");
    session.send("exit\n");
    await session.end();
  });
  test("the terminal is sane after a program that broke it", async () => {
    const session = await hostShell();
    session.send(
      "stty -a > /tmp/carrick-stty-$$; g sh -c 'kill -9 $$'; stty -a | cmp - /tmp/carrick-stty-$$ && echo sa''me; rm /tmp/carrick-stty-$$\n",
    );
    await session.expect("same");
    session.send("exit\n");
    await session.end();
  });
});

describe("an interactive shell in the guest", () => {
  test("job control of its own", async () => {
    const session = new Session(guest("sh", "-i"));
    await session.expect("$ ");
    session.send("echo pid=$$; set -o | grep mon''itor\n");
    await session.expect("monitor");
    expect(await session.expect("$ ")).toContain("on");
    session.send("sleep 30\n");
    await Bun.sleep(300);
    session.send("\u001a");
    await session.expect("Stopped");
    session.send("jobs; bg; jobs; fg\n");
    await session.expect("Running");
    await Bun.sleep(300);
    session.send("\u0003");
    await session.expect("$ ");
    session.send("echo st=$?\n");
    await session.expect("st=130");
    session.send("cat &\n");
    await session.expect("$ ");
    await Bun.sleep(300);
    session.send("\n");
    await session.expect("Stopped");
    session.send("kill -9 %1; sleep 0.2\n");
    await session.expect("Killed");
    session.send("exit 6\n");
    expect(await session.end()).toBe(6);
  });
  test("vi edits on the screen", async () => {
    const session = new Session(
      guest("sh", "-c", "cd /tmp; f=carrick-vi-$$; echo start > $f; vi $f; echo; cat $f; rm $f; echo END"),
    );
    await session.expect("start");
    // An escape that is followed at once would be a function key.
    for (const keys of ["Goadded line\u001b", "k0xiS\u001b", ":wq\r"]) {
      session.send(keys);
      await Bun.sleep(300);
    }
    await session.expect("\nStart");
    await session.expect("added line");
    await session.expect("END");
    expect(await session.end()).toBe(0);
  });
});
