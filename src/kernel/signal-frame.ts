// The arm64 signal frame: built before a handler runs, read back by rt_sigreturn (arch/arm64/kernel/signal.c).
// From the new sp up: siginfo, ucontext with its records, and above them the frame record (x29, x30).

import { EINVAL, ENOMEM, EPERM } from "../abi/errno.ts";
import * as S from "../abi/signal.ts";
import { scratch } from "../host/scratch.ts";
import { RegisterBlock as at } from "../host/shim.gen.ts";
import type { SigAction } from "./sig-actions.ts";
import { SigInfo } from "./sig-info.ts";
import type { Task } from "./task.ts";
import { forceSignal, setBlocked } from "./task-signals.ts";

const FRAME_BYTES = S.SIGINFO_BYTES + S.Ucontext.sizeBytes;
const RECORD_BYTES = 16;
const UC = S.SIGINFO_BYTES;
const MC = UC + S.Ucontext.mcontext;
const RESERVED = MC + S.Sigcontext.reserved;
/** x0..x30, sp, pc, pstate lie alike in the register block and in struct sigcontext. */
const GENERAL_BYTES = at.pstate + 8;
const VECTOR_BYTES = 512;
const FLAGS_MASK = 0xf0000000;
/** Mode and DAIF bits of pstate: a frame that sets them is refused. */
const FORBIDDEN_PSTATE = 0x3df;

/** Whether `sp` lies on the alternate stack. */
export function onAltStack(task: Task, sp: number): boolean {
  if ((task.altStackFlags & S.SS_AUTODISARM) !== 0) return false;
  return sp > task.altStackSp && sp - task.altStackSp <= task.altStackSize;
}

function resetAltStack(task: Task): void {
  task.altStackSp = 0;
  task.altStackSize = 0;
  task.altStackFlags = S.SS_DISABLE;
}

/** Writes the frame and points the registers at the handler. False when the stack cannot take it. */
export function buildSignalFrame(
  task: Task,
  info: SigInfo,
  handler: number,
  action: SigAction,
  oldLo: number,
  oldHi: number,
): boolean {
  const regs = task.regs;
  const withInfo = (action.flags & S.SA_SIGINFO) !== 0;
  let top = regs.sp;
  if ((action.flags & S.SA_ONSTACK) !== 0 && task.altStackSize > 0 && !onAltStack(task, top)) {
    top = task.altStackSp + task.altStackSize;
  }
  const record = align16(top - RECORD_BYTES);
  const frame = align16(record - FRAME_BYTES);
  if (frame <= 0) return false;
  const used = fillFrame(task, info, withInfo, oldLo, oldHi);
  const skipped = withInfo ? 0 : UC;
  if (task.mm.copyOut(frame + skipped, used - skipped, skipped) < 0) return false;
  scratch.u8.set(regs.bytes.subarray(29 * 8, 31 * 8), 0);
  if (task.mm.copyOut(record, RECORD_BYTES) < 0) return false;
  if ((task.altStackFlags & S.SS_AUTODISARM) !== 0) resetAltStack(task);
  regs.setX(0, info.signo);
  if (withInfo) {
    regs.setX(1, frame);
    regs.setX(2, frame + UC);
  }
  regs.sp = frame;
  regs.setX(29, record);
  regs.setX(30, (action.flags & S.SA_RESTORER) !== 0 ? action.restorer : task.mm.vdsoSigreturn);
  regs.pc = handler;
  return true;
}

/** Lays the frame out in the scratch block; returns its bytes up to the terminating record. */
function fillFrame(task: Task, info: SigInfo, withInfo: boolean, oldLo: number, oldHi: number): number {
  const { u8, i32, u32 } = scratch;
  const regs = task.regs;
  u8.fill(0, 0, RESERVED);
  if (withInfo) i32.set(info.words, 0);
  writeAltStack(task, UC + S.Ucontext.stack);
  i32[(UC + S.Ucontext.sigmask) >> 2] = oldLo;
  i32[((UC + S.Ucontext.sigmask) >> 2) + 1] = oldHi;
  i32[MC >> 2] = task.faultAddrLo;
  i32[(MC >> 2) + 1] = task.faultAddrHi;
  u8.set(regs.bytes.subarray(0, GENERAL_BYTES), MC + S.Sigcontext.regs);
  regs.vectorsRead();
  const fp = RESERVED >> 2;
  u32[fp] = S.FPSIMD_MAGIC;
  u32[fp + 1] = S.FpsimdContext.sizeBytes;
  u32[fp + 2] = regs.u32[at.fpsr >> 2]!;
  u32[fp + 3] = regs.u32[at.fpcr >> 2]!;
  u8.set(regs.bytes.subarray(at.v, at.v + VECTOR_BYTES), RESERVED + S.FpsimdContext.vregs);
  let end = RESERVED + S.FpsimdContext.sizeBytes;
  if ((task.faultCodeLo | task.faultCodeHi) !== 0) {
    u32[end >> 2] = S.ESR_MAGIC;
    u32[(end >> 2) + 1] = S.EsrContext.sizeBytes;
    i32[(end >> 2) + 2] = task.faultCodeLo;
    i32[(end >> 2) + 3] = task.faultCodeHi;
    end += S.EsrContext.sizeBytes;
  }
  u32[end >> 2] = 0;
  u32[(end >> 2) + 1] = 0;
  return end + 8;
}

function writeAltStack(task: Task, offset: number): void {
  scratch.setU64(offset + S.StackT.sp, task.altStackSp);
  scratch.u32[(offset + S.StackT.flags) >> 2] = task.altStackFlags;
  scratch.u32[((offset + S.StackT.flags) >> 2) + 1] = 0;
  scratch.setU64(offset + S.StackT.size, task.altStackSize);
}

/** rt_sigreturn(2): the registers of the frame at sp. A frame that cannot be right is a SIGSEGV. */
export function restoreSignalFrame(task: Task): void {
  task.restartOp = null;
  const sp = task.regs.sp;
  if (sp % 16 !== 0 || task.mm.copyIn(sp, FRAME_BYTES) < 0 || !readFrame(task)) {
    const now = task.regs.sp;
    const mapped = task.mm.vmas.find(now) !== undefined;
    forceSignal(task, SigInfo.fault(S.SIGSEGV, mapped ? S.SEGV_ACCERR : S.SEGV_MAPERR, now));
  }
}

function readFrame(task: Task): boolean {
  const { u8, i32, u32 } = scratch;
  const regs = task.regs;
  const fpsimd = findFpsimd();
  const altSp = scratch.getU64(UC + S.Ucontext.stack + S.StackT.sp);
  const altFlags = u32[(UC + S.Ucontext.stack + S.StackT.flags) >> 2]!;
  const altSize = scratch.getU64(UC + S.Ucontext.stack + S.StackT.size);
  regs.bytes.set(u8.subarray(MC + S.Sigcontext.regs, MC + S.Sigcontext.regs + GENERAL_BYTES), 0);
  const pstate = regs.u32[at.pstate >> 2]!;
  regs.setWide(at.pstate, (pstate & FLAGS_MASK) >>> 0);
  const mask = (UC + S.Ucontext.sigmask) >> 2;
  const lo = i32[mask]!;
  const hi = i32[mask + 1]!;
  if (fpsimd >= 0) {
    regs.u32[at.fpsr >> 2] = u32[(fpsimd >> 2) + 2]!;
    regs.u32[at.fpcr >> 2] = u32[(fpsimd >> 2) + 3]!;
    regs.bytes.set(u8.subarray(fpsimd + 16, fpsimd + 16 + VECTOR_BYTES), at.v);
    regs.vectorsChanged();
  }
  setBlocked(task, lo, hi);
  if (fpsimd < 0 || (pstate & FORBIDDEN_PSTATE) !== 0) return false;
  setAltStack(task, altSp, altFlags, altSize, 0);
  return true;
}

/** Checks the records of the frame in scratch. Offset of the fpsimd_context, or -1 when the frame is bad. */
function findFpsimd(): number {
  const { u32 } = scratch;
  let found = -1;
  let offset = 0;
  while (S.Sigcontext.reservedBytes - offset >= 8) {
    const magic = u32[(RESERVED + offset) >> 2]!;
    const size = u32[((RESERVED + offset) >> 2) + 1]!;
    if (magic === 0) return size === 0 ? found : -1;
    if (size < 8 || size % 16 !== 0 || size > S.Sigcontext.reservedBytes - offset) return -1;
    if (magic === S.FPSIMD_MAGIC) {
      if (found >= 0 || size !== S.FpsimdContext.sizeBytes) return -1;
      found = RESERVED + offset;
    } else if (magic !== S.ESR_MAGIC) {
      return -1;
    }
    offset += size;
  }
  return -1;
}

/** sigaltstack(2)'s checks. 0, -EPERM on the stack itself, -EINVAL, -ENOMEM below `minimum`. */
export function setAltStack(task: Task, sp: number, flags: number, size: number, minimum: number): number {
  if (onAltStack(task, task.regs.sp)) return -EPERM;
  const mode = (flags & ~S.SS_AUTODISARM) >>> 0;
  if (mode !== S.SS_DISABLE && mode !== S.SS_ONSTACK && mode !== 0) return -EINVAL;
  if (mode === S.SS_DISABLE) {
    task.altStackSp = 0;
    task.altStackSize = 0;
  } else {
    if (size < minimum) return -ENOMEM;
    task.altStackSp = sp;
    task.altStackSize = size;
  }
  task.altStackFlags = flags;
  return 0;
}

function align16(addr: number): number {
  return addr - (addr % 16);
}
