// process_vm_readv(2), process_vm_writev(2) (mm/process_vm_access.c): copies between two processes; and process_madvise(2)
// (mm/madvise.c), advice of one about another.

import { CAP_SYS_NICE } from "../abi/capability.ts";
import { EACCES, EFAULT, EINVAL, EPERM, ESRCH } from "../abi/errno.ts";
import * as mman from "../abi/mman.ts";
import { scratch } from "../host/scratch.ts";
import { pidfdGroup } from "../kernel/pidfd.ts";
import { mayTrace } from "../kernel/ptrace-access.ts";
import type { Task } from "../kernel/task.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { UserBuffer } from "../mm/user-buffer.ts";
import { capable } from "../vfs/permission.ts";
import { advise } from "./memory.ts";
import { addr, fd, full, hex, namesIn, pid, type Row, row, size, struct, value } from "./row.ts";

const UIO_MAXIOV = 1024;
const CHUNK = 4096;

interface Piece {
  addr: number;
  length: number;
}

/** Moves up to `count` bytes at `remote`, through scratch; the bytes moved, short at a fault on either side. */
type Move = (mm: AddressSpace, remote: number, local: UserBuffer, count: number) => number;

function readRemote(mm: AddressSpace, remote: number, local: UserBuffer, count: number): number {
  const got = mm.read(remote, scratch.ptr, count);
  return got === 0 ? 0 : local.putPtr(scratch.ptr, got);
}

function writeRemote(mm: AddressSpace, remote: number, local: UserBuffer, count: number): number {
  const got = local.takePtr(scratch.ptr, count);
  return got <= 0 ? 0 : mm.write(remote, scratch.ptr, got);
}

function readPieces(task: Task, vectorAddr: number, count: number): Piece[] | number {
  if (count > UIO_MAXIOV) return -EINVAL;
  if (task.mm.copyIn(vectorAddr, count * 16) < 0) return -EFAULT;
  const pieces: Piece[] = [];
  for (let i = 0; i < count; i++) {
    const length = scratch.getI64(i * 16 + 8);
    if (length < 0) return -EINVAL;
    pieces.push({ addr: task.mm.untag(scratch.getU64(i * 16)), length });
  }
  return pieces;
}

function transfer(
  task: Task,
  id: number,
  localAddr: number,
  localCount: number,
  remoteAddr: number,
  remoteCount: number,
  how: number,
  move: Move,
): number {
  if (how !== 0) return -EINVAL;
  const local = task.mm.vector(localAddr, localCount);
  if (typeof local === "number") return local;
  if (local.remaining === 0) return 0;
  const pieces = readPieces(task, remoteAddr, remoteCount);
  if (typeof pieces === "number") return pieces;
  const target = task.kernel.pids.task(id);
  if (target === undefined || !target.alive) return -ESRCH;
  if (!mayTrace(task, target)) return -EPERM;
  if (target.mm !== task.mm) target.mm.share();
  let done = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length && local.remaining > 0; ) {
      const wanted = Math.min(CHUNK, piece.length - at, local.remaining);
      const moved = Math.max(0, move(target.mm, piece.addr + at, local, wanted));
      done += moved;
      at += moved;
      if (moved < wanted) return done > 0 ? done : -EFAULT;
    }
  }
  return done;
}

export function sys_process_vm_readv(
  task: Task,
  id: number,
  localAddr: number,
  localCount: number,
  remoteAddr: number,
  remoteCount: number,
  how: number,
): number {
  return transfer(task, id, localAddr, localCount, remoteAddr, remoteCount, how, readRemote);
}

export function sys_process_vm_writev(
  task: Task,
  id: number,
  localAddr: number,
  localCount: number,
  remoteAddr: number,
  remoteCount: number,
  how: number,
): number {
  return transfer(task, id, localAddr, localCount, remoteAddr, remoteCount, how, writeRemote);
}

const ADVICE: readonly number[] = [mman.MADV_COLD, mman.MADV_PAGEOUT, mman.MADV_WILLNEED, mman.MADV_COLLAPSE];

export function sys_process_madvise(
  task: Task,
  pidfd: number,
  vectorAddr: number,
  count: number,
  advice: number,
  how: number,
): number {
  if (how !== 0) return -EINVAL;
  const pieces = readPieces(task, vectorAddr, count);
  if (typeof pieces === "number") return pieces;
  const group = pidfdGroup(task, pidfd);
  if (typeof group === "number") return group;
  if (!ADVICE.includes(advice)) return -EINVAL;
  const target = group.tasks.find((one) => one.alive);
  if (target === undefined) return -ESRCH;
  if (!mayTrace(task, target)) return -EACCES;
  if (target.mm !== task.mm && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  let done = 0;
  for (const piece of pieces) {
    const error = advise(target.mm, piece.addr, piece.length, advice);
    if (error !== 0) return done > 0 ? done : error;
    done += piece.length;
  }
  return done;
}

const ADVICE_NAMES = namesIn(() => mman, /^MADV_/);
const iovec = struct("iovec");

export function rows(): Row[] {
  return [
    row(270, sys_process_vm_readv, [pid, iovec, size, addr, size, hex], full()),
    row(271, sys_process_vm_writev, [pid, iovec, size, addr, size, hex], full()),
    row(440, sys_process_madvise, [fd, iovec, size, value(ADVICE_NAMES), hex], full()),
  ];
}
