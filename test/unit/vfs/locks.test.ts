// Record locks against a byte-by-byte model; deadlocks; what ends a lock.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { EAGAIN, EDEADLK } from "../../../src/abi/errno.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK, O_RDWR } from "../../../src/abi/fcntl.ts";
import { pipeInode } from "../../../src/fs/anon/anonymous-inode.ts";
import { EventFile } from "../../../src/fs/anon/eventfd.ts";
import { FdTable } from "../../../src/vfs/fd-table.ts";
import * as L from "../../../src/vfs/locks.ts";

const SIZE = 24;

const lock = (owner: L.LockOwner, type: number, start: number, end: number): L.RecordLock => ({
  owner,
  pid: 1,
  type,
  start,
  end,
});

test("locks behave as if each byte had its own", () => {
  const step = fc.record({
    who: fc.nat(2),
    type: fc.constantFrom(F_RDLCK, F_WRLCK, F_UNLCK),
    a: fc.nat(SIZE),
    b: fc.nat(SIZE),
    toEnd: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const inode = pipeInode(0, 0, 0);
      const owners = [new FdTable(4), new FdTable(4), new FdTable(4)];
      // held[owner][byte]: F_RDLCK, F_WRLCK or F_UNLCK; the last byte stands for all behind.
      const held = owners.map(() => new Array<number>(SIZE + 1).fill(F_UNLCK));
      for (const { who, type, a, b, toEnd } of steps) {
        const start = Math.min(a, b);
        const last = toEnd ? SIZE : Math.min(SIZE - 1, Math.max(a, b));
        if (last < start) continue;
        const end = toEnd ? L.LOCK_EOF : last + 1;
        let blocked = false;
        for (let byte = start; byte <= last; byte++) {
          for (let other = 0; other < 3; other++) {
            const theirs = held[other]![byte]!;
            if (other === who || theirs === F_UNLCK || type === F_UNLCK) continue;
            blocked ||= theirs === F_WRLCK || type === F_WRLCK;
          }
        }
        const result = L.setRecord(inode, lock(owners[who]!, type, start, end), false);
        expect(result).toBe(blocked ? -EAGAIN : 0);
        if (!blocked) held[who]!.fill(type, start, last + 1);
        checkAgainst(inode, owners, held);
      }
    }),
    { numRuns: 300 },
  );
});

function checkAgainst(inode: ReturnType<typeof pipeInode>, owners: FdTable[], held: number[][]): void {
  const records = L.recordLocks(inode);
  for (let who = 0; who < owners.length; who++) {
    for (let byte = 0; byte <= SIZE; byte++) {
      const at = byte === SIZE ? 1e6 : byte;
      const mine = records.filter((r) => r.owner === owners[who] && r.start <= at && at < r.end);
      expect(mine.map((r) => r.type)).toEqual(held[who]![byte] === F_UNLCK ? [] : [held[who]![byte]!]);
    }
  }
}

test("two owners that wait for each other are told so", () => {
  const [first, second] = [pipeInode(0, 0, 0), pipeInode(0, 0, 0)];
  const [a, b, c] = [new FdTable(4), new FdTable(4), new FdTable(4)];
  L.setRecord(first, lock(a, F_WRLCK, 0, 10), false);
  L.setRecord(second, lock(b, F_WRLCK, 0, 10), false);
  expect(L.setRecord(second, lock(a, F_WRLCK, 5, 6), true)).toBe(-EAGAIN);
  expect(L.setRecord(first, lock(c, F_RDLCK, 0, 1), true)).toBe(-EAGAIN);
  expect(L.setRecord(first, lock(b, F_RDLCK, 0, 1), true)).toBe(-EDEADLK);
  L.stopWaiting(a);
  expect(L.setRecord(first, lock(b, F_RDLCK, 0, 1), true)).toBe(-EAGAIN);
});

test("closing any descriptor of the file ends a process's locks on it", () => {
  const table = new FdTable(16);
  const file = new EventFile(O_RDWR, 0, false);
  const fd = table.install(file, false);
  const copy = table.duplicate(fd, 0, false);
  L.setRecord(file.inode, lock(table, F_WRLCK, 0, 1), false);
  expect(L.recordLocks(file.inode).length).toBe(1);
  table.close(copy);
  expect(L.recordLocks(file.inode).length).toBe(0);
});

test("flock locks belong to the open file and end with it", () => {
  const [a, b] = [new EventFile(O_RDWR, 0, false), new EventFile(O_RDWR, 0, false)];
  for (const file of [a, b]) file.onRelease(L.lockReleaser);
  expect(L.setWhole(a, F_RDLCK)).toBe(0);
  expect(L.setWhole(b, F_RDLCK)).toBe(0);
  expect(L.setWhole(a, F_WRLCK)).toBe(-EAGAIN);
  b.unref();
  expect(L.setWhole(a, F_WRLCK)).toBe(0);
  let woken = 0;
  L.lockQueue(a.inode).add({ wake: () => (woken += 1) });
  a.unref();
  expect(woken).toBeGreaterThan(0);
});
