// The 32-bit word of a futex in guest memory: atomic accesses that fault pages in (futex_get_value_locked and
// arch_futex_atomic_op_inuser of the kernel).

import { EAGAIN, EFAULT } from "../abi/errno.ts";
import { Access, Atomic } from "../host/shim.gen.ts";
import { pointerOf, shim } from "../host/shim.ts";
import type { AddressSpace } from "../mm/address-space.ts";

const out = new Uint32Array(2);
const outPtr = pointerOf(out);

/** The word at `addr` (u32), or -EFAULT. */
export function loadWord(mm: AddressSpace, addr: number): number {
  const error = access(mm, addr, Atomic.load, 0, 0);
  return error < 0 ? error : out[0]!;
}

/** Replaces `expected` by `value`. 0, -EAGAIN when the word differs, -EFAULT. */
export function compareExchange(mm: AddressSpace, addr: number, expected: number, value: number): number {
  return access(mm, addr, Atomic.cmpxchg, value, expected);
}

/** Combines the word with `arg`; the old value (u32), or -EFAULT. `op` is one of Atomic. */
export function updateWord(mm: AddressSpace, addr: number, op: number, arg: number): number {
  const error = access(mm, addr, op, arg, 0);
  return error < 0 ? error : out[0]!;
}

function access(mm: AddressSpace, addr: number, op: number, arg: number, expected: number): number {
  for (;;) {
    const result = shim.user_atomic32(mm.space, addr, op, arg >>> 0, expected >>> 0, outPtr);
    if (result !== -EFAULT) return result < 0 && result !== -EAGAIN ? -EFAULT : result;
    if (mm.handleFault(addr, op === Atomic.load ? Access.read : Access.write) !== 0) return -EFAULT;
  }
}
