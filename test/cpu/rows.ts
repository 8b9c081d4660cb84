/**
 * The rows of our own instruction table (shim/cpu/table_int.zig, table_fp.zig, table_simd.zig), read from their source: a second source of
 * encodings, which gives every instruction its share of cases however few of its group's words it owns.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Field, Group, Pattern } from "./groups.ts";

const FOLDER = join(import.meta.dir, "../../shim/cpu");
const REGISTERS: Readonly<Record<string, string>> = { n: "rn", d: "rd", m: "rm", a: "ra", t: "rt", u: "rt2", s: "rs" };

export interface RowPattern extends Pattern {
  readonly name: string;
  /** How its text goes (shim/cpu/disasm/format.zig). */
  readonly text: string;
}

interface RowGroup extends Group {
  readonly patterns: readonly RowPattern[];
}

/** A row's 32-character pattern; runs of one letter become fields. */
function rowPattern(name: string, bits: string, text: string): RowPattern {
  let fixed = 0;
  let mask = 0;
  const fields: Field[] = [];
  for (let i = 0; i < 32; ) {
    const letter = bits[i]!;
    let end = i + 1;
    while (end < 32 && bits[end] === letter) end++;
    const width = end - i;
    const shift = 32 - end;
    if (letter === "0" || letter === "1") {
      const run = (2 ** width - 1) * 2 ** shift;
      mask += run;
      if (letter === "1") fixed += run;
    } else {
      fields.push({ name: width === 5 ? (REGISTERS[letter] ?? letter) : letter, shift, width });
    }
    i = end;
  }
  return { name, fixed: fixed >>> 0, mask: mask >>> 0, fields, text };
}

function readTable(file: string): RowGroup[] {
  if (!existsSync(join(FOLDER, file))) return [];
  const groups: RowGroup[] = [];
  let patterns: RowPattern[] = [];
  let section = "";
  const close = () => {
    if (patterns.length > 0)
      groups.push({ name: `rows-${section.replaceAll("_", "-")}`, profile: "any", words: 2, patterns });
    patterns = [];
  };
  for (const line of readFileSync(join(FOLDER, file), "latin1").split("\n")) {
    const head = /^(?:pub )?const (\w+) = \[_\]Row\{/.exec(line);
    if (head !== null) {
      close();
      section = head[1]!;
    }
    const row = /\brow\("([01a-zA-Z]{32})", "(\w+)".*, "([^"]*)"\)/.exec(line);
    if (row !== null) patterns.push(rowPattern(row[2]!, row[1]!, row[3]!));
  }
  close();
  return groups;
}

export const ROW_GROUPS: readonly RowGroup[] = ["table_int.zig", "table_fp.zig", "table_simd.zig"].flatMap(readTable);
