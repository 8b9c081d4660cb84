// Which task runs on which CPU (kernel/cpu-places.ts): nobody beside another, always one of its mask, and the right ones make room.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { CpuPlaces } from "../../../src/kernel/cpu-places.ts";
import type { Task } from "../../../src/kernel/task.ts";

function task(affinity: number): Task {
  return { affinity, cpu: 0 } as Task;
}

test("who may run elsewhere makes room for who may not", () => {
  const places = new CpuPlaces(2);
  const [free, pinned, second] = [task(3), task(1), task(1)];
  expect([places.take(free), free.cpu]).toEqual([true, 0]);
  expect(places.fits(pinned)).toBe(true);
  expect([places.take(pinned), pinned.cpu, free.cpu]).toEqual([true, 0, 1]);
  expect([places.fits(second), places.take(second)]).toEqual([false, false]);
  places.release(pinned);
  expect(places.take(second)).toBe(true);
  // Its mask changes while it runs; the other CPU is taken, but not by somebody who must stay.
  second.affinity = 2;
  expect([places.take(second), second.cpu, places.take(free), free.cpu]).toEqual([true, 1, true, 0]);
});

test("running tasks have CPUs of their masks, each its own", () => {
  const step = fc.tuple(fc.nat(5), fc.constantFrom("take", "release", "mask"), fc.integer({ min: 1, max: 15 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const places = new CpuPlaces(4);
      const tasks = Array.from({ length: 6 }, () => task(15));
      const running = new Set<Task>();
      for (const [n, what, mask] of steps) {
        const one = tasks[n]!;
        if (what === "mask") one.affinity = mask;
        const fits = running.has(one) || places.fits(one);
        if (what === "take") {
          const took = places.take(one);
          if (!running.has(one)) expect(took).toBe(fits);
          if (took) running.add(one);
          else running.delete(one);
        } else if (what === "release") {
          places.release(one);
          running.delete(one);
        } else if (running.has(one) && !places.take(one)) running.delete(one);
        expect(new Set(Array.from(running, ({ cpu }) => cpu)).size).toBe(running.size);
        for (const { affinity, cpu } of running) expect((affinity >> cpu) & 1).toBe(1);
      }
    }),
  );
});
