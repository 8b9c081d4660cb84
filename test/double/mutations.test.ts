// A sample of the mutations is tried in each run; all of them by hand (mutations.ts).

import { expect, test } from "bun:test";
import { MUTATIONS, survivors } from "./mutations.ts";

const EVERY = 35;

test("changes of the Darwin host are noticed", () => {
  const sample = MUTATIONS.filter((_, i) => i % EVERY === 7);
  expect(sample.length).toBeGreaterThanOrEqual(3);
  expect(survivors(sample, () => {})).toEqual([]);
}, 900_000);

test("there are enough of them, and none twice", () => {
  expect(new Set(MUTATIONS.map((m) => m.from + m.to)).size).toBe(MUTATIONS.length);
  expect(MUTATIONS.length).toBeGreaterThanOrEqual(40);
});
