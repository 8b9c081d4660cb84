/** The code of a program or library: its largest section of instructions. */

const SHF_EXECINSTR = 4;
const SHT_PROGBITS = 1;
const SECTION_BYTES = 64;

export function codeOf(file: Buffer): { addr: number; words: Uint32Array } {
  const table = Number(file.readBigUInt64LE(40));
  let best = { addr: 0, offset: 0, size: 0 };
  for (let i = 0; i < file.readUInt16LE(60); i++) {
    const at = table + SECTION_BYTES * i;
    const wide = (offset: number) => Number(file.readBigUInt64LE(at + offset));
    if ((wide(8) & SHF_EXECINSTR) === 0 || file.readUInt32LE(at + 4) !== SHT_PROGBITS || wide(32) <= best.size)
      continue;
    best = { addr: wide(16), offset: wide(24), size: wide(32) };
  }
  const bytes = Uint8Array.from(file.subarray(best.offset, best.offset + (best.size & ~3)));
  return { addr: best.addr, words: new Uint32Array(bytes.buffer) };
}
