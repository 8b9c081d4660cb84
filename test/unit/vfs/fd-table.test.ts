import { afterEach, beforeEach, expect, test } from "bun:test";
import { EBADF, EINVAL, EMFILE } from "../../../src/abi/errno.ts";
import { FdTable } from "../../../src/vfs/fd-table.ts";
import { File } from "../../../src/vfs/file.ts";
import type { Inode } from "../../../src/vfs/inode.ts";

class CountedFile extends File {
  readonly inode = null as unknown as Inode;
  released = 0;
  protected override release(): void {
    this.released += 1;
  }
}

function filled(count: number, limit = 100): { table: FdTable; files: CountedFile[] } {
  const table = new FdTable(limit);
  const files = Array.from({ length: count }, () => new CountedFile(0));
  files.forEach((file, i) => {
    expect(table.install(file, false)).toBe(i);
  });
  return { table, files };
}

const hook = FdTable.closeHook;
beforeEach(() => {
  FdTable.closeHook = null;
});
afterEach(() => {
  FdTable.closeHook = hook;
});

test("the lowest free descriptor is taken, up to the limit", () => {
  const { table } = filled(4, 5);
  expect(table.close(1)).toBe(0);
  expect(table.close(1)).toBe(-EBADF);
  expect(table.install(new CountedFile(0), false, 2)).toBe(4);
  expect(table.install(new CountedFile(0), false)).toBe(1);
  expect(table.install(new CountedFile(0), false)).toBe(-EMFILE);
});

test("dup shares the file and clears close-on-exec unless asked", () => {
  const { table, files } = filled(1);
  table.setCloexec(0, true);
  expect(table.duplicate(0, 10, false)).toBe(10);
  expect(table.cloexec(10)).toBe(false);
  expect(table.duplicate(0, 10, true)).toBe(11);
  expect(table.cloexec(11)).toBe(true);
  expect(table.duplicate(7, 0, false)).toBe(-EBADF);
  expect(table.duplicate(0, 100, false)).toBe(-EINVAL);
  for (const fd of [0, 10]) table.close(fd);
  expect(files[0]!.released).toBe(0);
  table.close(11);
  expect(files[0]!.released).toBe(1);
});

test("dup3 closes what was there and refuses equal and impossible descriptors", () => {
  const { table, files } = filled(2);
  expect(table.duplicateTo(0, 0, false)).toBe(-EINVAL);
  expect(table.duplicateTo(0, 100, false)).toBe(-EBADF);
  expect(table.duplicateTo(5, 1, false)).toBe(-EBADF);
  expect(table.duplicateTo(0, 1, true)).toBe(1);
  expect(files[1]!.released).toBe(1);
  expect(table.get(1)).toBe(files[0]);
  expect(table.duplicateTo(0, 99, false)).toBe(99);
  expect(table.end).toBe(100);
  expect(table.close(99)).toBe(0);
  expect(table.end).toBe(2);
});

test("a fork holds the same files; the last table closes them", () => {
  const { table, files } = filled(2);
  table.setCloexec(1, true);
  const child = table.fork();
  table.ref();
  table.unref();
  table.unref();
  expect(files[0]!.released).toBe(0);
  child.closeOnExec();
  expect(child.get(1)).toBeUndefined();
  expect(files[1]!.released).toBe(1);
  expect([...child].map(([fd]) => fd)).toEqual([0]);
  child.unref();
  expect(files[0]!.released).toBe(1);
});

test("ranges close or mark, far beyond the last descriptor too", () => {
  const { table } = filled(6);
  table.cloexecRange(4, 0xffffffff);
  expect([3, 4, 5].map((fd) => table.cloexec(fd))).toEqual([false, true, true]);
  table.closeRange(1, 3);
  expect([...table].map(([fd]) => fd)).toEqual([0, 4, 5]);
  expect(table.lowestFree()).toBe(1);
});

test("every close tells the hook, so that POSIX locks end with any descriptor", () => {
  const { table, files } = filled(1);
  const seen: File[] = [];
  FdTable.closeHook = (_table, file) => seen.push(file);
  table.duplicate(0, 0, false);
  table.close(1);
  expect(seen).toEqual([files[0]!]);
});
