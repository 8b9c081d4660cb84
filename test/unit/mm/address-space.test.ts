import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { EFAULT, ENOMEM } from "../../../src/abi/errno.ts";
import { MAP_GROWSDOWN, MAP_PRIVATE, MAP_SHARED, PROT_NONE, PROT_READ, PROT_WRITE } from "../../../src/abi/mman.ts";
import { Access } from "../../../src/host/shim.gen.ts";
import { pointerOf, shim } from "../../../src/host/shim.ts";
import { AddressSpace, PAGE } from "../../../src/mm/address-space.ts";
import { Layout } from "../../../src/mm/layout.ts";
import { PageCache } from "../../../src/mm/page-cache.ts";
import type { PageSource } from "../../../src/mm/page-source.ts";
import { SharedMemory } from "../../../src/mm/shared-memory.ts";
import type { MappedFile } from "../../../src/mm/vma.ts";

const RW = PROT_READ | PROT_WRITE;
const BASE = 0x40_0000_0000;
const SEGV = 11 * 256;
const BUS = 7 * 256;

/** A file in an array. */
class ArrayFile implements MappedFile, PageSource {
  readonly cache = new PageCache(this);
  readonly dev = 1;
  readonly ino = 1;
  readonly writable = true;
  bytes: Uint8Array;
  refs = 0;
  reads = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  sizeBytes(): number {
    return this.bytes.length;
  }
  name(): string {
    return "/array";
  }
  ref(): void {
    this.refs += 1;
  }
  unref(): void {
    this.refs -= 1;
  }
  readPages(index: number, frame: number, count: number): number {
    this.reads += 1;
    const pages = new Uint8Array(count * PAGE);
    pages.set(this.bytes.subarray(index * PAGE, (index + count) * PAGE));
    for (let i = 0; i < count; i += 1) shim.mem_copy(shim.frame_ptr(frame + i), pointerOf(pages) + i * PAGE, PAGE);
    return 0;
  }
  writePage(index: number, frame: number, sizeBytes: number): number {
    const page = new Uint8Array(PAGE);
    shim.mem_copy(pointerOf(page), shim.frame_ptr(frame), PAGE);
    this.bytes.set(page.subarray(0, sizeBytes), index * PAGE);
    return 0;
  }
}

const spaces: AddressSpace[] = [];
function space(): AddressSpace {
  const mm = AddressSpace.create(new Layout(() => 0)) as AddressSpace;
  spaces.push(mm);
  return mm;
}

beforeEach(() => {
  shim.mem_reset();
  shim.mem_init(0, 0);
});
afterEach(() => {
  for (const mm of spaces.splice(0)) mm.unref();
});

describe("anonymous memory", () => {
  test("reads as zeros and keeps what is written", () => {
    const mm = space();
    mm.mapArea(BASE, 4 * PAGE, RW, MAP_PRIVATE, null, 0);
    expect(mm.readU32(BASE + PAGE - 2)).toBe(0);
    expect(mm.writeU64(BASE + PAGE - 4, 2 ** 40 + 7)).toBe(0);
    expect(mm.readU64(BASE + PAGE - 4)).toBe(2 ** 40 + 7);
  });

  test("ends where its area ends", () => {
    const mm = space();
    mm.mapArea(BASE, PAGE, RW, MAP_PRIVATE, null, 0);
    expect(mm.writeU32(BASE + PAGE - 2, 1)).toBe(-EFAULT);
    expect(mm.handleFault(BASE + PAGE, Access.read)).toBe(SEGV + 1);
    expect(mm.copyInBytes(BASE + PAGE - 3, new Uint8Array(10), 0, 10)).toBe(3);
  });

  test("obeys its protection", () => {
    const mm = space();
    mm.mapArea(BASE, 2 * PAGE, RW, MAP_PRIVATE, null, 0);
    mm.writeU32(BASE, 5);
    mm.protect(BASE, BASE + PAGE, PROT_READ);
    expect(mm.writeU32(BASE, 6)).toBe(-EFAULT);
    expect(mm.readU32(BASE)).toBe(5);
    expect(mm.handleFault(BASE, Access.write)).toBe(SEGV + 2);
    mm.protect(BASE, BASE + PAGE, PROT_NONE);
    expect(mm.readU32(BASE)).toBe(-EFAULT);
    mm.protect(BASE, BASE + PAGE, RW);
    expect(mm.readU32(BASE)).toBe(5);
    expect(mm.vmas.areas.length).toBe(1);
  });

  test("is copied on write after a fork", () => {
    const mm = space();
    mm.mapArea(BASE, 2 * PAGE, RW, MAP_PRIVATE, null, 0);
    mm.writeU32(BASE, 1);
    const child = mm.fork() as AddressSpace;
    spaces.push(child);
    mm.writeU32(BASE, 2);
    child.writeU32(BASE + 4, 3);
    expect([mm.readU32(BASE), child.readU32(BASE)]).toEqual([2, 1]);
    expect([mm.readU32(BASE + 4), child.readU32(BASE + 4)]).toEqual([0, 3]);
  });

  test("can be left out of a fork, or wiped in it", () => {
    const mm = space();
    mm.mapArea(BASE, PAGE, RW, MAP_PRIVATE, null, 0).dontFork = true;
    mm.mapArea(BASE + PAGE, PAGE, RW, MAP_PRIVATE, null, 0).wipeOnFork = true;
    mm.writeU32(BASE, 1);
    mm.writeU32(BASE + PAGE, 1);
    const child = mm.fork() as AddressSpace;
    spaces.push(child);
    expect(child.readU32(BASE)).toBe(-EFAULT);
    expect(child.readU32(BASE + PAGE)).toBe(0);
  });

  test("grows a stack downwards, but not into its neighbour", () => {
    const mm = space();
    mm.mapArea(BASE, PAGE, RW, MAP_PRIVATE, null, 0);
    mm.mapArea(BASE + 1000 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, null, 0);
    expect(mm.writeU32(BASE + 500 * PAGE, 1)).toBe(0);
    expect(mm.writeU32(BASE + 100 * PAGE, 1)).toBe(-EFAULT);
  });

  test("is found a place from the top down, near a free hint, or refused", () => {
    const mm = space();
    const top = mm.layout.mmapTop;
    expect(mm.findFree(0, PAGE)).toBe(top - PAGE);
    mm.mapArea(top - PAGE, PAGE, RW, MAP_PRIVATE, null, 0);
    expect(mm.findFree(0, 3 * PAGE)).toBe(top - 4 * PAGE);
    mm.mapArea(top - 3 * PAGE, PAGE, RW, MAP_PRIVATE, null, 0);
    expect(mm.findFree(0, PAGE)).toBe(top - 2 * PAGE);
    expect(mm.findFree(0, 2 * PAGE)).toBe(top - 5 * PAGE);
    expect(mm.findFree(BASE, PAGE)).toBe(BASE);
    expect(mm.findFree(0, 2 ** 47)).toBe(2 ** 47);
    expect(mm.findFree(0, 2 ** 48)).toBe(-ENOMEM);
  });
});

describe("files", () => {
  test("private mappings share clean pages and copy written ones", () => {
    const file = new ArrayFile(new Uint8Array(20 * PAGE).fill(7));
    const mm = space();
    mm.mapArea(BASE, 20 * PAGE, RW, MAP_PRIVATE, file, 0);
    expect(mm.readU32(BASE + PAGE)).toBe(0x07070707);
    expect(mm.writeU32(BASE + PAGE, 1)).toBe(0);
    expect(mm.readU32(BASE + PAGE)).toBe(1);
    expect(file.bytes[PAGE]).toBe(7);
    expect(file.reads).toBe(1);
  });

  test("shared mappings write back what was written, and only that", () => {
    const file = new ArrayFile(new Uint8Array(2 * PAGE + 10));
    const mm = space();
    mm.mapArea(BASE, 3 * PAGE, RW, MAP_SHARED, file, 0);
    const other = mm.fork() as AddressSpace;
    spaces.push(other);
    mm.writeU32(BASE + 4, 9);
    expect(other.readU32(BASE + 4)).toBe(9);
    other.writeU32(BASE + 2 * PAGE + 4, 0x01020304);
    expect(file.bytes[4]).toBe(0);
    file.cache.writeBack();
    expect(file.bytes[4]).toBe(9);
    expect(Array.from(file.bytes.subarray(2 * PAGE))).toEqual([0, 0, 0, 0, 4, 3, 2, 1, 0, 0]);
    mm.writeU32(BASE + 4, 10);
    mm.unmap(BASE, BASE + 3 * PAGE);
    expect(file.bytes[4]).toBe(10);
  });

  test("pages past the end raise SIGBUS, also after truncation", () => {
    const file = new ArrayFile(new Uint8Array(2 * PAGE).fill(1));
    const mm = space();
    mm.mapArea(BASE, 3 * PAGE, PROT_READ, MAP_SHARED, file, 0);
    expect(mm.handleFault(BASE + 2 * PAGE, Access.read)).toBe(BUS + 2);
    expect(mm.readU32(BASE + PAGE)).toBe(0x01010101);
    file.bytes = file.bytes.subarray(0, 10);
    file.cache.truncate(10);
    expect(mm.readU32(BASE + PAGE)).toBe(-EFAULT);
    expect(mm.readU32(BASE + 8)).toBe(0x0101);
  });

  test("are held by their mappings, and let go", () => {
    const file = new ArrayFile(new Uint8Array(4 * PAGE));
    const mm = space();
    mm.mapArea(BASE, 4 * PAGE, RW, MAP_SHARED, file, 0);
    mm.unmap(BASE + PAGE, BASE + 2 * PAGE);
    expect(file.refs).toBe(2);
    const child = mm.fork() as AddressSpace;
    expect(file.refs).toBe(4);
    child.unref();
    expect(file.refs).toBe(2);
    mm.unmap(BASE, BASE + 4 * PAGE);
    expect(file.refs).toBe(0);
    expect(file.cache.isMapped).toBe(false);
  });

  test("anonymous shared memory is one memory after a fork and gone with its last mapping", () => {
    const mm = space();
    const before = mm.residentPages;
    const memory = new SharedMemory(2 * PAGE);
    mm.mapArea(BASE, 2 * PAGE, RW, MAP_SHARED, memory, 0);
    const child = mm.fork() as AddressSpace;
    child.writeU32(BASE, 5);
    expect(mm.readU32(BASE)).toBe(5);
    child.unref();
    mm.unmap(BASE, BASE + 2 * PAGE);
    expect(memory.cache.pageCount).toBe(0);
    expect(mm.residentPages).toBe(before);
  });
});

test("strings stop at the first NUL and at unreadable pages", () => {
  const mm = space();
  mm.mapArea(BASE, 2 * PAGE, RW, MAP_PRIVATE, null, 0);
  const text = Buffer.from(`${"x".repeat(PAGE - 1)}yz\0`, "latin1");
  mm.copyOutBytes(BASE, text, 0, text.length);
  expect(mm.readString(BASE + PAGE - 2, 10)).toBe("xyz");
  expect(mm.readString(BASE, 100)).toBe(-36);
  const end = Buffer.from("ab", "latin1");
  mm.copyOutBytes(BASE + 2 * PAGE - 2, end, 0, 2);
  expect(mm.readString(BASE + 2 * PAGE - 2, 10)).toBe(-EFAULT);
});
