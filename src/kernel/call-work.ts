// What stands between a trap and its call for tasks that are traced or filtered (arch/arm64/kernel/ptrace.c: syscall_trace_enter).
// The kernel's dispatch is replaced by this layer when the first of them exists: all others never come here.

import { ENOSYS } from "../abi/errno.ts";
import { NO_RESULT, type Op } from "./op.ts";
import type { Trace } from "./ptrace.ts";
import { CallWork, type Task, Work } from "./task.ts";

type Dispatch = (task: Task) => number;

/** Loaded with the first filter. */
let seccomp: typeof import("./seccomp.ts") | null = null;

const X8 = 16;

export function watched(dispatch: Dispatch): Dispatch {
  return (task) => (task.callWork === 0 ? dispatch(task) : enterCall(task, dispatch));
}

function enterCall(task: Task, dispatch: Dispatch): number {
  const { trace, callWork } = task;
  if (trace !== null) {
    trace.number = task.regs.syscallNumber;
    if ((callWork & (CallWork.trace | CallWork.emulate)) !== 0) {
      if (trace.number === -1) task.regs.setX(0, -ENOSYS);
      return trace.stopAtCall(0, new AfterEntry(trace, dispatch, (callWork & CallWork.emulate) !== 0));
    }
  }
  return makeCall(task, dispatch);
}

/** Goes on from the stop at the entry. */
class AfterEntry implements Op {
  private readonly trace: Trace;
  private readonly dispatch: Dispatch;
  private readonly emulated: boolean;

  constructor(trace: Trace, dispatch: Dispatch, emulated: boolean) {
    this.trace = trace;
    this.dispatch = dispatch;
    this.emulated = emulated;
  }

  resume(task: Task): number {
    this.trace.leaveCallStop();
    return this.emulated || this.trace.number === -1 ? skipCall(task) : makeCall(task, this.dispatch);
  }
}

/** The call is not made; x0 is what somebody has put there. */
function skipCall(task: Task): number {
  if ((task.callWork & (CallWork.trace | CallWork.step)) !== 0) task.work |= Work.call;
  return NO_RESULT;
}

function makeCall(task: Task, dispatch: Dispatch): number {
  if ((task.callWork & (CallWork.trace | CallWork.step)) !== 0) task.work |= Work.call;
  if ((task.callWork & CallWork.filter) === 0) return dispatchNumber(task, dispatch);
  seccomp ??= require("./seccomp.ts") as typeof import("./seccomp.ts");
  const number = task.trace?.number ?? task.regs.syscallNumber;
  return seccomp.filterCall(task, number, (filtered) => dispatchNumber(filtered, dispatch));
}

/** The call of the task's registers, or the one that a tracer has put in its place. */
function dispatchNumber(task: Task, dispatch: Dispatch): number {
  const { trace, regs } = task;
  if (trace === null || trace.number === regs.syscallNumber) return dispatch(task);
  // x8 itself stays as it is.
  const low = regs.i32[X8]!;
  const high = regs.i32[X8 + 1]!;
  regs.setX(8, trace.number);
  const result = dispatch(task);
  if (result !== NO_RESULT) {
    regs.i32[X8] = low;
    regs.i32[X8 + 1] = high;
  }
  return result;
}
