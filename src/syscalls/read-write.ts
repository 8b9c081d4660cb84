// read(2), write(2) and their vector and positional forms, lseek(2) (fs/read_write.c). The fast path allocates
// nothing; only a caller that must sleep gets an Op.

import { EAGAIN, EBADF, EFBIG, EINTR, EINVAL, EOPNOTSUPP, EPIPE, ERESTARTSYS, ESPIPE } from "../abi/errno.ts";
import { O_APPEND, O_NONBLOCK, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../abi/fcntl.ts";
import { IN_ACCESS, IN_MODIFY } from "../abi/inotify.ts";
import { RLIMIT_FSIZE } from "../abi/resource.ts";
import { SI_USER, SIGPIPE, SIGXFSZ } from "../abi/signal.ts";
import { S_IFMT, S_IFREG, S_ISGID, S_ISUID } from "../abi/stat.ts";
import { type Op, Wake } from "../kernel/op.ts";
import { SigInfo } from "../kernel/sig-info.ts";
import type { Task } from "../kernel/task.ts";
import type { UserBuffer } from "../mm/user-buffer.ts";
import { MAX_RW_COUNT } from "../mm/user-memory.ts";
import { dropPrivileges } from "../vfs/attributes.ts";
import type { File } from "../vfs/file.ts";
import { notifyIo } from "../vfs/notify.ts";
import { openFile, rangeError, readableFile, writableFile } from "./descriptor.ts";
import {
  addr,
  fd,
  flags,
  full,
  inBuf,
  type Names,
  off,
  outBuf,
  partial,
  type Row,
  row,
  size,
  struct,
  value,
} from "./row.ts";

const SET_ID = S_ISUID | S_ISGID;
const RWF_NOWAIT = 8;
const RWF_APPEND = 0x10;
const RWF_NOAPPEND = 0x20;
const RWF_NAMES = (): Names => ({
  RWF_HIPRI: 1,
  RWF_DSYNC: 2,
  RWF_SYNC: 4,
  RWF_NOWAIT,
  RWF_APPEND,
  RWF_NOAPPEND,
  RWF_DONTCACHE: 0x80,
});
const RWF_KNOWN = 0xbf;

export function sys_read(task: Task, fd: number, addr: number, count: number): number {
  const file = readableFile(task, fd);
  if (file === undefined) return -EBADF;
  if (addr + count > 2 ** 48) return file.reads ? rangeError(addr, count) : -EINVAL;
  const n = notifyIo(file, IN_ACCESS, file.read(task.mm.buffer(addr, count)));
  if (n !== -EAGAIN || file.nonblock) return n;
  return waitToRead(task, file, task.mm.buffer(addr, count));
}

export function sys_readv(task: Task, fd: number, iov: number, count: number): number {
  const file = readableFile(task, fd);
  if (file === undefined) return -EBADF;
  const io = task.mm.vector(iov, count);
  if (typeof io === "number") return file.reads ? io : -EINVAL;
  if (io.remaining === 0) return file.reads ? 0 : -EINVAL;
  const n = notifyIo(file, IN_ACCESS, file.read(io));
  if (n !== -EAGAIN || file.nonblock) return n;
  return waitToRead(task, file, io);
}

function waitToRead(task: Task, file: File, io: UserBuffer): number {
  const queue = file.waitQueue;
  if (queue === null) return -EAGAIN;
  const op = new ReadOp(file, io, deadlineOf(task, file.readTimeoutNs));
  return task.block(op, queue, op.deadlineNs);
}

/** When a wait that begins now ends. */
export function deadlineOf(task: Task, timeoutNs: number): number {
  return timeoutNs === Number.POSITIVE_INFINITY ? timeoutNs : task.kernel.clock.monotonicNs() + timeoutNs;
}

/** A wait that brought nothing, or `late` at its end: a limit of time makes it one that cannot be restarted (sock_intr_errno). */
export function nothingCame(wake: Wake, deadlineNs: number, late = EAGAIN): number {
  if (wake === Wake.timeout) return -late;
  return deadlineNs === Number.POSITIVE_INFINITY ? -ERESTARTSYS : -EINTR;
}

/** The file is resolved once: a sibling's close() must not redirect a sleeping read. */
class ReadOp implements Op {
  private readonly file: File;
  private readonly io: UserBuffer;
  readonly deadlineNs: number;

  constructor(file: File, io: UserBuffer, deadlineNs: number) {
    this.file = file.ref();
    this.io = io.clone();
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    const n = notifyIo(this.file, IN_ACCESS, this.file.read(this.io));
    if (n === -EAGAIN && wake === Wake.event) return task.block(this, this.file.waitQueue, this.deadlineNs);
    this.file.unref();
    return n === -EAGAIN ? nothingCame(wake, this.deadlineNs) : n;
  }

  cancel(): void {
    this.file.unref();
  }
}

export function sys_write(task: Task, fd: number, addr: number, count: number): number {
  const file = writableFile(task, fd);
  if (file === undefined) return -EBADF;
  if (addr + count > 2 ** 48) return file.writes ? rangeError(addr, count) : -EINVAL;
  if (task.group.limits.get(RLIMIT_FSIZE) !== Number.POSITIVE_INFINITY) {
    count = limitSize(task, file, appendPosition(file), count);
    if (count < 0) return count;
  }
  const io = task.mm.buffer(addr, count);
  const n = wrote(task, file, file.write(io));
  // Devices that throw data away do not look at it.
  return n === count || io.remaining === 0 ? n : writeRest(task, file, io, n);
}

export function sys_writev(task: Task, fd: number, iov: number, count: number): number {
  const file = writableFile(task, fd);
  if (file === undefined) return -EBADF;
  const io = task.mm.vector(iov, count);
  if (typeof io === "number") return file.writes ? io : -EINVAL;
  if (io.remaining === 0) return file.writes ? 0 : -EINVAL;
  const allowed = limitSize(task, file, appendPosition(file), io.remaining);
  if (allowed < 0) return allowed;
  if (allowed < io.remaining) io.truncate(allowed);
  const total = io.remaining;
  const n = wrote(task, file, file.write(io));
  return n === total || io.remaining === 0 ? n : writeRest(task, file, io, n);
}

/** After a write: whoever may not keep set-user-ID bits loses them, and watchers hear of it. Returns `n`. */
function wrote(task: Task, file: File, n: number): number {
  if (n > 0 && (file.inode.mode & SET_ID) !== 0) dropPrivileges(file.inode, task.cred);
  return notifyIo(file, IN_MODIFY, n);
}

/** After the first attempt moved `n` bytes, not all: the caller's result, or the wait for room. */
function writeRest(task: Task, file: File, io: UserBuffer, n: number): number {
  if (n === -EPIPE) return brokenPipe(task);
  if ((n < 0 && n !== -EAGAIN) || file.nonblock || file.waitQueue === null) return n;
  const op = new WriteOp(file, io, Math.max(0, n), deadlineOf(task, file.writeTimeoutNs));
  return n === -EAGAIN ? task.block(op, file.waitQueue, op.deadlineNs) : op.resume(task, Wake.event);
}

/** Writes until everything is written; a signal or an error ends it with what has been. */
class WriteOp implements Op {
  private readonly file: File;
  private readonly io: UserBuffer;
  private done: number;
  readonly deadlineNs: number;

  constructor(file: File, io: UserBuffer, done: number, deadlineNs: number) {
    this.file = file.ref();
    this.io = io.clone();
    this.done = done;
    this.deadlineNs = deadlineNs;
  }

  resume(task: Task, wake: Wake): number {
    let n = 0;
    while (this.io.remaining > 0) {
      n = wrote(task, this.file, this.file.write(this.io));
      if (n <= 0) break;
      this.done += n;
    }
    if (n === -EAGAIN && wake === Wake.event) return task.block(this, this.file.waitQueue, this.deadlineNs);
    this.file.unref();
    if (n === -EPIPE) brokenPipe(task);
    if (this.done > 0) return this.done;
    return n === -EAGAIN ? nothingCame(wake, this.deadlineNs) : n;
  }

  cancel(): void {
    this.file.unref();
  }
}

/** Raises SIGPIPE; the result of the write. */
export function brokenPipe(task: Task): number {
  task.sendSignal(SIGPIPE, SigInfo.from(SIGPIPE, SI_USER, task.tgid, task.cred.uid));
  return -EPIPE;
}

function appendPosition(file: File): number {
  return (file.flags & O_APPEND) !== 0 ? file.sizeBytes() : file.pos;
}

/** RLIMIT_FSIZE (generic_write_check_limits): how many of `count` bytes may be written at `pos`, or -EFBIG with SIGXFSZ. */
export function limitSize(task: Task, file: File, pos: number, count: number): number {
  const limit = task.group.limits.get(RLIMIT_FSIZE);
  if (limit === Number.POSITIVE_INFINITY || (file.inode.mode & S_IFMT) !== S_IFREG || count === 0) return count;
  if (pos < limit) return Math.min(count, limit - pos);
  task.sendSignal(SIGXFSZ, SigInfo.from(SIGXFSZ, SI_USER, task.tgid, task.cred.uid));
  return -EFBIG;
}

export function sys_pread64(task: Task, fd: number, addr: number, count: number, pos: number): number {
  const file = positionalFile(task, fd, pos);
  if (typeof file === "number") return file;
  if (!file.canRead) return -EBADF;
  if (addr + count > 2 ** 48) return rangeError(addr, count);
  return notifyIo(file, IN_ACCESS, file.readAt(task.mm.buffer(addr, count), pos));
}

export function sys_pwrite64(task: Task, fd: number, addr: number, count: number, pos: number): number {
  const file = positionalFile(task, fd, pos);
  if (typeof file === "number") return file;
  if (!file.canWrite) return -EBADF;
  if (addr + count > 2 ** 48) return rangeError(addr, count);
  if (task.group.limits.get(RLIMIT_FSIZE) !== Number.POSITIVE_INFINITY) {
    count = limitSize(task, file, pos, Math.min(count, MAX_RW_COUNT));
    if (count < 0) return count;
  }
  return wrote(task, file, file.writeAt(task.mm.buffer(addr, count), pos));
}

/** For the calls that bring a position: the open file, -EINVAL, -EBADF, -ESPIPE. */
function positionalFile(task: Task, fd: number, pos: number): File | number {
  if (pos < 0) return -EINVAL;
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  return file.positional ? file : -ESPIPE;
}

export function sys_preadv(task: Task, fd: number, iov: number, count: number, pos: number): number {
  const file = positionalFile(task, fd, pos);
  if (typeof file === "number") return file;
  if (!file.canRead) return -EBADF;
  const io = task.mm.vector(iov, count);
  if (typeof io === "number") return io;
  return io.remaining === 0 ? 0 : notifyIo(file, IN_ACCESS, file.readAt(io, pos));
}

export function sys_pwritev(task: Task, fd: number, iov: number, count: number, pos: number): number {
  const file = positionalFile(task, fd, pos);
  if (typeof file === "number") return file;
  if (!file.canWrite) return -EBADF;
  const io = task.mm.vector(iov, count);
  if (typeof io === "number") return io;
  if (io.remaining === 0) return 0;
  const allowed = limitSize(task, file, pos, io.remaining);
  if (allowed < 0) return allowed;
  if (allowed < io.remaining) io.truncate(allowed);
  return wrote(task, file, file.writeAt(io, pos));
}

export function sys_preadv2(
  task: Task,
  fd: number,
  iov: number,
  count: number,
  pos: number,
  _posHigh: number,
  rwf: number,
): number {
  if (pos < -1) return -EINVAL;
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  if (pos !== -1 && !file.positional) return -ESPIPE;
  if (!file.canRead) return -EBADF;
  if ((rwf & ~RWF_KNOWN) !== 0) return -EOPNOTSUPP;
  if ((rwf & RWF_APPEND) !== 0 && (rwf & RWF_NOAPPEND) !== 0) return -EINVAL;
  if (pos === -1) return withNowait(file, rwf, () => sys_readv(task, fd, iov, count));
  return sys_preadv(task, fd, iov, count, pos);
}

export function sys_pwritev2(
  task: Task,
  fd: number,
  iov: number,
  count: number,
  pos: number,
  _posHigh: number,
  rwf: number,
): number {
  if (pos < -1) return -EINVAL;
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  if (pos !== -1 && !file.positional) return -ESPIPE;
  if (!file.canWrite) return -EBADF;
  if ((rwf & ~RWF_KNOWN) !== 0) return -EOPNOTSUPP;
  if ((rwf & RWF_APPEND) !== 0 && (rwf & RWF_NOAPPEND) !== 0) return -EINVAL;
  const saved = file.flags;
  if ((rwf & RWF_APPEND) !== 0) file.flags |= O_APPEND;
  if ((rwf & RWF_NOAPPEND) !== 0) file.flags &= ~O_APPEND;
  const n =
    pos === -1 ? withNowait(file, rwf, () => sys_writev(task, fd, iov, count)) : sys_pwritev(task, fd, iov, count, pos);
  file.flags = saved;
  return n;
}

/** RWF_NOWAIT is O_NONBLOCK for one call. */
function withNowait(file: File, rwf: number, call: () => number): number {
  if ((rwf & RWF_NOWAIT) === 0 || file.nonblock) return call();
  file.flags |= O_NONBLOCK;
  const n = call();
  file.flags &= ~O_NONBLOCK;
  return n;
}

export function sys_lseek(task: Task, fd: number, offset: number, whence: number): number {
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  if (whence < SEEK_SET || whence > SEEK_HOLE) return -EINVAL;
  return file.seek(offset, whence);
}

const whence = value(() => ({ SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE }));

export function rows(): Row[] {
  return [
    row(62, sys_lseek, [fd, off, whence], full()),
    row(63, sys_read, [fd, outBuf(2), size], full()),
    row(64, sys_write, [fd, inBuf(2), size], full()),
    row(65, sys_readv, [fd, struct("iovec"), size], full()),
    row(66, sys_writev, [fd, struct("iovec"), size], full()),
    row(67, sys_pread64, [fd, outBuf(2), size, off], full()),
    row(68, sys_pwrite64, [fd, inBuf(2), size, off], full()),
    row(69, sys_preadv, [fd, struct("iovec"), size, off], full()),
    row(70, sys_pwritev, [fd, struct("iovec"), size, off], full()),
    row(286, sys_preadv2, [fd, struct("iovec"), size, off, addr, flags(RWF_NAMES)], partial("RWF_ATOMIC is refused")),
    row(287, sys_pwritev2, [fd, struct("iovec"), size, off, addr, flags(RWF_NAMES)], partial("RWF_ATOMIC is refused")),
  ];
}
