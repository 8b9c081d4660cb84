// Bytes from file to file without passing the program: sendfile(2), copy_file_range(2), splice(2), tee(2), vmsplice(2);
// and the hints readahead(2), posix_fadvise(2) (fs/splice.c, fs/read_write.c, mm/fadvise.c).

import { EAGAIN, EBADF, EFAULT, EINVAL, EISDIR, EPIPE, ERESTARTSYS, ESPIPE, EXDEV } from "../abi/errno.ts";
import { O_APPEND, SEEK_CUR, SEEK_SET } from "../abi/fcntl.ts";
import { S_IFDIR, S_IFIFO, S_IFMT, S_IFREG } from "../abi/stat.ts";
import { anonymousInode } from "../fs/anon/anonymous-inode.ts";
import { PipeFile } from "../fs/pipe/pipe.ts";
import { type Op, Wake } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import type { WaitQueue } from "../lib/wait-queue.ts";
import type { IoBuffer } from "../mm/io-buffer.ts";
import { KernelBuffer } from "../mm/kernel-buffer.ts";
import { MAX_RW_COUNT } from "../mm/user-memory.ts";
import type { File } from "../vfs/file.ts";
import { openFile, readableFile, writableFile } from "./descriptor.ts";
import { brokenPipe, limitSize } from "./read-write.ts";
import { fd, flags, full, off, partial, type Row, row, size, struct, u32, value } from "./row.ts";

const CHUNK = 256 * 1024;
/** copy_file_range(2) may copy less than it was asked for: everything else waits for it. */
const COPY_MAX = 256 * CHUNK;
/** What one turn of a long transfer moves before others, and signals, have theirs. */
const TURN = 16 * CHUNK;
const stage = new KernelBuffer(new Uint8Array(CHUNK));

const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const SPLICE_F_MORE = 4;
const SPLICE_F_GIFT = 8;
const SPLICE_F_ALL = 15;
const SPLICE_NAMES = { SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT };

/** A transfer that may have to wait for one of its ends. */
interface Transfer {
  /** Moves what it can: bytes in all calls so far, 0 at the end, -EAGAIN to wait on `queue`, or -errno. */
  attempt(task: Task): number;
  /** A signal ends the wait: what was moved before, if that is more than nothing. */
  interrupted?(task: Task): number;
  /** Where to wait after -EAGAIN; null when the caller does not want to. */
  queue: WaitQueue | null;
  /** -EAGAIN only means that it is somebody else's turn. */
  yields?: boolean;
  /** Open files to hold while waiting. */
  readonly files: readonly File[];
}

class TransferOp implements Op {
  private readonly transfer: Transfer;

  constructor(transfer: Transfer) {
    this.transfer = transfer;
    for (const file of transfer.files) file.ref();
  }

  resume(task: Task, wake: Wake): number {
    const n = this.transfer.attempt(task);
    const signalled = n === -EAGAIN && mayWait(this.transfer);
    if (signalled && wake !== Wake.signal) return pause(task, this, this.transfer);
    const result = signalled ? (this.transfer.interrupted?.(task) ?? 0) : n;
    this.cancel();
    return signalled && result === 0 ? -ERESTARTSYS : result;
  }

  cancel(): void {
    for (const file of this.transfer.files) file.unref();
  }
}

function run(task: Task, transfer: Transfer): number {
  const n = transfer.attempt(task);
  if (n !== -EAGAIN || !mayWait(transfer)) return n;
  return pause(task, new TransferOp(transfer), transfer);
}

function mayWait(transfer: Transfer): boolean {
  return transfer.yields === true || transfer.queue !== null;
}

function pause(task: Task, op: TransferOp, transfer: Transfer): number {
  return transfer.yields === true ? task.block(op, null, 0) : task.block(op, transfer.queue);
}

/** A loff_t argument: the offset, NaN for a null pointer, -EFAULT, -EINVAL. */
function readOffset(task: Task, addr: number): number {
  if (addr === 0) return Number.NaN;
  const offset = task.mm.readU64(addr);
  return offset >= 2 ** 53 ? -EINVAL : offset;
}

/** Reads at an own position, or at the file's. */
class Place {
  readonly file: File;
  private readonly addr: number;
  pos: number;
  readonly own: boolean;

  constructor(file: File, addr: number, offset: number) {
    this.file = file;
    this.addr = addr;
    this.own = addr !== 0;
    this.pos = this.own ? offset : Math.max(0, file.seek(0, SEEK_CUR));
  }

  /** Moves the position by the bytes transferred, in the guest's variable or the file. */
  finish(task: Task, moved: number): number {
    if (moved <= 0) return moved;
    this.pos += moved;
    if (!this.own) this.file.seek(this.pos, SEEK_SET);
    else if (task.mm.writeU64(this.addr, this.pos) < 0) return -EFAULT;
    return moved;
  }
}

class SendFile implements Transfer {
  queue: WaitQueue | null = null;
  yields = false;
  readonly files: readonly File[];
  private readonly from: Place;
  private readonly to: File;
  private left: number;
  private done = 0;

  constructor(from: Place, to: File, count: number) {
    this.from = from;
    this.to = to;
    this.left = count;
    this.files = [from.file, to];
  }

  attempt(task: Task): number {
    const n = this.move(task);
    if (n === -EPIPE) brokenPipe(task);
    if (n === -EAGAIN && mayWait(this)) return n;
    return this.done > 0 ? this.from.finish(task, this.done) : n;
  }

  interrupted(task: Task): number {
    return this.from.finish(task, this.done);
  }

  /** Bytes are read anew when the sink did not take them: the source's position only follows what was written. */
  private move(task: Task): number {
    const { from, to } = this;
    this.yields = false;
    for (let turn = 0; this.left > 0; turn += CHUNK) {
      if (turn >= TURN) {
        this.yields = true;
        return -EAGAIN;
      }
      const want = Math.min(CHUNK, this.left);
      const n = from.file.readAt(stage.rewind(0, want), from.pos + this.done);
      if (n === -ESPIPE || n === -EISDIR) return -EINVAL;
      if (n <= 0) return n;
      const allowed = limitSize(task, to, to.pos, n);
      if (allowed < 0) return allowed;
      const written = to.write(stage.rewind(0, allowed));
      if (written === -EAGAIN) {
        // A pipe is filled once (splice_file_to_pipe); only other sinks get everything.
        if (this.done > 0 && to instanceof PipeFile) return 0;
        this.queue = to.nonblock ? null : to.waitQueue;
        return -EAGAIN;
      }
      if (written <= 0) return written;
      this.done += written;
      this.left -= written;
    }
    return 0;
  }
}

export function sys_sendfile(task: Task, outFd: number, inFd: number, offsetAddr: number, count: number): number {
  const offset = readOffset(task, offsetAddr);
  if (offset === -EFAULT) return offset;
  const from = readableFile(task, inFd);
  if (from === undefined) return -EBADF;
  if (offsetAddr !== 0 && !from.positional) return -ESPIPE;
  if (offset < 0) return offset;
  const to = writableFile(task, outFd);
  if (to === undefined) return -EBADF;
  if (from instanceof PipeFile) return -EINVAL;
  if ((to.flags & O_APPEND) !== 0 || from.inode === anonymousInode) return -EINVAL;
  if (to.inode === anonymousInode) return -EINVAL;
  return run(task, new SendFile(new Place(from, offsetAddr, offset), to, Math.min(count, MAX_RW_COUNT)));
}

export function sys_copy_file_range(
  task: Task,
  inFd: number,
  inAddr: number,
  outFd: number,
  outAddr: number,
  len: number,
  flags: number,
): number {
  const from = openFile(task, inFd);
  const to = openFile(task, outFd);
  if (from === undefined || to === undefined) return -EBADF;
  const inOffset = readOffset(task, inAddr);
  const outOffset = readOffset(task, outAddr);
  if (inOffset < 0) return inOffset;
  if (outOffset < 0) return outOffset;
  if (flags !== 0) return -EINVAL;
  if (type(from) === S_IFDIR || type(to) === S_IFDIR) return -EISDIR;
  if (type(from) !== S_IFREG || type(to) !== S_IFREG) return -EINVAL;
  if (!from.canRead || !to.canWrite || (to.flags & O_APPEND) !== 0) return -EBADF;
  if (from.inode.fs.type !== to.inode.fs.type) return -EXDEV;
  const source = new Place(from, inAddr, inOffset);
  const target = new Place(to, outAddr, outOffset);
  const available = Math.max(0, from.sizeBytes() - source.pos);
  const count = limitSize(task, to, target.pos, Math.min(len, COPY_MAX, available));
  if (count <= 0) return count;
  const same = from.inode.fs === to.inode.fs && from.inode.ino === to.inode.ino;
  if (same && source.pos < target.pos + count && target.pos < source.pos + count) return -EINVAL;
  const moved = copyRange(source, target, count);
  if (moved <= 0) return moved;
  const error = source.finish(task, moved);
  return error < 0 ? error : target.finish(task, moved);
}

function type(file: File): number {
  return file.inode.mode & S_IFMT;
}

function copyRange(source: Place, target: Place, count: number): number {
  let done = 0;
  while (done < count) {
    const n = source.file.readAt(stage.rewind(0, Math.min(CHUNK, count - done)), source.pos + done);
    if (n <= 0) return done > 0 ? done : n;
    const written = target.file.writeAt(stage.rewind(0, n), target.pos + done);
    if (written < 0) return done > 0 ? done : written;
    done += written;
    if (written < n) break;
  }
  return done;
}

/** Out of a pipe, into a pipe or any other file. */
class SpliceFromPipe implements Transfer {
  queue: WaitQueue | null = null;
  readonly files: readonly File[];
  private readonly from: PipeFile;
  private readonly to: File;
  /** Position in `to`; null for its own. */
  private readonly place: Place | null;
  private readonly len: number;
  private readonly nonblock: boolean;

  constructor(from: PipeFile, to: File, place: Place | null, len: number, nonblock: boolean) {
    this.from = from;
    this.to = to;
    this.place = place;
    this.len = len;
    this.nonblock = nonblock;
    this.files = [from, to];
  }

  attempt(task: Task): number {
    const n = this.move(task);
    if (n === -EPIPE) return brokenPipe(task);
    return this.place === null ? n : this.place.finish(task, n);
  }

  private move(task: Task): number {
    const input = this.from.pipe;
    if (input.buffer.used === 0) {
      if (input.writers === 0) return 0;
      this.queue = this.nonblock ? null : this.from.waitQueue;
      return -EAGAIN;
    }
    const n = this.to instanceof PipeFile ? this.toPipe(this.to, input.buffer) : this.toFile(task, input.buffer);
    if (n > 0) input.drained();
    return n;
  }

  private toPipe(to: PipeFile, buffer: PipeFile["pipe"]["buffer"]): number {
    if (to.pipe.readers === 0) return -EPIPE;
    const n = buffer.moveTo(to.pipe.buffer, this.len);
    if (n > 0) to.pipe.filled();
    if (n > 0) return n;
    this.queue = this.nonblock ? null : to.waitQueue;
    return -EAGAIN;
  }

  private toFile(task: Task, buffer: PipeFile["pipe"]["buffer"]): number {
    const { to, place } = this;
    let done = 0;
    while (done < this.len && buffer.used > 0) {
      const pos = place?.own ? place.pos + done : to.pos;
      const allowed = limitSize(task, to, pos, this.len - done);
      if (allowed < 0) return done > 0 ? done : allowed;
      const n = buffer.drain(allowed, (io: IoBuffer) => (place?.own ? to.writeAt(io, pos) : to.write(io)));
      if (n === -EAGAIN && done === 0) this.queue = this.nonblock || to.nonblock ? null : to.waitQueue;
      if (n <= 0) return done > 0 ? done : n;
      done += n;
    }
    return done;
  }
}

/** Out of a file into a pipe. */
class SpliceToPipe implements Transfer {
  queue: WaitQueue | null = null;
  readonly files: readonly File[];
  private readonly from: File;
  private readonly place: Place | null;
  private readonly to: PipeFile;
  private readonly len: number;
  private readonly nonblock: boolean;

  constructor(from: File, place: Place | null, to: PipeFile, len: number, nonblock: boolean) {
    this.from = from;
    this.place = place;
    this.to = to;
    this.len = len;
    this.nonblock = nonblock;
    this.files = [from, to];
  }

  attempt(task: Task): number {
    const { from, to, place } = this;
    if (to.pipe.readers === 0) return brokenPipe(task);
    if (to.pipe.buffer.full) {
      this.queue = this.nonblock ? null : to.waitQueue;
      return -EAGAIN;
    }
    const own = place?.own === true;
    const n = to.pipe.buffer.fill(this.len, (io) => (own ? from.readAt(io, place.pos) : from.read(io)));
    if (n === -EAGAIN) this.queue = this.nonblock || from.nonblock ? null : from.waitQueue;
    if (n === -EISDIR) return -EINVAL;
    if (n > 0) to.pipe.filled();
    return own ? place.finish(task, n) : n;
  }
}

export function sys_splice(
  task: Task,
  inFd: number,
  inAddr: number,
  outFd: number,
  outAddr: number,
  len: number,
  flags: number,
): number {
  if (len === 0) return 0;
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const from = openFile(task, inFd);
  const to = openFile(task, outFd);
  if (from === undefined || to === undefined) return -EBADF;
  const fromPipe = from instanceof PipeFile;
  const toPipe = to instanceof PipeFile;
  if ((fromPipe && inAddr !== 0) || (toPipe && outAddr !== 0)) return -ESPIPE;
  const offset = readOffset(task, fromPipe ? outAddr : inAddr);
  const other = readOffset(task, fromPipe ? inAddr : outAddr);
  if (offset === -EFAULT || other === -EFAULT) return -EFAULT;
  if (!from.canRead || !to.canWrite) return -EBADF;
  if (!fromPipe && !toPipe) return -EINVAL;
  if (fromPipe && toPipe && from.pipe === to.pipe) return -EINVAL;
  if ((outAddr !== 0 && !to.positional) || (inAddr !== 0 && !from.positional)) return -EINVAL;
  if (offset < 0) return offset;
  // Event descriptors have no splice operations.
  if (from.inode === anonymousInode || to.inode === anonymousInode) return -EINVAL;
  len = Math.min(len, MAX_RW_COUNT);
  const wanted = (flags & SPLICE_F_NONBLOCK) !== 0;
  if (fromPipe) {
    if (!toPipe && (to.flags & O_APPEND) !== 0) return -EINVAL;
    const nonblock = wanted || from.nonblock || (toPipe && to.nonblock);
    return run(
      task,
      new SpliceFromPipe(from, to, outAddr === 0 ? null : new Place(to, outAddr, offset), len, nonblock),
    );
  }
  if (!toPipe) return -EINVAL;
  const place = inAddr === 0 ? null : new Place(from, inAddr, offset);
  return run(task, new SpliceToPipe(from, place, to, len, wanted || to.nonblock));
}

class Tee implements Transfer {
  queue: WaitQueue | null = null;
  readonly files: readonly File[];
  private readonly from: PipeFile;
  private readonly to: PipeFile;
  private readonly len: number;
  private readonly nonblock: boolean;

  constructor(from: PipeFile, to: PipeFile, len: number, nonblock: boolean) {
    this.from = from;
    this.to = to;
    this.len = len;
    this.nonblock = nonblock;
    this.files = [from, to];
  }

  attempt(task: Task): number {
    const { from, to } = this;
    if (from.pipe.buffer.used === 0) {
      if (from.pipe.writers === 0) return 0;
      this.queue = this.nonblock ? null : from.waitQueue;
      return -EAGAIN;
    }
    if (to.pipe.readers === 0) return brokenPipe(task);
    const n = from.pipe.buffer.copyTo(to.pipe.buffer, this.len);
    if (n > 0) {
      to.pipe.filled();
      return n;
    }
    this.queue = this.nonblock ? null : to.waitQueue;
    return -EAGAIN;
  }
}

export function sys_tee(task: Task, inFd: number, outFd: number, len: number, flags: number): number {
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  if (len === 0) return 0;
  const from = readableFile(task, inFd);
  const to = writableFile(task, outFd);
  if (from === undefined || to === undefined) return -EBADF;
  if (!(from instanceof PipeFile) || !(to instanceof PipeFile) || from.pipe === to.pipe) return -EINVAL;
  const nonblock = (flags & SPLICE_F_NONBLOCK) !== 0 || from.nonblock || to.nonblock;
  return run(task, new Tee(from, to, Math.min(len, MAX_RW_COUNT), nonblock));
}

export function sys_vmsplice(task: Task, fd: number, iov: number, count: number, flags: number): number {
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof PipeFile)) return -EBADF;
  const io = task.mm.vector(iov, count);
  if (typeof io === "number") return io;
  if (io.remaining === 0) return 0;
  const writes = file.canWrite;
  const nonblock = (flags & SPLICE_F_NONBLOCK) !== 0;
  return run(task, {
    queue: nonblock ? null : file.waitQueue,
    files: [file],
    attempt: (task) => {
      const n = writes ? file.write(io) : file.read(io);
      return n === -EPIPE ? brokenPipe(task) : n;
    },
  });
}

export function sys_readahead(task: Task, fd: number, _offset: number, _count: number): number {
  const file = readableFile(task, fd);
  if (file === undefined) return -EBADF;
  return type(file) === S_IFREG ? 0 : -EINVAL;
}

const POSIX_FADV = {
  POSIX_FADV_NORMAL: 0,
  POSIX_FADV_RANDOM: 1,
  POSIX_FADV_SEQUENTIAL: 2,
  POSIX_FADV_WILLNEED: 3,
  POSIX_FADV_DONTNEED: 4,
  POSIX_FADV_NOREUSE: 5,
};

export function sys_fadvise64(task: Task, fd: number, _offset: number, len: number, advice: number): number {
  const file = openFile(task, fd);
  if (file === undefined) return -EBADF;
  if (type(file) === S_IFIFO) return -ESPIPE;
  if (len < 0 || advice < 0 || advice > POSIX_FADV.POSIX_FADV_NOREUSE) return -EINVAL;
  return 0;
}

export function rows(): Row[] {
  return [
    row(71, sys_sendfile, [fd, fd, struct("loff_t"), size], full()),
    row(75, sys_vmsplice, [fd, struct("iovec"), size, flags(SPLICE_NAMES)], partial("pages are copied")),
    row(76, sys_splice, [fd, struct("loff_t"), fd, struct("loff_t"), size, flags(SPLICE_NAMES)], full()),
    row(77, sys_tee, [fd, fd, size, flags(SPLICE_NAMES)], full()),
    row(213, sys_readahead, [fd, off, size], partial("a hint that changes nothing")),
    row(223, sys_fadvise64, [fd, off, off, value(POSIX_FADV)], partial("hints that change nothing")),
    row(285, sys_copy_file_range, [fd, struct("loff_t"), fd, struct("loff_t"), size, u32], full()),
  ];
}
