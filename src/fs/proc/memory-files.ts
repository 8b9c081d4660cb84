// /proc/PID/{maps,smaps,smaps_rollup,statm,mem,cmdline,environ,auxv}: what a process has in memory (fs/proc/task_mmu.c, base.c).

import { EACCES, EINVAL, EIO, ESRCH } from "../../abi/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../../abi/fcntl.ts";
import { MAP_GROWSDOWN, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import { S_IFREG } from "../../abi/stat.ts";
import { pointerOf } from "../../host/shim.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import type { Vma } from "../../mm/vma.ts";
import { majorOf, minorOf } from "../../vfs/devices.ts";
import { File } from "../../vfs/file.ts";
import { type Ownership, type PseudoFileSystem, PseudoInode } from "../pseudo/pseudo-inode.ts";
import { kib } from "./format.ts";
import type { ProcTask } from "./source.ts";

const PAGE = 4096;
/** Column at which names start in maps. */
const NAME_COLUMN = 73;

function mapsLine(vma: Vma): string {
  const flag = (bit: number, letter: string) => ((vma.prot & bit) !== 0 ? letter : "-");
  const access = flag(PROT_READ, "r") + flag(PROT_WRITE, "w") + flag(PROT_EXEC, "x") + (vma.shared ? "s" : "p");
  const file = vma.file;
  const hex = (value: number, width: number) => value.toString(16).padStart(width, "0");
  const dev = file === null ? "00:00" : `${hex(majorOf(file.dev), 2)}:${hex(minorOf(file.dev), 2)}`;
  const offset = file === null ? 0 : vma.pageOffset * PAGE;
  const line = `${hex(vma.start, 8)}-${hex(vma.end, 8)} ${access} ${hex(offset, 8)} ${dev} ${file?.ino ?? 0} `;
  const name = file === null || vma.name !== "" ? vma.name : file.name().replaceAll("\n", "\\012");
  return name === "" ? `${line}\n` : `${line.padEnd(NAME_COLUMN)}${name}\n`;
}

export function maps(task: ProcTask): string {
  return task.mm === null ? "" : task.mm.vmas.areas.map(mapsLine).join("");
}

/** Resident bytes of one area or the sum of several, as smaps divides them. */
interface Residence {
  size: number;
  rss: number;
  /** Neither a file's nor shared memory: the process wrote them, or a forebear did. */
  anonymous: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
  locked: number;
}

function residence(mm: AddressSpace, vma: Vma): Residence {
  const { pages, shared } = mm.residentIn(vma.start, vma.end);
  const rss = pages * PAGE;
  const held = shared * PAGE;
  // Pages of a private file mapping that nobody else holds are copies: the page cache has the others.
  const privateFile = vma.file !== null && !vma.shared;
  const anonymous = vma.shared ? 0 : privateFile ? rss - held : rss;
  return {
    size: vma.end - vma.start,
    rss,
    anonymous,
    sharedClean: privateFile ? held : 0,
    sharedDirty: vma.shared ? rss : privateFile ? 0 : held,
    privateClean: 0,
    privateDirty: vma.shared ? 0 : rss - held,
    locked: vma.locked ? rss : 0,
  };
}

function pageCounters(r: Residence): string {
  const shared = r.sharedClean + r.sharedDirty;
  // Who shares a page bears half of it: by how many it is shared is not counted.
  const rows: [string, number][] = [
    ["Rss", r.rss],
    ["Pss", r.rss - shared / 2],
    ["Pss_Dirty", r.privateDirty + r.sharedDirty / 2],
    ["Shared_Clean", r.sharedClean],
    ["Shared_Dirty", r.sharedDirty],
    ["Private_Clean", r.privateClean],
    ["Private_Dirty", r.privateDirty],
    ["Referenced", r.rss],
    ["Anonymous", r.anonymous],
    ["KSM", 0],
    ["LazyFree", 0],
    ["AnonHugePages", 0],
    ["ShmemPmdMapped", 0],
    ["FilePmdMapped", 0],
    ["Shared_Hugetlb", 0],
    ["Private_Hugetlb", 0],
    ["Swap", 0],
    ["SwapPss", 0],
    ["Locked", r.locked],
  ];
  return rows.map(([name, bytes]) => smapsRow(name, bytes)).join("");
}

function smapsRow(name: string, bytes: number): string {
  return `${`${name}:`.padEnd(16)}${kib(bytes)}\n`;
}

function vmFlags(vma: Vma): string {
  const flags: string[] = [];
  if ((vma.prot & PROT_READ) !== 0) flags.push("rd");
  if ((vma.prot & PROT_WRITE) !== 0) flags.push("wr");
  if ((vma.prot & PROT_EXEC) !== 0) flags.push("ex");
  if (vma.shared) flags.push("sh");
  flags.push("mr", "mw", "me");
  if (vma.shared) flags.push("ms");
  if ((vma.flags & MAP_GROWSDOWN) !== 0) flags.push("gd");
  if (vma.locked) flags.push("lo");
  if (vma.dontFork) flags.push("dc");
  if (vma.wipeOnFork) flags.push("wf");
  return `VmFlags: ${flags.join(" ")} \n`;
}

export function smaps(task: ProcTask): string {
  const mm = task.mm;
  if (mm === null) return "";
  let text = "";
  for (const vma of mm.vmas.areas) {
    const r = residence(mm, vma);
    text += mapsLine(vma) + smapsRow("Size", r.size) + smapsRow("KernelPageSize", PAGE) + smapsRow("MMUPageSize", PAGE);
    text += `${pageCounters(r)}THPeligible:           0\n${vmFlags(vma)}`;
  }
  return text;
}

export function smapsRollup(task: ProcTask): string | number {
  const mm = task.mm;
  if (mm === null) return -ESRCH;
  const areas = mm.vmas.areas;
  const total: Residence = {
    size: 0,
    rss: 0,
    anonymous: 0,
    sharedClean: 0,
    sharedDirty: 0,
    privateClean: 0,
    privateDirty: 0,
    locked: 0,
  };
  for (const vma of areas) {
    const r = residence(mm, vma);
    for (const key of Object.keys(total) as (keyof Residence)[]) total[key] += r[key];
  }
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  const head = `${hex(areas[0]?.start ?? 0)}-${hex(areas[areas.length - 1]?.end ?? 0)} ---p 00000000 00:00 0 `;
  return `${head.padEnd(NAME_COLUMN)}[rollup]\n${pageCounters(total)}`;
}

/** Sizes in bytes for status, stat and statm. */
export interface MemorySizes {
  total: number;
  rss: number;
  rssFile: number;
  rssShared: number;
  data: number;
  stack: number;
  text: number;
  libraries: number;
  locked: number;
}

export function memorySizes(mm: AddressSpace): MemorySizes {
  const sizes = { total: 0, rss: 0, rssFile: 0, rssShared: 0, data: 0, stack: 0, text: 0, libraries: 0, locked: 0 };
  sizes.text = mm.codeEnd - mm.codeStart;
  for (const vma of mm.vmas.areas) {
    const size = vma.end - vma.start;
    sizes.total += size;
    if (vma.locked) sizes.locked += size;
    if (vma.name === "[stack]") sizes.stack += size;
    else if ((vma.prot & PROT_WRITE) !== 0 && !vma.shared) sizes.data += size;
    else if ((vma.prot & PROT_EXEC) !== 0 && vma.file !== null) sizes.libraries += size;
    if (vma.file !== null) sizes.rssFile += mm.residentIn(vma.start, vma.end).pages * PAGE;
    else if (vma.shared) sizes.rssShared += mm.residentIn(vma.start, vma.end).pages * PAGE;
  }
  sizes.rss = mm.residentPages * PAGE;
  sizes.libraries = Math.max(0, sizes.libraries - sizes.text);
  return sizes;
}

export function statm(task: ProcTask): string {
  if (task.mm === null) return "0 0 0 0 0 0 0\n";
  const s = memorySizes(task.mm);
  const pages = (bytes: number) => Math.ceil(bytes / PAGE);
  const shared = pages(s.rssFile + s.rssShared);
  return `${pages(s.total)} ${pages(s.rss)} ${shared} ${pages(s.text)} 0 ${pages(s.data + s.stack)} 0\n`;
}

/** Bytes [start, end) of the process's memory, as much of it as can be read. */
function memoryBytes(mm: AddressSpace | null, start: number, end: number): Uint8Array {
  if (mm === null || end <= start) return new Uint8Array(0);
  const bytes = new Uint8Array(Math.min(end - start, 1 << 22));
  const n = mm.copyInBytes(start, bytes, 0, bytes.length);
  return bytes.subarray(0, Math.max(0, n));
}

/** The argument strings. A program that has overwritten the last NUL (setproctitle) is read on into the environment. */
export function cmdline(task: ProcTask): Uint8Array {
  const mm = task.mm;
  if (mm === null) return new Uint8Array(0);
  const args = memoryBytes(mm, mm.argStart, mm.argEnd);
  if (args.length === 0 || args[args.length - 1] === 0) return args;
  const whole = memoryBytes(mm, mm.argStart, mm.envEnd);
  const end = whole.indexOf(0);
  return end < 0 ? whole : whole.subarray(0, Math.max(end + 1, args.length));
}

export function environ(task: ProcTask): Uint8Array {
  return task.mm === null ? new Uint8Array(0) : memoryBytes(task.mm, task.mm.envStart, task.mm.envEnd);
}

export function auxv(task: ProcTask): Uint8Array {
  return task.mm?.auxv ?? new Uint8Array(0);
}

/** /proc/PID/mem: positions are addresses. */
export class MemInode extends PseudoInode {
  private readonly task: ProcTask;

  constructor(fs: PseudoFileSystem, ino: number, task: ProcTask, ownership: () => Ownership) {
    super(fs, ino, S_IFREG | 0o600, ownership);
    this.task = task;
  }

  override open(flags: number): File | number {
    return this.task.mm === null ? -EACCES : new MemFile(this, flags, this.task.mm);
  }
}

class MemFile extends File {
  readonly inode: MemInode;
  private readonly mm: AddressSpace;

  constructor(inode: MemInode, flags: number, mm: AddressSpace) {
    super(flags);
    this.inode = inode;
    this.mm = mm;
  }

  override readAt(io: IoBuffer, pos: number): number {
    return this.copy(io, pos, (chunk, from, count) => {
      const n = this.mm.forceRead(from, pointerOf(chunk), count);
      return n <= 0 ? n : io.put(chunk, 0, n);
    });
  }

  /** Writes through protection, as debuggers rely on. */
  override writeAt(io: IoBuffer, pos: number): number {
    return this.copy(io, pos, (chunk, to, count) => {
      const n = io.take(chunk, 0, count);
      return n <= 0 ? n : this.mm.forceWrite(to, pointerOf(chunk), n);
    });
  }

  private copy(io: IoBuffer, pos: number, step: (chunk: Uint8Array, at: number, count: number) => number): number {
    if (this.mm.gone) return 0;
    const chunk = new Uint8Array(Math.min(65536, io.remaining));
    let done = 0;
    while (io.remaining > 0) {
      const count = Math.min(chunk.length, io.remaining);
      const n = step(chunk, pos + done, count);
      if (n <= 0) return done > 0 ? done : -EIO;
      done += n;
      if (n < count) break;
    }
    return done;
  }

  override read(io: IoBuffer): number {
    const n = this.readAt(io, this.pos);
    if (n > 0) this.pos += n;
    return n;
  }

  override write(io: IoBuffer): number {
    const n = this.writeAt(io, this.pos);
    if (n > 0) this.pos += n;
    return n;
  }

  override seek(offset: number, whence: number): number {
    const to = whence === SEEK_SET ? offset : whence === SEEK_CUR ? this.pos + offset : -1;
    if (to < 0) return -EINVAL;
    this.pos = to;
    return to;
  }
}
