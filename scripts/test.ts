// `bun run test`: everything that CI runs, in stages, with one closing line "N passed, N failed".

import { existsSync } from "node:fs";
import { buildShim, bun, must, root, run, zig } from "./toolchain.ts";

let passed = 0;
let failed = 0;
/** What each failure printed, said again at the end, where a long log is read first. */
const told: string[] = [];
/** How long each suite took. */
const times: string[] = [];
/** For tests that name no time of their own: only what hangs takes so long. */
const testTimeoutMs = 120_000;

/** Lines of one failure that are said again: its message comes first, then code and stack. */
const failureLines = 60;

function stage(name: string, ok: boolean): void {
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (ok) passed += 1;
  else {
    failed += 1;
    told.push(`FAILED: ${name}`);
  }
}

interface Report {
  passed: number;
  failed: number;
  /** Files with a failed test. */
  files: string[];
  /** Every failed test with what stands between it and the result before it. */
  failures: string[];
}

/** Runs test files under bun, and reads its report. What it prints is shown as it comes, or in one piece when it runs beside others. */
async function bunTest(paths: readonly string[], beside: boolean): Promise<Report> {
  const child = Bun.spawn([bun, "test", `--timeout=${testTimeoutMs}`, ...paths], {
    cwd: root,
    env: { ...process.env, CARRICK_TEST: "1" },
    stdio: ["ignore", beside ? "pipe" : "inherit", "pipe"],
  });
  const output = child.stdout instanceof ReadableStream ? new Response(child.stdout).text() : "";
  const [shown, text] = await Promise.all([output, new Response(child.stderr).text()]);
  const exitCode = await child.exited;
  process.stderr.write(shown + text);
  const count = (word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(text)?.[1] ?? 0);
  const report: Report = { passed: count("pass"), failed: count("fail"), files: [], failures: [] };
  let file = paths[0]!;
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (/^test\/.*\.test\.ts:$/.test(line)) file = line.slice(0, -1);
    else if (line.startsWith("(fail)")) {
      if (!report.files.includes(file)) report.files.push(file);
      // bun names them once more at its end.
      const known = report.failures.some((failure) => failure.startsWith(line));
      if (!known) report.failures.push([line, ...lines.slice(-failureLines)].join("\n"));
    } else if (!/^\((pass|skip|todo)\)/.test(line)) {
      lines.push(line);
      continue;
    }
    lines = [];
  }
  if (exitCode !== 0 && report.failed === 0) {
    report.failed = 1;
    report.files.push(...paths);
    report.failures.push(`bun test ${paths.join(" ")}: exit ${exitCode}\n${text.slice(-4000)}`);
  }
  return report;
}

/**
 * Adds a suite's counts. Files with a failure are run once more, because tests share the machine with whatever else it does and
 * download what they run; a failure that does not come again counts as passed, but is told with the others at the end.
 */
async function suite(path: string, beside = false): Promise<void> {
  const start = performance.now();
  await suiteOf(path, beside);
  times.push(`${path} ${Math.round((performance.now() - start) / 1000)} s${beside ? " beside others" : ""}`);
}

async function suiteOf(path: string, beside: boolean): Promise<void> {
  const first = await bunTest([path], beside);
  passed += first.passed;
  if (first.failed === 0) return;
  const again = await bunTest(first.files, beside);
  if (again.failed === 0) {
    passed += first.failed;
    told.push(...first.failures.map((failure) => `failed once, passed when run again: ${failure}`));
    return;
  }
  failed += first.failed;
  told.push(...first.failures.map((failure) => `FAILED: ${failure}`));
}

buildShim();
must([bun, "scripts/build.ts"]);
stage("release build", run([bun, "scripts/build.ts", "--release"]) === 0);
stage("format and lint", run(["node_modules/.bin/biome", "ci", "--error-on-warnings", "."]) === 0);
stage("types", run(["node_modules/.bin/tsc"]) === 0);
stage("generated files are current", run([bun, "scripts/generate.ts", "--check"]) === 0);
stage("zig fmt", run([zig, "fmt", "--check", "build.zig", "shim", "test"]) === 0);
stage("shim unit tests", run([zig, "build", "test"]) === 0);
/** The virtual machine keeps one core busy for minutes, and nothing else: it runs while the others do. */
const machine = suite("test/vm", true);
for (const path of [
  "test/tidy.test.ts",
  "test/unit",
  "test/cpu",
  "test/guest",
  "test/cli",
  "test/oci",
  "test/fuzz",
  "test/double",
  "test/regression",
])
  if (existsSync(`${root}/${path}`)) await suite(path);
await machine;
// Builds what the machine runs anew.
await suite("test/release");
console.log(`\n${times.join("\n")}`);
for (const failure of told) console.log(`\n${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
