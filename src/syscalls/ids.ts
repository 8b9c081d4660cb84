// User, group and capability calls: setuid(2), setresgid(2), setgroups(2), capset(2) and family (kernel/sys.c,
// kernel/groups.c, kernel/capability.c).

import * as C from "../abi/capability.ts";
import { EFAULT, EINVAL, EPERM, ESRCH } from "../abi/errno.ts";
import { NGROUPS_MAX } from "../abi/limits.ts";
import { scratch } from "../host/scratch.ts";
import { type CapSet, capAnd, capOr, capSubset, withFsuid, withUserIds } from "../kernel/credentials.ts";
import type { Task } from "../kernel/task.ts";
import type { Credentials } from "../vfs/credentials.ts";
import { capable } from "../vfs/permission.ts";
import { addr, full, int, type Row, row, struct, u32 } from "./row.ts";

/** "Leave it": -1 as an unsigned id. */
const SAME = 0xffffffff;

/** commit_creds: a process whose identity changed does not dump core and loses its parent death signal. */
function commit(task: Task, next: Credentials): number {
  const old = task.fs.cred;
  if (old.euid !== next.euid || old.egid !== next.egid || old.fsuid !== next.fsuid || old.fsgid !== next.fsgid) {
    task.group.dumpable = 0;
    task.parentDeathSignal = 0;
  }
  task.fs.cred = next;
  task.regs.forgetAnswers();
  return 0;
}

export function sys_getuid(task: Task): number {
  return task.answer(174, task.cred.uid);
}
export function sys_geteuid(task: Task): number {
  return task.answer(175, task.cred.euid);
}
export function sys_getgid(task: Task): number {
  return task.answer(176, task.cred.gid);
}
export function sys_getegid(task: Task): number {
  return task.answer(177, task.cred.egid);
}

export function sys_setuid(task: Task, uid: number): number {
  const old = task.cred;
  if (uid === SAME) return -EINVAL;
  if (capable(old, C.CAP_SETUID)) return commit(task, withUserIds(old, uid, uid, uid));
  if (uid !== old.uid && uid !== old.suid) return -EPERM;
  return commit(task, withUserIds(old, old.uid, uid, old.suid));
}

export function sys_setgid(task: Task, gid: number): number {
  const old = task.cred;
  if (gid === SAME) return -EINVAL;
  if (capable(old, C.CAP_SETGID)) return commit(task, { ...old, gid, egid: gid, sgid: gid, fsgid: gid });
  if (gid !== old.gid && gid !== old.sgid) return -EPERM;
  return commit(task, { ...old, egid: gid, fsgid: gid });
}

export function sys_setreuid(task: Task, ruid: number, euid: number): number {
  const old = task.cred;
  const may = capable(old, C.CAP_SETUID);
  if (ruid !== SAME && ruid !== old.uid && ruid !== old.euid && !may) return -EPERM;
  if (euid !== SAME && euid !== old.uid && euid !== old.euid && euid !== old.suid && !may) return -EPERM;
  const uid = ruid === SAME ? old.uid : ruid;
  const effective = euid === SAME ? old.euid : euid;
  const saves = ruid !== SAME || (euid !== SAME && euid !== old.uid);
  return commit(task, withUserIds(old, uid, effective, saves ? effective : old.suid));
}

export function sys_setregid(task: Task, rgid: number, egid: number): number {
  const old = task.cred;
  const may = capable(old, C.CAP_SETGID);
  if (rgid !== SAME && rgid !== old.gid && rgid !== old.egid && !may) return -EPERM;
  if (egid !== SAME && egid !== old.gid && egid !== old.egid && egid !== old.sgid && !may) return -EPERM;
  const gid = rgid === SAME ? old.gid : rgid;
  const effective = egid === SAME ? old.egid : egid;
  const saves = rgid !== SAME || (egid !== SAME && egid !== old.gid);
  return commit(task, { ...old, gid, egid: effective, fsgid: effective, sgid: saves ? effective : old.sgid });
}

export function sys_setresuid(task: Task, ruid: number, euid: number, suid: number): number {
  const old = task.cred;
  const isKnown = (id: number): boolean => id === SAME || id === old.uid || id === old.euid || id === old.suid;
  if (!(isKnown(ruid) && isKnown(euid) && isKnown(suid)) && !capable(old, C.CAP_SETUID)) return -EPERM;
  const keep = (id: number, now: number): number => (id === SAME ? now : id);
  return commit(task, withUserIds(old, keep(ruid, old.uid), keep(euid, old.euid), keep(suid, old.suid)));
}

export function sys_setresgid(task: Task, rgid: number, egid: number, sgid: number): number {
  const old = task.cred;
  const isKnown = (id: number): boolean => id === SAME || id === old.gid || id === old.egid || id === old.sgid;
  if (!(isKnown(rgid) && isKnown(egid) && isKnown(sgid)) && !capable(old, C.CAP_SETGID)) return -EPERM;
  const keep = (id: number, now: number): number => (id === SAME ? now : id);
  const effective = keep(egid, old.egid);
  const next = { gid: keep(rgid, old.gid), egid: effective, sgid: keep(sgid, old.sgid), fsgid: effective };
  return commit(task, { ...old, ...next });
}

function writeThree(task: Task, addrs: readonly number[], ids: readonly number[]): number {
  for (let i = 0; i < 3; i++) if (task.mm.writeU32(addrs[i]!, ids[i]!) < 0) return -EFAULT;
  return 0;
}

export function sys_getresuid(task: Task, ruidAddr: number, euidAddr: number, suidAddr: number): number {
  const { uid, euid, suid } = task.cred;
  return writeThree(task, [ruidAddr, euidAddr, suidAddr], [uid, euid, suid]);
}

export function sys_getresgid(task: Task, rgidAddr: number, egidAddr: number, sgidAddr: number): number {
  const { gid, egid, sgid } = task.cred;
  return writeThree(task, [rgidAddr, egidAddr, sgidAddr], [gid, egid, sgid]);
}

/** Answers the old id, whether or not it changed. */
export function sys_setfsuid(task: Task, fsuid: number): number {
  const old = task.cred;
  const known = fsuid === old.uid || fsuid === old.euid || fsuid === old.suid || fsuid === old.fsuid;
  if (fsuid !== SAME && (known || capable(old, C.CAP_SETUID))) commit(task, withFsuid(old, fsuid));
  return old.fsuid;
}

export function sys_setfsgid(task: Task, fsgid: number): number {
  const old = task.cred;
  const known = fsgid === old.gid || fsgid === old.egid || fsgid === old.sgid || fsgid === old.fsgid;
  if (fsgid !== SAME && (known || capable(old, C.CAP_SETGID))) commit(task, { ...old, fsgid });
  return old.fsgid;
}

export function sys_getgroups(task: Task, count: number, listAddr: number): number {
  const { groups } = task.cred;
  if (count < 0) return -EINVAL;
  if (count === 0) return groups.length;
  if (groups.length > count) return -EINVAL;
  const bytes = new Uint32Array(groups);
  const view = new Uint8Array(bytes.buffer);
  return task.mm.copyOutBytes(listAddr, view, 0, view.length) === view.length ? groups.length : -EFAULT;
}

export function sys_setgroups(task: Task, count: number, listAddr: number): number {
  if (!capable(task.cred, C.CAP_SETGID)) return -EPERM;
  if (count < 0 || count > NGROUPS_MAX) return -EINVAL;
  const list = new Uint32Array(count);
  const view = new Uint8Array(list.buffer);
  if (task.mm.copyInBytes(listAddr, view, 0, view.length) !== view.length) return -EFAULT;
  if (list.includes(SAME)) return -EINVAL;
  return commit(task, { ...task.cred, groups: [...list].sort((a, b) => a - b) });
}

/** Number of 32-bit words in each set for a header's version; writes the preferred version and -EINVAL otherwise. */
function capWords(task: Task, headerAddr: number): number {
  const version = task.mm.readU32(headerAddr);
  if (version < 0) return -EFAULT;
  if (version === C.LINUX_CAPABILITY_VERSION_1) return 1;
  if (version === C.LINUX_CAPABILITY_VERSION_2 || version === C.LINUX_CAPABILITY_VERSION_3) return 2;
  return task.mm.writeU32(headerAddr, C.LINUX_CAPABILITY_VERSION_3) < 0 ? -EFAULT : -EINVAL;
}

export function sys_capget(task: Task, headerAddr: number, dataAddr: number): number {
  const words = capWords(task, headerAddr);
  if (words < 0) return words === -EINVAL && dataAddr === 0 ? 0 : words;
  const id = task.mm.readU32(headerAddr + 4) | 0;
  if (id < 0) return -EINVAL;
  const target = id === 0 ? task : task.kernel.pids.task(id);
  if (target === undefined) return -ESRCH;
  if (dataAddr === 0) return 0;
  const { capEffective, capPermitted, capInheritable } = target.cred;
  for (let i = 0; i < words; i++) {
    scratch.u32[3 * i] = capEffective[i]!;
    scratch.u32[3 * i + 1] = capPermitted[i]!;
    scratch.u32[3 * i + 2] = capInheritable[i]!;
  }
  return task.mm.copyOut(dataAddr, 12 * words);
}

export function sys_capset(task: Task, headerAddr: number, dataAddr: number): number {
  const words = capWords(task, headerAddr);
  if (words < 0) return words;
  const id = task.mm.readU32(headerAddr + 4);
  if (id < 0) return -EFAULT;
  if (id !== 0 && id !== task.tid) return -EPERM;
  if (task.mm.copyIn(dataAddr, 12 * words) < 0) return -EFAULT;
  const word = (i: number, set: number): number => (i < words ? scratch.u32[3 * i + set]! : 0);
  const effective: CapSet = [word(0, 0), word(1, 0)];
  const permitted: CapSet = [word(0, 1), word(1, 1)];
  const inheritable: CapSet = [word(0, 2), word(1, 2)];
  const old = task.cred;
  const mayAdd = capable(old, C.CAP_SETPCAP);
  if (!mayAdd && !capSubset(inheritable, capOr(old.capInheritable, old.capPermitted))) return -EPERM;
  if (!capSubset(inheritable, capOr(old.capInheritable, old.capBounding))) return -EPERM;
  if (!capSubset(permitted, old.capPermitted) || !capSubset(effective, permitted)) return -EPERM;
  const ambient = capAnd(old.capAmbient, capAnd(permitted, inheritable));
  const next = { capEffective: effective, capPermitted: permitted, capInheritable: inheritable, capAmbient: ambient };
  return commit(task, { ...old, ...next });
}

const CAP_HEADER = struct("cap_user_header");
const CAP_DATA = struct("cap_user_data");

export function rows(): Row[] {
  return [
    row(90, sys_capget, [CAP_HEADER, CAP_DATA], full()),
    row(91, sys_capset, [CAP_HEADER, CAP_DATA], full()),
    row(143, sys_setregid, [u32, u32], full()),
    row(144, sys_setgid, [u32], full()),
    row(145, sys_setreuid, [u32, u32], full()),
    row(146, sys_setuid, [u32], full()),
    row(147, sys_setresuid, [u32, u32, u32], full()),
    row(148, sys_getresuid, [addr, addr, addr], full()),
    row(149, sys_setresgid, [u32, u32, u32], full()),
    row(150, sys_getresgid, [addr, addr, addr], full()),
    row(151, sys_setfsuid, [u32], full()),
    row(152, sys_setfsgid, [u32], full()),
    row(158, sys_getgroups, [int, addr], full()),
    row(159, sys_setgroups, [int, addr], full()),
    row(174, sys_getuid, [], full()),
    row(175, sys_geteuid, [], full()),
    row(176, sys_getgid, [], full()),
    row(177, sys_getegid, [], full()),
  ];
}
