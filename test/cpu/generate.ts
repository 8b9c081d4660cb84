/**
 * Seeded cases for one class of instructions: words drawn from the architecture's encoding groups (groups.ts) or from
 * the rows of our instruction table, with memory operands aimed at the data pages and branches kept inside the slot.
 */
import {
  type Case,
  CODE_BASE,
  DATA_BASE,
  DATA_BYTES,
  type Override,
  PROFILES,
  RODATA_BASE,
  SLOT_BYTES,
  SLOTS,
} from "./cases.ts";
import type { Group, Pattern } from "./groups.ts";
import { type Access, forbidden, memoryAccess, unlikeExclusives, unpredictable } from "./memory.ts";
import { type Pair, Random } from "./random.ts";
import { SEQUENCES } from "./sequences.ts";

const REGISTER_FIELDS = new Set(["rd", "rn", "rm", "ra", "rt", "rt2", "rs"]);
const SLOT_WORDS = SLOT_BYTES / 4;

/** Draws a register number; now and then 31, now and then one that was drawn before, so that operands overlap. */
export class Registers {
  private last = 0;
  private readonly random: Random;
  constructor(random: Random) {
    this.random = random;
  }
  draw(): number {
    const kind = this.random.below(12);
    if (kind === 0) return 31;
    if (kind > 3) this.last = this.random.below(32);
    return this.last;
  }
}

export function drawWord(random: Random, registers: Registers, pattern: Pattern): number {
  let word = pattern.fixed;
  for (const field of pattern.fields) {
    const value = REGISTER_FIELDS.has(field.name) && field.width === 5 ? registers.draw() : random.bits(field.width);
    word |= value << field.shift;
  }
  return word >>> 0;
}

const mask = (high: number, low: number) => ((2 ** (high - low + 1) - 1) * 2 ** low) >>> 0;
const place = (word: number, high: number, low: number, value: number) =>
  ((word & ~mask(high, low)) | ((value << low) & mask(high, low))) >>> 0;

/** A word offset from position `at` to a place behind it in its slot, or into the filler of the slot before. */
function branchOffset(random: Random, at: number): number {
  if (random.one(4)) return -(at + 1 + random.below(15));
  return 1 + random.below(SLOT_WORDS - 1 - at);
}

/** Keeps branches and literal loads near: their immediates are drawn anew. `at` is the word's position in the slot. */
export function aimImmediate(random: Random, word: number, at: number): number {
  if ((word & 0x7c000000) >>> 0 === 0x14000000) return place(word, 25, 0, branchOffset(random, at));
  if ((word & 0xfe000000) >>> 0 === 0x54000000 || (word & 0x7e000000) >>> 0 === 0x34000000) {
    return place(word, 23, 5, branchOffset(random, at));
  }
  if ((word & 0x7e000000) >>> 0 === 0x36000000) return place(word, 18, 5, branchOffset(random, at));
  if ((word & 0x3b000000) >>> 0 === 0x18000000) return place(word, 23, 5, random.below(SLOT_WORDS - 4) - at);
  return word;
}

/** Branches that may lead back: only as a case's last word, so that no case runs for ever. */
export function mayLoop(word: number): boolean {
  return (word & 0xfe000000) >>> 0 === 0xd6000000 || (word & 0xfc000000) >>> 0 === 0x94000000;
}

/** An address for an access of `bytes`, and now and then one that faults. */
function target(random: Random, access: Access): number {
  const kind = access.conditional || access.maintenance ? 0 : random.below(32);
  if (kind < 18) return DATA_BASE + 16 * random.below(DATA_BYTES / 16 - 8) + 64;
  if (kind < 23) {
    const at = 64 + random.below(DATA_BYTES - 256);
    return DATA_BASE + (access.aligned && !random.one(4) ? at - (at % access.bytes) : at);
  }
  if (kind < 26) return DATA_BASE + 0x1000 - random.below(access.bytes + 1);
  if (kind < 28) return DATA_BASE + DATA_BYTES - random.below(access.bytes + 1);
  if (kind < 29) return RODATA_BASE + 16 * random.below(128) + (random.one(4) ? random.below(16) : 0);
  if (kind < 30) return RODATA_BASE - random.below(access.bytes + 1);
  if (kind < 31) return DATA_BASE + DATA_BYTES + 16 * random.below(128);
  return DATA_BASE - random.below(access.bytes + 1);
}

export function pairOf(value: number): Pair {
  const high = Math.floor(value / 0x100000000);
  return [value >>> 0, high >>> 0];
}

/** The value of an index register and what it adds to the address. */
function drawIndex(random: Random, index: { option: number; shift: number }): { pair: Pair; add: number } {
  const value = random.one(3) ? random.below(64) : random.below(256) - 128;
  const wide = (index.option & 1) === 1;
  const signedForm = index.option >= 6;
  const low = value >>> 0;
  const high = wide ? (value < 0 ? 0xffffffff : 0) : random.u32();
  const extended = wide || signedForm ? value : low;
  return { pair: [low, high], add: extended * 2 ** index.shift };
}

/** Gives a memory access its base and index values. */
export function aimMemory(random: Random, access: Access, overrides: Override[]): void {
  let add = access.offset;
  if (access.index !== null && access.index.register !== 31) {
    const index = drawIndex(random, access.index);
    add += index.add;
    overrides.push([access.index.register, index.pair[0], index.pair[1]]);
  }
  let base = target(random, access) - add;
  if (access.base === 31) base -= ((base % 16) + 16) % 16;
  const [low, high] = pairOf(base);
  const tag = random.one(12) ? random.bits(8) << 24 : 0;
  overrides.push([access.base, low, (high | tag) >>> 0]);
}

/** Where BR, BLR and RET go. */
function aimBranchRegister(random: Random, word: number, at: number, slot: number, overrides: Override[]): void {
  const register = (word >>> 5) & 31;
  if (register === 31) return;
  const kind = random.below(16);
  const inside = CODE_BASE + slot * SLOT_BYTES + 4 * (at + 1 + random.below(SLOT_WORDS - 1 - at));
  const to =
    kind < 12 ? inside : kind < 14 ? inside + 1 + random.below(3) : kind < 15 ? DATA_BASE - 0x1000 : DATA_BASE + 64;
  overrides.push([register, ...pairOf(to)]);
}

/** Whatever a drawn word needs so that it does something sensible: targets, aligned bases; null when it may not be run. */
export function settle(random: Random, drawn: number, at: number, slot: number, overrides: Override[]): number | null {
  const word = aimImmediate(random, drawn, at);
  if (forbidden(word) || unpredictable(word)) return null;
  if ((word & 0xfe000000) >>> 0 === 0xd6000000) aimBranchRegister(random, word, at, slot, overrides);
  // MSR FPCR and FPSR: without the bits that only AArch32 uses, which a CPU may keep or not.
  if ((word & 0xffffffc0) >>> 0 === 0xd51b4400 && (word & 31) !== 31) {
    overrides.push([word & 31, random.u32() & 0x0fc8ffff, random.u32()]);
  }
  const access = memoryAccess(word);
  if (access !== null) {
    if (access.index !== null && access.index.register === access.base) return null;
    if (access.maintenance && access.base === 31) return null;
    aimMemory(random, access, overrides);
  }
  return word;
}

/** Should-be-one fields of exclusives and ordered accesses: set, else nearly every drawn word would be unpredictable. */
function setOnes(word: number): number {
  if ((word & 0x3f000000) >>> 0 !== 0x08000000) return word;
  const [o2, L, o1] = [(word >>> 23) & 1, (word >>> 22) & 1, (word >>> 21) & 1];
  const swap = o1 === 1 && (o2 === 1 || word >>> 31 === 0);
  let out = word;
  if (swap || o1 === 0) out = place(out, 14, 10, 31);
  if (!swap && (L === 1 || o2 === 1)) out = place(out, 20, 16, 31);
  return out;
}

function groupCase(random: Random, group: Group, slot: number): Case {
  const registers = new Registers(random);
  const count = random.one(2) ? 1 : 1 + random.below(group.words);
  const words: number[] = [];
  const names: string[] = [];
  const overrides: Override[] = [];
  while (words.length < count) {
    const pattern = random.pick(group.patterns);
    const word = settle(random, setOnes(drawWord(random, registers, pattern)), words.length, slot, overrides);
    if (word === null) continue;
    words.push(word);
    names.push(pattern.name ?? group.name);
    if (mayLoop(word)) break;
  }
  if (unlikeExclusives(words)) return groupCase(random, group, slot);
  const profile = group.profile === "any" || random.one(6) ? random.pick(PROFILES) : group.profile;
  return { slot, seed: random.u32(), profile, words, overrides, names };
}

/** `count` cases of a class; the same seed gives the same cases. */
export function generate(group: Group, count: number, seed: number): Case[] {
  const random = new Random(seed);
  const cases: Case[] = [];
  const sequence = SEQUENCES[group.name];
  for (let i = 0; i < count; i++) {
    const slot = i % SLOTS;
    if (sequence !== undefined && random.one(sequence[1])) cases.push(sequence[0](random, slot));
    else cases.push(groupCase(random, group, slot));
  }
  return cases;
}
