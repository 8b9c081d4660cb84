/** The names of all instruction classes, and their cases: the architecture's encoding groups and our table's rows. */
import type { Case } from "./cases.ts";
import { generate } from "./generate.ts";
import { GROUPS } from "./groups.ts";

export const CLASSES: readonly string[] = GROUPS.map((group) => group.name);

export function generateClass(name: string, count: number, seed: number): Case[] {
  const group = GROUPS.find((candidate) => candidate.name === name);
  if (group === undefined) throw new Error(`no class ${name}`);
  return generate(group, count, seed);
}
