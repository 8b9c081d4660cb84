/** What llvm-objdump 14 said of words of every row, as it lies in the repository. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { normalTheirs } from "./compare.ts";
import { llvmTexts } from "./llvm.ts";
import { BASE, ROWS, wordsOf } from "./sample.ts";

interface Recorded {
  readonly word: number;
  readonly pc: number;
  /** "" for what is no instruction. */
  readonly text: string;
}

interface RecordedRow {
  readonly name: string;
  readonly words: readonly Recorded[];
}

const FILE = join(import.meta.dir, "llvm-14.txt");
/** Words that are tried for each row, and how many of each mnemonic, and of those that are reserved, are kept. */
const TRIED = 1500;
const KEPT = 3;
const KEPT_UNDEFINED = 1;
const SEED = 14;

/** Rows in the table's order, and their words, which lie one behind the other from BASE on. */
export function readRecord(): RecordedRow[] {
  const rows: { name: string; words: Recorded[] }[] = [];
  let pc = BASE;
  for (const line of readFileSync(FILE, "utf8").split("\n")) {
    if (line === "") continue;
    const word = /^ ([0-9a-f]{8}) (.*)$/.exec(line);
    if (word === null) {
      rows.push({ name: line, words: [] });
    } else {
      rows.at(-1)!.words.push({ word: Number.parseInt(word[1]!, 16), pc, text: word[2]! });
      pc += 4;
    }
  }
  return rows;
}

/** Chooses words anew and writes down what is said of them. */
export function writeRecord(): void {
  const tried = ROWS.map((row) => wordsOf(row, TRIED, SEED));
  const texts = llvmTexts(new Uint32Array(tried.flat()), BASE);
  const chosen = ROWS.map((_, r) => choose(tried[r]!, texts.slice(r * TRIED, (r + 1) * TRIED)));
  const answers = llvmTexts(new Uint32Array(chosen.flat()), BASE);
  let next = 0;
  const lines = ROWS.map((row, r) => {
    const words = chosen[r]!.map((word) => ` ${word.toString(16).padStart(8, "0")} ${answers[next++]}\n`);
    return `${row.name}\n${words.join("")}`;
  });
  writeFileSync(FILE, lines.join(""));
}

/** A few words for each mnemonic. */
function choose(words: readonly number[], texts: readonly string[]): number[] {
  const kept = new Map<string, number>();
  const chosen = new Set<number>();
  words.forEach((word, i) => {
    const mnemonic = normalTheirs(texts[i]!, BASE).split(" ")[0]!;
    const count = kept.get(mnemonic) ?? 0;
    if (count >= (mnemonic === "" ? KEPT_UNDEFINED : KEPT) || chosen.has(word)) return;
    chosen.add(word);
    kept.set(mnemonic, count + 1);
  });
  return [...chosen];
}
