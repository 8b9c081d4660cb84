// Who has had least time is next: processes that pass a byte to and fro run beside ones that compute without waiting for whole slices
// of theirs, and do not starve them.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { cli } from "../support/busybox.ts";
import { compile } from "../support/guest.ts";

const ROUNDS = 300;

test.each([
  [1, 1],
  [1, 2],
  [2, 2],
])(
  "on %i CPUs beside %i processes that compute",
  (cpus, spinners) => {
    const program = compile(join(import.meta.dir, "fairness.c"));
    const result = cli(["run-elf", "--cpus", `${cpus}`, program, `${spinners}`, `${ROUNDS}`], { timeoutMs: 50_000 });
    expect(result).toMatchObject({ stderr: "", status: 0 });
    const stops = /^300 rounds\nthey go on\n(\d+) stops\n$/.exec(result.stdout)?.[1];
    // In turns there would be two slices a round, or more.
    expect(Number(stops)).toBeLessThan(ROUNDS);
  },
  60_000,
);

/** How far one of two gets on one CPU while the other does 3000 rounds, or 20000. */
function share(which: "nice" | "late"): number {
  const program = compile(join(import.meta.dir, "fairness.c"));
  const result = cli(["run-elf", "--cpus", "1", program, which], { timeoutMs: 50_000 });
  expect(result).toMatchObject({ stderr: "", status: 0 });
  return Number(/^(\d+) of \d+\n$/.exec(result.stdout)?.[1]);
}

test("a nice process that computes gets little beside one that is not", () => {
  // 44 of them with Linux's weights; half of the time would be 3000.
  expect(share("nice")).toBeLessThan(1000);
}, 60_000);

test("who has computed alone is not made to wait for who comes late", () => {
  // Nearly half of the time would be 20000; he is behind by 30 ms at most, of hundreds.
  expect(share("late")).toBeGreaterThan(5000);
}, 60_000);
