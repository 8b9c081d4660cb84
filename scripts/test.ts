// `bun run test`: everything that CI runs, in stages, with one closing line "N passed, N failed".

import { existsSync } from "node:fs";
import { buildShim, bun, must, root, run, zig } from "./toolchain.ts";

let passed = 0;
let failed = 0;

function stage(name: string, ok: boolean): void {
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (ok) passed += 1;
  else failed += 1;
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
  if (result.exitCode !== 0 && count("fail") === 0) failed += 1;
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
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
