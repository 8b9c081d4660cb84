// File locks (fs/locks.c): POSIX record locks and open-file-description locks on byte ranges, flock(2) locks on whole
// files. Lists hang on the inode; a lock belongs to a descriptor table (POSIX) or to an open file (OFD, flock).

import { EAGAIN, EDEADLK } from "../abi/errno.ts";
import { F_UNLCK, F_WRLCK, O_PATH } from "../abi/fcntl.ts";
import { WaitQueue } from "../lib/wait-queue.ts";
import { FdTable } from "./fd-table.ts";
import type { File } from "./file.ts";
import type { Inode } from "./inode.ts";
import { InodeMap } from "./inode-map.ts";

/** End of a range that reaches to the end of the file, however it grows. */
export const LOCK_EOF = Number.POSITIVE_INFINITY;

/** Who owns a lock: a descriptor table for POSIX locks, an open file for the others. */
export type LockOwner = FdTable | File;

export interface RecordLock {
  readonly owner: LockOwner;
  /** What F_GETLK reports: the process that took it, -1 for OFD locks. */
  readonly pid: number;
  /** F_RDLCK or F_WRLCK. */
  readonly type: number;
  /** First byte, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

class LockContext {
  readonly inode: Inode;
  /** Record locks; those of one owner never overlap. */
  records: RecordLock[] = [];
  /** flock(2): holders and their mode. */
  readonly whole = new Map<File, number>();
  /** Woken when a lock was released or weakened. */
  readonly released = new WaitQueue();

  constructor(inode: Inode) {
    this.inode = inode;
  }

  dropIfEmpty(): void {
    if (this.records.length === 0 && this.whole.size === 0 && this.released.empty) contexts.delete(this.inode);
  }
}

const contexts = new InodeMap<LockContext>();

function contextOf(inode: Inode): LockContext {
  let context = contexts.get(inode);
  if (context === undefined) {
    context = new LockContext(inode);
    contexts.set(inode, context);
  }
  return context;
}

/** The queue on which to wait for locks of the inode. */
export function lockQueue(inode: Inode): WaitQueue {
  return contextOf(inode).released;
}

function conflicts(held: RecordLock, wanted: RecordLock): boolean {
  if (held.owner === wanted.owner) return false;
  if (held.type !== F_WRLCK && wanted.type !== F_WRLCK) return false;
  return overlap(held, wanted);
}

function overlap(held: RecordLock, wanted: RecordLock): boolean {
  return held.start < wanted.end && wanted.start < held.end;
}

/** F_GETLK: the first lock that would block `wanted`; with F_UNLCK as its type the first that its owner holds there. */
export function blockingRecord(inode: Inode, wanted: RecordLock): RecordLock | undefined {
  const own = (held: RecordLock) => held.owner === wanted.owner && overlap(held, wanted);
  const others = (held: RecordLock) => conflicts(held, wanted);
  return contexts.get(inode)?.records.find(wanted.type === F_UNLCK ? own : others);
}

/** Owners that sleep for a record lock, and what they want: the edges of the wait graph. */
const waiting = new Map<LockOwner, { inode: Inode; wanted: RecordLock }>();
const DEADLOCK_STEPS = 10;

/** Whether `owner` must not sleep, because the holder of what it wants waits for `owner`, directly or over others. */
function wouldDeadlock(owner: LockOwner, blocker: RecordLock): boolean {
  let holder = blocker.owner;
  for (let step = 0; step < DEADLOCK_STEPS; step++) {
    if (holder === owner) return true;
    const wait = waiting.get(holder);
    const next = wait === undefined ? undefined : blockingRecord(wait.inode, wait.wanted);
    if (next === undefined) return false;
    holder = next.owner;
  }
  return false;
}

/**
 * F_SETLK: takes or, with F_UNLCK as `lock.type`, releases a range. 0, or -EAGAIN when others hold it. With `wait`
 * the caller is going to sleep on `lockQueue`: -EDEADLK when that would never end.
 */
export function setRecord(inode: Inode, lock: RecordLock, wait: boolean): number {
  const context = contextOf(inode);
  const blocker = lock.type === F_UNLCK ? undefined : context.records.find((held) => conflicts(held, lock));
  if (blocker !== undefined) {
    const posix = lock.owner instanceof FdTable;
    if (wait && posix && wouldDeadlock(lock.owner, blocker)) return -EDEADLK;
    if (wait) waiting.set(lock.owner, { inode, wanted: lock });
    return -EAGAIN;
  }
  waiting.delete(lock.owner);
  if (replaceRange(context, lock)) context.released.wake();
  context.dropIfEmpty();
  return 0;
}

/** The owner has given up waiting. */
export function stopWaiting(owner: LockOwner): void {
  waiting.delete(owner);
}

/** Cuts what the owner held in the range out and puts `lock` in its place. Whether others may profit. */
function replaceRange(context: LockContext, lock: RecordLock): boolean {
  const kept: RecordLock[] = [];
  let { start, end } = lock;
  let weakened = false;
  for (const held of context.records) {
    const touches = held.owner === lock.owner && held.start <= end && start <= held.end;
    if (!touches) {
      kept.push(held);
    } else if (held.type === lock.type) {
      start = Math.min(start, held.start);
      end = Math.max(end, held.end);
    } else {
      weakened ||= held.start < lock.end && lock.start < held.end;
      if (held.start < lock.start) kept.push({ ...held, end: Math.min(held.end, lock.start) });
      if (held.end > lock.end) kept.push({ ...held, start: Math.max(held.start, lock.end) });
    }
  }
  if (lock.type !== F_UNLCK) kept.push({ ...lock, start, end });
  context.records = kept.sort((a, b) => a.start - b.start);
  return weakened;
}

/** All record locks of `owner` on the inode end. */
export function releaseRecords(inode: Inode, owner: LockOwner): void {
  const context = contexts.get(inode);
  if (context === undefined) return;
  const before = context.records.length;
  context.records = context.records.filter((held) => held.owner !== owner);
  if (context.records.length < before) context.released.wake();
  context.dropIfEmpty();
}

/** flock(2) with F_RDLCK (shared), F_WRLCK (exclusive) or F_UNLCK: 0 or -EAGAIN. A conversion drops the old lock first. */
export function setWhole(file: File, type: number): number {
  const context = contextOf(file.inode);
  const had = context.whole.get(file);
  if (had === type) return 0;
  if (had !== undefined) {
    context.whole.delete(file);
    context.released.wake();
  }
  let result = 0;
  if (type !== F_UNLCK) {
    for (const held of context.whole.values()) if (held === F_WRLCK || type === F_WRLCK) result = -EAGAIN;
    if (result === 0) context.whole.set(file, type);
  }
  context.dropIfEmpty();
  return result;
}

/** The last descriptor of an open file is gone: its flock and OFD locks end. */
export const lockReleaser = {
  fileReleased(file: File): void {
    setWhole(file, F_UNLCK);
    releaseRecords(file.inode, file);
  },
};

/** Any close of any descriptor that opened the file ends the POSIX locks that the table's process has on it. */
FdTable.closeHook = (table, file) => {
  if ((file.flags & O_PATH) === 0 && contexts.get(file.inode) !== undefined) releaseRecords(file.inode, table);
};

/** Every lock, for /proc/locks: the inode, and the record or the flock mode. */
export function recordLocks(inode: Inode): readonly RecordLock[] {
  return contexts.get(inode)?.records ?? [];
}
