// Single instructions of the engine's code at EL1 (shim/cpu/hvf/stub.zig) in whose place the stand-in puts others (HVKVM_FLIP=word:old:new). The engine's own
// check must notice each; a word that is no longer there fails too. Left out is what an emulated CPU cannot show: barriers, and that something
// cached is not dropped: its own CPU forgets all when it leaves a guest.

import { RegisterBlock as at } from "../../../src/host/shim.gen.ts";
import type { Mutation } from "./hvf.ts";

const NOP = 0xd503201f;
const SP = 31;

/** Instructions whose operands depend on where the register block has its fields. */
const str = (rt: number, rn: number, offset: number): number =>
  (0xf9000000 | ((offset / 8) << 10) | (rn << 5) | rt) >>> 0;
const pair = (opcode: number, n: number, rn: number): number =>
  (opcode | (((at.v / 16 + n) & 127) << 15) | ((n + 1) << 10) | (rn << 5) | n) >>> 0;
const stpq = (n: number, rn: number): number => pair(0xad000000, n, rn);
const ldpq = (n: number, rn: number): number => pair(0xad400000, n, rn);

function word(what: string, old: number, other = NOP): Mutation {
  return { name: `stub: ${what}`, flip: `word:${old}:${other}` };
}

export const STUB_MUTATIONS: readonly Mutation[] = [
  // Calls that are answered at EL1.
  word("stp x0, x1, [sp]", 0xa90007e0),
  word("sub w0, w8, #172 -> #173", 0x5102b100, 0x5102b500),
  word("sub w0, w8, #172 -> sub x0, x8, #172", 0x5102b100, 0xd102b100),
  word("cmp w0, #6 -> #5", 0x7100181f, 0x7100141f),
  word("lsr w1, w1, #26", 0x531a7c21),
  word("cmp w1, #0x15 -> #0x3c", 0x7100543f, 0x7100f03f),
  word("add x1, sp, x0, lsl #2 -> lsl #3", 0x8b206be1, 0x8b206fe1),
  word("sub w0, w0, #1", 0x51000400),
  word("ldr x1, [sp, #8]", 0xf94007e1),
  // The way out.
  word("mov x0, #5, of a task that is stopped -> #1", 0xd28000a0, 0xd2800020),
  word("stp x2, x3", 0xa9010fe2),
  word("stp x18, x19", 0xa9094ff2),
  word("stp x28, x29", 0xa90e77fc),
  word("str x30", 0xf9007bfe),
  word("mrs x1, sp_el0", 0xd5384101),
  word("mrs x2, elr_el1", 0xd5384022),
  word("mrs x1, spsr_el1", 0xd5384001),
  word("mrs x2, tpidr_el0", 0xd53bd042),
  word("and x1, x1, x3: the flags that are kept", 0x8a030021),
  word("str x1, [sp, #pstate]", str(1, SP, at.pstate)),
  word("str x2, [sp, #tpidr]", str(2, SP, at.tpidr)),
  word("mrs x1, far_el1", 0xd5386001),
  word("mrs x2, esr_el1", 0xd5385202),
  word("ldr x2, [x1, #fp_eager] -> mov x2, xzr", 0xf9402422, 0xaa1f03e2),
  word("str x2, [x1, #left]", 0xf9001822),
  word("str x0, [x1, #kind]", 0xf9001020),
  // The way in.
  word("ldr x2, [x1, #block]", 0xf9400022),
  word("str x2, [x1, #entered]", 0xf9001422),
  word("add x2, x2, x3: the end of the slice", 0x8b030042),
  word("mov x3, #1: the timer is on -> #0", 0xd2800023, 0xd2800003),
  word("msr cntv_ctl_el0, x3", 0xd51be323),
  word("msr sp_el0, x2", 0xd5184102),
  word("msr elr_el1, x3", 0xd5184023),
  word("msr tpidr_el0, x3", 0xd51bd043),
  word("and x2, x2, x3: the flags that a task may have", 0x8a030042),
  word("msr spsr_el1, x2", 0xd5184002),
  word("ldp x2, x3", 0xa9410fe2),
  word("ldp x18, x19", 0xa9494ff2),
  word("ldp x28, x29", 0xa94e77fc),
  word("ldr x30", 0xf9407bfe),
  word("ldp x0, x1", 0xa94007e0),
  // What is asked for.
  word("msr ttbr0_el1, x3", 0xd5182003),
  word("ldr x3, [x1, #fp_from] -> mov x3, sp", 0xf9402023, 0x910003e3),
  word("mrs x4, fpcr -> mov x4, xzr", 0xd53b4404, 0xaa1f03e4),
  word("orr x4, x4, x5, lsl #32: fpsr", 0xaa058084),
  word("str x4, [x3, #fpcr]", str(4, 3, at.fpcr)),
  word("stp q0, q1, [x3]", stpq(0, 3)),
  word("stp q14, q15, [x3]", stpq(14, 3)),
  word("stp q30, q31, [x3]", stpq(30, 3)),
  word("str xzr, [x1, #fp_from]", 0xf900203f),
  word("lsr x4, x3, #32: fpsr", 0xd360fc64),
  word("msr fpcr, x3", 0xd51b4403),
  word("msr fpsr, x4", 0xd51b4424),
  word("ldp q0, q1, [sp]", ldpq(0, SP)),
  word("ldp q14, q15, [sp]", ldpq(14, SP)),
  word("ldp q30, q31, [sp]", ldpq(30, SP)),
  word("mov x0, #6, when only that was asked", 0xd28000c0),
];
