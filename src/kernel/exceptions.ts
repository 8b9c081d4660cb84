// Exits of the CPU other than calls: page faults go to mm, the rest become signals (arch/arm64/mm/fault.c,
// arch/arm64/kernel/traps.c).

import * as S from "../abi/signal.ts";
import { RegisterBlock as at, Exit } from "../host/shim.gen.ts";
import { unreachable } from "../lib/assert.ts";
import { SigInfo } from "./sig-info.ts";
import type { Task } from "./task.ts";
import { forceSignal } from "./task-signals.ts";

const TAG_SHIFT_WORD = 0x00ffffff;
const BIT_55 = 0x00800000;

export function handleException(task: Task, exit: number): void {
  const regs = task.regs;
  switch (exit) {
    case Exit.fault:
      handleFault(task);
      break;
    case Exit.undefined:
      raise(task, S.SIGILL, S.ILL_ILLOPC, regs.pc);
      break;
    case Exit.breakpoint:
      raise(task, S.SIGTRAP, S.TRAP_BRKPT, regs.pc);
      break;
    case Exit.step:
      raise(task, S.SIGTRAP, S.TRAP_TRACE, regs.pc);
      break;
    case Exit.alignment:
    case Exit.pc_alignment:
      recordFault(task);
      raiseAt(task, S.SIGBUS, S.BUS_ADRALN);
      break;
    default:
      unreachable(`exit ${exit}`);
  }
}

function handleFault(task: Task): void {
  const regs = task.regs;
  const outcome = task.mm.handleFault(regs.faultAddr % 2 ** 56, regs.faultAccess);
  if (outcome === 0) {
    task.usage.minorFaults += 1;
    return;
  }
  recordFault(task);
  raiseAt(task, outcome >> 8, outcome & 0xff);
}

/** Keeps address and syndrome for the signal frame; the address loses its tag, as the kernel shows it. */
function recordFault(task: Task): void {
  const { i32 } = task.regs;
  const high = i32[(at.fault_addr >> 2) + 1]!;
  task.faultAddrLo = i32[at.fault_addr >> 2]!;
  task.faultAddrHi = (high & BIT_55) !== 0 ? high | ~TAG_SHIFT_WORD : high & TAG_SHIFT_WORD;
  task.faultCodeLo = i32[at.esr >> 2]!;
  task.faultCodeHi = i32[(at.esr >> 2) + 1]!;
}

/** A signal about the recorded fault address. */
function raiseAt(task: Task, signal: number, code: number): void {
  const info = new SigInfo(signal, code);
  info.words[4] = task.faultAddrLo;
  info.words[5] = task.faultAddrHi;
  forceSignal(task, info);
}

function raise(task: Task, signal: number, code: number, addr: number): void {
  task.faultAddrLo = 0;
  task.faultAddrHi = 0;
  task.faultCodeLo = 0;
  task.faultCodeHi = 0;
  forceSignal(task, SigInfo.fault(signal, code, addr));
}
