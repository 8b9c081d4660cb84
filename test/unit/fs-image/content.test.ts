// Content of image files against a model: base ranges of a tar, copied pages, holes, truncation, pages of mappings.

import { beforeAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ImageContent } from "../../../src/fs/image/image-content.ts";
import { PAGE, ScratchStore } from "../../../src/fs/image/scratch-store.ts";
import { shim } from "../../../src/host/shim.ts";
import { ExtentMap, HOLE } from "../../../src/lib/extent-map.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import { PageCache } from "../../../src/mm/page-cache.ts";

const work = mkdtempSync(join(tmpdir(), "carrick-content-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
beforeAll(() => {
  shim.mem_init(0, 0);
});

test("an extent map is an array of units", () => {
  const change = fc.record({
    start: fc.nat(30),
    count: fc.integer({ min: 1, max: 12 }),
    target: fc.oneof(fc.constant(HOLE), fc.constant(null), fc.nat(200)),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const map = new ExtentMap();
      const model: (number | undefined)[] = new Array(50).fill(undefined);
      const released: number[] = [];
      let stored = 0;
      for (const { start, count, target } of changes) {
        released.length = 0;
        const gone = model.slice(start, start + count).filter((unit) => unit !== undefined && unit !== HOLE);
        const release = (from: number, n: number): void => {
          for (let i = 0; i < n; i += 1) released.push(from + i);
        };
        if (target === null) map.cut(start, count, release);
        else map.set(start, count, target, release);
        for (let i = 0; i < count; i += 1)
          model[start + i] = target === null ? undefined : target === HOLE ? HOLE : target + i;
        expect(released).toEqual(gone as number[]);
        stored = model.filter((unit) => unit !== undefined && unit !== HOLE).length;
        expect(map.mapped).toBe(stored);
        model.forEach((unit, at) => {
          const extent = map.at(at);
          const covers = extent !== undefined && extent.start <= at;
          expect(covers ? (extent.target === HOLE ? HOLE : extent.target + at - extent.start) : undefined).toBe(unit);
        });
      }
    }),
  );
});

type Step =
  | { readonly op: "write"; readonly pos: number; readonly count: number }
  | { readonly op: "truncate" | "punch" | "store"; readonly pos: number; readonly count: number };

const offset = fc.oneof(
  fc.nat(6 * PAGE),
  fc.nat(6).map((n) => n * PAGE),
);
const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom("write", "write", "truncate", "punch", "store"),
  pos: offset,
  count: fc.oneof(fc.integer({ min: 1, max: 3 * PAGE }), fc.constantFrom(1, PAGE, 2 * PAGE)),
});
/** Pieces of a sparse base: gap, length. */
const pieces = fc.array(fc.tuple(fc.nat(PAGE), fc.integer({ min: 1, max: 2 * PAGE })), { maxLength: 4 });

test("content is a buffer", () => {
  const tarPath = join(work, "base.tar");
  const tar = Buffer.alloc(16 * PAGE);
  for (let i = 0; i < tar.length; i += 1) tar[i] = 1 + ((i * 7) % 250);
  writeFileSync(tarPath, tar);
  const tarFd = openSync(tarPath, "r");
  // Nothing in memory, a little of it, and everything.
  const stores = [0, 40, 16384].map((memoryPages) => new ScratchStore([work], memoryPages));
  const choice = fc.constantFrom(...stores);
  const body = fc.tuple(pieces, fc.nat(PAGE), fc.array(step, { maxLength: 25 }), fc.boolean(), choice);
  fc.assert(
    fc.property(body, ([gaps, tail, steps, mapped, store]) => {
      let end = 0;
      let tarOffset = 512;
      const base: { start: number; length: number; tarOffset: number }[] = [];
      for (const [gap, length] of gaps) {
        base.push({ start: end + gap, length, tarOffset });
        end += gap + length;
        tarOffset += length;
      }
      let size = end + tail;
      const model = Buffer.alloc(64 * PAGE);
      for (const piece of base) tar.copy(model, piece.start, piece.tarOffset, piece.tarOffset + piece.length);
      const content = new ImageContent(store, { tarFd, pieces: base }, size);
      const cache = mapped ? new PageCache(content) : null;
      let stamp = 1;
      for (const { op, pos, count } of steps) {
        stamp = (stamp % 250) + 1;
        cache?.writeBack();
        if (op === "write") {
          expect(content.write(new KernelBuffer(new Uint8Array(count).fill(stamp)), pos)).toBe(count);
          model.fill(stamp, pos, pos + count);
          size = Math.max(size, pos + count);
          cache?.refresh(pos, pos + count);
        } else if (op === "truncate") {
          expect(content.truncate(pos)).toBe(0);
          cache?.truncate(pos);
          model.fill(0, pos);
          size = pos;
        } else if (op === "punch") {
          expect(content.punch(pos, pos + count)).toBe(0);
          model.fill(0, pos, Math.min(size, pos + count));
          cache?.refresh(pos, Math.min(size, pos + count));
        } else if (cache !== null && pos < size) {
          // A store through a shared mapping.
          const index = Math.floor(pos / PAGE);
          const n = Math.min(PAGE, size - index * PAGE);
          expect(cache.write(new KernelBuffer(new Uint8Array(n).fill(stamp)), index * PAGE)).toBe(n);
          model.fill(stamp, index * PAGE, index * PAGE + n);
        }
        expect(content.size).toBe(size);
      }
      cache?.writeBack();
      const bytes = Buffer.alloc(size + 10);
      expect(content.read(new KernelBuffer(bytes), 0)).toBe(size);
      expect(bytes.subarray(0, size).equals(model.subarray(0, size))).toBe(true);
      if (cache !== null) {
        const seen = Buffer.alloc(size);
        expect(cache.read(new KernelBuffer(seen), 0, size)).toBe(size);
        expect(seen.equals(model.subarray(0, size))).toBe(true);
      }
      // What is called a hole is zeros, and both answers lie behind the question.
      for (let pos = 0; pos < size; ) {
        const data = Math.min(content.seek(pos, true), size);
        expect(model.subarray(pos, data).every((byte) => byte === 0)).toBe(true);
        pos = data >= size ? size : content.seek(data, false);
        expect(pos).toBeGreaterThan(data - 1);
      }
      expect(content.blocks).toBeLessThanOrEqual(Math.ceil(size / PAGE) * 8 + 8 * base.length);
      cache?.destroy();
      content.destroy();
    }),
    { numRuns: 400 },
  );
  for (const store of stores) store.close();
  closeSync(tarFd);
});

test.each([0, 25, 16384])("pages of the store are used again, and are zero then: %d in memory", (memoryPages) => {
  const store = new ScratchStore([work], memoryPages);
  for (let round = 0; round < 300; round += 1) {
    const content = new ImageContent(store, null, 0);
    content.write(new KernelBuffer(new Uint8Array(20 * PAGE).fill(1 + (round % 200))), 0);
    content.destroy();
    const sparse = new ImageContent(store, null, 0);
    sparse.write(new KernelBuffer(Uint8Array.of(9)), 3 * PAGE + 7);
    const bytes = Buffer.alloc(3 * PAGE + 8);
    sparse.read(new KernelBuffer(bytes), 0);
    expect(bytes.reduce((sum, byte) => sum + byte, 0)).toBe(9);
    sparse.truncate(5 * PAGE);
    sparse.destroy();
  }
  const host = store.statfs();
  expect(host).not.toBeNull();
  store.close();
});
