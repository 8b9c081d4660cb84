/**
 * Command line of the differential tester: `bun test/cpu/differential.ts [--class NAME|all] [--count N] [--seed S]
 * [--cpu C] [--mode whole|again|step|slice|few|edge|rewrite|edits] [--engine N] [--level 2] [--mirror 0|1|2|3]
 * [--show N]`.
 * Class "blocks" compares our engines with each other. Prints the first mismatches of each class and the seed that reproduces them; exits 1 when there are any.
 */
import { parseArgs } from "node:util";
import { generateBlocks } from "./blocks.ts";
import type { Case } from "./cases.ts";
import { encodeStream, resultOffsets } from "./cases.ts";
import { CLASSES, generateClass } from "./classes.ts";
import { compareResults, type Difference, describe } from "./compare.ts";
import { type Mirror, MODES, type Mode, runOracle, runOurs } from "./runners.ts";

export type Mismatch = { readonly testCase: Case; readonly differences: readonly Difference[] };
/** The oracle's CPU model; how our runner enters which engine. */
export type How = {
  readonly cpu?: string;
  readonly mode?: Mode;
  readonly engine?: number;
  readonly level?: string;
  readonly mirror?: Mirror;
};
export type Report = { readonly cases: number; readonly ran: number; readonly mismatches: readonly Mismatch[] };

/** Runs cases on both sides. A runner that dies early shows as `ran` below `cases`. */
export async function runBoth(cases: readonly Case[], memorySeed: number, how: How = {}): Promise<Report> {
  const stream = encodeStream(cases, memorySeed);
  const [oracle, ours] = await Promise.all([
    runOracle(stream, how.cpu),
    runOurs(stream, how.mode, how.engine, how.level, how.mirror),
  ]);
  return report(cases, oracle, ours);
}

/** The same for several ways of running ours, the oracle being asked once. */
export async function runAll(cases: readonly Case[], memorySeed: number, ways: readonly How[]): Promise<Report[]> {
  const stream = encodeStream(cases, memorySeed);
  const oracle = await runOracle(stream);
  const reports: Report[] = [];
  for (const how of ways)
    reports.push(report(cases, oracle, await runOurs(stream, how.mode, how.engine, how.level, how.mirror)));
  return reports;
}

/** Our engines against each other, the interpreter being the oracle. */
export async function runEngines(cases: readonly Case[], memorySeed: number, how: How): Promise<Report> {
  const stream = encodeStream(cases, memorySeed);
  const [interpreted, ours] = await Promise.all([
    runOurs(stream, how.mode, 0),
    runOurs(stream, how.mode, how.engine, how.level, how.mirror),
  ]);
  return report(cases, interpreted, ours);
}

function report(cases: readonly Case[], oracle: Uint8Array, ours: Uint8Array): Report {
  const oracleAt = resultOffsets(oracle);
  const oursAt = resultOffsets(ours);
  const ran = Math.min(oracleAt.length, oursAt.length);
  const mismatches: Mismatch[] = [];
  for (let i = 0; i < ran; i++) {
    const differences = compareResults(cases[i]!, oracle, oracleAt[i]!, ours, oursAt[i]!);
    if (differences !== null) mismatches.push({ testCase: cases[i]!, differences });
  }
  return { cases: cases.length, ran, mismatches };
}

/** The first mismatch of each name, fewest words first: what is worth reading. */
function worthReading(mismatches: readonly Mismatch[], limit: number): Mismatch[] {
  const sorted = [...mismatches].sort((a, b) => a.testCase.words.length - b.testCase.words.length);
  const seen = new Set<string>();
  const out: Mismatch[] = [];
  for (const mismatch of sorted) {
    const key = `${mismatch.testCase.names.join()} ${mismatch.differences.map((d) => d.field.replace(/\d+/g, "")).join()}`;
    if (seen.has(key) && out.length > 2) continue;
    seen.add(key);
    out.push(mismatch);
    if (out.length === limit) break;
  }
  return out;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      class: { type: "string", default: "all" },
      count: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      show: { type: "string", default: "3" },
      cpu: { type: "string" },
      mode: { type: "string", default: "whole" },
      engine: { type: "string", default: "0" },
      level: { type: "string", default: "" },
      mirror: { type: "string", default: "0" },
    },
  });
  const [count, seed, show] = [Number(values.count), Number(values.seed), Number(values.show)];
  const wanted = ["blocks", ...CLASSES].filter(
    (name) => values.class === "all" || values.class.split(",").some((part) => name.startsWith(part)),
  );
  if (wanted.length === 0) {
    console.error(`no such class; there are: ${CLASSES.join(" ")}`);
    return 2;
  }
  const mode = MODES.find((candidate) => candidate === values.mode);
  if (mode === undefined) throw new Error(`no mode ${values.mode}`);
  const how: How = {
    mode,
    engine: Number(values.engine),
    level: values.level,
    mirror: values.mirror as Mirror,
    ...(values.cpu === undefined ? {} : { cpu: values.cpu }),
  };
  let failed = 0;
  for (const name of wanted) {
    const start = performance.now();
    const report =
      name === "blocks"
        ? await runEngines(generateBlocks(count, seed), seed, how)
        : await runBoth(generateClass(name, count, seed), seed, how);
    const time = `${((performance.now() - start) / 1000).toFixed(1)} s`;
    const lost = report.ran < report.cases ? `, only ${report.ran} ran` : "";
    console.log(`${name}: ${report.cases} cases, seed ${seed}, ${report.mismatches.length} mismatches${lost}, ${time}`);
    for (const { testCase, differences } of worthReading(report.mismatches, show))
      console.log(describe(testCase, differences));
    if (report.mismatches.length > 0 || report.ran < report.cases) failed++;
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) process.exit(await main());
