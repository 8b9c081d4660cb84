/** The names of all instruction classes, and their cases: the architecture's encoding groups and our table's rows. */
import type { Case } from "./cases.ts";
import { generate } from "./generate.ts";
import { GROUPS, type Group } from "./groups.ts";
import { ROW_GROUPS } from "./rows.ts";

const ALL: readonly Group[] = [...GROUPS, ...ROW_GROUPS];

export const CLASSES: readonly string[] = ALL.map((group) => group.name);

export function generateClass(name: string, count: number, seed: number): Case[] {
  const group = ALL.find((candidate) => candidate.name === name);
  if (group === undefined) throw new Error(`no class ${name}`);
  return generate(group, count, seed);
}
