// The table of system calls: every family's rows, by number.

import { rows as memory } from "./memory.ts";
import type { Row } from "./row.ts";

const families: readonly (readonly Row[])[] = [memory];

/** Rows by call number; holes are calls that arm64 does not have or that carrick does not know. */
export const table: readonly (Row | undefined)[] = build();

function build(): (Row | undefined)[] {
  const byNumber: (Row | undefined)[] = [];
  for (const rows of families) for (const row of rows) byNumber[row.number] = row;
  return byNumber;
}

/** All rows in the order of their numbers. */
export function allRows(): Row[] {
  return table.filter((row) => row !== undefined);
}
