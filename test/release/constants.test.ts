// What the build does with named numbers: they stand where they are used, and nothing else changes.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withoutConstants } from "../../scripts/release/constants.ts";

const folder = mkdtempSync(join(tmpdir(), "carrick-constants-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

write(
  "data.ts",
  `export const ONE = 1;
export const MASK: number = 0x0f_f0;
export const BELOW = -2;
export const BOTH = ONE | 0o20;
export const at = {
  /** A comment. */
  pc: 8,
  sp: 16,
} as const;
export const NAMES: Record<string, number> = { ONE };
`,
);
const user = write(
  "user.ts",
  `import * as D from "./data.ts";
import { at, BELOW, ONE as FIRST, MASK, NAMES } from "./data.ts";

const LOCAL = 40;
const DERIVED = LOCAL + 2;
export const SHOWN = 5;
// at is a word of comments too

export function all(): unknown {
  const shadow = (MASK: string): string => MASK;
  return [FIRST, MASK, BELOW - 1, at.sp, D.BOTH, D.at.pc, LOCAL, DERIVED, SHOWN, { MASK }, shadow("kept"), "D.ONE", NAMES];
}
export const moved = (): number => require("./data.ts").ONE;
`,
);

test("numbers and members of objects stand where they are used", async () => {
  const code = withoutConstants(user);
  expect(code).not.toMatch(/\bLOCAL\b|\bDERIVED\b|\bFIRST\b|\bat\b|\bD\b(?!\.ONE")/);
  expect(code).toContain("4080");
  expect(code).toContain('require("./data.ts")');
  const { all, SHOWN } = await import(write("user.js", code));
  const before = await import(user);
  expect(all()).toEqual(before.all());
  expect(SHOWN).toBe(5);
  expect(all().slice(0, 9)).toEqual([1, 0xff0, -3, 16, 17, 8, 40, 42, 5]);
});

test("a file still exports its numbers to those who ask for all of them", async () => {
  const code = withoutConstants(join(folder, "data.ts"));
  expect({ ...(await import(write("data.js", code))) }).toEqual({ ...(await import(join(folder, "data.ts"))) });
});
