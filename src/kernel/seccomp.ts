// Filters of system calls (kernel/seccomp.c; seccomp(2)): how they are put on threads, and what they do to a call.
// DIFFERS: SECCOMP_RET_LOG allows the call and logs nothing, as there is no audit log.

import { CAP_SYS_ADMIN } from "../abi/capability.ts";
import { EACCES, EINVAL, ENOMEM, ENOSYS, ESRCH } from "../abi/errno.ts";
import { AUDIT_ARCH_AARCH64, PTRACE_EVENT_SECCOMP, PTRACE_SYSCALL_INFO_SECCOMP } from "../abi/ptrace.ts";
import * as C from "../abi/seccomp.ts";
import { SIGKILL, SIGSYS, SYS_SECCOMP } from "../abi/signal.ts";
import { RegisterBlock as at } from "../host/shim.gen.ts";
import { capable } from "../vfs/permission.ts";
import type { BpfProgram } from "./bpf.ts";
import { NO_RESULT, type Op } from "./op.ts";
import { SigInfo } from "./sig-info.ts";
import { CallWork, type Task } from "./task.ts";
import { coreFlag } from "./task-run.ts";
import { endTask, forceSignal, killGroup } from "./task-signals.ts";

const MAX_ERRNO = 4095;
const MAX_INSNS_PER_PATH = 32768;
/** What each filter costs of those besides its own length. */
const FILTER_PENALTY = 4;
/** read, write, exit, rt_sigreturn: mode 1 of the kernel, which is a list of numbers there, too. */
const STRICT_CALLS: readonly number[] = [63, 64, 93, 139];

/** A filter and those that were there before it. */
export interface Filter {
  readonly program: BpfProgram;
  readonly previous: Filter | null;
  readonly count: number;
  /** Instructions of all. */
  readonly length: number;
}

/** What a thread has: the strict mode, or filters. */
export class Seccomp {
  readonly filter: Filter | null;

  constructor(filter: Filter | null) {
    this.filter = filter;
  }

  get mode(): number {
    return this.filter === null ? C.SECCOMP_MODE_STRICT : C.SECCOMP_MODE_FILTER;
  }
}

/** Whether the thread may install filters at all. */
export function mayFilter(task: Task): boolean {
  return task.noNewPrivs || capable(task.cred, CAP_SYS_ADMIN);
}

function assign(task: Task, seccomp: Seccomp): void {
  task.seccomp = seccomp;
  task.setCallWork(task.callWork | CallWork.filter);
  task.kernel.watchCalls();
}

export function setStrict(task: Task): number {
  if (task.seccomp !== null && task.seccomp.filter !== null) return -EINVAL;
  assign(task, new Seccomp(null));
  return 0;
}

/** Puts a filter before the others. 0, -errno, or with TSYNC the thread that has filters of its own. */
export function addFilter(task: Task, program: BpfProgram, flags: number): number {
  if (!mayFilter(task)) return -EACCES;
  const { seccomp } = task;
  if (seccomp !== null && seccomp.filter === null) return -EINVAL;
  const previous = seccomp?.filter ?? null;
  const length = program.length + (previous === null ? 0 : previous.length + FILTER_PENALTY);
  if (length > MAX_INSNS_PER_PATH) return -ENOMEM;
  const together = (flags & C.SECCOMP_FILTER_FLAG_TSYNC) !== 0;
  const odd = together ? task.group.tasks.find((other) => !follows(previous, other)) : undefined;
  if (odd !== undefined) return (flags & C.SECCOMP_FILTER_FLAG_TSYNC_ESRCH) !== 0 ? -ESRCH : odd.tid;
  const filter: Filter = { program, previous, count: (previous?.count ?? 0) + 1, length };
  for (const other of together ? task.group.tasks : [task]) {
    assign(other, new Seccomp(filter));
    if (task.noNewPrivs) other.noNewPrivs = true;
  }
  return 0;
}

/** Whether what a thread has is among the caller's filters (is_ancestor). */
function follows(filter: Filter | null, other: Task): boolean {
  if (other.seccomp === null) return true;
  if (other.seccomp.filter === null) return false;
  for (let at = filter; at !== null; at = at.previous) if (at === other.seccomp.filter) return true;
  return false;
}

const data = new Uint32Array(C.SeccompData.words);

/** What the filters say to a call: the strictest answer, of those alike the newest filter's. */
function judge(filter: Filter, task: Task, number: number): number {
  const { regs } = task;
  data[C.SeccompData.nr] = number;
  data[C.SeccompData.arch] = AUDIT_ARCH_AARCH64;
  data[C.SeccompData.instructionPointer] = regs.u32[at.pc >> 2]!;
  data[C.SeccompData.instructionPointer + 1] = regs.u32[(at.pc >> 2) + 1]!;
  data.set(regs.u32.subarray(0, 12), C.SeccompData.args);
  data[C.SeccompData.args] = task.origX0Lo;
  data[C.SeccompData.args + 1] = task.origX0Hi;
  let verdict = C.SECCOMP_RET_ALLOW;
  for (let f: Filter | null = filter; f !== null; f = f.previous) {
    const one = f.program.run(data);
    if ((one & C.SECCOMP_RET_ACTION_FULL) < (verdict & C.SECCOMP_RET_ACTION_FULL)) verdict = one;
  }
  return verdict;
}

/** Lets the call be made by `make`, or gives its result. */
export function filterCall(task: Task, number: number, make: (task: Task) => number, rechecked = false): number {
  const { filter } = task.seccomp!;
  if (filter === null) {
    if (STRICT_CALLS.includes(number)) return make(task);
    endTask(task, SIGKILL);
    return NO_RESULT;
  }
  const verdict = judge(filter, task, number);
  const detail = verdict & C.SECCOMP_RET_DATA;
  switch ((verdict & C.SECCOMP_RET_ACTION_FULL) >>> 0) {
    case C.SECCOMP_RET_ALLOW:
    case C.SECCOMP_RET_LOG:
      return make(task);
    case C.SECCOMP_RET_TRACE:
      return rechecked ? make(task) : askTracer(task, detail, make);
    case C.SECCOMP_RET_ERRNO:
      task.regs.setX(0, -Math.min(detail, MAX_ERRNO));
      return NO_RESULT;
    case C.SECCOMP_RET_USER_NOTIF:
      task.regs.setX(0, -ENOSYS);
      return NO_RESULT;
    case C.SECCOMP_RET_TRAP:
      rollBack(task);
      forceSignal(task, sigsys(task, number, detail));
      return NO_RESULT;
    case C.SECCOMP_RET_KILL_THREAD:
      if (task.group.tasks.length > 1) {
        endTask(task, SIGSYS);
        return NO_RESULT;
      }
      break;
  }
  // SECCOMP_RET_KILL_PROCESS, and actions that nobody knows.
  rollBack(task);
  killGroup(task.group, SIGSYS, coreFlag(task.group, SIGSYS));
  return NO_RESULT;
}

function rollBack(task: Task): void {
  task.regs.i32[0] = task.origX0Lo;
  task.regs.i32[1] = task.origX0Hi;
}

function sigsys(task: Task, number: number, detail: number): SigInfo {
  const info = SigInfo.fault(SIGSYS, SYS_SECCOMP, task.regs.pc);
  info.words[1] = detail;
  info.words[6] = number;
  info.words[7] = AUDIT_ARCH_AARCH64;
  return info;
}

function askTracer(task: Task, detail: number, make: (task: Task) => number): number {
  const { trace } = task;
  if (trace === null || !trace.isAsked(PTRACE_EVENT_SECCOMP)) {
    task.regs.setX(0, -ENOSYS);
    return NO_RESULT;
  }
  const result = trace.event(PTRACE_EVENT_SECCOMP, detail, new AfterTracer(make));
  trace.callStop = PTRACE_SYSCALL_INFO_SECCOMP;
  return result;
}

/** The tracer has looked at the call, and may have put another in its place: that is judged, too. */
class AfterTracer implements Op {
  private readonly make: (task: Task) => number;

  constructor(make: (task: Task) => number) {
    this.make = make;
  }

  resume(task: Task): number {
    const number = task.trace?.number ?? task.regs.syscallNumber;
    return number < 0 ? NO_RESULT : filterCall(task, number, this.make, true);
  }
}
