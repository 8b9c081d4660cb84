// An address space (struct mm_struct): its areas, its page tables in the shim, and the faults in between.
// Follows mm/mmap.c, mm/memory.c. The table edits and every TLB concern are the shim's.

import { EAGAIN, EBADF, ENOMEM } from "../abi/errno.ts";
import {
  MAP_ANONYMOUS,
  MAP_GROWSDOWN,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../abi/mman.ts";
import { Access, PROT_PRESENT, PROT_SHARED } from "../host/shim.gen.ts";
import { pointerOf, shim } from "../host/shim.ts";
import type { Layout } from "./layout.ts";
import type { CacheMapper, PageCache } from "./page-cache.ts";
import { UserMemory } from "./user-memory.ts";
import { type MappedFile, Vma, VmaList } from "./vma.ts";

export const PAGE = 4096;
/** Pages that one anonymous fault makes present when its neighbours are absent. */
const FAULT_AROUND = 16;
/** Stack growth keeps this distance to the area below (stack_guard_gap). */
const STACK_GUARD = 256 * PAGE;

const SIGKILL = 9;
const SIGBUS = 7;
const SIGSEGV = 11;
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const BUS_ADRERR = 2;
const fault = (signal: number, code: number): number => signal * 256 + code;

/** One byte for each page of a piece that `residentIn` asks about. */
const residency = new Uint8Array(4096);
const residencyPtr = pointerOf(residency);

/** The rlimits that mm enforces, in bytes; the thread group's limits object. */
export interface MemoryLimits {
  stackBytes: number;
  dataBytes: number;
  addressSpaceBytes: number;
}

/** What an area may take over from another one. */
export interface AreaTraits {
  readonly locked: boolean;
  readonly dontFork?: boolean;
  readonly wipeOnFork?: boolean;
}

export function pageDown(addr: number): number {
  return addr - (addr % PAGE);
}
export function pageUp(addr: number): number {
  return Math.ceil(addr / PAGE) * PAGE;
}

export class AddressSpace extends UserMemory implements CacheMapper {
  readonly space: number;
  readonly vmas = new VmaList();
  readonly layout: Layout;
  limits: MemoryLimits = { stackBytes: 8 << 20, dataBytes: Infinity, addressSpaceBytes: Infinity };
  /** Tasks that use it (CLONE_VM). */
  private users = 1;
  /** Bytes mapped, for RLIMIT_AS and /proc. */
  mappedBytes = 0;
  /** Program break. */
  brkStart = 0;
  brk = 0;
  /** For /proc: where the loader put things. */
  stackTop = 0;
  argStart = 0;
  argEnd = 0;
  envStart = 0;
  envEnd = 0;
  codeStart = 0;
  codeEnd = 0;
  /** The program file, for /proc/PID/exe. */
  private program: MappedFile | null = null;
  /** AT_* pairs as the program got them. */
  auxv: Uint8Array = new Uint8Array(0);
  /** Address of the signal return trampoline in the vDSO. */
  vdsoSigreturn = 0;
  /** MCL_FUTURE: new areas are locked. */
  lockFuture = false;
  minorFaults = 0;
  majorFaults = 0;

  constructor(space: number, layout: Layout) {
    super();
    this.space = space;
    this.layout = layout;
  }

  /** A new empty address space, or -ENOMEM. */
  static create(layout: Layout): AddressSpace | number {
    const space = shim.space_create();
    return space < 0 ? space : new AddressSpace(space, layout);
  }

  /** Another user (CLONE_VM). */
  ref(): this {
    this.users += 1;
    return this;
  }

  /** A user has gone; the last one tears it down. */
  unref(): void {
    this.users -= 1;
    if (this.users > 0) return;
    for (const vma of this.vmas.areas) this.detach(vma);
    this.vmas.areas.length = 0;
    this.setExe(null);
    shim.space_destroy(this.space);
  }

  /** The last user has gone, and other memory may have its number by now. */
  get gone(): boolean {
    return this.users === 0;
  }

  /** More than one task uses it. */
  get shared(): boolean {
    return this.users > 1;
  }

  get exe(): MappedFile | null {
    return this.program;
  }

  setExe(file: MappedFile | null): void {
    file?.ref();
    file?.countProgram?.(1);
    this.program?.countProgram?.(-1);
    this.program?.unref();
    this.program = file;
  }

  get residentPages(): number {
    return shim.space_count(this.space);
  }

  /** Pages present between two page-aligned addresses, and how many of them somebody else holds too. */
  residentIn(start: number, end: number): { pages: number; shared: number } {
    let [pages, shared] = [0, 0];
    for (let at = start; at < end; at += residency.length * PAGE) {
      const count = Math.min(residency.length, (end - at) / PAGE);
      shim.space_resident(this.space, at, count, residencyPtr);
      for (let i = 0; i < count; i += 1) {
        if (residency[i]! > 0) pages += 1;
        if (residency[i]! > 1) shared += 1;
      }
    }
    return { pages, shared };
  }

  /** Another task is going to run in it at the same time, or to access it from outside. */
  share(): void {
    shim.space_thread(this.space);
  }

  /** The copy that fork(2) makes: private pages become copy on write in both. Or -ENOMEM. */
  fork(): AddressSpace | number {
    const space = shim.space_fork(this.space);
    if (space < 0) return space;
    const child = new AddressSpace(space, this.layout);
    Object.assign(child, {
      limits: this.limits,
      brkStart: this.brkStart,
      brk: this.brk,
      stackTop: this.stackTop,
      argStart: this.argStart,
      argEnd: this.argEnd,
      envStart: this.envStart,
      envEnd: this.envEnd,
      codeStart: this.codeStart,
      codeEnd: this.codeEnd,
      auxv: this.auxv,
      vdsoSigreturn: this.vdsoSigreturn,
    });
    child.setExe(this.program);
    for (const vma of this.vmas.areas) {
      const count = (vma.end - vma.start) / PAGE;
      if (vma.dontFork || vma.wipeOnFork) shim.space_unmap(space, vma.start, count);
      if (vma.dontFork) continue;
      const copy = vma.slice(vma.start, vma.end);
      copy.locked = false;
      child.vmas.areas.push(copy);
      child.attach(copy);
    }
    return child;
  }

  private attach(vma: Vma): void {
    this.mappedBytes += vma.end - vma.start;
    if (vma.file === null) return;
    vma.file.ref();
    vma.file.cache.addMapper(this, vma.sharedWritable);
  }

  private detach(vma: Vma): void {
    this.mappedBytes -= vma.end - vma.start;
    if (vma.file === null) return;
    vma.file.cache.removeMapper(this, vma.sharedWritable);
    vma.file.unref();
  }

  /**
   * Enters a new area; the range must be free. Takes its own reference to `file`.
   * The caller has checked permissions and limits.
   */
  mapArea(
    start: number,
    length: number,
    prot: number,
    flags: number,
    file: MappedFile | null,
    pageOffset: number,
    name = "",
    traits: AreaTraits | null = null,
  ): Vma {
    const vma = new Vma(start, start + length, prot, flags, file, pageOffset, name);
    vma.locked = traits?.locked ?? this.lockFuture;
    vma.dontFork = traits?.dontFork === true;
    vma.wipeOnFork = traits?.wipeOnFork === true;
    this.attach(vma);
    this.vmas.insert(vma);
    this.merge(start, start + length);
    return vma;
  }

  private merge(start: number, end: number): void {
    this.vmas.mergeAround(start, end, (gone) => this.forget(gone));
  }

  /** A neighbour took the area's pages over; only its own hold on the file goes. */
  private forget(vma: Vma): void {
    if (vma.file === null) return;
    vma.file.cache.removeMapper(this, vma.sharedWritable);
    vma.file.unref();
  }

  /** Cuts at both borders; the areas inside. Each new piece holds its file like the whole did. */
  isolate(start: number, end: number): Vma[] {
    for (const addr of [start, end]) {
      if (!this.vmas.splitAt(addr)) continue;
      const piece = this.vmas.find(addr)!;
      piece.file?.cache.addMapper(this, piece.sharedWritable);
    }
    return this.vmas.within(start, end);
  }

  /** Removes every area and page in [start, end). */
  unmap(start: number, end: number): void {
    const gone = this.isolate(start, end);
    if (gone.length === 0) return;
    this.vmas.removeRun(gone[0]!, gone.length);
    shim.space_unmap(this.space, start, (end - start) / PAGE);
    for (const vma of gone) this.detach(vma);
  }

  /** Sets the protection of the areas in [start, end), which cover it. */
  protect(start: number, end: number, prot: number): void {
    for (const vma of this.isolate(start, end)) {
      vma.prot = prot;
      shim.space_protect(this.space, vma.start, (vma.end - vma.start) / PAGE, this.tableProt(vma, false));
    }
    this.merge(start, end);
  }

  /** PR_SET_VMA_ANON_NAME. Areas of files keep theirs: -EBADF; holes: -ENOMEM after all others are named. */
  nameAreas(start: number, end: number, text: string): number {
    const whole = this.vmas.covers(start, end);
    for (const vma of this.isolate(start, end)) {
      const ownName = vma.name === "" || vma.name.startsWith("[anon");
      if (vma.file !== null && !vma.file.cache.isStore) return -EBADF;
      if (ownName) vma.name = text === "" ? "" : `[${vma.shared ? "anon_shmem" : "anon"}:${text}]`;
    }
    this.merge(start, end);
    return whole ? 0 : -ENOMEM;
  }

  /** Moves the pages of one area (mremap); `vma` is exactly the area at `from`. */
  movePages(from: number, to: number, length: number): void {
    shim.space_move(this.space, from, to, length / PAGE);
  }

  /** Drops the pages of [start, end) but keeps the areas (MADV_DONTNEED). */
  discard(start: number, end: number): void {
    shim.space_unmap(this.space, start, (end - start) / PAGE);
  }

  unmapCachePages(cache: PageCache, first: number, copies: boolean): void {
    for (const vma of this.vmas.areas) {
      if (vma.file?.cache !== cache) continue;
      const skip = Math.max(0, first - vma.pageOffset);
      const start = vma.start + skip * PAGE;
      if (start >= vma.end) continue;
      if (vma.shared || copies) shim.space_unmap(this.space, start, (vma.end - start) / PAGE);
      else this.unmapCleanPages(vma, cache, start);
    }
  }

  /** A private mapping loses the file's own pages and keeps the program's copies. */
  private unmapCleanPages(vma: Vma, cache: PageCache, start: number): void {
    for (let addr = start; addr < vma.end; addr += PAGE) {
      const frame = shim.space_frame(this.space, addr);
      if (frame < 0) continue;
      if (frame === cache.peek(vma.pageOffset + (addr - vma.start) / PAGE)) shim.space_unmap(this.space, addr, 1);
    }
  }

  /** What the tables may allow: clean pages of a shared file stay read-only until a fault marks them dirty. */
  private tableProt(vma: Vma, dirty: boolean): number {
    if (!vma.shared) return vma.prot;
    const tracked = vma.file !== null && !vma.file.cache.isStore && !dirty;
    return (tracked ? vma.prot & ~PROT_WRITE : vma.prot) | PROT_SHARED;
  }

  handleFault(addr: number, access: number, lengthBytes = 0): number {
    let vma = this.vmas.find(addr);
    if (vma === undefined) vma = this.growStack(addr);
    if (vma === undefined) return fault(SIGSEGV, SEGV_MAPERR);
    const needed = access === Access.write ? PROT_WRITE : access === Access.exec ? PROT_EXEC : PROT_READ;
    if ((vma.prot & needed) === 0) return fault(SIGSEGV, SEGV_ACCERR);
    this.minorFaults += 1;
    if (vma.file === null) return this.faultAnonymous(vma, addr, access, lengthBytes);
    return this.faultFile(vma, vma.file, pageDown(addr), access);
  }

  private faultAnonymous(vma: Vma, addr: number, access: number, lengthBytes: number): number {
    const page = pageDown(addr);
    const present = shim.space_lookup(this.space, page);
    if ((present & PROT_PRESENT) !== 0) {
      if (access !== Access.write) return 0;
      return shim.space_cow(this.space, page, vma.prot) < 0 ? fault(SIGKILL, 0) : 0;
    }
    const around = pageDown(addr) - (page % (FAULT_AROUND * PAGE));
    const start = Math.max(vma.start, lengthBytes > PAGE ? page : around);
    const end = Math.min(vma.end, Math.max(start + FAULT_AROUND * PAGE, pageUp(addr + lengthBytes)));
    if (shim.space_map_zero(this.space, start, (end - start) / PAGE, vma.prot) >= 0) return 0;
    return shim.space_map_zero(this.space, page, 1, vma.prot) < 0 ? fault(SIGKILL, 0) : 0;
  }

  private faultFile(vma: Vma, file: MappedFile, page: number, access: number): number {
    const index = vma.pageOffset + (page - vma.start) / PAGE;
    const write = access === Access.write;
    const present = shim.space_lookup(this.space, page);
    // Another thread's fault was first.
    if ((present & (write ? PROT_WRITE : access === Access.exec ? PROT_EXEC : PROT_READ)) !== 0) return 0;
    if (!vma.shared && write && (present & PROT_PRESENT) !== 0) {
      return shim.space_cow(this.space, page, vma.prot) < 0 ? fault(SIGKILL, 0) : 0;
    }
    const size = file.sizeBytes();
    if (index * PAGE >= size) return fault(SIGBUS, BUS_ADRERR);
    const frame = file.cache.get(index);
    if (frame < 0) return frame === -ENOMEM ? fault(SIGKILL, 0) : fault(SIGBUS, BUS_ADRERR);
    if (vma.shared) {
      if (write) file.cache.markDirty(index);
      return this.enter(page, frame, 1, this.tableProt(vma, write));
    }
    if (!write) return this.mapAround(vma, file, page, index, size);
    const error = this.enter(page, frame, 1, vma.prot & ~PROT_WRITE);
    if (error !== 0) return error;
    return shim.space_cow(this.space, page, vma.prot) < 0 ? fault(SIGKILL, 0) : 0;
  }

  /** Maps the run of cached pages with consecutive frames around a read fault, where nothing is mapped yet. */
  private mapAround(vma: Vma, file: MappedFile, page: number, index: number, size: number): number {
    const cache = file.cache;
    const frame = cache.peek(index);
    const prot = vma.prot & ~PROT_WRITE;
    const absent = (at: number): boolean => (shim.space_lookup(this.space, at) & PROT_PRESENT) === 0;
    let before = 0;
    while (
      before < FAULT_AROUND &&
      page - (before + 1) * PAGE >= vma.start &&
      cache.peek(index - before - 1) === frame - before - 1 &&
      absent(page - (before + 1) * PAGE)
    ) {
      before += 1;
    }
    let after = 1;
    while (
      after < FAULT_AROUND &&
      page + after * PAGE < vma.end &&
      (index + after) * PAGE < size &&
      cache.peek(index + after) === frame + after &&
      absent(page + after * PAGE)
    ) {
      after += 1;
    }
    return this.enter(page - before * PAGE, frame - before, before + after, prot);
  }

  private enter(page: number, frame: number, count: number, prot: number): number {
    return shim.space_map(this.space, page, frame, count, prot) < 0 ? fault(SIGKILL, 0) : 0;
  }

  /** An access just below a MAP_GROWSDOWN area extends it, within RLIMIT_STACK and the guard gap. */
  private growStack(addr: number): Vma | undefined {
    const i = this.vmas.indexAbove(addr);
    const vma = this.vmas.areas[i];
    if (vma === undefined || (vma.flags & MAP_GROWSDOWN) === 0) return undefined;
    const start = pageDown(addr);
    const below = this.vmas.areas[i - 1];
    if (vma.end - start > this.limits.stackBytes) return undefined;
    if (this.mappedBytes + vma.start - start > this.limits.addressSpaceBytes) return undefined;
    if (below !== undefined && below.prot !== 0 && start - below.end < STACK_GUARD) return undefined;
    this.mappedBytes += vma.start - start;
    vma.start = start;
    return vma;
  }

  /** Makes [start, end) present as MAP_POPULATE, mlock and MADV_POPULATE do. 0 or -errno. */
  populate(start: number, end: number, write: boolean): number {
    for (let addr = start; addr < end; addr += PAGE) {
      const vma = this.vmas.find(addr);
      if (vma === undefined) return -ENOMEM;
      const wanted = write || (!vma.shared && (vma.prot & PROT_WRITE) !== 0);
      const bit = wanted ? PROT_WRITE : PROT_READ;
      if ((shim.space_lookup(this.space, addr) & (PROT_PRESENT | bit)) === (PROT_PRESENT | bit)) continue;
      if (this.handleFault(addr, wanted ? Access.write : Access.read, Math.min(end, vma.end) - addr) !== 0)
        return -EAGAIN;
    }
    return 0;
  }

  /** Reads what is mapped at all, whatever its protection, as debuggers do (FOLL_FORCE). Bytes done. */
  forceRead(addr: number, ptr: number, len: number): number {
    return this.forced(addr, len, PROT_READ, (at, done, count) => this.read(at, ptr + done, count));
  }

  /** Writes what is mapped at all. Pages of files that the program only reads become copies of its own. Bytes done. */
  forceWrite(addr: number, ptr: number, len: number): number {
    return this.forced(addr, len, PROT_WRITE, (at, done, count) => this.write(at, ptr + done, count));
  }

  private forced(
    addr: number,
    len: number,
    wanted: number,
    move: (at: number, done: number, count: number) => number,
  ): number {
    this.share();
    let done = 0;
    while (done < len) {
      const at = addr + done;
      const vma = this.vmas.find(at);
      const count = Math.min(len - done, vma === undefined ? PAGE - (at % PAGE) : vma.end - at);
      const allowed = vma === undefined || (vma.prot & wanted) !== 0;
      if (!allowed && vma.shared && wanted === PROT_WRITE) break;
      const moved = allowed ? move(at, done, count) : this.lifted(vma, at, count, wanted, () => move(at, done, count));
      done += moved;
      if (moved < count) break;
    }
    return done;
  }

  /** Does something while an area allows more. */
  private lifted(vma: Vma, at: number, count: number, wanted: number, act: () => number): number {
    const start = Math.max(vma.start, pageDown(at) - FAULT_AROUND * PAGE);
    const end = Math.min(vma.end, pageUp(at + count) + FAULT_AROUND * PAGE);
    const { prot } = vma;
    vma.prot |= PROT_READ | wanted;
    shim.space_protect(this.space, start, (end - start) / PAGE, this.tableProt(vma, false));
    const result = act();
    vma.prot = prot;
    shim.space_protect(this.space, start, (end - start) / PAGE, this.tableProt(vma, false));
    return result;
  }

  /** A free range of `length` bytes as mmap(2) without MAP_FIXED picks it, near `hint` if that is free. Or -ENOMEM. */
  findFree(hint: number, length: number, align = PAGE): number {
    const wanted = Math.floor(hint / align) * align;
    if (
      hint > 0 &&
      wanted >= this.layout.minAddr &&
      wanted + length <= this.layout.top &&
      this.vmas.isFree(wanted, wanted + length)
    ) {
      return wanted;
    }
    // What is too large for the lower part lies above it.
    const { minAddr, mmapTop, stackTop, top } = this.layout;
    let found = this.vmas.findHole(length, minAddr, mmapTop, align);
    if (found < 0) found = this.vmas.findHole(length, stackTop + PAGE, top, align);
    return found < 0 ? -ENOMEM : found;
  }
}

/** Flags of anonymous private memory. */
export const PRIVATE_ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS;
export const SHARED_ANONYMOUS = MAP_SHARED | MAP_ANONYMOUS;
