// What each thread does at its beginning and end: who it is, what the kernel keeps for it, exit(2), exit_group(2)
// (kernel/fork.c, kernel/exit.c, kernel/futex/syscalls.c, kernel/rseq.c).

import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import { EFAULT, EINVAL, ENOSYS, EPERM, ESRCH } from "../abi/errno.ts";
import { ROBUST_LIST_HEAD_BYTES } from "../abi/futex.ts";
import { exitedStatus } from "../abi/wait.ts";
import { NO_RESULT } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { endGroup, endTask } from "../kernel/task-signals.ts";
import { capable } from "../vfs/permission.ts";
import { addr, full, hex, int, partial, pid, type Row, row, size, struct, u32 } from "./row.ts";

export function sys_exit(task: Task, code: number): number {
  endTask(task, exitedStatus(code));
  return NO_RESULT;
}

export function sys_exit_group(task: Task, code: number): number {
  endGroup(task.group, exitedStatus(code));
  return NO_RESULT;
}

export function sys_set_tid_address(task: Task, tidAddr: number): number {
  task.clearChildTid = tidAddr;
  return task.tid;
}

export function sys_getpid(task: Task): number {
  return task.answer(172, task.group.tgid);
}

export function sys_gettid(task: Task): number {
  return task.answer(178, task.tid);
}

/** Not to be answered by an engine: who the parent is changes when that dies. */
export function sys_getppid(task: Task): number {
  return task.group.parent?.tgid ?? 0;
}

export function sys_set_robust_list(task: Task, head: number, length: number): number {
  if (length !== ROBUST_LIST_HEAD_BYTES) return -EINVAL;
  task.robustList = head;
  return 0;
}

export function sys_get_robust_list(task: Task, id: number, headAddr: number, lengthAddr: number): number {
  const target = id === 0 ? task : task.kernel.pids.task(id);
  if (target === undefined) return -ESRCH;
  const same = target.cred.uid === task.cred.fsuid && target.cred.euid === task.cred.fsuid;
  if (target.group !== task.group && !same && !capable(task.cred, CAP_SYS_PTRACE)) return -EPERM;
  if (task.mm.writeU64(lengthAddr, ROBUST_LIST_HEAD_BYTES) < 0) return -EFAULT;
  return task.mm.writeU64(headAddr, target.robustList);
}

/** DIFFERS: restartable sequences are not offered; libraries then use atomics. */
export function sys_rseq(_task: Task, _area: number, _length: number, _how: number, _signature: number): number {
  return -ENOSYS;
}

export function rows(): Row[] {
  return [
    row(93, sys_exit, [int], full()),
    row(94, sys_exit_group, [int], full()),
    row(96, sys_set_tid_address, [addr], full()),
    row(99, sys_set_robust_list, [struct("robust_list_head"), size], full()),
    row(100, sys_get_robust_list, [pid, addr, addr], full()),
    row(172, sys_getpid, [], full()),
    row(173, sys_getppid, [], full()),
    row(178, sys_gettid, [], full()),
    row(293, sys_rseq, [addr, u32, hex, hex], partial("ENOSYS")),
  ];
}
