// rt_sigaction(2), rt_sigprocmask(2), kill(2), sigaltstack(2) and family (kernel/signal.c).

import { EAGAIN, EFAULT, EINTR, EINVAL, EPERM, ERESTARTNOHAND, ESRCH } from "../abi/errno.ts";
import * as S from "../abi/signal.ts";
import { scratch } from "../host/scratch.ts";
import { NO_RESULT, type Op, Wake } from "../kernel/op.ts";
import type { SigAction } from "../kernel/sig-actions.ts";
import { SigInfo, signalBit } from "../kernel/sig-info.ts";
import { onAltStack, restoreSignalFrame, setAltStack } from "../kernel/signal-frame.ts";
import { mayKill } from "../kernel/signal-permission.ts";
import { type Task, Work } from "../kernel/task.ts";
import { dequeueSignal, sendGroupSignal, sendSignal, setBlocked, UNBLOCKABLE } from "../kernel/task-signals.ts";
import type { ThreadGroup } from "../kernel/thread-group.ts";
import { readTimespec, spanNs } from "../kernel/timespec.ts";
import { addr, full, type Names, pid, type Row, row, signal, size, struct, value } from "./row.ts";

const SIGSET_BYTES = 8;
const HOW_NAMES = (): Names => ({ SIG_BLOCK: S.SIG_BLOCK, SIG_UNBLOCK: S.SIG_UNBLOCK, SIG_SETMASK: S.SIG_SETMASK });

function isValid(signo: number): boolean {
  return signo >= 1 && signo <= S.NSIG;
}

export function sys_rt_sigaction(task: Task, signo: number, newAddr: number, oldAddr: number, setSize: number): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  const at = S.Sigaction;
  let next: SigAction | null = null;
  if (newAddr !== 0) {
    if (task.mm.copyIn(newAddr, at.sizeBytes) < 0) return -EFAULT;
    next = {
      handler: scratch.getU64(at.handler),
      flags: (scratch.u32[at.flags >> 2]! & S.SA_KNOWN) >>> 0,
      restorer: scratch.getU64(at.restorer),
      maskLo: scratch.i32[at.mask >> 2]! & ~UNBLOCKABLE,
      maskHi: scratch.i32[(at.mask >> 2) + 1]!,
    };
  }
  if (!isValid(signo)) return -EINVAL;
  if (next !== null && (signo === S.SIGKILL || signo === S.SIGSTOP)) return -EINVAL;
  const { actions } = task.group;
  const old = actions.get(signo);
  if (next !== null) {
    actions.set(signo, next);
    if (actions.isIgnored(signo)) discard(task.group, signo);
  }
  if (oldAddr === 0) return 0;
  scratch.setU64(at.handler, old.handler);
  scratch.setU64(at.flags, old.flags);
  scratch.setU64(at.restorer, old.restorer);
  scratch.i32[at.mask >> 2] = old.maskLo;
  scratch.i32[(at.mask >> 2) + 1] = old.maskHi;
  return task.mm.copyOut(oldAddr, at.sizeBytes);
}

/** An ignored signal does not stay pending. */
function discard(group: ThreadGroup, signo: number): void {
  const lo = signo <= 32 ? signalBit(signo) : 0;
  const hi = signo > 32 ? signalBit(signo) : 0;
  group.pending.flush(lo, hi);
  for (const task of group.tasks) task.pending.flush(lo, hi);
}

export function sys_rt_sigprocmask(task: Task, how: number, setAddr: number, oldAddr: number, setSize: number): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  const oldLo = task.blockedLo;
  const oldHi = task.blockedHi;
  if (setAddr !== 0) {
    if (task.mm.copyIn(setAddr, SIGSET_BYTES) < 0) return -EFAULT;
    const lo = scratch.i32[0]! & ~UNBLOCKABLE;
    const hi = scratch.i32[1]!;
    if (how === S.SIG_BLOCK) setBlocked(task, oldLo | lo, oldHi | hi);
    else if (how === S.SIG_UNBLOCK) setBlocked(task, oldLo & ~lo, oldHi & ~hi);
    else if (how === S.SIG_SETMASK) setBlocked(task, lo, hi);
    else return -EINVAL;
  }
  return oldAddr === 0 ? 0 : writeSet(task, oldAddr, oldLo, oldHi, SIGSET_BYTES);
}

function writeSet(task: Task, setAddr: number, lo: number, hi: number, bytes: number): number {
  scratch.i32[0] = lo;
  scratch.i32[1] = hi;
  return task.mm.copyOut(setAddr, bytes);
}

export function sys_rt_sigpending(task: Task, setAddr: number, setSize: number): number {
  if (setSize > SIGSET_BYTES) return -EINVAL;
  const shared = task.group.pending;
  const lo = (task.pending.lo | shared.lo) & task.blockedLo;
  return writeSet(task, setAddr, lo, (task.pending.hi | shared.hi) & task.blockedHi, setSize);
}

/** Replaces the mask for the length of a call; the tail puts it back (set_user_sigmask). */
export function swapMask(task: Task, lo: number, hi: number): void {
  task.savedLo = task.blockedLo;
  task.savedHi = task.blockedHi;
  task.work |= Work.restoreMask;
  setBlocked(task, lo, hi);
}

class SuspendOp implements Op {
  resume(task: Task, wake: Wake): number {
    return wake === Wake.signal ? -ERESTARTNOHAND : task.block(this, null);
  }
}

export function sys_rt_sigsuspend(task: Task, setAddr: number, setSize: number): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  if (task.mm.copyIn(setAddr, SIGSET_BYTES) < 0) return -EFAULT;
  swapMask(task, scratch.i32[0]!, scratch.i32[1]!);
  return task.block(new SuspendOp(), null);
}

export function sys_rt_sigtimedwait(
  task: Task,
  setAddr: number,
  infoAddr: number,
  timeoutAddr: number,
  setSize: number,
): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  if (task.mm.copyIn(setAddr, SIGSET_BYTES) < 0) return -EFAULT;
  const lo = scratch.i32[0]! & ~UNBLOCKABLE;
  const hi = scratch.i32[1]!;
  let timeoutNs = Number.POSITIVE_INFINITY;
  if (timeoutAddr !== 0) {
    const timeout = readTimespec(task.mm, timeoutAddr);
    if (typeof timeout === "number") return timeout;
    timeoutNs = spanNs(timeout);
  }
  const op = new SigWaitOp(lo, hi, infoAddr, task.kernel.clock.monotonicNs() + timeoutNs);
  const found = op.take(task);
  if (found !== 0) return found;
  return timeoutNs === 0 ? -EAGAIN : op.start(task);
}

/** Lifts the block of the signals that it waits for, so that they reach this thread and wake it. */
class SigWaitOp implements Op {
  private readonly lo: number;
  private readonly hi: number;
  private readonly infoAddr: number;
  private readonly deadlineNs: number;

  constructor(lo: number, hi: number, infoAddr: number, deadlineNs: number) {
    this.lo = lo;
    this.hi = hi;
    this.infoAddr = infoAddr;
    this.deadlineNs = deadlineNs;
  }

  /** The signal taken, 0 when none is there, or -EFAULT. */
  take(task: Task): number {
    const info = dequeueSignal(task, this.lo, this.hi);
    if (info === null) return 0;
    return this.infoAddr !== 0 && writeSigInfo(task, this.infoAddr, info) < 0 ? -EFAULT : info.signo;
  }

  start(task: Task): number {
    task.realBlockedLo = task.blockedLo;
    task.realBlockedHi = task.blockedHi;
    task.blockedLo &= ~this.lo;
    task.blockedHi &= ~this.hi;
    return task.block(this, null, this.deadlineNs);
  }

  resume(task: Task, wake: Wake): number {
    // Taken before the mask is back: what is still pending then would wake another waiter for nothing.
    const found = this.take(task);
    this.cancel(task);
    if (found !== 0) return found;
    if (wake === Wake.event) return this.start(task);
    return wake === Wake.timeout ? -EAGAIN : -EINTR;
  }

  cancel(task: Task): void {
    setBlocked(task, task.realBlockedLo, task.realBlockedHi);
    task.realBlockedLo = 0;
    task.realBlockedHi = 0;
  }
}

/** The siginfo at `infoAddr` (copy_siginfo_from_user), or -EFAULT. */
export function readSigInfo(task: Task, infoAddr: number): SigInfo | number {
  if (task.mm.copyIn(infoAddr, S.SIGINFO_BYTES) < 0) return -EFAULT;
  const info = new SigInfo(0, 0);
  info.words.set(scratch.i32.subarray(0, S.SIGINFO_BYTES / 4));
  return info;
}

export function writeSigInfo(task: Task, infoAddr: number, info: SigInfo): number {
  scratch.i32.set(info.words, 0);
  return task.mm.copyOut(infoAddr, S.SIGINFO_BYTES);
}

function byUser(task: Task, signo: number): SigInfo {
  return SigInfo.from(signo, S.SI_USER, task.tgid, task.cred.uid);
}

export function sys_kill(task: Task, id: number, signo: number): number {
  if (signo < 0 || signo > S.NSIG) return id > 0 && task.kernel.pids.task(id) === undefined ? -ESRCH : -EINVAL;
  if (id > 0) {
    const target = task.kernel.pids.task(id);
    return target === undefined ? -ESRCH : killOne(task, target.group, signo);
  }
  if (id === -0x80000000) return -ESRCH;
  if (id === -1) return killMany(task, signo, everyOther(task));
  const group = id === 0 ? task.group.processGroup : task.kernel.pids.processGroup(-id);
  return group === undefined ? -ESRCH : killMany(task, signo, [...group.members]);
}

/** kill(-1): all but init and the caller's own process. */
function everyOther(task: Task): ThreadGroup[] {
  return [...task.kernel.pids.allGroups()].filter((group) => !group.isInit && group !== task.group);
}

function killOne(task: Task, group: ThreadGroup, signo: number): number {
  const denied = mayKill(task, group.leader, signo);
  if (denied !== 0 || signo === 0) return denied;
  return sendGroupSignal(group, signo, byUser(task, signo));
}

/** Success when one of them could be reached. */
function killMany(task: Task, signo: number, groups: readonly ThreadGroup[]): number {
  let result = -ESRCH;
  for (const group of groups) {
    const one = killOne(task, group, signo);
    if (one === 0 || result === -ESRCH) result = result === 0 ? 0 : one;
  }
  return result;
}

export function sys_tkill(task: Task, tid: number, signo: number): number {
  return tid <= 0 ? -EINVAL : sendToThread(task, 0, tid, signo);
}

export function sys_tgkill(task: Task, tgid: number, tid: number, signo: number): number {
  return tid <= 0 || tgid <= 0 ? -EINVAL : sendToThread(task, tgid, tid, signo);
}

function sendToThread(
  task: Task,
  tgid: number,
  tid: number,
  signo: number,
  info = SigInfo.from(signo, S.SI_TKILL, task.tgid, task.cred.uid),
): number {
  const target = task.kernel.pids.task(tid);
  if (target === undefined || (tgid !== 0 && target.tgid !== tgid)) return -ESRCH;
  if (signo < 0 || signo > S.NSIG) return -EINVAL;
  const denied = mayKill(task, target, signo);
  if (denied !== 0 || signo === 0) return denied;
  return sendSignal(target, signo, info);
}

export function sys_rt_sigqueueinfo(task: Task, id: number, signo: number, infoAddr: number): number {
  const info = readSigInfo(task, infoAddr);
  if (typeof info === "number") return info;
  if ((info.code >= 0 || info.code === S.SI_TKILL) && id !== task.tgid) return -EPERM;
  info.signo = signo;
  const target = task.kernel.pids.task(id);
  if (target === undefined) return -ESRCH;
  if (signo < 0 || signo > S.NSIG) return -EINVAL;
  const denied = mayKill(task, target, signo);
  if (denied !== 0 || signo === 0) return denied;
  return sendGroupSignal(target.group, signo, info);
}

export function sys_rt_tgsigqueueinfo(task: Task, tgid: number, tid: number, signo: number, infoAddr: number): number {
  if (tid <= 0 || tgid <= 0) return -EINVAL;
  const info = readSigInfo(task, infoAddr);
  if (typeof info === "number") return info;
  if ((info.code >= 0 || info.code === S.SI_TKILL) && tid !== task.tid) return -EPERM;
  info.signo = signo;
  return sendToThread(task, tgid, tid, signo, info);
}

export function sys_rt_sigreturn(task: Task): number {
  restoreSignalFrame(task);
  return NO_RESULT;
}

export function sys_restart_syscall(task: Task): number {
  const op = task.restartOp;
  if (op === null) return -EINTR;
  task.restartOp = null;
  return op.resume(task, Wake.event);
}

export function sys_sigaltstack(task: Task, newAddr: number, oldAddr: number): number {
  const { sp, flags, size: bytes, sizeBytes } = S.StackT;
  const before = [task.altStackSp, task.altStackFlags, task.altStackSize] as const;
  const { mm } = task;
  if (newAddr !== 0) {
    if (mm.copyIn(newAddr, sizeBytes) < 0) return -EFAULT;
    const result = setAltStack(
      task,
      scratch.getU64(sp),
      scratch.u32[flags >> 2]!,
      scratch.getU64(bytes),
      S.MINSIGSTKSZ,
    );
    if (result < 0) return result;
  }
  if (oldAddr === 0) return 0;
  const usedFlags = before[2] === 0 ? S.SS_DISABLE : onAltStack(task, task.regs.sp) ? S.SS_ONSTACK : 0;
  scratch.setU64(sp, before[0]);
  scratch.setU64(flags, (usedFlags | (before[1] & S.SS_AUTODISARM)) >>> 0);
  scratch.setU64(bytes, before[2]);
  return mm.copyOut(oldAddr, sizeBytes);
}

export function rows(): Row[] {
  return [
    row(128, sys_restart_syscall, [], full()),
    row(129, sys_kill, [pid, signal], full()),
    row(130, sys_tkill, [pid, signal], full()),
    row(131, sys_tgkill, [pid, pid, signal], full()),
    row(132, sys_sigaltstack, [struct("stack_t"), struct("stack_t")], full()),
    row(133, sys_rt_sigsuspend, [struct("sigset"), size], full()),
    row(134, sys_rt_sigaction, [signal, struct("sigaction"), struct("sigaction"), size], full()),
    row(135, sys_rt_sigprocmask, [value(HOW_NAMES), struct("sigset"), struct("sigset"), size], full()),
    row(136, sys_rt_sigpending, [struct("sigset"), size], full()),
    row(137, sys_rt_sigtimedwait, [struct("sigset"), struct("siginfo"), struct("timespec"), size], full()),
    row(138, sys_rt_sigqueueinfo, [pid, signal, struct("siginfo")], full()),
    row(139, sys_rt_sigreturn, [], full()),
    row(240, sys_rt_tgsigqueueinfo, [pid, pid, signal, addr], full()),
  ];
}
