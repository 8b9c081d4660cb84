// The parts of a Mach-O file that signing touches (mach-o/loader.h): segments, __LINKEDIT as the last of them, and the command that
// says where in it the signature lies. Only thin arm64 files, and only what a linker makes: anything else is refused by name.

const MAGIC_64 = 0xfeedfacf;
const CPU_ARM64 = 0x0100000c;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const HEADER_BYTES = 32;
const SEGMENT_BYTES = 72;
const SECTION_BYTES = 80;
const MH_EXECUTE = 2;
const MH_DYLIB = 6;

export class MachOError extends Error {}

interface Segment {
  /** Offset of its load command. */
  readonly at: number;
  readonly fileOffset: number;
  readonly fileSize: number;
}

export interface MachO {
  readonly isExecutable: boolean;
  readonly text: Segment;
  readonly linkEdit: Segment;
  /** Offset of LC_CODE_SIGNATURE; 0 when the file has none. */
  readonly signatureCommand: number;
  /** Bytes before the signature, or the whole file. */
  readonly contentBytes: number;
  readonly commandsEnd: number;
  /** Where the first section's content begins: load commands may grow up to there. */
  readonly firstContent: number;
}

/** Throws MachOError. */
export function parseMachO(file: Buffer): MachO {
  requireThinArm64(file);
  const type = file.readUInt32LE(12);
  if (type !== MH_EXECUTE && type !== MH_DYLIB) throw new MachOError("is neither a program nor a dynamic library");
  const commandsEnd = HEADER_BYTES + file.readUInt32LE(20);
  if (commandsEnd > file.length) throw new MachOError("ends within its load commands");
  const segments = new Map<string, Segment>();
  let signatureCommand = 0;
  let firstContent = file.length;
  let at = HEADER_BYTES;
  for (let left = file.readUInt32LE(16); left > 0; left -= 1) {
    const size = at + 8 <= commandsEnd ? file.readUInt32LE(at + 4) : 0;
    if (size < 8 || size % 8 !== 0 || at + size > commandsEnd)
      throw new MachOError("has a load command of a wrong size");
    const command = file.readUInt32LE(at);
    if (command === LC_SEGMENT_64) {
      const name = file.toString("latin1", at + 8, at + 24).replace(/\0+$/, "");
      segments.set(name, readSegment(file, at, size));
      firstContent = Math.min(firstContent, firstSection(file, at));
    } else if (command === LC_CODE_SIGNATURE) {
      if (size !== 16 || signatureCommand !== 0) throw new MachOError("has a signature command that makes no sense");
      signatureCommand = at;
    }
    at += size;
  }
  if (at !== commandsEnd) throw new MachOError("has load commands of another size than its header says");
  const text = segments.get("__TEXT");
  const linkEdit = segments.get("__LINKEDIT");
  if (text === undefined || linkEdit === undefined) throw new MachOError("has no __TEXT or no __LINKEDIT segment");
  for (const other of segments.values()) {
    if (other.fileOffset + other.fileSize > linkEdit.fileOffset && other !== linkEdit) {
      throw new MachOError("has a segment behind __LINKEDIT");
    }
  }
  if (linkEdit.fileOffset + linkEdit.fileSize !== file.length)
    throw new MachOError("does not end where __LINKEDIT ends");
  const contentBytes = signatureCommand === 0 ? file.length : signatureStart(file, signatureCommand, linkEdit);
  const isExecutable = type === MH_EXECUTE;
  return { isExecutable, text, linkEdit, signatureCommand, contentBytes, commandsEnd, firstContent };
}

function requireThinArm64(file: Buffer): void {
  if (file.length < HEADER_BYTES) throw new MachOError("is too short for a Mach-O file");
  const magic = file.readUInt32LE(0);
  if (magic === 0xbebafeca || magic === 0xbfbafeca)
    throw new MachOError("is a universal file: take the arm64 part of it");
  if (magic !== MAGIC_64) throw new MachOError("is not a 64-bit Mach-O file");
  const cpu = file.readUInt32LE(4);
  if (cpu !== CPU_ARM64) throw new MachOError(`is for another CPU than arm64 (CPU type 0x${cpu.toString(16)})`);
}

function readSegment(file: Buffer, at: number, size: number): Segment {
  if (size < SEGMENT_BYTES || size !== SEGMENT_BYTES + SECTION_BYTES * file.readUInt32LE(at + 64)) {
    throw new MachOError("has a segment command of a wrong size");
  }
  const fileOffset = Number(file.readBigUInt64LE(at + 40));
  const fileSize = Number(file.readBigUInt64LE(at + 48));
  if (fileOffset + fileSize > file.length) throw new MachOError("has a segment that goes beyond its end");
  return { at, fileOffset, fileSize };
}

/** The lowest file offset among a segment's sections. */
function firstSection(file: Buffer, at: number): number {
  let lowest = file.length;
  for (let i = 0; i < file.readUInt32LE(at + 64); i += 1) {
    const offset = file.readUInt32LE(at + SEGMENT_BYTES + SECTION_BYTES * i + 48);
    if (offset !== 0) lowest = Math.min(lowest, offset);
  }
  return lowest;
}

function signatureStart(file: Buffer, command: number, linkEdit: Segment): number {
  const start = file.readUInt32LE(command + 8);
  const size = file.readUInt32LE(command + 12);
  if (start < linkEdit.fileOffset || start % 16 !== 0 || start + size !== file.length) {
    throw new MachOError("has a signature that is not at its end");
  }
  return start;
}

/**
 * The content without any signature, and load commands that announce one of `signatureBytes` right behind it: what is returned is
 * what the signature signs. Throws MachOError.
 */
export function withRoomForSignature(file: Buffer, macho: MachO, signatureBytes: number): Buffer {
  const limit = Math.ceil(macho.contentBytes / 16) * 16;
  const out = Buffer.alloc(limit);
  file.copy(out, 0, 0, macho.contentBytes);
  let command = macho.signatureCommand;
  if (command === 0) {
    command = macho.commandsEnd;
    if (command + 16 > macho.firstContent) throw new MachOError("has no room for another load command");
    out.writeUInt32LE(file.readUInt32LE(16) + 1, 16);
    out.writeUInt32LE(file.readUInt32LE(20) + 16, 20);
    out.writeUInt32LE(LC_CODE_SIGNATURE, command);
    out.writeUInt32LE(16, command + 4);
  }
  out.writeUInt32LE(limit, command + 8);
  out.writeUInt32LE(signatureBytes, command + 12);
  const { at, fileOffset } = macho.linkEdit;
  const size = limit + signatureBytes - fileOffset;
  out.writeBigUInt64LE(BigInt(Math.ceil(size / 0x4000) * 0x4000), at + 32);
  out.writeBigUInt64LE(BigInt(size), at + 48);
  return out;
}
