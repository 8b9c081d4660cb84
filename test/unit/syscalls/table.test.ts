// The table of system calls loads families by number: it has to know every number that a family declares.

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "../../../src/syscalls/row.ts";
import { allRows, findRow } from "../../../src/syscalls/table.ts";

const folder = join(import.meta.dir, "../../../src/syscalls");
const declared: Row[] = [];
for (const name of readdirSync(folder)) {
  const { rows } = (await import(join(folder, name))) as { rows?: () => Row[] };
  if (typeof rows === "function") declared.push(...rows());
}

test("every row of every family is found by its number", () => {
  expect(declared.length).toBeGreaterThan(250);
  const lost = declared.filter((row) => findRow(row.number)?.name !== row.name);
  expect(lost.map((row) => row.name)).toEqual([]);
});

test("no number is declared twice, and none is found that no family declares", () => {
  const numbers = declared.map((row) => row.number).sort((a, b) => a - b);
  expect(allRows().map((row) => row.number)).toEqual(numbers);
  expect(findRow(244)).toBeUndefined();
  expect(findRow(100_000)).toBeUndefined();
  expect(findRow(-1)).toBeUndefined();
});
