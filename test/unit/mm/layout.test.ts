import { describe, expect, test } from "bun:test";
import { Layout } from "../../../src/mm/layout.ts";

/** What the run-time libraries of ASan and TSan expect of an arm64 process whose stack lies below 2^39, from addresses to addresses. */
const ASAN_SHADOW = [0x1000000000, 0x2000000000] as const;
const TSAN_PROGRAMS = [0x5500000000, 0x5600000000] as const;
const TSAN_MAPPINGS = [0x7e00000000, 0x8000000000] as const;
const ROOM = 2 ** 28;

function isWithin(addr: number, [from, to]: readonly [number, number]): boolean {
  return addr >= from && addr < to;
}

describe("places for sanitizers", () => {
  for (const [name, random] of [
    ["lowest", () => 0],
    ["highest", (n: number) => n - 1],
  ] as const) {
    test(name, () => {
      const { pieBase, mmapTop, stackTop } = new Layout(random);
      expect(isWithin(pieBase, TSAN_PROGRAMS) && isWithin(pieBase + ROOM, TSAN_PROGRAMS)).toBe(true);
      expect(isWithin(mmapTop, TSAN_MAPPINGS) && isWithin(mmapTop - ROOM, TSAN_MAPPINGS)).toBe(true);
      expect(isWithin(stackTop, TSAN_MAPPINGS)).toBe(true);
      for (const addr of [pieBase, mmapTop, stackTop]) expect(isWithin(addr, ASAN_SHADOW)).toBe(false);
    });
  }
});
