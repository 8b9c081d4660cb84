// The lock commands of fcntl(2), and flock(2).

import { EAGAIN, EBADF, EFAULT, EINVAL, EOVERFLOW, ERESTARTSYS } from "../abi/errno.ts";
import * as F from "../abi/fcntl.ts";
import { type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import type { File } from "../vfs/file.ts";
import {
  blockingRecord,
  LOCK_EOF,
  lockQueue,
  lockReleaser,
  type RecordLock,
  setRecord,
  setWhole,
  stopWaiting,
} from "../vfs/locks.ts";
import { openFile } from "./descriptor.ts";
import { fd, flags, full, type Row, row } from "./row.ts";

/** struct flock: l_type, l_whence, l_start, l_len, l_pid. */
const FLOCK_BYTES = 32;
const bytes = new Uint8Array(FLOCK_BYTES);
const view = new DataView(bytes.buffer);
const OFFSET_MAX = 2 ** 63;

function i64(at: number): number {
  return view.getUint32(at, true) + view.getInt32(at + 4, true) * 4294967296;
}
function setI64(at: number, value: number): void {
  view.setUint32(at, value % 4294967296, true);
  view.setInt32(at + 4, Math.floor(value / 4294967296), true);
}

/** Reads struct flock and makes the range absolute; -EFAULT, -EINVAL, -EOVERFLOW. */
function readLock(task: Task, file: File, addr: number, ofd: boolean): RecordLock | number {
  if (task.mm.copyInBytes(addr, bytes, 0, FLOCK_BYTES) !== FLOCK_BYTES) return -EFAULT;
  const type = view.getInt16(0, true);
  const whence = view.getInt16(2, true);
  if (whence < F.SEEK_SET || whence > F.SEEK_END) return -EINVAL;
  if (ofd && view.getInt32(24, true) !== 0) return -EINVAL;
  const base = whence === F.SEEK_SET ? 0 : whence === F.SEEK_CUR ? file.pos : file.sizeBytes();
  const len = i64(16);
  let start = base + i64(8);
  if (start >= OFFSET_MAX) return -EOVERFLOW;
  let end = len === 0 ? LOCK_EOF : start + len;
  if (len < 0) [start, end] = [end, start];
  if (start < 0) return -EINVAL;
  if (end !== LOCK_EOF && end > OFFSET_MAX) return -EOVERFLOW;
  if (type !== F.F_RDLCK && type !== F.F_WRLCK && type !== F.F_UNLCK) return -EINVAL;
  return { owner: ofd ? file : task.files, pid: ofd ? -1 : task.tgid, type, start, end };
}

/** F_GETLK, F_OFD_GETLK. */
export function queryLock(task: Task, file: File, addr: number, ofd: boolean): number {
  const wanted = readLock(task, file, addr, ofd);
  if (typeof wanted === "number") return wanted;
  if (!ofd && wanted.type === F.F_UNLCK) return -EINVAL;
  const held = blockingRecord(file.inode, wanted);
  view.setInt16(0, held === undefined ? F.F_UNLCK : held.type, true);
  if (held !== undefined) {
    view.setInt16(2, F.SEEK_SET, true);
    setI64(8, held.start);
    setI64(16, held.end === LOCK_EOF ? 0 : held.end - held.start);
    view.setInt32(24, held.pid, true);
  }
  return task.mm.copyOutBytes(addr, bytes, 0, FLOCK_BYTES) === FLOCK_BYTES ? 0 : -EFAULT;
}

/** F_SETLK, F_SETLKW and their OFD forms. */
export function setLock(task: Task, file: File, addr: number, ofd: boolean, wait: boolean): number {
  const lock = readLock(task, file, addr, ofd);
  if (typeof lock === "number") return lock;
  if (lock.type === F.F_RDLCK && !file.canRead) return -EBADF;
  if (lock.type === F.F_WRLCK && !file.canWrite) return -EBADF;
  if (ofd) file.onRelease(lockReleaser);
  const result = setRecord(file.inode, lock, wait);
  if (result !== -EAGAIN || !wait) return result;
  return task.block(new RecordLockOp(file, lock), lockQueue(file.inode));
}

class RecordLockOp implements Op {
  private readonly file: File;
  private readonly lock: RecordLock;

  constructor(file: File, lock: RecordLock) {
    this.file = file.ref();
    this.lock = lock;
  }

  resume(task: Task, wake: Wake): number {
    const result = setRecord(this.file.inode, this.lock, true);
    if (result === -EAGAIN && wake !== Wake.signal) return task.block(this, lockQueue(this.file.inode));
    this.cancel();
    return result === -EAGAIN ? -ERESTARTSYS : result;
  }

  cancel(): void {
    stopWaiting(this.lock.owner);
    this.file.unref();
  }
}

export function sys_flock(task: Task, fd: number, operation: number): number {
  // Mandatory locks never worked; Linux ignores the request.
  if ((operation & F.LOCK_MAND) !== 0) return 0;
  const type = flockType(operation & ~F.LOCK_NB);
  if (type < 0) return type;
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  if (type !== F.F_UNLCK) file.onRelease(lockReleaser);
  const result = setWhole(file, type);
  if (result !== -EAGAIN || (operation & F.LOCK_NB) !== 0) return result;
  return task.block(new FlockOp(file, type), lockQueue(file.inode));
}

function flockType(operation: number): number {
  if (operation === F.LOCK_SH) return F.F_RDLCK;
  if (operation === F.LOCK_EX) return F.F_WRLCK;
  return operation === F.LOCK_UN ? F.F_UNLCK : -EINVAL;
}

class FlockOp implements Op {
  private readonly file: File;
  private readonly type: number;

  constructor(file: File, type: number) {
    this.file = file.ref();
    this.type = type;
  }

  resume(task: Task, wake: Wake): number {
    const result = setWhole(this.file, this.type);
    if (result === -EAGAIN && wake !== Wake.signal) return task.block(this, lockQueue(this.file.inode));
    this.file.unref();
    return result === -EAGAIN ? -ERESTARTSYS : result;
  }

  cancel(): void {
    this.file.unref();
  }
}

const LOCK_NAMES = { LOCK_SH: F.LOCK_SH, LOCK_EX: F.LOCK_EX, LOCK_UN: F.LOCK_UN, LOCK_NB: F.LOCK_NB };

export function rows(): Row[] {
  return [row(32, sys_flock, [fd, flags(LOCK_NAMES)], full())];
}
