// `carrick selftest [NAME...]`: runs programs whose output is known on this machine's CPU, and says which of them printed something else. The
// report is to be pasted into an issue.

import type { Engine } from "../cpu/cpu.ts";
import { startIsOver } from "../host/process.ts";
import { system } from "../host/self.ts";
import { type Command, VERSION } from "./commands.ts";
import { CPU, engineOption } from "./engine-option.ts";
import { GuestPack, NO_PACK, type Outcome } from "./guest-pack.ts";
import { nearest, type Parsed } from "./options.ts";
import { print } from "./print.ts";
import { printable, UserError } from "./user-error.ts";

export const command: Command = {
  name: "selftest",
  summary: "Run test programs on this machine's CPU and compare what they print",
  operands: "[OPTIONS] [NAME...]",
  options: [CPU],
  mixed: true,
  run: selftest,
};

async function selftest(parsed: Parsed): Promise<number> {
  const engine = engineOption(parsed);
  const pack = await GuestPack.open();
  if (pack === null) throw new UserError(NO_PACK);
  try {
    const names = chosen([...pack.expected.keys()], parsed.rest);
    const { name, version, cpu } = system();
    print(`carrick ${VERSION} selftest on ${name} ${version}, ${cpu}; CPU ${engine}\n`);
    startIsOver();
    await pack.load();
    return await runAll(pack, names, engine);
  } finally {
    pack.end();
  }
}

async function runAll(pack: GuestPack, names: readonly string[], engine: Engine): Promise<number> {
  let failed = 0;
  for (const [i, name] of names.entries()) {
    // Some programs measure time, and a machine that is busy for long can mislead them: a failure is tried once more, and shown.
    const passed = (await runOne(pack, name, engine, "again", i === 0)) || (await runOne(pack, name, engine, "FAIL"));
    if (!passed) failed += 1;
  }
  print(`${names.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

/** Whether it printed what it must; says so, or `otherwise` and what differs. Throws UserError when the first one cannot be started. */
async function runOne(
  pack: GuestPack,
  name: string,
  engine: Engine,
  otherwise: string,
  first = false,
): Promise<boolean> {
  const outcome = await pack.run(name, engine);
  const expected = pack.expected.get(name)!;
  if (first && outcome.output === NOT_STARTED) throw new UserError(reasonOf(outcome));
  const passed = outcome.output === expected;
  print(`${(passed ? "ok" : otherwise).padEnd(5)} ${name} (${outcome.seconds.toFixed(1)} s)\n`);
  if (!passed) print(differences(expected, outcome));
  return passed;
}

function chosen(tests: readonly string[], names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (tests.includes(name)) continue;
    const near = nearest(name, tests);
    throw new UserError(
      `there is no test program ${printable(name)}${near === undefined ? "" : `; did you mean ${near}?`}`,
    );
  }
  return names.length === 0 ? tests : tests.filter((test) => names.includes(test));
}

/** carrick's own failure, before the program ran: there is no CPU to test, and no program will do better. */
const NOT_STARTED = "status 125\n";

function reasonOf({ errors }: Outcome): string {
  const said = errors.trim().replace(/^carrick: /, "");
  return said === "" ? "test programs cannot be started" : said;
}

/** Lines that are shown of a program that failed. */
const SHOWN = 5;

/** The first lines that differ, and the last that it said on stderr. */
export function differences(expected: string, outcome: Outcome): string {
  const want = expected.split("\n").slice(0, -1);
  const got = outcome.output.split("\n").slice(0, -1);
  const shown: string[] = [];
  let more = 0;
  for (let i = 0; i < Math.max(want.length, got.length); i += 1) {
    if (want[i] === got[i]) continue;
    if (shown.length === SHOWN) more += 1;
    else shown.push(`     line ${i + 1}: expected ${quoted(want[i])}, got ${quoted(got[i])}`);
  }
  if (more > 0) shown.push(`     and ${more} more lines`);
  for (const line of outcome.errors.trimEnd().split("\n").slice(-SHOWN)) {
    if (line !== "") shown.push(`     stderr: ${printable(line)}`);
  }
  return shown.map((line) => `${line}\n`).join("");
}

function quoted(line: string | undefined): string {
  return line === undefined ? "nothing" : JSON.stringify(printable(line));
}
