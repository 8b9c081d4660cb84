/**
 * What the oracle cannot tell, checked against the Arm ARM by hand: qemu's user mode ignores a misaligned stack pointer, and its
 * faults undo less than ours promise to.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { CODE_BASE, DATA_BASE, type Override, RESULT, RESULT_BYTES } from "./cases.ts";
import { EngineRunner } from "./engine.ts";
import { pairOf } from "./generate.ts";

const SP = 31;
const SIGBUS = 7;
const SIGSEGV = 11;

let engine: EngineRunner;
beforeAll(() => {
  engine = new EngineRunner(1);
});
afterAll(() => engine.destroy());

type Outcome = { signal: number; pc: number; fault: number; changes: number; x: (n: number) => bigint };

function run(words: number[], overrides: Override[]): Outcome {
  const record = engine.run({ slot: 0, seed: 11, profile: "any", words, overrides, names: [] });
  const view = new DataView(record.buffer);
  return {
    signal: view.getUint32(RESULT.signal, true),
    pc: Number(view.getBigUint64(RESULT.pc, true)) - CODE_BASE,
    fault: Number(view.getBigUint64(RESULT.fault, true)),
    changes: (record.length - RESULT_BYTES) / 16,
    x: (n) => view.getBigUint64(RESULT.x + 8 * n, true),
  };
}

const at = (register: number, address: number): Override => [register, ...pairOf(address)];

test.each([
  ["ldr x0, [sp]", 0xf94003e0],
  ["str w1, [sp, #-16]!", 0xb81f0fe1],
  ["ldp x0, x1, [sp], #16", 0xa8c107e0],
  ["ldr q0, [sp, x2]", 0x3ce26be0],
  ["ld1 {v0.16b}, [sp]", 0x4c4073e0],
  ["ldaxr x0, [sp]", 0xc85fffe0],
  ["ldadd x0, x1, [sp]", 0xf82003e1],
])("a misaligned sp is a bus error in %s", (_text, word) => {
  const sp = DATA_BASE + 0x808;
  const outcome = run([0xd503201f, word as number], [at(SP, sp), at(2, 0), at(0, 5)]);
  expect([outcome.signal, outcome.pc, outcome.changes]).toEqual([SIGBUS, 4, 0]);
  expect(outcome.x(31)).toBe(BigInt(sp));
  expect(outcome.x(0)).toBe(5n);
});

test("a misaligned sp that is no base, or that is only prefetched from, does no harm", () => {
  const outcome = run([0x910023e0, 0xf98003e0], [at(SP, DATA_BASE + 0x808)]);
  expect([outcome.signal, outcome.x(0)]).toEqual([0, BigInt(DATA_BASE + 0x810)]);
});

test("a pair that faults in its second half has written nothing", () => {
  const outcome = run([0xa9bf0440], [at(2, DATA_BASE + 0x2008)]);
  expect([outcome.signal, outcome.pc, outcome.changes, outcome.fault]).toEqual([SIGSEGV, 0, 0, DATA_BASE + 0x2000]);
  expect(outcome.x(2)).toBe(BigInt(DATA_BASE + 0x2008));
});

test("an access across the end faults at the page it could not reach", () => {
  const outcome = run([0xf9400041], [at(2, DATA_BASE + 0x1ffc)]);
  expect([outcome.signal, outcome.fault]).toEqual([SIGSEGV, DATA_BASE + 0x2000]);
});

test("top byte is ignored for data and reported without", () => {
  const hit = run([0xf9400041], [[2, (DATA_BASE + 0x40) >>> 0, 0xab000002]]);
  expect(hit.signal).toBe(0);
  const miss = run([0xf9400041], [[2, 0x2000, 0xab000002]]);
  expect([miss.signal, miss.fault % 2 ** 56]).toEqual([SIGSEGV, DATA_BASE + 0x2000]);
});

test("addresses outside 48 bits fault", () => {
  expect(run([0xf9400041], [[2, 0x40, 0x00010002]]).signal).toBe(SIGSEGV);
  expect(run([0xf9400041], [[2, 0x40, 0x00ff0002]]).signal).toBe(SIGSEGV);
});

test("DC ZVA clears 64 bytes, other maintenance faults where nothing is mapped", () => {
  const zeroed = run([0xd50b7421], [at(1, DATA_BASE + 0x7b)]);
  expect([zeroed.signal, zeroed.changes <= 8, zeroed.changes > 4]).toEqual([0, true, true]);
  for (const word of [0xd50b7521, 0xd50b7b21, 0xd50b7a21, 0xd50b7e21, 0xd50b7421]) {
    const hole = run([word], [at(1, DATA_BASE + 0x2010)]);
    expect([hole.signal, hole.pc, hole.fault % 16]).toEqual([SIGSEGV, 0, 0]);
  }
});

test("LDAPR and exclusives must be aligned", () => {
  for (const word of [0xf8bfc020, 0xc85f7c20, 0xc8dffc20, 0xc89ffc20]) {
    const outcome = run([word], [at(1, DATA_BASE + 0x44)]);
    expect([outcome.signal, outcome.pc, outcome.fault, outcome.changes]).toEqual([SIGBUS, 0, DATA_BASE + 0x44, 0]);
  }
});

test("branches to odd places stop there", () => {
  const odd = run([0xd61f0040], [at(2, CODE_BASE + 6)]);
  expect([odd.signal, odd.pc]).toEqual([SIGBUS, 6]);
  const unmapped = run([0xd63f0040], [at(2, DATA_BASE - 0x1000)]);
  expect([unmapped.signal, unmapped.pc, unmapped.fault]).toEqual([
    SIGSEGV,
    DATA_BASE - 0x1000 - CODE_BASE,
    DATA_BASE - 0x1000,
  ]);
  const data = run([0xd61f0040], [at(2, DATA_BASE + 0x40)]);
  expect([data.signal, data.fault]).toEqual([SIGSEGV, DATA_BASE + 0x40]);
});
