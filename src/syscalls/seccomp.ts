// seccomp(2), and prctl's PR_SET_SECCOMP (kernel/seccomp.c).

import { EACCES, EFAULT, EINVAL, EOPNOTSUPP } from "../abi/errno.ts";
import * as C from "../abi/seccomp.ts";
import { scratch } from "../host/scratch.ts";
import { BpfProgram } from "../kernel/bpf.ts";
import { addFilter, mayFilter, setStrict } from "../kernel/seccomp.ts";
import type { Task } from "../kernel/task.ts";
import { addr, hex, namesIn, partial, type Row, row, value } from "./row.ts";

const OPERATION_NAMES = namesIn(() => require("../abi/seccomp.ts"), /^SECCOMP_[SG]ET_/);
const FLAGS =
  C.SECCOMP_FILTER_FLAG_TSYNC |
  C.SECCOMP_FILTER_FLAG_LOG |
  C.SECCOMP_FILTER_FLAG_SPEC_ALLOW |
  C.SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
const ACTIONS: readonly number[] = [
  C.SECCOMP_RET_KILL_PROCESS,
  C.SECCOMP_RET_KILL_THREAD,
  C.SECCOMP_RET_TRAP,
  C.SECCOMP_RET_ERRNO,
  C.SECCOMP_RET_TRACE,
  C.SECCOMP_RET_LOG,
  C.SECCOMP_RET_ALLOW,
];

export function sys_seccomp(task: Task, operation: number, flags: number, argsAddr: number): number {
  switch (operation) {
    case C.SECCOMP_SET_MODE_STRICT:
      return flags !== 0 || argsAddr !== 0 ? -EINVAL : setStrict(task);
    case C.SECCOMP_SET_MODE_FILTER:
      return setFilter(task, flags, argsAddr);
    case C.SECCOMP_GET_ACTION_AVAIL: {
      if (flags !== 0) return -EINVAL;
      const action = task.mm.readU32(argsAddr);
      if (action < 0) return -EFAULT;
      return ACTIONS.includes(action) ? 0 : -EOPNOTSUPP;
    }
    case C.SECCOMP_GET_NOTIF_SIZES:
      if (flags !== 0) return -EINVAL;
      scratch.view.setUint16(0, C.NOTIF_SIZES[0]!, true);
      scratch.view.setUint16(2, C.NOTIF_SIZES[1]!, true);
      scratch.view.setUint16(4, C.NOTIF_SIZES[2]!, true);
      return task.mm.copyOut(argsAddr, 6);
    default:
      return -EINVAL;
  }
}

/** DIFFERS: no user notification: SECCOMP_FILTER_FLAG_NEW_LISTENER is EINVAL, as before Linux 5.0. */
export function setFilter(task: Task, flags: number, programAddr: number): number {
  if ((flags & ~FLAGS) !== 0) return -EINVAL;
  if (task.mm.copyIn(programAddr, C.SockFprog.sizeBytes) < 0) return -EFAULT;
  const length = scratch.view.getUint16(C.SockFprog.len, true);
  const at = task.mm.untag(scratch.getU64(C.SockFprog.filter));
  if (length === 0 || length > C.BPF_MAXINSNS) return -EINVAL;
  if (!mayFilter(task)) return -EACCES;
  const bytes = length * C.SOCK_FILTER_BYTES;
  if (task.mm.copyIn(at, bytes) < 0) return -EFAULT;
  const program = BpfProgram.parse(scratch.u8.slice(0, bytes));
  return program === null ? -EINVAL : addFilter(task, program, flags);
}

/** prctl(PR_SET_SECCOMP). */
export function setSeccompMode(task: Task, mode: number, programAddr: number): number {
  if (mode === C.SECCOMP_MODE_STRICT) return setStrict(task);
  return mode === C.SECCOMP_MODE_FILTER ? setFilter(task, 0, programAddr) : -EINVAL;
}

export function rows(): Row[] {
  return [row(277, sys_seccomp, [value(OPERATION_NAMES), hex, addr], partial("no user notification"))];
}
