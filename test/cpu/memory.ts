/**
 * What the generator and the comparison must know about a word: which memory it touches through which registers,
 * whether the architecture leaves its behaviour open (CONSTRAINED UNPREDICTABLE), and whether it must not be run at all.
 * Decoded from the Arm ARM's load/store tables (C4.1), not from our own instruction table.
 */

export type Access = {
  readonly base: number;
  /** Bytes at the lowest address on. */
  readonly bytes: number;
  /** Immediate added to the base before the access. */
  readonly offset: number;
  readonly index: { readonly register: number; readonly option: number; readonly shift: number } | null;
  readonly store: boolean;
  readonly load: boolean;
  /** Faults when it is not aligned to its size. */
  readonly aligned: boolean;
  /** General registers that a load writes and that writeback must not meet. */
  readonly targets: readonly number[];
  readonly writeback: boolean;
  /** A store-exclusive: without a monitor the architecture leaves open whether a bad address is noticed. */
  readonly conditional: boolean;
  /** Cache maintenance, which qemu's user mode skips: only good addresses can be compared. */
  readonly maintenance: boolean;
  /** Several accesses whose order and partial effects the architecture leaves open when one faults. */
  readonly many: boolean;
};

const bits = (word: number, high: number, low: number) => (word >>> low) & ((1 << (high - low + 1)) - 1);
const signed = (value: number, width: number) => (value << (32 - width)) >> (32 - width);
const is = (word: number, mask: number, value: number) => (word & mask) >>> 0 === value;

const NONE = {
  offset: 0,
  index: null,
  aligned: false,
  targets: [],
  writeback: false,
  many: false,
  conditional: false,
  maintenance: false,
} as const;

function exclusive(word: number): Access {
  const size = bits(word, 31, 30);
  const o2 = bits(word, 23, 23);
  const L = bits(word, 22, 22);
  const o1 = bits(word, 21, 21);
  const rt = bits(word, 4, 0);
  const base = bits(word, 9, 5);
  const isPair = o2 === 0 && o1 === 1;
  const isSwap = o1 === 1 && (o2 === 1 || size < 2);
  const width = isPair && size < 2 ? 4 << (size & 1) : 1 << size;
  const targets = L === 1 && !isSwap ? (isPair ? [rt, bits(word, 14, 10)] : [rt]) : [];
  return {
    ...NONE,
    base,
    bytes: isPair ? 2 * width : width,
    store: isSwap || L === 0,
    load: isSwap || L === 1,
    aligned: true,
    targets,
    conditional: !isSwap && L === 0 && o2 === 0,
  };
}

function pair(word: number): Access {
  const V = bits(word, 26, 26);
  const opc = bits(word, 31, 30);
  const width = V === 1 ? 4 << opc : opc === 2 ? 8 : 4;
  const mode = bits(word, 24, 23);
  const L = bits(word, 22, 22);
  return {
    ...NONE,
    base: bits(word, 9, 5),
    bytes: 2 * width,
    offset: mode === 1 ? 0 : signed(bits(word, 21, 15), 7) * width,
    store: L === 0,
    load: L === 1,
    targets: V === 0 ? [bits(word, 4, 0), bits(word, 14, 10)] : [],
    writeback: (mode & 1) === 1,
    many: true,
  };
}

function single(word: number): Access {
  const V = bits(word, 26, 26);
  const opc = bits(word, 23, 22);
  const scale = V === 1 ? bits(word, 31, 30) | ((opc & 2) << 1) : bits(word, 31, 30);
  const unsigned = bits(word, 24, 24) === 1;
  const load = V === 1 ? (opc & 1) === 1 : opc !== 0;
  const common = {
    ...NONE,
    base: bits(word, 9, 5),
    bytes: 1 << Math.min(scale, 4),
    store: !load,
    load,
    targets: V === 0 ? [bits(word, 4, 0)] : [],
  };
  if (unsigned) return { ...common, offset: bits(word, 21, 10) * common.bytes };
  if (bits(word, 21, 21) === 0) {
    const mode = bits(word, 11, 10);
    return { ...common, offset: mode === 1 ? 0 : signed(bits(word, 20, 12), 9), writeback: (mode & 1) === 1 };
  }
  const mode = bits(word, 11, 10);
  if (mode === 0) {
    const acquire = bits(word, 15, 12) === 12;
    return { ...common, bytes: 1 << bits(word, 31, 30), store: !acquire, load: true, aligned: true, targets: [] };
  }
  if (mode !== 2) return { ...common, bytes: 8, store: false, load: true };
  const shift = bits(word, 12, 12) === 1 ? scale : 0;
  return { ...common, index: { register: bits(word, 20, 16), option: bits(word, 15, 13), shift } };
}

function structure(word: number): Access {
  const Q = bits(word, 30, 30);
  const L = bits(word, 22, 22);
  const post = bits(word, 23, 23) === 1;
  const size = bits(word, 11, 10);
  const common = { ...NONE, base: bits(word, 9, 5), store: L === 0, load: L === 1, writeback: post, many: true };
  if (bits(word, 24, 24) === 0) {
    const registers = { 0: 4, 2: 4, 4: 3, 6: 3, 7: 1, 8: 2, 10: 2 }[bits(word, 15, 12)] ?? 1;
    return { ...common, bytes: registers * (8 << Q) };
  }
  const opcode = bits(word, 15, 13);
  const registers = 1 + (((opcode & 1) << 1) | bits(word, 21, 21));
  const scale = opcode >> 1 === 3 ? size : opcode >> 1 === 2 ? 2 + (size & 1) : opcode >> 1;
  return { ...common, bytes: registers << scale };
}

/** The data access of a word, or null when it makes none (literal loads count as none: they are aimed by their immediate). */
export function memoryAccess(word: number): Access | null {
  if (is(word, 0x3f000000, 0x08000000)) return exclusive(word);
  if (is(word, 0x3f200c00, 0x19000000)) {
    const opc = bits(word, 23, 22);
    return {
      ...NONE,
      base: bits(word, 9, 5),
      bytes: 1 << bits(word, 31, 30),
      offset: signed(bits(word, 20, 12), 9),
      store: opc === 0,
      load: opc !== 0,
      aligned: true,
    };
  }
  if (is(word, 0x3a000000, 0x28000000)) return pair(word);
  if (is(word, 0x3a000000, 0x38000000)) return single(word);
  if (is(word, 0xbfbf0000, 0x0c000000) || is(word, 0xbfa00000, 0x0c800000)) return structure(word);
  if (is(word, 0xbf9f0000, 0x0d000000) || is(word, 0xbf800000, 0x0d800000)) return structure(word);
  // DC ZVA writes its 64-byte block; the other maintenance calls of EL0 read theirs, as far as faults go.
  if (is(word, 0xfffff000, 0xd50b7000)) {
    const zero = bits(word, 11, 5) === 0x21;
    return { ...NONE, base: bits(word, 4, 0), bytes: 1, store: zero, load: !zero, maintenance: !zero };
  }
  return null;
}

function unpredictableExclusive(word: number): boolean {
  const o2 = bits(word, 23, 23);
  const L = bits(word, 22, 22);
  const o1 = bits(word, 21, 21);
  const size = bits(word, 31, 30);
  const [rs, rt2, rn, rt] = [bits(word, 20, 16), bits(word, 14, 10), bits(word, 9, 5), bits(word, 4, 0)];
  if (o1 === 1 && (o2 === 1 || size < 2)) return rt2 !== 31;
  const isPair = o1 === 1;
  if (o2 === 1) return rs !== 31 || rt2 !== 31;
  if (!isPair && rt2 !== 31) return true;
  if (L === 1) return rs !== 31 || (isPair && rt === rt2);
  return rs === rt || (isPair && rs === rt2) || (rs === rn && rn !== 31);
}

/** The architecture allows more than one behaviour, so two engines may rightly differ. */
export function unpredictable(word: number): boolean {
  if (is(word, 0x3f000000, 0x08000000) && unpredictableExclusive(word)) return true;
  const access = memoryAccess(word);
  if (access === null) return false;
  if (access.writeback && access.base !== 31 && access.targets.includes(access.base)) return true;
  if (is(word, 0x3a000000, 0x28000000) && access.load && bits(word, 4, 0) === bits(word, 14, 10)) return true;
  return false;
}

/** Exclusives of unlike sizes, or one of a pair and one of a single: whether the store succeeds is left open. */
export function unlikeExclusives(words: readonly number[]): boolean {
  const shapes = words.filter((word) => is(word, 0x3f800000, 0x08000000)).map((word) => word & 0xc0200000);
  return new Set(shapes).size > 1;
}

/** qemu 7.2 stops with an assertion on these unallocated words: scalar FABS and FSQRT, vector FRECPX of half precision. */
export const CRASHES_ORACLE: readonly (readonly [mask: number, value: number])[] = [
  [0xfffffc00, 0x5ef8f800],
  [0xfffffc00, 0x7ef9f800],
  [0xbffffc00, 0x0ef9f800],
];

/** Words that no case may hold: calls, and registers and hints whose answer depends on the machine. */
export function forbidden(word: number): boolean {
  if (is(word, 0xffe0001f, 0xd4000001)) return true;
  if (CRASHES_ORACLE.some(([mask, value]) => is(word, mask, value))) return true;
  // WFE, WFI, WFET, WFIT.
  if (is(word, 0xffffffdf, 0xd503205f) || is(word, 0xffffffc0, 0xd5031000)) return true;
  if (is(word, 0xffc00000, 0xd5000000)) return forbiddenSystem(word);
  return false;
}

function forbiddenSystem(word: number): boolean {
  const op0 = bits(word, 20, 19);
  const op1 = bits(word, 18, 16);
  const crn = bits(word, 15, 12);
  const crm = bits(word, 11, 8);
  if (op0 < 2) return false;
  // Identification, cache type, random numbers, performance monitors, counters, and debug registers.
  if (op0 === 3 && op1 === 0 && crn === 0) return true;
  if (op0 === 3 && op1 === 3 && (crn === 0 || crn === 9 || crn === 14)) return true;
  if (op0 === 3 && op1 === 3 && crn === 2 && crm === 4) return true;
  return op0 === 2;
}
