// Pointers to JS-owned memory stay what they were, for arrays of every size.

import { expect, test } from "bun:test";
import { pointerOf, shim } from "../../../src/host/shim.ts";

test("small arrays do not move", () => {
  const source = new Uint32Array(1024).map((_, i) => i);
  const from = pointerOf(source);
  for (const size of [1, 2, 16, 200, 5000]) {
    const into = new Uint32Array(size);
    const ptr = pointerOf(into);
    const read = (i: number): number => {
      shim.mem_copy(ptr, from + 4 * i, 4);
      return into[0]!;
    };
    let wrong = 0;
    for (let round = 0; round < 100; round += 1) {
      for (let i = 0; i < 1024; i += 1) if (read(i) !== i) wrong += 1;
      Bun.gc(round % 20 === 0);
    }
    expect(wrong).toBe(0);
    expect(pointerOf(into)).toBe(ptr);
  }
  // The pointer alone does not keep the source.
  expect(pointerOf(source)).toBe(from);
});

test("views and empty arrays", () => {
  const all = new Uint8Array(16);
  expect(pointerOf(all.subarray(3))).toBe(pointerOf(all) + 3);
  expect(pointerOf(new Uint8Array(0))).toBeGreaterThan(0);
});
