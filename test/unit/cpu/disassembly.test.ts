// The texts of instructions against those that llvm-objdump gave for the same words (test/cpu/disassembly.test.ts records and asks anew).

import { expect, test } from "bun:test";
import { disassemble } from "../../../src/cpu/disassemble.ts";
import { difference } from "../../cpu/disassembly/compare.ts";
import { readRecord } from "../../cpu/disassembly/record.ts";
import { mnemonics, ROWS } from "../../cpu/disassembly/sample.ts";

const record = readRecord();

test("texts are the recorded ones", () => {
  const wrong = record
    .flatMap((row) => row.words.map(({ word, pc, text }) => difference(word, pc, disassemble(word, pc), text)))
    .filter((line) => line !== null);
  expect(wrong).toEqual([]);
});

test("every row has several words in the record, and all its aliases", () => {
  expect(record.map((row) => row.name)).toEqual(ROWS.map((row) => row.name));
  const missing: string[] = [];
  ROWS.forEach((row, i) => {
    const texts = record[i]!.words.map(({ word, pc }) => disassemble(word, pc));
    const defined = texts.filter((text) => !text.startsWith(".inst"));
    // Some are one word.
    if (defined.length < 3 && row.fields.length > 0) missing.push(`${row.name}: ${defined.length} words`);
    for (const mnemonic of mnemonics(row))
      if (!defined.some((text) => mnemonic.test(text))) missing.push(`${row.name}: ${mnemonic.source}`);
  });
  expect(missing).toEqual([]);
});

test("what is no instruction is a word", () => {
  expect(disassemble(0xffffffff, 0)).toBe(".inst 0xffffffff");
  // ADD with a shift that is reserved; SVE; a MRS that traps has a text.
  expect(disassemble(0x8bc20020, 0)).toBe(".inst 0x8bc20020");
  expect(disassemble(0x04200000, 0)).toBe(".inst 0x4200000");
  expect(disassemble(0xd53b9d00, 0)).toBe("mrs x0, pmccntr_el0");
  expect(disassemble(0, 0)).toBe("udf #0x0");
});

test("addresses are those that are meant, in 64 bits", () => {
  expect(disassemble(0x14000001, 0x7f_ffff_fffc)).toBe("b 0x8000000000");
  expect(disassemble(0x17ffffff, 0)).toBe("b 0xfffffffffffffffc");
  expect(disassemble(0x90000000, 0x12_3456)).toBe("adrp x0, 0x123000");
});
