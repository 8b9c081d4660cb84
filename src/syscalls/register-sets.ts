// Register sets of a stopped thread, as PTRACE_GETREGSET and PTRACE_SETREGSET see them (arch/arm64/kernel/ptrace.c).

import { EFAULT, EINVAL, ENOSPC } from "../abi/errno.ts";
import * as P from "../abi/ptrace.ts";
import { scratch } from "../host/scratch.ts";
import { RegisterBlock as at } from "../host/shim.gen.ts";
import type { Task } from "../kernel/task.ts";

interface RegisterSet {
  readonly bytes: number;
  /** What its length has to be a multiple of. */
  readonly unit: number;
  /** Registers to scratch. */
  read(target: Task): void;
  /** Scratch, where the bytes that were not given are as they were, to registers. 0 or -errno. */
  write(target: Task): number;
}

const GENERAL_BYTES = 34 * 8;
const VECTOR_BYTES = 32 * 16;
/** Mode, DAIF and the like: EL0 has none of them. */
const KERNEL_PSTATE = 0x3df;
const FLAGS = 0xf0000000;

const general: RegisterSet = {
  bytes: GENERAL_BYTES,
  unit: 8,
  read(target) {
    scratch.u8.set(target.regs.bytes.subarray(0, GENERAL_BYTES), 0);
  },
  write(target) {
    const pstate = scratch.u32[at.pstate >> 2]!;
    target.regs.bytes.set(scratch.u8.subarray(0, GENERAL_BYTES), 0);
    target.regs.setWide(at.pstate, (pstate & FLAGS) >>> 0);
    return (pstate & KERNEL_PSTATE) !== 0 ? -EINVAL : 0;
  },
};

const vector: RegisterSet = {
  bytes: VECTOR_BYTES + 16,
  unit: 4,
  read(target) {
    const { regs } = target;
    regs.vectorsRead();
    scratch.u8.set(regs.bytes.subarray(at.v, at.v + VECTOR_BYTES), 0);
    scratch.u8.fill(0, VECTOR_BYTES, VECTOR_BYTES + 16);
    scratch.u32[VECTOR_BYTES >> 2] = regs.u32[at.fpsr >> 2]!;
    scratch.u32[(VECTOR_BYTES >> 2) + 1] = regs.u32[at.fpcr >> 2]!;
  },
  write(target) {
    const { regs } = target;
    regs.bytes.set(scratch.u8.subarray(0, VECTOR_BYTES), at.v);
    regs.u32[at.fpsr >> 2] = scratch.u32[VECTOR_BYTES >> 2]!;
    regs.u32[at.fpcr >> 2] = scratch.u32[(VECTOR_BYTES >> 2) + 1]!;
    regs.vectorsChanged();
    return 0;
  },
};

const threadPointer: RegisterSet = {
  bytes: 8,
  unit: 8,
  read(target) {
    scratch.u8.set(target.regs.bytes.subarray(at.tpidr, at.tpidr + 8), 0);
  },
  write(target) {
    target.regs.bytes.set(scratch.u8.subarray(0, 8), at.tpidr);
    return 0;
  },
};

const call: RegisterSet = {
  bytes: 4,
  unit: 4,
  read(target) {
    scratch.i32[0] = target.trace!.number;
  },
  write(target) {
    target.trace!.number = scratch.i32[0]!;
    return 0;
  },
};

/** There are no slots for hardware breakpoints and watchpoints: debuggers take those of software. */
const hardware: RegisterSet = {
  bytes: P.HwDebug.sizeBytes,
  unit: 4,
  read() {
    scratch.u8.fill(0, 0, P.HwDebug.sizeBytes);
    scratch.u32[P.HwDebug.info >> 2] = P.DEBUG_ARCH_V8 << 8;
  },
  write() {
    for (let slot = 0; slot < P.HwDebug.slots; slot += 1) {
      const control = scratch.u32[(P.HwDebug.regs + slot * P.HwDebug.slotBytes + P.HwDebug.control) >> 2]!;
      if ((control & 1) !== 0) return -ENOSPC;
    }
    return 0;
  },
};

const SETS: ReadonlyMap<number, RegisterSet> = new Map([
  [P.NT_PRSTATUS, general],
  [P.NT_PRFPREG, vector],
  [P.NT_ARM_TLS, threadPointer],
  [P.NT_ARM_SYSTEM_CALL, call],
  [P.NT_ARM_HW_BREAK, hardware],
  [P.NT_ARM_HW_WATCH, hardware],
]);

function find(type: number, length: number): RegisterSet | null {
  const set = SETS.get(type);
  return set === undefined || length % set.unit !== 0 ? null : set;
}

/** The bytes written to the tracer's memory at `base`, or -errno. */
export function readRegisterSet(task: Task, target: Task, type: number, base: number, length: number): number {
  const set = find(type, length);
  if (set === null) return -EINVAL;
  const count = Math.min(length, set.bytes);
  set.read(target);
  return task.mm.copyOut(base, count) < 0 ? -EFAULT : count;
}

/** The bytes taken, or -errno. */
export function writeRegisterSet(task: Task, target: Task, type: number, base: number, length: number): number {
  const set = find(type, length);
  if (set === null) return -EINVAL;
  const count = Math.min(length, set.bytes);
  set.read(target);
  if (task.mm.copyIn(base, count) < 0) return -EFAULT;
  const error = set.write(target);
  return error < 0 ? error : count;
}
