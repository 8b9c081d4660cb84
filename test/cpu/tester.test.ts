/** The tester itself: what it generates, how it decodes memory operands, that it sees differences, how it stores answers. */
import { expect, test } from "bun:test";
import { CASE_BYTES, type Case, encodeStream, HEADER_BYTES, RESULT, RESULT_BYTES, SLOT_BYTES } from "./cases.ts";
import { CLASSES, generateClass } from "./classes.ts";
import { compareResults } from "./compare.ts";
import { forbidden, memoryAccess, unpredictable } from "./memory.ts";
import { decodeVectors, encodeVectors } from "./vectors.ts";

const NOP: Case = { slot: 1, seed: 5, profile: "any", words: [0xd503201f], overrides: [], names: [] };

test("the same seed gives the same cases, another seed others", () => {
  const stream = (seed: number) => encodeStream(generateClass("addsub-imm", 50, seed), 1);
  expect(stream(3)).toEqual(stream(3));
  expect(stream(3)).not.toEqual(stream(4));
  expect(stream(3).length).toBe(HEADER_BYTES + 50 * CASE_BYTES);
});

test("no class draws a word that must not be run", () => {
  for (const name of CLASSES) {
    const cases = generateClass(name, 200, 9);
    const words = cases.flatMap((testCase) => [...testCase.words]);
    expect(
      words.filter((word) => forbidden(word) || unpredictable(word)).map((word) => `${name} ${word.toString(16)}`),
    ).toEqual([]);
    expect(cases.every((testCase) => testCase.words.length >= 1 && testCase.words.length <= SLOT_BYTES / 8)).toBe(true);
  }
});

test.each([
  ["ldr x0, [x1, #8]", 0xf9400420, { base: 1, bytes: 8, offset: 8, store: false }],
  ["str q3, [sp, #-16]!", 0x3c9f0fe3, { base: 31, bytes: 16, offset: -16, writeback: true }],
  ["ldp w1, w2, [x3], #8", 0x28c10861, { base: 3, bytes: 8, offset: 0, writeback: true }],
  ["stp q0, q1, [x2, #-32]", 0xad3f0440, { base: 2, bytes: 32, offset: -32, store: true }],
  ["ldaxp x1, x2, [x3]", 0xc87f8861, { base: 3, bytes: 16, aligned: true, load: true }],
  ["casp x0, x1, x2, x3, [x4]", 0x48207c82, { base: 4, bytes: 16, store: true, load: true }],
  ["ldaddal x1, x2, [x3]", 0xf8e10062, { base: 3, bytes: 8, aligned: true }],
  ["ldrb w0, [x1, w2, uxtw]", 0x38624820, { base: 1, bytes: 1, index: { register: 2, option: 2, shift: 0 } }],
  ["ld4 {v0.16b-v3.16b}, [x1]", 0x4c400020, { base: 1, bytes: 64, load: true, many: true }],
  ["st1 {v0.d}[1], [x1]", 0x4d008420, { base: 1, bytes: 8, store: true }],
])("memory operand of %s", (_text, word, expected) => {
  expect(memoryAccess(word as number)).toMatchObject(expected);
});

test("overlapping writebacks and statuses are left out", () => {
  expect(unpredictable(0xf8408421)).toBe(true);
  expect(unpredictable(0xa8c10421)).toBe(true);
  expect(unpredictable(0xc8017c40)).toBe(false);
  expect(unpredictable(0xc8017c21)).toBe(true);
});

function resultOf(testCase: Case, change: (view: DataView) => void): Uint8Array {
  const [vector] = decodeVectors(
    new Uint8Array(encodeVectors({ memorySeed: 1, vectors: [{ testCase, answer: new Uint8Array(RESULT_BYTES) }] })),
  ).vectors;
  const answer = vector!.answer;
  change(new DataView(answer.buffer));
  return answer;
}

test("a difference in any field is seen", () => {
  const same = resultOf(NOP, () => {});
  expect(
    compareResults(
      NOP,
      same,
      0,
      resultOf(NOP, () => {}),
      0,
    ),
  ).toBeNull();
  for (const at of [
    RESULT.signal,
    RESULT.pc,
    RESULT.x + 8 * 30,
    RESULT.sp,
    RESULT.nzcv,
    RESULT.fpcr,
    RESULT.fpsr,
    RESULT.tpidr,
    RESULT.v + 511,
  ]) {
    const other = resultOf(NOP, (view) => view.setUint8(at, view.getUint8(at) ^ 1));
    expect(compareResults(NOP, same, 0, other, 0)?.length).toBe(1);
  }
});

test("recorded vectors come back as they were", () => {
  const cases = generateClass("load-store-pair", 100, 4);
  const vectors = cases.map((testCase, i) => {
    const answer = new Uint8Array(RESULT_BYTES + 16 * (i % 3));
    const view = new DataView(answer.buffer);
    for (let at = 0; at < answer.length; at++) answer[at] = (at * 7 + i) & 255;
    view.setUint32(RESULT.changes, i % 3, true);
    for (let k = 0; k < i % 3; k++) view.setBigUint64(RESULT_BYTES + 16 * k, BigInt(8 * k), true);
    return { testCase: { ...testCase, names: [] }, answer };
  });
  expect(decodeVectors(new Uint8Array(encodeVectors({ memorySeed: 4, vectors })))).toEqual({ memorySeed: 4, vectors });
});
