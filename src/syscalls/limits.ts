// Resource limits, usage and priorities: prlimit64(2), getrusage(2), setpriority(2), ioprio_set(2) (kernel/sys.c).

import { CAP_SYS_NICE, CAP_SYS_RESOURCE } from "../abi/capability.ts";
import { EACCES, EFAULT, EINVAL, EPERM, ESRCH } from "../abi/errno.ts";
import * as R from "../abi/resource.ts";
import { scratch } from "../host/scratch.ts";
import { writeRusage } from "../kernel/rusage.ts";
import type { Task } from "../kernel/task.ts";
import type { ThreadGroup } from "../kernel/thread-group.ts";
import { Usage } from "../kernel/usage.ts";
import { NR_OPEN } from "../vfs/fd-table.ts";
import { capable } from "../vfs/permission.ts";
import { type ArgType, full, int, type Names, namesIn, partial, pid, type Row, row, struct, value } from "./row.ts";

const LIMIT_NAMES = namesIn(() => require("../abi/resource.ts"), /^RLIMIT_/);
const WHO_NAMES = (): Names => ({
  RUSAGE_SELF: R.RUSAGE_SELF,
  RUSAGE_CHILDREN: R.RUSAGE_CHILDREN,
  RUSAGE_THREAD: R.RUSAGE_THREAD,
});
const PRIO_NAMES = (): Names => ({ PRIO_PROCESS: R.PRIO_PROCESS, PRIO_PGRP: R.PRIO_PGRP, PRIO_USER: R.PRIO_USER });
const ALL_ONES = 0xffffffff;

/** struct rlimit64 at scratch `offset`. */
function putLimit(offset: number, soft: number): void {
  if (Number.isFinite(soft)) {
    scratch.setU64(offset, soft);
  } else {
    scratch.u32[offset >> 2] = ALL_ONES;
    scratch.u32[(offset >> 2) + 1] = ALL_ONES;
  }
}

function limitAt(offset: number): number {
  const value = scratch.getU64(offset);
  return value >= 2 ** 53 ? R.RLIM_INFINITY : value;
}

/** Reads the new limit from scratch and sets it. 0, -EINVAL, -EPERM. */
function setLimit(task: Task, group: ThreadGroup, resource: number): number {
  const soft = limitAt(0);
  const hard = limitAt(8);
  if (soft > hard) return -EINVAL;
  if (resource === R.RLIMIT_NOFILE && hard > NR_OPEN) return -EPERM;
  if (hard > group.limits.max(resource) && !capable(task.cred, CAP_SYS_RESOURCE)) return -EPERM;
  group.limits.set(resource, soft, hard);
  if (resource === R.RLIMIT_NOFILE) for (const thread of group.tasks) thread.files.limit = soft;
  if (resource === R.RLIMIT_CPU) group.watchCpuLimit();
  return 0;
}

function writeLimit(task: Task, group: ThreadGroup, resource: number, limitAddr: number): number {
  putLimit(0, group.limits.get(resource));
  putLimit(8, group.limits.max(resource));
  return task.mm.copyOut(limitAddr, 16);
}

export function sys_getrlimit(task: Task, resource: number, limitAddr: number): number {
  if (resource >= R.RLIM_NLIMITS) return -EINVAL;
  return writeLimit(task, task.group, resource, limitAddr);
}

export function sys_setrlimit(task: Task, resource: number, limitAddr: number): number {
  if (task.mm.copyIn(limitAddr, 16) < 0) return -EFAULT;
  if (resource >= R.RLIM_NLIMITS) return -EINVAL;
  return setLimit(task, task.group, resource);
}

export function sys_prlimit64(task: Task, id: number, resource: number, newAddr: number, oldAddr: number): number {
  if (resource >= R.RLIM_NLIMITS) return -EINVAL;
  const target = id === 0 ? task : task.kernel.pids.task(id);
  if (target === undefined) return -ESRCH;
  const { uid, gid } = task.cred;
  const other = target.cred;
  const same = uid === other.uid && uid === other.euid && uid === other.suid;
  const sameGroup = gid === other.gid && gid === other.egid && gid === other.sgid;
  if (target.group !== task.group && !(same && sameGroup) && !capable(task.cred, CAP_SYS_RESOURCE)) return -EPERM;
  const { group } = target;
  const soft = group.limits.get(resource);
  const hard = group.limits.max(resource);
  if (newAddr !== 0) {
    if (task.mm.copyIn(newAddr, 16) < 0) return -EFAULT;
    const error = setLimit(task, group, resource);
    if (error < 0) return error;
  }
  if (oldAddr === 0) return 0;
  putLimit(0, soft);
  putLimit(8, hard);
  return task.mm.copyOut(oldAddr, 16);
}

export function sys_getrusage(task: Task, who: number, usageAddr: number): number {
  task.kernel.scheduler.accountNow();
  const usage = new Usage();
  if (who === R.RUSAGE_THREAD) usage.add(task.usage);
  else if (who === R.RUSAGE_SELF) usage.add(task.group.totalUsage());
  else if (who === R.RUSAGE_CHILDREN) usage.add(task.group.childrenUsage);
  else return -EINVAL;
  if (who !== R.RUSAGE_CHILDREN) usage.maxRssKib = Math.max(usage.maxRssKib, task.mm.residentPages * 4);
  return writeRusage(task.mm, usageAddr, usage);
}

/** The tasks that getpriority and setpriority mean; null for an invalid `which`. */
function chosen(task: Task, which: number, who: number): Task[] | null {
  const { pids } = task.kernel;
  if (which === R.PRIO_PROCESS) {
    const target = who === 0 ? task : pids.task(who);
    return target === undefined ? [] : [target];
  }
  if (which === R.PRIO_PGRP) {
    const group = who === 0 ? task.group.processGroup : pids.processGroup(who);
    return group === undefined ? [] : [...group.members].flatMap((member) => [...member.tasks]);
  }
  if (which !== R.PRIO_USER) return null;
  const uid = who === 0 ? task.cred.uid : who;
  return [...pids.allTasks()].filter((other) => other.alive && other.cred.uid === uid);
}

/** Answers 20 - nice, so that errors can be told apart. */
export function sys_getpriority(task: Task, which: number, who: number): number {
  const tasks = chosen(task, which, who);
  if (tasks === null) return -EINVAL;
  return tasks.length === 0 ? -ESRCH : 20 - Math.min(...tasks.map((target) => target.nice));
}

export function sys_setpriority(task: Task, which: number, who: number, wanted: number): number {
  const nice = Math.min(19, Math.max(-20, wanted));
  const tasks = chosen(task, which, who);
  if (tasks === null) return -EINVAL;
  let result = -ESRCH;
  for (const target of tasks) {
    const error = setNice(task, target, nice);
    if (error !== 0 || result === -ESRCH) result = error;
  }
  return result;
}

function setNice(task: Task, target: Task, nice: number): number {
  const { uid, euid } = target.cred;
  const privileged = capable(task.cred, CAP_SYS_NICE);
  if (uid !== task.cred.euid && euid !== task.cred.euid && !privileged) return -EPERM;
  if (nice < target.nice && !privileged && 20 - nice > target.group.limits.get(R.RLIMIT_NICE)) return -EACCES;
  target.nice = nice;
  return 0;
}

const IOPRIO_CLASS_SHIFT = 13;
const IOPRIO_WHO_PROCESS = 1;

export function sys_ioprio_set(task: Task, which: number, who: number, priority: number): number {
  const kind = priority >> IOPRIO_CLASS_SHIFT;
  if (kind < 0 || kind > 3 || (kind === 0 && (priority & 7) !== 0)) return -EINVAL;
  if (kind === 1 && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  const tasks = chosen(task, which - IOPRIO_WHO_PROCESS, who);
  if (tasks === null) return -EINVAL;
  for (const target of tasks) target.ioPriority = priority;
  return tasks.length === 0 ? -ESRCH : 0;
}

export function sys_ioprio_get(task: Task, which: number, who: number): number {
  const tasks = chosen(task, which - IOPRIO_WHO_PROCESS, who);
  if (tasks === null) return -EINVAL;
  return tasks[0]?.ioPriority ?? -ESRCH;
}

const RLIMIT: ArgType = { ...value(LIMIT_NAMES), lane: "u32" };
const PRIO = value(PRIO_NAMES);
const NOT_USED = partial("remembered, has no effect on scheduling");

export function rows(): Row[] {
  return [
    row(30, sys_ioprio_set, [int, int, int], NOT_USED),
    row(31, sys_ioprio_get, [int, int], full()),
    row(140, sys_setpriority, [PRIO, int, int], NOT_USED),
    row(141, sys_getpriority, [PRIO, int], full()),
    row(163, sys_getrlimit, [RLIMIT, struct("rlimit")], full()),
    row(164, sys_setrlimit, [RLIMIT, struct("rlimit")], partial("not all limits are enforced")),
    row(165, sys_getrusage, [value(WHO_NAMES), struct("rusage")], full()),
    row(261, sys_prlimit64, [pid, RLIMIT, struct("rlimit"), struct("rlimit")], partial("not all limits are enforced")),
  ];
}
