// Where changed file content of a run goes: one nameless host file that is handed out in pages and gone with the process. Pages
// that were never written, or were given back, read as zeros.

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

export const PAGE = 4096;
/** The host's largest file bounds the store; ext4's is the smallest of the usual ones. */
const MAX_PAGES = 2 ** 32 - 1;
/** Freed pages are given back to the host in batches of about this many. */
const FREE_BATCH = 1024;
/** The host file grows by this many pages; they take no space before they are written. */
const GROWTH = 16384;
const ATTEMPTS = 16;

interface Range {
  start: number;
  count: number;
}

export class ScratchStore {
  /** Directories of the host to try, in this order. */
  private readonly directories: readonly string[];
  /** Pages of the last allocation. */
  granted = 0;
  private opened = -1;
  private end = 0;
  /** Pages that the host file is long. */
  private reach = 0;
  /** Given back and zero again, in order. */
  private free: Range[] = [];
  /** Given back by files, never written to. */
  private unused: Range[] = [];
  /** Given back by files, still with their content. */
  private released: Range[] = [];
  private releasedPages = 0;

  constructor(directories: readonly string[]) {
    this.directories = directories;
  }

  /** The host file, made when first needed; -errno when no directory takes it. */
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

  /** Up to `count` consecutive pages full of zeros: where they begin, and how many in `granted`; -errno. */
  allocate(count: number): number {
    if (this.fd < 0) return this.fd;
    for (let i = 0; i < this.free.length; i += 1) {
      const range = this.free[i]!;
      // Crumbs are not worth a place of their own.
      if (range.count < Math.min(count, 16)) continue;
      this.granted = Math.min(count, range.count);
      const { start } = range;
      range.start += this.granted;
      range.count -= this.granted;
      if (range.count === 0) this.free.splice(i, 1);
      return start;
    }
    if (this.end + count > MAX_PAGES) return -ENOSPC;
    const error = this.extend(this.end + count);
    if (error < 0) return error;
    const start = this.end;
    this.end += count;
    this.granted = count;
    return start;
  }

  /** Makes the host file reach beyond `pages`, so that what was not written there reads as zeros. */
  private extend(pages: number): number {
    if (pages <= this.reach) return 0;
    const reach = Math.min(Math.ceil(pages / GROWTH) * GROWTH, MAX_PAGES);
    const error = files.truncate(this.fd, reach * PAGE);
    if (error < 0) return storeError(error);
    this.reach = reach;
    return 0;
  }

  /** Takes pages back that may have content. */
  release(start: number, count: number): void {
    if (count === 0) return;
    this.released.push({ start, count });
    this.releasedPages += count;
    if (this.releasedPages >= FREE_BATCH) this.clean();
  }

  /** Takes pages back that nobody has written to. */
  releaseClean(start: number, count: number): void {
    if (count === 0) return;
    this.unused.push({ start, count });
    if (this.unused.length >= FREE_BATCH) this.clean();
  }

  private clean(): void {
    const clean: Range[] = [];
    for (const range of merged(this.released)) {
      const error = files.allocate(
        this.opened,
        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
        range.start * PAGE,
        range.count * PAGE,
      );
      // A host that cannot punch keeps them: they are not zeros.
      if (error >= 0) clean.push(range);
    }
    this.released = [];
    this.releasedPages = 0;
    this.free = merged([...this.free, ...this.unused, ...clean]);
    this.unused = [];
  }

  /** The host file system's figures; null before there is a file. */
  statfs(): HostStatFs | null {
    if (this.fd < 0) return null;
    const answer = files.statfs(this.fd);
    return typeof answer === "number" ? null : answer;
  }

  close(): void {
    if (this.opened >= 0) files.close(this.opened);
    this.opened = -1;
  }
}

/** In order, with neighbours joined. */
function merged(ranges: readonly Range[]): Range[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const joined: Range[] = [];
  for (const { start, count } of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && last.start + last.count === start) last.count += count;
    else joined.push({ start, count });
  }
  return joined;
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
