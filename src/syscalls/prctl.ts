// prctl(2) and personality(2) (kernel/sys.c, security/commoncap.c, kernel/exec_domain.c).

import * as C from "../abi/capability.ts";
import { EFAULT, EINVAL, ENOMEM, EPERM } from "../abi/errno.ts";
import * as P from "../abi/prctl.ts";
import { TASK_COMM_LEN } from "../abi/sched.ts";
import { NSIG } from "../abi/signal.ts";
import { scratch } from "../host/scratch.ts";
import { hasCap, NO_CAPS, withCap, withoutCap } from "../kernel/credentials.ts";
import type { Task } from "../kernel/task.ts";
import { PAGE, pageUp } from "../mm/address-space.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";
import { capable } from "../vfs/permission.ts";
import { addr, hex, namesIn, partial, type Row, row, value } from "./row.ts";

const OPTION_NAMES = namesIn(() => require("../abi/prctl.ts"), /^PR_[SG]ET_|^PR_CAP/);
const DEFAULT_SLACK_NS = 50_000;
/** PR_SPEC_*: not vulnerable. */
const NOT_AFFECTED = 0;

export function sys_prctl(task: Task, option: number, a: number, b: number, c: number, d: number): number {
  switch (option) {
    case P.PR_SET_NAME:
      return setName(task, a);
    case P.PR_GET_NAME:
      scratch.u8.fill(0, 0, TASK_COMM_LEN);
      scratch.bytes.write(task.comm, 0, "latin1");
      return task.mm.copyOut(a, TASK_COMM_LEN);
    case P.PR_SET_PDEATHSIG:
      if (a > NSIG) return -EINVAL;
      task.parentDeathSignal = a;
      return 0;
    case P.PR_GET_PDEATHSIG:
      return task.mm.writeU32(a, task.parentDeathSignal);
    case P.PR_GET_DUMPABLE:
      return task.group.dumpable;
    case P.PR_SET_DUMPABLE:
      if (a > 1) return -EINVAL;
      task.group.dumpable = a;
      return 0;
    case P.PR_SET_NO_NEW_PRIVS:
      if (a !== 1 || b !== 0 || c !== 0 || d !== 0) return -EINVAL;
      task.noNewPrivs = true;
      return 0;
    case P.PR_GET_NO_NEW_PRIVS:
      return a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : Number(task.noNewPrivs);
    case P.PR_SET_CHILD_SUBREAPER:
      task.group.isSubreaper = a !== 0;
      return 0;
    case P.PR_GET_CHILD_SUBREAPER:
      return task.mm.writeU32(a, Number(task.group.isSubreaper));
    case P.PR_SET_TIMERSLACK:
      task.timerSlackNs = a === 0 || a >= 2 ** 53 ? DEFAULT_SLACK_NS : a;
      return 0;
    case P.PR_GET_TIMERSLACK:
      return task.timerSlackNs;
    case P.PR_GET_TID_ADDRESS:
      return task.mm.writeU64(a, task.clearChildTid);
    default:
      return capabilityOption(task, option, a, b, c, d) ?? memoryOption(task, option, a, b, c, d);
  }
}

function setName(task: Task, nameAddr: number): number {
  const name = task.mm.readString(nameAddr, TASK_COMM_LEN);
  if (typeof name === "string") {
    task.comm = name;
    return 0;
  }
  if (name === -EFAULT || task.mm.copyIn(nameAddr, TASK_COMM_LEN - 1) < 0) return -EFAULT;
  task.comm = scratch.bytes.toString("latin1", 0, TASK_COMM_LEN - 1);
  return 0;
}

/** Options about credentials; undefined when it is none of them. */
function capabilityOption(task: Task, option: number, a: number, b: number, c: number, d: number): number | undefined {
  const { cred } = task;
  switch (option) {
    case P.PR_CAPBSET_READ:
      return a > C.CAP_LAST_CAP ? -EINVAL : Number(hasCap(cred.capBounding, a));
    case P.PR_CAPBSET_DROP:
      if (!capable(cred, C.CAP_SETPCAP)) return -EPERM;
      if (a > C.CAP_LAST_CAP) return -EINVAL;
      task.fs.cred = { ...cred, capBounding: withoutCap(cred.capBounding, a) };
      return 0;
    case P.PR_GET_KEEPCAPS:
      return Number((cred.securebits & C.SECBIT_KEEP_CAPS) !== 0);
    case P.PR_SET_KEEPCAPS:
      return setKeepCaps(task, a);
    case P.PR_GET_SECUREBITS:
      return cred.securebits;
    case P.PR_SET_SECUREBITS:
      return setSecurebits(task, a);
    case P.PR_CAP_AMBIENT:
      return c !== 0 || d !== 0 ? -EINVAL : ambient(task, a, b);
    default:
      return undefined;
  }
}

function setKeepCaps(task: Task, keep: number): number {
  const { cred } = task;
  if (keep > 1) return -EINVAL;
  if ((cred.securebits & C.SECBIT_KEEP_CAPS_LOCKED) !== 0) return -EPERM;
  const securebits = (cred.securebits & ~C.SECBIT_KEEP_CAPS) | (keep * C.SECBIT_KEEP_CAPS);
  task.fs.cred = { ...cred, securebits };
  return 0;
}

/** Locked bits stay, and locks do not open again. Every odd bit is the lock of the one below. */
function setSecurebits(task: Task, wanted: number): number {
  const { cred } = task;
  const locks = C.SECBIT_ALL & 0xaa;
  const lockedBits = (cred.securebits & locks) >> 1;
  if ((lockedBits & (cred.securebits ^ wanted)) !== 0) return -EPERM;
  if ((cred.securebits & locks & ~wanted) !== 0) return -EPERM;
  if ((wanted & ~C.SECBIT_ALL) !== 0 || wanted > C.SECBIT_ALL) return -EPERM;
  if (!capable(cred, C.CAP_SETPCAP)) return -EPERM;
  task.fs.cred = { ...cred, securebits: wanted };
  return 0;
}

function ambient(task: Task, what: number, cap: number): number {
  const { cred } = task;
  if (what === P.PR_CAP_AMBIENT_CLEAR_ALL) {
    if (cap !== 0) return -EINVAL;
    task.fs.cred = { ...cred, capAmbient: NO_CAPS };
    return 0;
  }
  if (cap > C.CAP_LAST_CAP) return -EINVAL;
  if (what === P.PR_CAP_AMBIENT_IS_SET) return Number(hasCap(cred.capAmbient, cap));
  if (what === P.PR_CAP_AMBIENT_LOWER) {
    task.fs.cred = { ...cred, capAmbient: withoutCap(cred.capAmbient, cap) };
    return 0;
  }
  if (what !== P.PR_CAP_AMBIENT_RAISE) return -EINVAL;
  const held = hasCap(cred.capPermitted, cap) && hasCap(cred.capInheritable, cap);
  if (!held || (cred.securebits & C.SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) return -EPERM;
  task.fs.cred = { ...cred, capAmbient: withCap(cred.capAmbient, cap) };
  return 0;
}

/** Options about memory, speculation and the like. Those that are not listed do not exist: EINVAL. */
function memoryOption(task: Task, option: number, a: number, b: number, c: number, d: number): number {
  switch (option) {
    case P.PR_SET_VMA:
      return a === P.PR_SET_VMA_ANON_NAME ? nameArea(task, b, c, d) : -EINVAL;
    case P.PR_SET_TAGGED_ADDR_CTRL:
      if (b !== 0 || c !== 0 || d !== 0 || a > 1) return -EINVAL;
      task.taggedAddresses = a === P.PR_TAGGED_ADDR_ENABLE;
      return 0;
    case P.PR_GET_TAGGED_ADDR_CTRL:
      return a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : Number(task.taggedAddresses);
    case P.PR_SET_THP_DISABLE:
      if (b !== 0 || c !== 0 || d !== 0) return -EINVAL;
      task.group.thpDisabled = a !== 0;
      return 0;
    case P.PR_GET_THP_DISABLE:
      return a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : Number(task.group.thpDisabled);
    case P.PR_GET_SECCOMP:
      return task.seccomp?.mode ?? 0;
    case P.PR_SET_SECCOMP:
      return (require("./seccomp.ts") as typeof import("./seccomp.ts")).setSeccompMode(task, a, b);
    case P.PR_GET_TIMING:
      return 0;
    case P.PR_SET_TIMING:
      return a === 0 ? 0 : -EINVAL;
    case P.PR_GET_SPECULATION_CTRL:
      return a <= 2 ? NOT_AFFECTED : -EINVAL;
    case P.PR_MCE_KILL_GET:
      return a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : 2;
    case P.PR_MCE_KILL:
      return c !== 0 || d !== 0 || a > 1 ? -EINVAL : 0;
    case P.PR_SET_PTRACER:
      return 0;
    case P.PR_GET_AUXV:
      return getAuxv(task, a, b);
    default:
      return -EINVAL;
  }
}

/** The name of anonymous areas in /proc/PID/maps; a null pointer takes it away. */
function nameArea(task: Task, start: number, length: number, nameAddr: number): number {
  const { mm } = task;
  let text = "";
  if (nameAddr !== 0) {
    const name = mm.readString(mm.untag(nameAddr), 80);
    if (typeof name === "number") return name === -EFAULT ? -EFAULT : -EINVAL;
    if (/[^ -~]|[\\`$[\]]/.test(name)) return -EINVAL;
    text = name;
  }
  if (start % PAGE !== 0) return -EINVAL;
  const end = start + pageUp(length);
  if (end > TASK_SIZE) return -ENOMEM;
  return start === end ? 0 : mm.nameAreas(start, end, text);
}

/** Copies as much as fits; the size of the whole vector. */
function getAuxv(task: Task, auxvAddr: number, length: number): number {
  const { auxv } = task.mm;
  const count = Math.min(length, auxv.length);
  if (count > 0 && task.mm.copyOutBytes(auxvAddr, auxv, 0, count) !== count) return -EFAULT;
  return auxv.length;
}

export function sys_personality(task: Task, wanted: number): number {
  const old = task.personality;
  // No AArch32 here, and lscpu asks in this way.
  if (wanted !== P.PER_QUERY && (wanted & P.PER_MASK) === P.PER_LINUX32) return -EINVAL;
  if (wanted !== P.PER_QUERY) task.personality = wanted;
  return old;
}

export function rows(): Row[] {
  return [
    row(92, sys_personality, [hex], partial("remembered; UNAME26 counts")),
    row(167, sys_prctl, [value(OPTION_NAMES), addr, addr, addr, addr], partial("no PR_SET_MM")),
  ];
}
