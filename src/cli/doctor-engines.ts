// What `carrick doctor` sees from inside of a guest: for each CPU whether it runs, what it costs, and whether changed pages and changed
// code are seen (scripts/guests/machine.c).

import { DEFAULT_ENGINE, ENGINES, type Engine } from "../cpu/cpu.ts";
import type { Check } from "./doctor-host.ts";
import { GuestPack, NO_PACK, type Outcome } from "./guest-pack.ts";
import { UserError } from "./user-error.ts";

export async function* engineChecks(): AsyncGenerator<Check> {
  let pack: GuestPack | null = null;
  try {
    pack = await GuestPack.open();
    if (pack === null) {
      yield { name: "cpu", status: "note", text: `not looked at: ${NO_PACK}` };
      return;
    }
    await pack.load();
    for (const engine of ENGINES) {
      yield engineCheck(engine, await pack.run("machine", engine), engine === DEFAULT_ENGINE);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    yield { name: "cpu", status: "bad", text: error.message };
  } finally {
    pack?.end();
  }
}

/** carrick's own failure, before the guest ran. */
const FAILED = "status 125\n";

/** `outcome`: of the program that looks. `needed`: a machine without this CPU is not well. */
export function engineCheck(engine: Engine, outcome: Outcome, needed: boolean): Check {
  const name = `cpu ${engine}`;
  if (outcome.output.endsWith(FAILED)) {
    const why = outcome.errors.trim().replace(/^carrick: /, "");
    return { name, status: needed ? "bad" : "note", text: why };
  }
  const facts: Record<string, number> = {};
  for (const [, key, value] of outcome.output.matchAll(/^(\w+) (\d+)$/gm))
    if (key !== "status") facts[key!] = Number(value);
  const end = outcome.output.trimEnd().split("\n").at(-1)!;
  if (end !== "status 0" || facts["counter_hz"] === undefined) {
    const said = outcome.errors.trim().split("\n").at(-1) ?? "";
    return {
      name,
      status: "bad",
      text: `the program that looks at it ended with ${end}${said === "" ? "" : `: ${said}`}`,
      facts,
    };
  }
  const stale = STALE.filter(([key]) => facts[key] !== 0).map(([key, what]) => `${facts[key]} ${what}`);
  if (stale.length > 0) return { name, status: "bad", text: `changes are not seen: ${stale.join(", ")}`, facts };
  return { name, status: "ok", text: `${costs(facts)}; ${caches(facts)}`, facts };
}

const STALE: readonly (readonly [string, string])[] = [
  ["stale_pages", "old pages"],
  ["stale_rights", "old rights of pages"],
  ["stale_code", "old instructions"],
];

function costs(facts: Readonly<Record<string, number>>): string {
  return `system call ${facts["call_ns"]} ns, new page ${facts["fault_ns"]} ns, new code ${facts["code_ns"]} ns`;
}

function caches(facts: Readonly<Record<string, number>>): string {
  const lines = `lines of ${facts["icache_line"]} and ${facts["dcache_line"]} bytes`;
  return `TLB and caches coherent, ${lines}, IDC ${facts["idc"]}, DIC ${facts["dic"]}; counter ${facts["counter_hz"]} Hz`;
}
