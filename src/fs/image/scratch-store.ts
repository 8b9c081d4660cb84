// Where changed file content of a run goes: the first of it stays in memory, so that little files never meet the host's file system; the
// rest goes to one nameless host file. Both are handed out in pages and gone with the process.

import { EEXIST, EFBIG, ENOSPC } from "../../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_RDWR,
  O_TMPFILE,
} from "../../abi/fcntl.ts";
import { AT_FDCWD, files, type HostStatFs } from "../../host/files.ts";
import { orZero, pointerOf, shim } from "../../host/shim.ts";
import { type Backing, PagePool } from "./page-pool.ts";

export const PAGE = 4096;
/** What a run may keep in memory, 64 MiB; it takes what was written only. */
const MEMORY_PAGES = 16384;
const WORTH_A_COMMIT = 16;
/** The host's largest file bounds the store; ext4's is the smallest of the usual ones. */
const MAX_PAGES = 2 ** 32 - 1;
/** The host file grows by this many pages; they take no space before they are written. */
const GROWTH = 16384;
const ATTEMPTS = 16;

export class ScratchStore {
  /** Pages of the last allocation, and whether they are zeros. */
  granted = 0;
  zeroed = false;
  private readonly memory: MemoryPages;
  private readonly file: FilePages;
  private readonly memoryPool: PagePool;
  private readonly filePool: PagePool;
  /** Number of the file's first page. No range goes from memory on into the file. */
  private readonly firstOfFile: number;

  /** Directories of the host to try, in this order. */
  constructor(directories: readonly string[], memoryPages = MEMORY_PAGES) {
    this.memory = new MemoryPages(memoryPages);
    this.file = new FilePages(directories);
    this.memoryPool = new PagePool(this.memory);
    this.filePool = new PagePool(this.file);
    this.firstOfFile = memoryPages + 1;
  }

  /** Up to `count` consecutive pages: where they begin, with more in `granted` and `zeroed`; -errno. */
  allocate(count: number): number {
    const inMemory = this.memoryPool.allocate(count);
    const pool = inMemory >= 0 ? this.memoryPool : this.filePool;
    const start = inMemory >= 0 ? inMemory : this.filePool.allocate(count);
    this.granted = pool.granted;
    this.zeroed = pool.zeroed;
    return start < 0 || inMemory >= 0 ? start : start + this.firstOfFile;
  }

  /** Takes pages back. */
  release(start: number, count: number): void {
    if (count === 0) return;
    if (start < this.firstOfFile) this.memoryPool.release(start, count);
    else this.filePool.release(start - this.firstOfFile, count);
  }

  /** Where a page lies in memory, a host pointer; 0 when it lies in the file. */
  pointerTo(page: number): number {
    return page < this.firstOfFile ? this.memory.ptr + page * PAGE : 0;
  }

  /** Where a page lies in the file `fd`. */
  offsetOf(page: number): number {
    return (page - this.firstOfFile) * PAGE;
  }

  /** The host file, made when first needed; -errno when no directory takes it. */
  get fd(): number {
    return this.file.fd;
  }

  /** Writes bytes into a page, from byte `within` on. 0 or -errno. */
  put(page: number, within: number, bytes: Uint8Array, count: number): number {
    const ptr = this.pointerTo(page);
    if (ptr === 0) {
      const written = files.write(this.fd, bytes, 0, count, this.offsetOf(page) + within);
      return written === count ? 0 : written < 0 ? storeError(written) : -ENOSPC;
    }
    if (count > 0) shim.mem_copy(ptr + within, pointerOf(bytes), count);
    return 0;
  }

  /** The host file system's figures; null before there is a file. */
  statfs(): HostStatFs | null {
    if (this.fd < 0) return null;
    const answer = files.statfs(this.fd);
    return typeof answer === "number" ? null : answer;
  }

  close(): void {
    this.file.close();
    this.memory.close();
  }
}

/** One reservation of the host's memory, committed by what is written. */
class MemoryPages implements Backing {
  readonly maxPages: number;
  readonly maxGrant = 256;
  readonly worthAHole = 256;
  ptr = 0;

  constructor(pages: number) {
    this.maxPages = pages;
  }

  /** Who wants many pages has written as many: most of them will be needed, and cost less together. */
  extend(end: number, count: number): number {
    if (this.ptr === 0) this.ptr = orZero(shim.mem_reserve(this.maxPages * PAGE));
    if (this.ptr === 0) return -ENOSPC;
    if (count >= WORTH_A_COMMIT) shim.mem_commit(this.ptr + end * PAGE, count * PAGE);
    return 0;
  }

  cut(end: number): boolean {
    return shim.mem_give_back(this.ptr + end * PAGE, (this.maxPages - end) * PAGE) === 0;
  }

  punch(start: number, count: number): void {
    shim.mem_give_back(this.ptr + start * PAGE, count * PAGE);
  }

  close(): void {
    if (this.ptr !== 0) shim.mem_release(this.ptr, this.maxPages * PAGE);
    this.ptr = 0;
  }
}

class FilePages implements Backing {
  readonly maxPages = MAX_PAGES;
  readonly maxGrant = MAX_PAGES;
  readonly worthAHole = 16384;
  private readonly directories: readonly string[];
  private opened = -1;
  /** Pages that the host file is long. */
  private reach = 0;

  constructor(directories: readonly string[]) {
    this.directories = directories;
  }

  get fd(): number {
    if (this.opened < 0) this.opened = this.create();
    return this.opened;
  }

  private create(): number {
    let error = -ENOSPC;
    for (const directory of this.directories) {
      const fd = files.open(AT_FDCWD, directory, O_TMPFILE | O_RDWR | O_EXCL, 0o600);
      if (fd >= 0) return fd;
      error = createNameless(directory);
      if (error >= 0) return error;
    }
    return error;
  }

  extend(end: number, count: number): number {
    const pages = end + count;
    if (this.fd < 0) return this.fd;
    if (pages <= this.reach) return 0;
    const reach = Math.min(Math.ceil(pages / GROWTH) * GROWTH, MAX_PAGES);
    const error = files.truncate(this.fd, reach * PAGE);
    if (error < 0) return storeError(error);
    this.reach = reach;
    return 0;
  }

  cut(end: number): boolean {
    if (files.truncate(this.opened, end * PAGE) < 0) return false;
    this.reach = end;
    return true;
  }

  punch(start: number, count: number): void {
    files.allocate(this.opened, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start * PAGE, count * PAGE);
  }

  close(): void {
    if (this.opened >= 0) files.close(this.opened);
    this.opened = -1;
  }
}

/** For hosts that have no O_TMPFILE. */
function createNameless(directory: string): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const name = `${directory}/.carrick-scratch-${Math.floor(Math.random() * 2 ** 48).toString(36)}`;
    const fd = files.open(AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    if (fd === -EEXIST) continue;
    if (fd >= 0) files.unlink(AT_FDCWD, name, 0);
    return fd;
  }
  return -EEXIST;
}

/** What the host says about a full store, in the guest's terms. */
export function storeError(error: number): number {
  return error === -EFBIG ? -ENOSPC : error;
}
