// Reads ELF headers (fs/binfmt_elf.c: load_elf_binary's checks). Everything in a file is hostile: sizes are
// checked before they are added, and sums before they are used.

import * as elf from "../abi/elf.ts";
import { EINVAL, ENOEXEC } from "../abi/errno.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";

const PAGE = 4096;
const MAX_PHDRS_BYTES = 65536;
const IMPOSSIBLE = 2 ** 53;

export interface Segment {
  readonly addr: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly memSize: number;
  readonly prot: number;
  readonly align: number;
}

export interface ElfImage {
  /** ET_DYN: to be placed anywhere. */
  readonly relocatable: boolean;
  readonly entry: number;
  readonly phdrOffset: number;
  readonly phdrCount: number;
  /** Link-time address of the program headers in memory, or -1. */
  readonly phdrAddr: number;
  /** PT_LOAD segments in address order. */
  readonly segments: readonly Segment[];
  /** File range of the interpreter's path, or null. */
  readonly interpreter: { offset: number; size: number } | null;
  readonly executableStack: boolean;
}

export interface ElfHeader {
  readonly relocatable: boolean;
  readonly entry: number;
  readonly phdrOffset: number;
  readonly phdrCount: number;
}

function u64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 0x200000 ? view.getUint32(at, true) + high * 4294967296 : IMPOSSIBLE;
}

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** The file header from its first 64 bytes; -ENOEXEC when this is not a program for us. */
export function parseHeader(bytes: Uint8Array): ElfHeader | number {
  if (whyNotRunnable(bytes) !== null) return -ENOEXEC;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const phdrCount = view.getUint16(56, true);
  const size = phdrCount * elf.PHDR_BYTES;
  if (view.getUint16(54, true) !== elf.PHDR_BYTES || phdrCount === 0 || size > MAX_PHDRS_BYTES) return -ENOEXEC;
  const header = {
    relocatable: view.getUint16(16, true) === elf.ET_DYN,
    entry: u64(view, 24),
    phdrOffset: u64(view, 32),
    phdrCount,
  };
  return header.phdrOffset >= IMPOSSIBLE ? -ENOEXEC : header;
}

const MACHINES: Readonly<Record<number, string>> = {
  [elf.EM_386]: "32-bit x86",
  [elf.EM_ARM]: "32-bit ARM",
  [elf.EM_X86_64]: "x86-64",
  [elf.EM_RISCV]: "RISC-V",
};

/** One phrase that says why these first bytes are not a Linux/ARM64 program, or null when they may be one. */
export function whyNotRunnable(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "is empty";
  if (!isElf(bytes)) return "is not an ELF file";
  if (bytes.length < elf.EHDR_BYTES) return "is a truncated ELF file";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = view.getUint16(18, bytes[5] !== 2);
  if (machine !== elf.EM_AARCH64) return `is a program for ${MACHINES[machine] ?? `machine ${machine}`}, not for ARM64`;
  if (bytes[4] !== 2) return "is a 32-bit ELF file";
  if (bytes[5] !== 1) return "is a big-endian ELF file";
  const type = view.getUint16(16, true);
  if (type !== elf.ET_EXEC && type !== elf.ET_DYN) return "is an ELF file, but not an executable";
  return null;
}

/** The program headers; `bytes` holds exactly those. -ENOEXEC or -EINVAL when they make no sense. */
export function parseSegments(header: ElfHeader, bytes: Uint8Array): ElfImage | number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments: Segment[] = [];
  let interpreter: { offset: number; size: number } | null = null;
  let phdrAddr = -1;
  let executableStack = false;
  for (let i = 0; i < header.phdrCount; i += 1) {
    const at = i * elf.PHDR_BYTES;
    const type = view.getUint32(at, true);
    const offset = u64(view, at + 8);
    const addr = u64(view, at + 16);
    const fileSize = u64(view, at + 32);
    if (type === elf.PT_INTERP && interpreter === null) {
      if (fileSize < 2 || fileSize > PAGE) return -ENOEXEC;
      interpreter = { offset, size: fileSize };
    } else if (type === elf.PT_PHDR) {
      phdrAddr = addr;
    } else if (type === elf.PT_GNU_STACK) {
      executableStack = (view.getUint32(at + 4, true) & elf.PF_X) !== 0;
    } else if (type === elf.PT_LOAD) {
      const segment = parseLoad(view, at);
      if (typeof segment === "number") return segment;
      if (segment.memSize > 0) segments.push(segment);
    }
  }
  if (segments.length === 0) return -ENOEXEC;
  for (let i = 1; i < segments.length; i += 1) {
    if (segments[i]!.addr < segments[i - 1]!.addr + segments[i - 1]!.memSize) return -EINVAL;
  }
  if (phdrAddr < 0) phdrAddr = addressOfOffset(segments, header.phdrOffset);
  return { ...header, phdrAddr, segments, interpreter, executableStack };
}

function parseLoad(view: DataView, at: number): Segment | number {
  const flags = view.getUint32(at + 4, true);
  const segment: Segment = {
    offset: u64(view, at + 8),
    addr: u64(view, at + 16),
    fileSize: u64(view, at + 32),
    memSize: u64(view, at + 40),
    align: u64(view, at + 48),
    prot:
      ((flags & elf.PF_R) !== 0 ? PROT_READ : 0) |
      ((flags & elf.PF_W) !== 0 ? PROT_WRITE : 0) |
      ((flags & elf.PF_X) !== 0 ? PROT_EXEC : 0),
  };
  if (segment.fileSize > segment.memSize) return -EINVAL;
  if (segment.addr > TASK_SIZE || segment.memSize > TASK_SIZE - segment.addr) return -EINVAL;
  if (segment.offset + segment.fileSize >= IMPOSSIBLE) return -EINVAL;
  if (segment.addr % PAGE !== segment.offset % PAGE) return -EINVAL;
  return segment;
}

function addressOfOffset(segments: readonly Segment[], offset: number): number {
  for (const s of segments) {
    if (offset >= s.offset && offset < s.offset + s.fileSize) return offset - s.offset + s.addr;
  }
  return -1;
}
