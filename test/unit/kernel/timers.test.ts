import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Timer, TimerHeap } from "../../../src/kernel/timers.ts";

test("timers fire in the order of their deadlines, cancelled ones not at all", () => {
  const operation = fc.record({ deadline: fc.nat(100), cancel: fc.option(fc.nat(50)) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const heap = new TimerHeap();
      const timers: Timer[] = [];
      const alive = new Set<Timer>();
      const fired: number[] = [];
      for (const { deadline, cancel } of operations) {
        const timer = heap.add(deadline, () => fired.push(deadline));
        timers.push(timer);
        alive.add(timer);
        const victim = cancel === null ? undefined : timers[cancel];
        if (victim !== undefined) {
          heap.cancel(victim);
          alive.delete(victim);
        }
      }
      const expected = [...alive].map((timer) => timer.deadlineNs).sort((a, b) => a - b);
      expect(heap.nextNs).toBe(expected[0] ?? Number.POSITIVE_INFINITY);
      heap.run(50);
      heap.run(100);
      expect(fired).toEqual(expected);
      expect(heap.size).toBe(0);
    }),
  );
});

test("a timer that re-arms itself in the past fires once a run", () => {
  const heap = new TimerHeap();
  let count = 0;
  const again = (): void => {
    count += 1;
    heap.add(0, again);
  };
  heap.add(0, again);
  heap.run(10);
  heap.run(10);
  expect(count).toBe(2);
});
