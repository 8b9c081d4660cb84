// The descriptor table of a process (fs/file.c: struct files_struct), shared with CLONE_FILES and copied by fork.

import { EBADF, EINVAL, EMFILE } from "../abi/errno.ts";
import type { File } from "./file.ts";

/** Descriptors end here whatever RLIMIT_NOFILE says (fs.nr_open). */
export const NR_OPEN = 1048576;

/** Told when a table lets go of a file: POSIX locks that the table holds on it end (locks_remove_posix). */
type CloseHook = (table: FdTable, file: File) => void;

export class FdTable {
  /** RLIMIT_NOFILE's soft value: the first descriptor that cannot be made. */
  limit: number;
  private files: (File | undefined)[] = [];
  private closeOnExecBits: Uint32Array = new Uint32Array(4);
  /** No descriptor below this one is free. */
  private firstFree = 0;
  /** Tasks that use the table. */
  private users = 1;

  static closeHook: CloseHook | null = null;

  constructor(limit: number) {
    this.limit = limit;
  }

  get(fd: number): File | undefined {
    return this.files[fd];
  }

  /** One more than the highest descriptor that may be in use. */
  get end(): number {
    return this.files.length;
  }

  /** Takes over one reference of `file`. The lowest free descriptor from `min` on, or -EMFILE. */
  install(file: File, cloexec: boolean, min = 0): number {
    const fd = this.lowestFree(min);
    if (fd < 0) return fd;
    this.put(fd, file, cloexec);
    return fd;
  }

  /** What `install` would return now: for callers that must fail with -EMFILE before they act. */
  lowestFree(min = 0): number {
    let fd = Math.max(min, this.firstFree);
    while (this.files[fd] !== undefined) fd += 1;
    if (min <= this.firstFree) this.firstFree = fd;
    return fd >= this.limit ? -EMFILE : fd;
  }

  /** dup2's second half: takes over one reference of `file` and closes what was at `fd`. -EBADF past the limit. */
  installAt(fd: number, file: File, cloexec: boolean): number {
    if (fd < 0 || fd >= this.limit) return -EBADF;
    const old = this.files[fd];
    this.put(fd, file, cloexec);
    if (old !== undefined) this.letGo(old);
    return fd;
  }

  private put(fd: number, file: File, cloexec: boolean): void {
    while (this.files.length < fd) this.files.push(undefined);
    this.files[fd] = file;
    this.setCloexec(fd, cloexec);
  }

  close(fd: number): number {
    const file = this.files[fd];
    if (file === undefined) return -EBADF;
    this.remove(fd);
    this.letGo(file);
    return 0;
  }

  private remove(fd: number): void {
    this.files[fd] = undefined;
    this.setCloexec(fd, false);
    if (fd < this.firstFree) this.firstFree = fd;
    while (this.files.length > 0 && this.files[this.files.length - 1] === undefined) this.files.pop();
  }

  private letGo(file: File): void {
    FdTable.closeHook?.(this, file);
    file.unref();
  }

  /** close_range(2) without CLOSE_RANGE_UNSHARE; both ends included. */
  closeRange(first: number, last: number): void {
    const end = Math.min(last, this.files.length - 1);
    for (let fd = first; fd <= end; fd++) if (this.files[fd] !== undefined) this.close(fd);
  }

  /** CLOSE_RANGE_CLOEXEC. */
  cloexecRange(first: number, last: number): void {
    const end = Math.min(last, this.files.length - 1);
    for (let fd = first; fd <= end; fd++) if (this.files[fd] !== undefined) this.setCloexec(fd, true);
  }

  /** dup(2), F_DUPFD. A new descriptor or -EBADF, -EINVAL, -EMFILE. */
  duplicate(fd: number, min: number, cloexec: boolean): number {
    const file = this.files[fd];
    if (file === undefined) return -EBADF;
    if (min < 0 || min >= this.limit) return -EINVAL;
    const copy = this.lowestFree(min);
    if (copy >= 0) this.put(copy, file.ref(), cloexec);
    return copy;
  }

  /** dup3(2), and dup2(2) for `from` !== `to`. */
  duplicateTo(from: number, to: number, cloexec: boolean): number {
    if (from === to) return -EINVAL;
    if (to < 0 || to >= this.limit) return -EBADF;
    const file = this.files[from];
    if (file === undefined) return -EBADF;
    return this.installAt(to, file.ref(), cloexec);
  }

  cloexec(fd: number): boolean {
    return ((this.closeOnExecBits[fd >>> 5] ?? 0) & (1 << (fd & 31))) !== 0;
  }

  setCloexec(fd: number, cloexec: boolean): void {
    const word = fd >>> 5;
    if (word >= this.closeOnExecBits.length) {
      if (!cloexec) return;
      const grown = new Uint32Array(Math.max(word + 1, this.closeOnExecBits.length * 2));
      grown.set(this.closeOnExecBits);
      this.closeOnExecBits = grown;
    }
    const bits = this.closeOnExecBits;
    if (cloexec) bits[word] = bits[word]! | (1 << (fd & 31));
    else bits[word] = bits[word]! & ~(1 << (fd & 31));
  }

  /** A copy for a child or for unshare(2): the same open files. */
  fork(): FdTable {
    const copy = new FdTable(this.limit);
    copy.files = this.files.slice();
    for (const file of copy.files) file?.ref();
    copy.closeOnExecBits = this.closeOnExecBits.slice();
    copy.firstFree = this.firstFree;
    return copy;
  }

  /** execve(2): closes what is marked. */
  closeOnExec(): void {
    for (let fd = 0; fd < this.files.length; fd++) {
      if (this.files[fd] !== undefined && this.cloexec(fd)) this.close(fd);
    }
  }

  /** Another task uses this very table. */
  ref(): this {
    this.users += 1;
    return this;
  }

  get shared(): boolean {
    return this.users > 1;
  }

  /** A task that used the table is gone or has another one; the last one closes everything. */
  unref(): void {
    this.users -= 1;
    if (this.users === 0) this.closeRange(0, NR_OPEN);
  }

  /** Open descriptors in rising order. */
  *[Symbol.iterator](): Generator<[number, File]> {
    for (let fd = 0; fd < this.files.length; fd++) {
      const file = this.files[fd];
      if (file !== undefined) yield [fd, file];
    }
  }
}
