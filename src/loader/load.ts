// Builds the new address space of execve(2) (fs/exec.c, fs/binfmt_elf.c, fs/binfmt_script.c). Nothing of the
// caller changes here: a failure leaves it as it was, a success is committed by the kernel in one step.

import * as elf from "../abi/elf.ts";
import { EACCES, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ETXTBSY } from "../abi/errno.ts";
import { MAP_GROWSDOWN, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { AddressSpace, type MemoryLimits, pageDown, pageUp } from "../mm/address-space.ts";
import { KernelBuffer } from "../mm/kernel-buffer.ts";
import type { Layout } from "../mm/layout.ts";
import type { MappedFile } from "../mm/vma.ts";
import type { File } from "../vfs/file.ts";
import { mappingOf } from "../vfs/file-mapping.ts";
import { type ElfImage, isElf, parseHeader, parseSegments } from "./elf.ts";
import { type StackPlan, writeStack } from "./stack.ts";
import type { Vdso } from "./vdso.ts";

const PAGE = 4096;
/** Scripts that name scripts (BINPRM depth). */
const MAX_SCRIPT_DEPTH = 5;
const SCRIPT_LINE_BYTES = 256;
const INITIAL_STACK_BYTES = 132 * 1024;

export interface LoadRequest {
  readonly file: File;
  /** The name that was executed, for AT_EXECFN and for scripts. */
  readonly path: string;
  /** The name goes through a descriptor that exec closes: no interpreter could open it. */
  readonly inaccessible: boolean;
  readonly argv: readonly string[];
  readonly envp: readonly string[];
  readonly layout: Layout;
  readonly vdso: Vdso;
  readonly limits: MemoryLimits;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** AT_SECURE: identity changes with this exec. */
  readonly secure: boolean;
  readonly hwcap: number;
  readonly hwcap2: number;
  /** 16 random bytes. */
  readonly random: Uint8Array;
  /** Opens an interpreter by path for execution, with the caller's credentials; the file or -errno. */
  open(path: string): File | number;
}

export interface LoadedProgram {
  readonly mm: AddressSpace;
  readonly entry: number;
  readonly sp: number;
  /** The program file's own name. */
  readonly name: string;
}

/** The loaded program, or -errno. The caller keeps its reference to `request.file`. */
export function load(request: LoadRequest): LoadedProgram | number {
  let file = request.file.ref();
  let argv = request.argv.length > 0 ? request.argv.slice() : [""];
  let name = request.path;
  for (let depth = 0; ; depth += 1) {
    if (file.inode.writers > 0) return failed(file, -ETXTBSY);
    const head = readBytes(file, 0, SCRIPT_LINE_BYTES);
    if (typeof head === "number") return failed(file, head);
    if (isElf(head)) break;
    if (head[0] !== 0x23 || head[1] !== 0x21) return failed(file, -ENOEXEC);
    if (depth === MAX_SCRIPT_DEPTH) return failed(file, -ELOOP);
    if (depth === 0 && request.inaccessible) return failed(file, -ENOENT);
    const script = parseScript(head);
    if (script === null) return failed(file, -ENOEXEC);
    argv = [script.interpreter, ...(script.argument === null ? [] : [script.argument]), name, ...argv.slice(1)];
    name = script.interpreter;
    const next = request.open(script.interpreter);
    file.unref();
    if (typeof next === "number") return next === -EISDIR ? -EACCES : next;
    file = next;
  }
  const program = loadElf(request, file, argv);
  file.unref();
  return program;
}

function failed(file: File, error: number): number {
  file.unref();
  return error;
}

/** The `#!` line: interpreter and at most one argument, blanks around both dropped. Null: no line that can be used. */
function parseScript(head: Buffer): { interpreter: string; argument: string | null } | null {
  const text = head.toString("latin1").padEnd(SCRIPT_LINE_BYTES, "\0");
  const newline = /^[^\0\n]*\n/.exec(text);
  // A line that does not end is taken only when the interpreter's path is complete; the last byte is never read.
  if (newline === null && !/^#![ \t]*[^ \t][^ \t\0]*[ \t\0]|^#![ \t]*\0/.test(text)) return null;
  const end = newline === null ? SCRIPT_LINE_BYTES - 1 : newline[0].length - 1;
  const line = text.slice(2, end).replace(/[ \t]+$/, "");
  const match = /^[ \t]*([^ \t\0]*)[ \t]*([^\0]*)/.exec(line);
  if (match === null || line === "") return null;
  return { interpreter: match[1]!, argument: match[2] === "" ? null : match[2]! };
}

/** Up to `count` bytes of a file from `pos`; shorter at its end. */
function readBytes(file: File, pos: number, count: number): Buffer | number {
  const bytes = Buffer.alloc(count);
  const n = file.readAt(new KernelBuffer(bytes), pos);
  return n < 0 ? n : bytes.subarray(0, n);
}

function readImage(file: File): ElfImage | number {
  const head = readBytes(file, 0, elf.EHDR_BYTES);
  if (typeof head === "number") return head;
  const header = parseHeader(head);
  if (typeof header === "number") return header;
  const size = header.phdrCount * elf.PHDR_BYTES;
  const table = readBytes(file, header.phdrOffset, size);
  if (typeof table === "number") return table;
  return table.length < size ? -ENOEXEC : parseSegments(header, table);
}

function loadElf(request: LoadRequest, file: File, argv: readonly string[]): LoadedProgram | number {
  const image = readImage(file);
  if (typeof image === "number") return image;
  const interpreter = image.interpreter === null ? null : openInterpreter(request, file, image.interpreter);
  if (typeof interpreter === "number") return interpreter;
  const mm = AddressSpace.create(request.layout);
  if (typeof mm === "number") {
    interpreter?.unref();
    return mm;
  }
  mm.limits = request.limits;
  const sp = populate(request, mm, file, image, interpreter, argv);
  interpreter?.unref();
  if (typeof sp === "number") {
    mm.unref();
    return sp;
  }
  // The text of a memfd's place has more than its name.
  const name = (file.path?.dentry.name ?? "").replace(/^\/(memfd:.*) \(deleted\)$/, "$1");
  return { mm, entry: sp.entry, sp: sp.sp, name };
}

function openInterpreter(request: LoadRequest, file: File, range: { offset: number; size: number }): File | number {
  const bytes = readBytes(file, range.offset, range.size);
  if (typeof bytes === "number") return bytes;
  if (bytes.length < range.size || bytes[range.size - 1] !== 0) return bytes.length < range.size ? -EIO : -ENOEXEC;
  const path = bytes.toString("latin1");
  const interpreter = request.open(path.slice(0, path.indexOf("\0")));
  return interpreter === -EISDIR ? -EACCES : interpreter;
}

/** Maps program, interpreter, vDSO and stack. Where to start, or -errno. */
function populate(
  request: LoadRequest,
  mm: AddressSpace,
  file: File,
  image: ElfImage,
  interpreter: File | null,
  argv: readonly string[],
): { entry: number; sp: number } | number {
  const base = image.relocatable ? pieBase(request.layout, image) : 0;
  const mapped = mapImage(mm, file, image, base);
  if (mapped < 0) return mapped;
  mm.setExe(mappingOf(file) as MappedFile);
  mm.codeStart = base + image.segments[0]!.addr;
  mm.codeEnd = mapped;
  mm.brkStart = pageUp(mapped);
  mm.brk = mm.brkStart;
  let entry = base + image.entry;
  let interpreterBase = 0;
  if (interpreter !== null) {
    const loader = readImage(interpreter);
    if (typeof loader === "number") return loader === -ENOEXEC ? -ELIBBAD : loader;
    const bytes = spanBytes(loader);
    interpreterBase = loader.relocatable ? mm.findFree(0, bytes) - pageDown(loader.segments[0]!.addr) : 0;
    const error = mapImage(mm, interpreter, loader, interpreterBase);
    if (error < 0) return error;
    entry = interpreterBase + loader.entry;
  }
  const vdso = request.vdso.map(mm);
  const stackProt = PROT_READ | PROT_WRITE | (image.executableStack ? PROT_EXEC : 0);
  const top = request.layout.stackTop;
  mm.mapArea(
    top - INITIAL_STACK_BYTES,
    INITIAL_STACK_BYTES,
    stackProt,
    MAP_PRIVATE | MAP_GROWSDOWN,
    null,
    0,
    "[stack]",
  );
  mm.stackTop = top;
  const plan: StackPlan = {
    argv,
    envp: request.envp,
    path: request.path,
    random: request.random,
    auxv: [
      [elf.AT_SYSINFO_EHDR, vdso],
      [elf.AT_MINSIGSTKSZ, 4720],
      [elf.AT_HWCAP, request.hwcap],
      [elf.AT_PAGESZ, PAGE],
      [elf.AT_CLKTCK, 100],
      [elf.AT_PHDR, image.phdrAddr < 0 ? 0 : base + image.phdrAddr],
      [elf.AT_PHENT, elf.PHDR_BYTES],
      [elf.AT_PHNUM, image.phdrCount],
      [elf.AT_BASE, interpreterBase],
      [elf.AT_FLAGS, 0],
      [elf.AT_ENTRY, base + image.entry],
      [elf.AT_UID, request.uid],
      [elf.AT_EUID, request.euid],
      [elf.AT_GID, request.gid],
      [elf.AT_EGID, request.egid],
      [elf.AT_SECURE, request.secure ? 1 : 0],
      [elf.AT_HWCAP2, request.hwcap2],
    ],
  };
  const sp = writeStack(mm, plan);
  return sp < 0 ? sp : { entry, sp };
}

function pieBase(layout: Layout, image: ElfImage): number {
  let align = PAGE;
  for (const s of image.segments)
    if (s.align > align && s.align <= 2 ** 30 && Number.isInteger(Math.log2(s.align))) align = s.align;
  return Math.ceil(layout.pieBase / align) * align - pageDown(image.segments[0]!.addr);
}

function spanBytes(image: ElfImage): number {
  const last = image.segments[image.segments.length - 1]!;
  return pageUp(last.addr + last.memSize) - pageDown(image.segments[0]!.addr);
}

/** Maps the segments of one ELF file at `base`. The end of its memory, or -errno. */
function mapImage(mm: AddressSpace, file: File, image: ElfImage, base: number): number {
  const mapping = mappingOf(file);
  if (typeof mapping === "number") return -EACCES;
  const first = pageDown(base + image.segments[0]!.addr);
  if (first < mm.layout.minAddr || first + spanBytes(image) > mm.layout.top) return -EINVAL;
  let end = 0;
  for (const s of image.segments) {
    const start = base + s.addr;
    if (!mm.vmas.isFree(pageDown(start), pageUp(start + s.memSize)))
      mm.unmap(pageDown(start), pageUp(start + s.memSize));
    mapSegment(mm, mapping, start, s.offset, s.fileSize, s.memSize, s.prot);
    end = start + s.memSize;
  }
  return end;
}

/** File bytes, then zeros: the rest of the last file page is cleared, whole pages behind it are anonymous. */
function mapSegment(
  mm: AddressSpace,
  mapping: MappedFile,
  start: number,
  offset: number,
  fileSize: number,
  memSize: number,
  prot: number,
): void {
  const page = pageDown(start);
  const fileEnd = fileSize > 0 ? pageUp(start + fileSize) : page;
  const end = pageUp(start + memSize);
  if (fileEnd > page) mm.mapArea(page, fileEnd - page, prot, MAP_PRIVATE, mapping, pageDown(offset) / PAGE);
  if (end > fileEnd) mm.mapArea(fileEnd, end - fileEnd, prot, MAP_PRIVATE, null, 0);
  const tail = start + fileSize;
  if (memSize > fileSize && fileEnd > tail && (prot & PROT_WRITE) !== 0) mm.clear(tail, fileEnd - tail);
}
