// The initial stack: strings, auxiliary vector, environment and argument pointers, argc
// (fs/binfmt_elf.c: create_elf_tables; Documentation/arch/arm64/booting and the AAPCS64's 16-byte rule).

import { AT_EXECFN, AT_NULL, AT_PLATFORM, AT_RANDOM } from "../abi/elf.ts";
import { E2BIG, EFAULT } from "../abi/errno.ts";
import type { AddressSpace } from "../mm/address-space.ts";

/** MAX_ARG_STRLEN. */
const MAX_STRING_BYTES = 32 * 4096;
/** Three quarters of _STK_LIM. */
const MAX_TOTAL_BYTES = 6 << 20;

export interface StackPlan {
  readonly argv: readonly string[];
  readonly envp: readonly string[];
  /** AT_EXECFN. */
  readonly path: string;
  /** 16 bytes for AT_RANDOM. */
  readonly random: Uint8Array;
  /** Pairs; AT_RANDOM, AT_EXECFN, AT_PLATFORM and AT_NULL are added here. */
  readonly auxv: readonly (readonly [number, number])[];
}

/** Writes it all below `mm.stackTop`. The initial stack pointer; -E2BIG, -EFAULT. */
export function writeStack(mm: AddressSpace, plan: StackPlan): number {
  const strings = [...plan.argv, ...plan.envp];
  let size = 0;
  for (const s of strings) {
    if (s.length + 1 > MAX_STRING_BYTES) return -E2BIG;
    size += s.length + 1;
  }
  const pointers = (strings.length + 3) * 8;
  if (size + pointers > Math.min(mm.limits.stackBytes / 4, MAX_TOTAL_BYTES)) return -E2BIG;

  // From the top down: 8 zero bytes, execfn, environment, arguments, platform, random.
  const text = `${[...strings, plan.path].join("\0")}\0`;
  const textStart = mm.stackTop - 8 - text.length;
  const platform = textStart - 16;
  const random = platform - 16;
  const block = Buffer.alloc(mm.stackTop - random);
  block.set(plan.random.subarray(0, 16), 0);
  block.write("aarch64\0", platform - random, "latin1");
  block.write(text, textStart - random, "latin1");

  const auxv = [
    ...plan.auxv,
    [AT_RANDOM, random],
    [AT_EXECFN, textStart + size],
    [AT_PLATFORM, platform],
    [AT_NULL, 0],
  ] as const;
  const words = 1 + plan.argv.length + 1 + plan.envp.length + 1 + auxv.length * 2;
  const sp = Math.floor((random - words * 8) / 16) * 16;
  const table = new Float64Array(words);
  let n = 0;
  let at = textStart;
  table[n++] = plan.argv.length;
  for (const s of plan.argv) {
    table[n++] = at;
    at += s.length + 1;
  }
  mm.argStart = textStart;
  mm.argEnd = at;
  table[n++] = 0;
  mm.envStart = at;
  for (const s of plan.envp) {
    table[n++] = at;
    at += s.length + 1;
  }
  mm.envEnd = at;
  table[n++] = 0;
  const auxvAt = n;
  for (const [type, value] of auxv) {
    table[n++] = type;
    table[n++] = value;
  }
  const bytes = words64(table);
  mm.auxv = bytes.slice(auxvAt * 8);
  if (mm.copyOutBytes(random, block, 0, block.length) !== block.length) return -EFAULT;
  if (mm.copyOutBytes(sp, bytes, 0, bytes.length) !== bytes.length) return -EFAULT;
  return sp;
}

/** Numbers below 2^53 as little-endian 64-bit words. */
function words64(values: Float64Array): Uint8Array {
  const lanes = new Uint32Array(values.length * 2);
  for (let i = 0; i < values.length; i += 1) {
    lanes[2 * i] = values[i]!;
    lanes[2 * i + 1] = values[i]! / 4294967296;
  }
  return new Uint8Array(lanes.buffer);
}
