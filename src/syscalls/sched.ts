// Scheduling: policies, affinity, sched_yield(2), getcpu(2), membarrier(2) (kernel/sched/syscalls.c).
// Policies and priorities are remembered and reported; every task gets the same share.

import { CAP_SYS_NICE } from "../abi/capability.ts";
import { E2BIG, EFAULT, EINVAL, EPERM, ESRCH } from "../abi/errno.ts";
import { RLIMIT_RTPRIO } from "../abi/resource.ts";
import * as C from "../abi/sched.ts";
import { scratch } from "../host/scratch.ts";
import type { Task } from "../kernel/task.ts";
import { writeTimespec } from "../kernel/timespec.ts";
import { capable } from "../vfs/permission.ts";
import { addr, flags, full, hex, int, partial, pid, type Row, row, struct, u32, value } from "./row.ts";

const POLICY_NAMES = {
  SCHED_OTHER: C.SCHED_OTHER,
  SCHED_FIFO: C.SCHED_FIFO,
  SCHED_RR: C.SCHED_RR,
  SCHED_BATCH: C.SCHED_BATCH,
  SCHED_IDLE: C.SCHED_IDLE,
  SCHED_DEADLINE: C.SCHED_DEADLINE,
};
const RT_MIN = 1;
const RT_MAX = 99;
const SLICE_NS = 100e6;
/** struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period, util_min, util_max. */
const ATTR_BYTES_0 = 48;
const ATTR_BYTES = 56;
const PAGE = 4096;
/** Bytes of the kernel's own CPU mask. */
const MASK_BYTES = 8;

function isRealTime(policy: number): boolean {
  return policy === C.SCHED_FIFO || policy === C.SCHED_RR;
}

function find(task: Task, id: number): Task | number {
  if (id < 0) return -EINVAL;
  return id === 0 ? task : (task.kernel.pids.task(id) ?? -ESRCH);
}

/** Checks and sets. `policy` is -1 to keep the present one. */
function setScheduler(
  task: Task,
  id: number,
  wanted: number,
  priority: number,
  nice: number,
  reset: boolean | null,
): number {
  const target = find(task, id);
  if (typeof target === "number") return target;
  const policy = wanted < 0 ? target.policy : wanted;
  const valid = isRealTime(policy) || policy === C.SCHED_OTHER || policy === C.SCHED_BATCH || policy === C.SCHED_IDLE;
  if (!valid) return -EINVAL;
  if (isRealTime(policy) ? priority < RT_MIN || priority > RT_MAX : priority !== 0) return -EINVAL;
  if (!capable(task.cred, CAP_SYS_NICE)) {
    const { euid } = task.cred;
    if (target.cred.uid !== euid && target.cred.euid !== euid) return -EPERM;
    const allowed = target.group.limits.get(RLIMIT_RTPRIO);
    if (isRealTime(policy) && priority > allowed) return -EPERM;
    if (nice < target.nice) return -EPERM;
    if (target.resetOnFork && reset === false) return -EPERM;
  }
  target.policy = policy;
  target.rtPriority = priority;
  target.nice = nice;
  if (reset !== null) target.resetOnFork = reset;
  return 0;
}

function niceOf(task: Task, id: number): number {
  const target = find(task, id);
  return typeof target === "number" ? 0 : target.nice;
}

export function sys_sched_setscheduler(task: Task, id: number, policy: number, paramAddr: number): number {
  if (policy < 0 || paramAddr === 0) return -EINVAL;
  const priority = task.mm.readU32(paramAddr);
  if (priority < 0) return -EFAULT;
  const reset = (policy & C.SCHED_RESET_ON_FORK) !== 0;
  return setScheduler(task, id, policy & ~C.SCHED_RESET_ON_FORK, priority | 0, niceOf(task, id), reset);
}

export function sys_sched_setparam(task: Task, id: number, paramAddr: number): number {
  if (paramAddr === 0) return -EINVAL;
  const priority = task.mm.readU32(paramAddr);
  return priority < 0 ? -EFAULT : setScheduler(task, id, -1, priority | 0, niceOf(task, id), null);
}

export function sys_sched_getscheduler(task: Task, id: number): number {
  const target = find(task, id);
  if (typeof target === "number") return target;
  return target.policy | (target.resetOnFork ? C.SCHED_RESET_ON_FORK : 0);
}

export function sys_sched_getparam(task: Task, id: number, paramAddr: number): number {
  if (paramAddr === 0) return -EINVAL;
  const target = find(task, id);
  if (typeof target === "number") return target;
  return task.mm.writeU32(paramAddr, isRealTime(target.policy) ? target.rtPriority : 0);
}

export function sys_sched_setattr(task: Task, id: number, attrAddr: number, how: number): number {
  if (attrAddr === 0 || id < 0 || how !== 0) return -EINVAL;
  const given = task.mm.readU32(attrAddr);
  if (given < 0) return -EFAULT;
  const bytes = given === 0 ? ATTR_BYTES_0 : given;
  if (bytes < ATTR_BYTES_0 || bytes > PAGE) return -E2BIG;
  scratch.u8.fill(0, 0, ATTR_BYTES);
  if (task.mm.copyIn(attrAddr, bytes) < 0) return -EFAULT;
  for (let i = ATTR_BYTES; i < bytes; i++) if (scratch.u8[i] !== 0) return -E2BIG;
  const policy = scratch.u32[1]!;
  const attrFlags = scratch.u32[2]!;
  const nice = Math.min(19, Math.max(-20, scratch.i32[4]!));
  const keepPolicy = (attrFlags & 8) !== 0;
  if (policy > C.SCHED_EXT && !keepPolicy) return -EINVAL;
  const nextNice = isRealTime(policy) ? niceOf(task, id) : nice;
  return setScheduler(task, id, keepPolicy ? -1 : policy, scratch.i32[5]!, nextNice, (attrFlags & 1) !== 0);
}

export function sys_sched_getattr(task: Task, id: number, attrAddr: number, bytes: number, how: number): number {
  if (attrAddr === 0 || id < 0 || bytes < ATTR_BYTES_0 || bytes > PAGE || how !== 0) return -EINVAL;
  const target = find(task, id);
  if (typeof target === "number") return target;
  const used = Math.min(bytes, ATTR_BYTES);
  scratch.u8.fill(0, 0, ATTR_BYTES);
  scratch.u32[0] = used;
  scratch.u32[1] = target.policy;
  scratch.u32[2] = target.resetOnFork ? 1 : 0;
  scratch.i32[4] = isRealTime(target.policy) ? 0 : target.nice;
  scratch.u32[5] = isRealTime(target.policy) ? target.rtPriority : 0;
  scratch.u32[13] = 1024;
  return task.mm.copyOut(attrAddr, used);
}

export function sys_sched_get_priority_max(_task: Task, policy: number): number {
  if (isRealTime(policy)) return RT_MAX;
  return isPlain(policy) ? 0 : -EINVAL;
}

export function sys_sched_get_priority_min(_task: Task, policy: number): number {
  if (isRealTime(policy)) return RT_MIN;
  return isPlain(policy) ? 0 : -EINVAL;
}

function isPlain(policy: number): boolean {
  return policy === C.SCHED_OTHER || policy === C.SCHED_BATCH || policy === C.SCHED_IDLE || policy === C.SCHED_DEADLINE;
}

export function sys_sched_rr_get_interval(task: Task, id: number, timeAddr: number): number {
  const target = find(task, id);
  if (typeof target === "number") return target;
  return writeTimespec(task.mm, timeAddr, target.policy === C.SCHED_FIFO ? 0 : SLICE_NS);
}

/** The affinity calls find nobody where the others call a negative id invalid. */
function findAny(task: Task, id: number): Task | number {
  return id < 0 ? -ESRCH : find(task, id);
}

export function sys_sched_setaffinity(task: Task, id: number, length: number, maskAddr: number): number {
  const target = findAny(task, id);
  scratch.u8.fill(0, 0, MASK_BYTES);
  if (task.mm.copyIn(maskAddr, Math.min(length, MASK_BYTES)) < 0) return -EFAULT;
  const wanted = scratch.u32[0]! + (scratch.u32[1]! & 0x1fffff) * 2 ** 32;
  if (typeof target === "number") return target;
  const { euid } = task.cred;
  const own = target.cred.uid === euid || target.cred.euid === euid;
  if (!own && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  const mask = common(wanted, 2 ** task.kernel.cpuCount - 1);
  if (mask === 0) return -EINVAL;
  if (mask === target.affinity) return 0;
  target.affinity = mask;
  task.kernel.scheduler.affinityChanged(target);
  return 0;
}

/** a & b for masks of up to 53 bits. */
function common(a: number, b: number): number {
  const high = Math.floor(a / 2 ** 32) & Math.floor(b / 2 ** 32);
  return ((a & b) >>> 0) + high * 2 ** 32;
}

export function sys_sched_getaffinity(task: Task, id: number, length: number, maskAddr: number): number {
  if (length * 8 < task.kernel.cpuCount || length % 8 !== 0) return -EINVAL;
  const target = findAny(task, id);
  if (typeof target === "number") return target;
  scratch.setU64(0, target.affinity);
  return task.mm.copyOut(maskAddr, MASK_BYTES) < 0 ? -EFAULT : MASK_BYTES;
}

export function sys_sched_yield(task: Task): number {
  task.kernel.scheduler.yielding = true;
  return 0;
}

export function sys_getcpu(task: Task, cpuAddr: number, nodeAddr: number): number {
  if (cpuAddr !== 0 && task.mm.writeU32(cpuAddr, task.cpu) < 0) return -EFAULT;
  return nodeAddr === 0 ? 0 : task.mm.writeU32(nodeAddr, 0);
}

const MEMBARRIER_QUERY = 0;
/** GLOBAL, the EXPEDITED ones with their registrations, SYNC_CORE; not RSEQ. */
const MEMBARRIER_COMMANDS = 1 | 2 | 4 | 8 | 16 | 32 | 64;
const MEMBARRIER_GET_REGISTRATIONS = 512;
const MEMBARRIER_REGISTRATIONS = 4 | 16 | 64;

/** A thread of the process that does not run guest code meets a full barrier before it does again. */
export function sys_membarrier(task: Task, command: number, how: number, _cpu: number): number {
  if (how !== 0) return -EINVAL;
  if (command === MEMBARRIER_QUERY) return MEMBARRIER_COMMANDS | MEMBARRIER_GET_REGISTRATIONS;
  const { group } = task;
  if (command === MEMBARRIER_GET_REGISTRATIONS) return group.membarriers;
  if (command < 0 || (command & (command - 1)) !== 0 || (command & MEMBARRIER_COMMANDS) === 0) return -EINVAL;
  if ((command & MEMBARRIER_REGISTRATIONS) !== 0) {
    group.membarriers |= command;
    return 0;
  }
  const needs = command === 8 ? 16 : command === 32 ? 64 : 0;
  if (needs !== 0 && (group.membarriers & needs) === 0) return -EPERM;
  task.kernel.cpu.barrier(needs === 0 ? 0 : task.mm.space);
  return 0;
}

const REMEMBERED = partial("remembered, has no effect on scheduling");

export function rows(): Row[] {
  return [
    row(118, sys_sched_setparam, [pid, struct("sched_param")], REMEMBERED),
    row(119, sys_sched_setscheduler, [pid, value(POLICY_NAMES), struct("sched_param")], REMEMBERED),
    row(120, sys_sched_getscheduler, [pid], full()),
    row(121, sys_sched_getparam, [pid, struct("sched_param")], full()),
    row(122, sys_sched_setaffinity, [pid, u32, addr], full()),
    row(123, sys_sched_getaffinity, [pid, u32, addr], full()),
    row(124, sys_sched_yield, [], full()),
    row(125, sys_sched_get_priority_max, [value(POLICY_NAMES)], full()),
    row(126, sys_sched_get_priority_min, [value(POLICY_NAMES)], full()),
    row(127, sys_sched_rr_get_interval, [pid, struct("timespec")], full()),
    row(168, sys_getcpu, [addr, addr], full()),
    row(274, sys_sched_setattr, [pid, struct("sched_attr"), hex], partial("no deadlines, no utilisation clamps")),
    row(275, sys_sched_getattr, [pid, struct("sched_attr"), u32, hex], full()),
    row(283, sys_membarrier, [int, flags({}), int], partial("no restartable sequences")),
  ];
}
