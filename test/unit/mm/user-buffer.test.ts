import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EBADF, EFAULT } from "../../../src/abi/errno.ts";
import { MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../src/abi/mman.ts";
import { shim } from "../../../src/host/shim.ts";
import { AddressSpace, PAGE } from "../../../src/mm/address-space.ts";
import { Layout } from "../../../src/mm/layout.ts";

const RW = PROT_READ | PROT_WRITE;
const BASE = 0x40_0000_0000;

let mm: AddressSpace;
let folder: string;
let fd: number;

beforeEach(() => {
  shim.mem_reset();
  shim.mem_init(0, 0);
  mm = AddressSpace.create(new Layout(() => 0)) as AddressSpace;
  folder = mkdtempSync(join(tmpdir(), "carrick-user-buffer-"));
  writeFileSync(join(folder, "f"), new Uint8Array(3 * PAGE).fill(7));
  fd = openSync(join(folder, "f"), "r+");
});
afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
  mm.unref();
});

test("a read at an offset brings in the pages that it fills, and no others", () => {
  mm.mapArea(BASE, 8 * PAGE, RW, MAP_PRIVATE, null, 0);
  mm.writeU32(BASE, 1);
  mm.writeU32(BASE + 2 * PAGE, 1);
  const io = mm.buffer(BASE + 4, 8 * PAGE - 4);
  expect(io.hostRead(fd, PAGE)).toBe(2 * PAGE);
  expect(io.remaining).toBe(6 * PAGE - 4);
  expect([BASE, BASE + 4, BASE + PAGE, BASE + 2 * PAGE].map((addr) => mm.readU32(addr))).toEqual([
    1, 0x07070707, 0x07070707, 0x07070707,
  ]);
  expect(io.hostRead(fd, 3 * PAGE)).toBe(0);
  expect(mm.buffer(BASE, 8 * PAGE).hostRead(fd, 0, PAGE + 5)).toBe(PAGE + 5);
});

test("a transfer at an offset ends where the memory does", () => {
  mm.mapArea(BASE, 2 * PAGE, RW, MAP_PRIVATE, null, 0);
  expect(mm.buffer(BASE + 2 * PAGE - 10, 100).hostRead(fd, 0)).toBe(10);
  expect(mm.buffer(BASE + 2 * PAGE, 100).hostRead(fd, 0)).toBe(-EFAULT);
  expect(mm.buffer(BASE + 2 * PAGE, 100).hostWrite(fd, 0)).toBe(-EFAULT);
  expect(mm.buffer(BASE, 100).hostWrite(-1, 0)).toBe(-EBADF);
  expect(mm.buffer(BASE, 3 * PAGE).hostWrite(fd, PAGE)).toBe(2 * PAGE);
  const written = readFileSync(join(folder, "f"));
  expect([written[PAGE - 1], written[PAGE], written[3 * PAGE - 1], written.length]).toEqual([7, 0, 7, 3 * PAGE]);
});
