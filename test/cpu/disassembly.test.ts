/**
 * The disassembler against llvm-objdump (LLVM 14), where that is installed: what was recorded, fresh words of every row of the table, words at random,
 * and the code of real programs. CARRICK_RECORD=1 records anew. test/unit/cpu compares with the record everywhere.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { debianPackage, npmPackage } from "../../scripts/corpora.ts";
import { disassemble } from "../../src/cpu/disassemble.ts";
import { difference } from "./disassembly/compare.ts";
import { codeOf } from "./disassembly/elf.ts";
import { hasLlvm, llvmTexts } from "./disassembly/llvm.ts";
import { readRecord, writeRecord } from "./disassembly/record.ts";
import { BASE, ROWS, wordsOf } from "./disassembly/sample.ts";
import { Random } from "./random.ts";

const seed = Number(process.env["CARRICK_SEED"] ?? Date.now() % 1_000_000);
const WORDS_OF_A_ROW = 100;
const RANDOM_WORDS = 200_000;
/** Of one program. */
const WORDS_MAX = 300_000;

if (process.env["CARRICK_RECORD"] === "1") writeRecord();

function differences(words: Uint32Array, addr: number): string[] {
  const theirs = llvmTexts(words, addr);
  const wrong: string[] = [];
  words.forEach((word, i) => {
    const pc = addr + 4 * i;
    const line = difference(word, pc, disassemble(word, pc), theirs[i]!);
    if (line !== null) wrong.push(line);
  });
  return wrong;
}

test.skipIf(!hasLlvm)("the record is what llvm-objdump says", () => {
  const recorded = readRecord().flatMap((row) => row.words);
  const texts = llvmTexts(new Uint32Array(recorded.map(({ word }) => word)), BASE);
  expect(texts).toEqual(recorded.map(({ text }) => text));
});

test.skipIf(!hasLlvm)(`fresh words of every row (CARRICK_SEED=${seed})`, () => {
  const words = ROWS.flatMap((row) => wordsOf(row, WORDS_OF_A_ROW, seed));
  expect(differences(new Uint32Array(words), BASE)).toEqual([]);
});

test.skipIf(!hasLlvm)(`words at random (CARRICK_SEED=${seed})`, () => {
  const random = new Random(seed);
  const words = Uint32Array.from({ length: RANDOM_WORDS }, () => random.u32());
  const wrong = differences(words, BASE);
  expect(wrong.filter((line) => !isPointerAuthentication(line))).toEqual([]);
});

const LIBC = "lib/aarch64-linux-gnu";

test.skipIf(!hasLlvm).each([
  ["libc", () => join(debianPackage("libc6"), LIBC, "libc.so.6")],
  ["libm", () => join(debianPackage("libc6"), LIBC, "libm.so.6")],
  ["libcrypto", () => join(debianPackage("libssl3"), "usr", LIBC, "libcrypto.so.3")],
  ["ripgrep", () => join(npmPackage("@vscode/ripgrep-linux-arm64"), "bin/rg")],
])("the code of %s", (_, path) => {
  const { addr, words } = codeOf(readFileSync(path()));
  expect(words.length).toBeGreaterThan(10_000);
  // Constants lie among the code of libcrypto.
  const wrong = differences(words.subarray(0, WORDS_MAX), addr).filter((line) => !isPointerAuthentication(line));
  expect(wrong).toEqual([]);
});

/** LLVM has to be told of it to know what its hints are called. */
function isPointerAuthentication(line: string): boolean {
  return /: \.inst \S+ \| (ldra[ab]|pac|aut|xpac|bl?ra[ab]|reta[ab]|ereta[ab])/.test(line);
}
