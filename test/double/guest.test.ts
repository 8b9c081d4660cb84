// All guest programs above the Darwin host code and its double print what they print on Linux, but for what a Mac cannot do, with the translator;
// CARRICK_TEST_HOST=darwin-double runs any other suite there (docs/testing.md).

import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { must, root } from "../../scripts/toolchain.ts";
import { busybox } from "../support/busybox.ts";
import { compile, onDarwinDouble, run } from "../support/guest.ts";
import { comparable, forDarwin } from "./differs.ts";

const programs = join(root, "test/guest/programs");
const PROGRAMS = readdirSync(programs)
  .filter((name) => name.endsWith(".c"))
  .map((name) => name.slice(0, -2))
  .sort();

beforeAll(() => must([process.execPath, join(root, "scripts/darwin-double.ts")]), 900_000);

describe("guest programs", () => {
  for (const name of PROGRAMS) {
    test(name, () => {
      const program = compile(join(programs, `${name}.c`));
      const options = { env: { GREETING: "hi" }, timeoutMs: 120_000 };
      const { stdout, status } = run([...onDarwinDouble, "run-elf", program, "one", "two words"], options);
      const expected = readFileSync(join(root, `test/guest/expected/${name}.txt`), "latin1");
      expect(comparable(name, `${stdout}status ${status}\n`)).toBe(forDarwin(name, expected));
    }, 180_000);
  }
});

/** A line of bash in which `carrick` is carrick above the double. */
function inShell(script: string): string {
  const command = `carrick() { ${onDarwinDouble.map((word) => `'${word}'`).join(" ")} run-elf "$@"; }; ${script}`;
  return run(["bash", "-c", command], { env: { BUSYBOX: busybox }, timeoutMs: 120_000 }).stdout;
}

test("pipes of the host, which cannot be opened anew", () => {
  expect(inShell(`carrick $BUSYBOX yes | head -n 1; echo \${PIPESTATUS[0]}`)).toBe("y\n141\n");
  expect(inShell("carrick $BUSYBOX cat <(echo a) <(echo b)")).toBe("a\nb\n");
  expect(inShell("seq 1 20000 | carrick $BUSYBOX cat | tail -n 1")).toBe("20000\n");
}, 180_000);

test("links and addresses are the host's, of which no netlink tells", () => {
  const told = run([...onDarwinDouble, "run-elf", busybox, "sh", "-c", "ip -o link; ip -o addr"], {
    timeoutMs: 120_000,
  });
  const lines = told.stdout.split("\n").map((line) => line.replace(/\s+/g, " "));
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const fact = (file: string): string => readFileSync(`/sys/class/net/${name}/${file}`, "utf8").trim();
    const kind = name === "lo" ? "loopback" : "ether";
    const link = lines.find((line) => line.startsWith(`${fact("ifindex")}: ${name}: `)) ?? "";
    expect(link).toContain(` mtu ${fact("mtu")} `);
    expect(link).toContain(`link/${kind} ${fact("address")} `);
    for (const { cidr, family } of addresses!) {
      const start = `${fact("ifindex")}: ${name} ${family === "IPv4" ? "inet" : "inet6"} ${cidr} `;
      expect(lines.filter((line) => line.startsWith(start))).toHaveLength(1);
    }
  }
  expect(told.status).toBe(0);
}, 180_000);
