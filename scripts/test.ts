// `bun run test`: everything that CI runs, in stages, with one closing line "N passed, N failed".

import { existsSync } from "node:fs";
import { buildShim, bun, must, root, run, zig } from "./toolchain.ts";

let passed = 0;
let failed = 0;
/** What each failure printed, said again at the end, where a long log is read first. */
const failures: string[] = [];

/** Lines of one failure that are said again: its message comes first, then code and stack. */
const failureLines = 60;

function stage(name: string, ok: boolean): void {
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (ok) passed += 1;
  else fail(name);
}

function fail(text: string): void {
  failed += 1;
  failures.push(text);
}

/** Adds to `failures` every failed test of bun's report, with what stands between it and the result before it. */
function collectFailures(report: string): void {
  let lines: string[] = [];
  for (const line of report.split("\n")) {
    if (line.startsWith("(fail)")) {
      failures.push([line, ...lines.slice(-failureLines)].join("\n"));
      lines = [];
    } else if (/^\((pass|skip|todo)\)/.test(line)) lines = [];
    else lines.push(line);
  }
}

/** Runs test files under bun and adds its counts. */
function bunTests(paths: readonly string[]): void {
  const result = Bun.spawnSync([bun, "test", ...paths], {
    cwd: root,
    env: { ...process.env, CARRICK_TEST: "1" },
    stdio: ["ignore", "inherit", "pipe"],
  });
  const text = result.stderr.toString();
  process.stderr.write(text);
  const count = (word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(text)?.[1] ?? 0);
  passed += count("pass");
  failed += count("fail");
  collectFailures(text);
  if (result.exitCode !== 0 && count("fail") === 0)
    fail(
      `bun test ${paths.join(" ")}: exit ${result.exitCode}, signal ${result.signalCode ?? "none"}\n${text.slice(-4000)}`,
    );
}

buildShim();
must([bun, "scripts/build.ts"]);
stage("format and lint", run(["node_modules/.bin/biome", "ci", "--error-on-warnings", "."]) === 0);
stage("types", run(["node_modules/.bin/tsc"]) === 0);
stage("generated files are current", run([bun, "scripts/generate.ts", "--check"]) === 0);
stage("zig fmt", run([zig, "fmt", "--check", "build.zig", "shim", "test"]) === 0);
stage("shim unit tests", run([zig, "build", "test"]) === 0);
const suites = [
  "test/tidy.test.ts",
  "test/unit",
  "test/cpu",
  "test/guest",
  "test/cli",
  "test/oci",
  "test/fuzz",
  "test/regression",
];
for (const suite of suites) if (existsSync(`${root}/${suite}`)) bunTests([suite]);
for (const failure of failures) console.log(`\nFAILED: ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
