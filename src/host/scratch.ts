// One page-aligned-enough block of memory that both TypeScript and the shim reach: the staging area of every
// small copy to and from guests and the host. Its content is valid until the next call that uses it.

import { lastingBytes, pointerOf } from "./shim.ts";

export const SCRATCH_BYTES = 128 * 1024;

const bytes = lastingBytes(SCRATCH_BYTES);
const memory = bytes.buffer;

export const scratch = {
  u8: new Uint8Array(memory),
  i32: new Int32Array(memory),
  u32: new Uint32Array(memory),
  f64: new Float64Array(memory),
  view: new DataView(memory),
  bytes,
  ptr: pointerOf(bytes),
  /** A Number as a little-endian u64 at byte `offset`, a multiple of 4 (exact below 2^53; negative values sign-extend). */
  setU64(offset: number, value: number): void {
    scratch.u32[offset >>> 2] = value;
    scratch.u32[(offset >>> 2) + 1] = Math.floor(value / 4294967296);
  },
  /** The u64 at `offset`, a multiple of 4, as a Number; values of 2^53 and more lose their low bits. */
  getU64(offset: number): number {
    return scratch.u32[offset >>> 2]! + scratch.u32[(offset >>> 2) + 1]! * 4294967296;
  },
  /** The i64 at `offset`, a multiple of 4, as a Number. */
  getI64(offset: number): number {
    return scratch.u32[offset >>> 2]! + scratch.i32[(offset >>> 2) + 1]! * 4294967296;
  },
};
