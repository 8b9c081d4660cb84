/** Words of every row of the instruction table, with the values in their fields that aliases and special cases want. */
import { Random } from "../random.ts";
import { ROW_GROUPS, type RowPattern } from "../rows.ts";

export const ROWS: readonly RowPattern[] = ROW_GROUPS.flatMap((group) => group.patterns);

/** Where the words of a sample lie: high enough for any branch. */
export const BASE = 0x1_0000_0000;

/** Ends of bytes, halfwords and words, as bitfields have them. */
const EDGES = [7, 15, 31, 63];

function draw(row: RowPattern, random: Random): number {
  let word = row.fixed;
  for (const { shift, width } of row.fields) {
    const most = 2 ** width - 1;
    const way = random.bits(3);
    let value = random.bits(Math.min(width, 30)) & most;
    if (way <= 1) value = 0;
    else if (way === 2) value = most;
    else if (way === 3) value = EDGES[random.bits(2)]! & most;
    word |= value << shift;
  }
  const way = random.bits(3);
  // The same register twice; a shift to the left.
  let other = word;
  if (way === 0) other = (word & ~0x1f0000) | (((word >>> 5) & 31) << 16);
  else if (way === 1) other = (word & ~0xfc00) | (((((word >>> 16) & 63) - 1) & 63) << 10);
  return (((other ^ row.fixed) & row.mask) === 0 ? other : word) >>> 0;
}

/** `count` words of a row; which ones they are depends on the row's name and the seed alone. */
export function wordsOf(row: RowPattern, count: number, seed: number): number[] {
  let state = seed;
  for (const c of row.name) state = (Math.imul(state, 31) + c.charCodeAt(0)) >>> 0;
  const random = new Random(state);
  return Array.from({ length: count }, () => draw(row, random));
}

/** Mnemonics that a row may have: a regular expression for each of its texts. */
export function mnemonics(row: RowPattern): RegExp[] {
  return row.text.split("; ").map((text) => {
    const word = text.replace(/^\w+\? /, "").split(" ")[0]!;
    return new RegExp(`^${word.replace(/\./g, "\\.").replace(/[A-Z][a-z0-9]*/g, ".*")}( |$)`);
  });
}
