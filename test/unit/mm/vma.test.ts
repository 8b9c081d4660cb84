import { expect, test } from "bun:test";
import { MAP_PRIVATE } from "../../../src/abi/mman.ts";
import { Vma, VmaList } from "../../../src/mm/vma.ts";

const PAGE = 4096;

/** Numbers that look random, the same in every run (xorshift). */
class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed;
  }
  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % limit;
  }
}

/** Looks at every hole, from the top down. */
function highestHole(list: VmaList, length: number, bottom: number, top: number, align: number): number {
  let end = top;
  for (const area of [...list.areas].reverse()) {
    if (area.start >= end) continue;
    const start = Math.floor((end - length) / align) * align;
    if (start >= area.end && start >= bottom) return start;
    end = area.start;
  }
  const start = Math.floor((end - length) / align) * align;
  return start >= bottom ? start : -1;
}

test("the highest hole is found after any mapping and unmapping", () => {
  const random = new Random(7);
  const list = new VmaList();
  const top = 400 * PAGE;
  for (let round = 0; round < 5000; round += 1) {
    if (random.below(5) < 2 && list.areas.length > 0) {
      const first = random.below(list.areas.length);
      list.removeRun(list.areas[first]!, Math.min(1 + random.below(3), list.areas.length - first));
      continue;
    }
    const length = (1 + random.below(6)) * PAGE;
    const align = random.below(4) === 0 ? 4 * PAGE : PAGE;
    const ceiling = random.below(20) === 0 ? top / 2 : top;
    const found = list.findHole(length, 16 * PAGE, ceiling, align);
    expect(found).toBe(highestHole(list, length, 16 * PAGE, ceiling, align));
    // Sometimes elsewhere, as MAP_FIXED does.
    const start = random.below(4) === 0 ? random.below(450) * PAGE : found;
    if (start >= 0 && list.isFree(start, start + length)) {
      list.insert(new Vma(start, start + length, 0, MAP_PRIVATE, null, 0));
    }
  }
});

test("a search does not look at all areas again", () => {
  let looks = 0;
  class Watched extends Vma {}
  const list = new VmaList();
  const add = (): void => {
    const start = list.findHole(PAGE, 0, 2 ** 39, PAGE);
    const area = new Watched(start, start + PAGE, 0, MAP_PRIVATE, null, 0);
    Object.defineProperty(area, "start", {
      get: () => {
        looks += 1;
        return start;
      },
    });
    list.insert(area);
  };
  for (let i = 0; i < 1000; i += 1) add();
  looks = 0;
  add();
  expect(looks).toBeLessThan(50);
});
