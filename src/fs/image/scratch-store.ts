// Where changed file content of a run goes: one nameless host file that is handed out in pages and gone with the process. Pages are used
// again as they are, since a host may write out a whole range before it makes a hole of it; only large ranges, and all that is
// free at the end of the file, go back to the host.

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
/** Pages that files give back are put in order in batches of this many ranges, or of this many pages. */
const BATCH_RANGES = 1024;
const BATCH_PAGES = 4096;
/** Free pages that are worth a call to the host. */
const WORTH_A_HOLE = 16384;
const WORTH_A_CUT = 256;
/** Smaller free ranges than this wait until they have joined others. */
const CRUMB = 16;
/** The host file grows by this many pages; they take no space before they are written. */
const GROWTH = 16384;
const ATTEMPTS = 16;

interface Range {
  start: number;
  count: number;
  /** The host has nothing there. */
  hole: boolean;
}

export class ScratchStore {
  /** Directories of the host to try, in this order. */
  private readonly directories: readonly string[];
  /** Pages of the last allocation, and whether they are zeros. */
  granted = 0;
  zeroed = false;
  private opened = -1;
  private end = 0;
  /** Pages that the host file is long. */
  private reach = 0;
  /** Free below `end`, in order. */
  private free: Range[] = [];
  /** Free too, but too small to be handed out. */
  private crumbs: Range[] = [];
  /** Given back since `free` was put in order. */
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

  /** Up to `count` consecutive pages: where they begin, with more in `granted` and `zeroed`; -errno. */
  allocate(count: number): number {
    if (this.fd < 0) return this.fd;
    const range = this.free[0];
    if (range !== undefined) {
      this.granted = Math.min(count, range.count);
      this.zeroed = false;
      const { start } = range;
      range.start += this.granted;
      range.count -= this.granted;
      if (range.count < CRUMB) this.free.shift();
      if (range.count > 0 && range.count < CRUMB) this.crumbs.push(range);
      return start;
    }
    if (this.end + count > MAX_PAGES) return -ENOSPC;
    const error = this.extend(this.end + count);
    if (error < 0) return error;
    const start = this.end;
    this.end += count;
    this.granted = count;
    this.zeroed = true;
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

  /** Takes pages back. */
  release(start: number, count: number): void {
    if (count === 0) return;
    this.released.push({ start, count, hole: false });
    this.releasedPages += count;
    if (this.releasedPages >= BATCH_PAGES || this.released.length >= BATCH_RANGES) this.tidy();
  }

  private tidy(): void {
    const ranges = merged([...this.free, ...this.crumbs, ...this.released]);
    this.released = [];
    this.releasedPages = 0;
    let at = ranges.length;
    let tail = this.end;
    while (at > 0 && ranges[at - 1]!.start + ranges[at - 1]!.count === tail) {
      at -= 1;
      tail = ranges[at]!.start;
    }
    if (this.end - tail >= WORTH_A_CUT && this.cut(tail)) ranges.length = at;
    for (const range of ranges) {
      if (range.count < WORTH_A_HOLE || range.hole) continue;
      const { start, count } = range;
      files.allocate(this.opened, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start * PAGE, count * PAGE);
      range.hole = true;
    }
    this.free = ranges.filter((range) => range.count >= CRUMB);
    this.crumbs = ranges.filter((range) => range.count < CRUMB);
  }

  /** Everything from page `end` on is free: the host throws it away. Whether it could. */
  private cut(end: number): boolean {
    if (files.truncate(this.opened, end * PAGE) < 0) return false;
    this.end = end;
    this.reach = end;
    return true;
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

/** In order, with neighbours of a kind joined. */
function merged(ranges: readonly Range[]): Range[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const joined: Range[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && last.start + last.count === range.start && last.hole === range.hole)
      last.count += range.count;
    else joined.push({ ...range });
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
