// ptrace(2) (kernel/ptrace.c, arch/arm64/kernel/ptrace.c): what a tracer asks of a stopped thread.

import { CAP_SYS_ADMIN } from "../abi/capability.ts";
import { EFAULT, EINVAL, EIO, EPERM, ESRCH } from "../abi/errno.ts";
import * as P from "../abi/ptrace.ts";
import { NSIG, SIGINFO_BYTES, SIGKILL } from "../abi/signal.ts";
import { scratch } from "../host/scratch.ts";
import { RegisterBlock as at } from "../host/shim.gen.ts";
import { attach, type Trace, traceMe } from "../kernel/ptrace.ts";
import type { SigInfo } from "../kernel/sig-info.ts";
import { CallWork, type Task, TaskState } from "../kernel/task.ts";
import { notifyTask, sendSignal, setBlocked } from "../kernel/task-signals.ts";
import { capable } from "../vfs/permission.ts";
import { readRegisterSet, writeRegisterSet } from "./register-sets.ts";
import { addr, namesIn, partial, pid, type Row, row, value } from "./row.ts";
import { readSigInfo, writeSigInfo } from "./signals.ts";

const REQUEST_NAMES = namesIn(() => require("../abi/ptrace.ts"), /^PTRACE_(?!O_|EVENT|SYSCALL_INFO|PEEKSIGINFO_)/);
const WORD = 8;

export function sys_ptrace(task: Task, request: number, id: number, where: number, data: number): number {
  if (request === P.PTRACE_TRACEME) return traceMe(task);
  const target = task.kernel.pids.task(id);
  if (target === undefined) return -ESRCH;
  if (request === P.PTRACE_ATTACH) return attach(task, target, false, 0);
  if (request === P.PTRACE_SEIZE) return seize(task, target, where, data);
  const { trace } = target;
  if (trace === null || trace.tracer !== task) return -ESRCH;
  if (request === P.PTRACE_KILL) return target.alive ? sendSignal(target, SIGKILL) : 0;
  if (request === P.PTRACE_INTERRUPT) return interrupt(target, trace);
  if (!trace.isStopped) return -ESRCH;
  return drive(trace, request, data) ?? inspect(task, target, trace, request, where, data);
}

function seize(task: Task, target: Task, where: number, options: number): number {
  if (where !== 0 || (options & ~P.PTRACE_O_MASK) !== 0 || options > 0xffffffff) return -EIO;
  const refused = checkOptions(task, options);
  return refused !== 0 ? refused : attach(task, target, true, options);
}

/** DIFFERS: filters cannot be suspended, as without CONFIG_CHECKPOINT_RESTORE. */
function checkOptions(task: Task, options: number): number {
  if ((options & ~P.PTRACE_O_MASK) !== 0 || options > 0xffffffff) return -EINVAL;
  if ((options & P.PTRACE_O_SUSPEND_SECCOMP) === 0) return 0;
  return capable(task.cred, CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
}

function interrupt(target: Task, trace: Trace): number {
  if (!trace.seized) return -EIO;
  if (!target.alive) return -ESRCH;
  trace.interrupt();
  return 0;
}

const WATCHED: ReadonlyMap<number, number> = new Map([
  [P.PTRACE_CONT, 0],
  [P.PTRACE_SYSCALL, CallWork.trace],
  [P.PTRACE_SYSEMU, CallWork.emulate],
  [P.PTRACE_SINGLESTEP, CallWork.step],
  [P.PTRACE_SYSEMU_SINGLESTEP, CallWork.emulate | CallWork.step],
]);

/** Requests after which the thread runs; undefined when it is none of them. */
function drive(trace: Trace, request: number, signal: number): number | undefined {
  if (request === P.PTRACE_LISTEN) return trace.listen() ? 0 : -EIO;
  if (request === P.PTRACE_DETACH) {
    if (signal > NSIG) return -EIO;
    trace.detach(signal);
    return 0;
  }
  const bits = WATCHED.get(request);
  if (bits === undefined) return undefined;
  if (signal > NSIG) return -EIO;
  trace.watch(bits);
  trace.resume(signal);
  return 0;
}

/** Requests that look at the stopped thread, and change it. */
function inspect(task: Task, target: Task, trace: Trace, request: number, where: number, data: number): number {
  switch (request) {
    case P.PTRACE_PEEKTEXT:
    case P.PTRACE_PEEKDATA:
      return target.mm.forceRead(where, scratch.ptr, WORD) === WORD ? task.mm.copyOut(data, WORD) : -EIO;
    case P.PTRACE_POKETEXT:
    case P.PTRACE_POKEDATA:
      scratch.u32[0] = task.regs.u32[6]!;
      scratch.u32[1] = task.regs.u32[7]!;
      return target.mm.forceWrite(where, scratch.ptr, WORD) === WORD ? 0 : -EIO;
    case P.PTRACE_SETOPTIONS: {
      const refused = checkOptions(task, data);
      if (refused === 0) trace.options = data;
      return refused;
    }
    case P.PTRACE_GETEVENTMSG:
      return task.mm.writeU64(data, trace.message);
    case P.PTRACE_GETREGSET:
    case P.PTRACE_SETREGSET:
      return registerSet(task, target, request, where, data);
    case P.PTRACE_GET_SYSCALL_INFO:
      return syscallInfo(task, target, trace, where, data);
    default:
      return signals(task, target, trace, request, where, data);
  }
}

/** Requests about signals. */
function signals(task: Task, target: Task, trace: Trace, request: number, where: number, data: number): number {
  switch (request) {
    case P.PTRACE_GETSIGINFO:
      return trace.info === null ? -EINVAL : writeSigInfo(task, data, trace.info);
    case P.PTRACE_SETSIGINFO: {
      const info = readSigInfo(task, data);
      if (typeof info === "number") return info;
      if (trace.info === null) return -EINVAL;
      trace.info.words.set(info.words);
      return 0;
    }
    case P.PTRACE_PEEKSIGINFO:
      return peekSigInfo(task, target, where, data);
    case P.PTRACE_GETSIGMASK:
      if (where !== 8) return -EINVAL;
      scratch.i32[0] = target.blockedLo;
      scratch.i32[1] = target.blockedHi;
      return task.mm.copyOut(data, 8);
    case P.PTRACE_SETSIGMASK:
      if (where !== 8) return -EINVAL;
      if (task.mm.copyIn(data, 8) < 0) return -EFAULT;
      setBlocked(target, scratch.i32[0]!, scratch.i32[1]!);
      if (target.state === TaskState.traced) notifyTask(target);
      return 0;
    default:
      return -EIO;
  }
}

/** DIFFERS: queued signals come in the order of their numbers, where Linux has them in that of their arrival. */
function peekSigInfo(task: Task, target: Task, argsAddr: number, data: number): number {
  const { off, flags, nr, sizeBytes } = P.PeekSiginfoArgs;
  if (task.mm.copyIn(argsAddr, sizeBytes) < 0) return -EFAULT;
  const first = scratch.getU64(off);
  const how = scratch.u32[flags >> 2]!;
  const count = scratch.i32[nr >> 2]!;
  if ((how & ~P.PTRACE_PEEKSIGINFO_SHARED) !== 0 || count < 0) return -EINVAL;
  const queue = (how & P.PTRACE_PEEKSIGINFO_SHARED) !== 0 ? target.group.pending : target.pending;
  const queued: readonly SigInfo[] = queue.all();
  let done = 0;
  for (const info of queued.slice(first, first + count)) {
    if (writeSigInfo(task, data + done * SIGINFO_BYTES, info) < 0) return done > 0 ? done : -EFAULT;
    done += 1;
  }
  return done;
}

/** `iovAddr`: where the bytes are in the tracer, and their number, which becomes that of the set's. */
function registerSet(task: Task, target: Task, request: number, type: number, iovAddr: number): number {
  if (task.mm.copyIn(iovAddr, 16) < 0) return -EFAULT;
  const base = task.mm.untag(scratch.getU64(0));
  const length = scratch.getU64(8);
  const act = request === P.PTRACE_GETREGSET ? readRegisterSet : writeRegisterSet;
  const done = act(task, target, type, base, length);
  return done < 0 ? done : task.mm.writeU64(iovAddr + 8, done);
}

/** Fills struct ptrace_syscall_info; its size. */
function syscallInfo(task: Task, target: Task, trace: Trace, length: number, infoAddr: number): number {
  const { regs } = target;
  const I = P.SyscallInfo;
  scratch.u8.fill(0, 0, I.sizeBytes);
  scratch.u32[I.arch >> 2] = P.AUDIT_ARCH_AARCH64;
  scratch.u8.set(regs.bytes.subarray(at.pc, at.pc + 8), I.instructionPointer);
  scratch.u8.set(regs.bytes.subarray(at.sp, at.sp + 8), I.stackPointer);
  let bytes: number = I.noneBytes;
  const isCall = trace.callStop;
  if (isCall === P.PTRACE_SYSCALL_INFO_ENTRY || isCall === P.PTRACE_SYSCALL_INFO_SECCOMP) {
    scratch.setU64(I.nr, trace.number);
    scratch.i32[I.args >> 2] = target.origX0Lo;
    scratch.i32[(I.args >> 2) + 1] = target.origX0Hi;
    scratch.u8.set(regs.bytes.subarray(8, 48), I.args + 8);
    bytes = I.entryBytes;
    if (isCall === P.PTRACE_SYSCALL_INFO_SECCOMP) {
      scratch.u32[I.retData >> 2] = trace.message;
      bytes = I.seccompBytes;
    }
  } else if (isCall === P.PTRACE_SYSCALL_INFO_EXIT) {
    scratch.u8.set(regs.bytes.subarray(0, 8), I.rval);
    const high = regs.i32[1]!;
    scratch.u8[I.isError] = high === -1 && regs.u32[0]! >= 0xfffff001 ? 1 : 0;
    bytes = I.exitBytes;
  }
  scratch.u8[I.op] = isCall;
  return task.mm.copyOut(infoAddr, Math.min(bytes, length)) < 0 ? -EFAULT : bytes;
}

export function rows(): Row[] {
  const noSlots = partial("no hardware breakpoints or watchpoints");
  return [row(117, sys_ptrace, [value(REQUEST_NAMES), pid, addr, addr], noSlots)];
}
