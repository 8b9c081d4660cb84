// Random sequences of file operations give the same results and errors on carrick's tmpfs and on Linux's own. Needs
// root for the oracle's chroot; skipped elsewhere.

import { beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { shim } from "../../../src/host/shim.ts";
import { sequence } from "./generate.ts";
import { type Operation, performAll } from "./operations.ts";
import { buildOracle, canJudge, oracle } from "./oracle.ts";

const RUNS = Number(process.env["CARRICK_VFS_RUNS"] ?? 30);

function judge(operations: readonly Operation[]): string[] | null {
  const input = operations.map((operation) => `${operation.join("\t")}\n`).join("");
  const run = Bun.spawnSync([oracle], { stdin: Buffer.from(input, "latin1") });
  if (run.exitCode === 77) return null;
  return run.stdout.toString("latin1").split("\n").slice(0, -1);
}

beforeAll(() => {
  if (!canJudge) return;
  shim.mem_init(0, 0);
  buildOracle();
});

test.skipIf(!canJudge)(
  "tmpfs and the path calls behave as Linux's own",
  () => {
    const differ = (operations: readonly Operation[]): void => {
      const truth = judge(operations);
      if (truth === null) return;
      const ours = performAll(operations);
      const at = ours.findIndex((result, i) => result !== truth[i]);
      if (at < 0) return;
      expect(`${operations[at]!.join(" ")} = ${ours[at]}`).toBe(`${operations[at]!.join(" ")} = ${truth[at]}`);
    };
    fc.assert(fc.property(sequence, differ), {
      numRuns: RUNS,
      includeErrorInReport: true,
    });
  },
  120_000,
);
