// Byte strings on their way to the shim: NUL-terminated copies in memory of this room, so that callers may keep
// what they have in the shared scratch.

import { pointerOf } from "./shim.ts";

/** PATH_MAX, with its NUL. */
const SLOT_BYTES = 4096;

const memory = Buffer.alloc(2 * SLOT_BYTES + 8);
const base = pointerOf(memory);

/** Pointer of an empty string: "the descriptor itself". */
export const EMPTY = base + 2 * SLOT_BYTES;

function write(slot: number, text: string): number {
  const start = slot * SLOT_BYTES;
  const length = text.length;
  if (length >= SLOT_BYTES || text.includes("\0")) return 0;
  memory.write(text, start, length, "latin1");
  memory[start + length] = 0;
  return base + start;
}

/** Pointer to a copy that lives until the next call, or 0 when the string is too long or holds a NUL. */
export function nativeString(text: string): number {
  return write(0, text);
}

/** A second slot, for calls with two names. */
export function secondNativeString(text: string): number {
  return write(1, text);
}
