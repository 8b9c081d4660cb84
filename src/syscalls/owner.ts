// Signal-driven I/O: F_SETOWN, F_SETSIG and O_ASYNC (fcntl(2), fs/fcntl.c send_sigio).

import { EBADF, EFAULT, EINVAL, ESRCH } from "../abi/errno.ts";
import { F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID, O_ASYNC } from "../abi/fcntl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI } from "../abi/poll.ts";
import { NSIG, SI_KERNEL, SIGIO } from "../abi/signal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { SigInfo } from "../kernel/sig-info.ts";
import type { Task } from "../kernel/task.ts";
import type { Waiter } from "../lib/wait-queue.ts";
import type { File, ReleaseHook } from "../vfs/file.ts";

const POLL_IN = 1;
const POLL_OUT = 2;
const POLL_ERR = 4;
const POLL_PRI = 5;
const POLL_HUP = 6;

/** F_OWNER_TID owners; every other owner is a process or, negative, a process group. */
const threadOwners = new WeakSet<File>();

/** F_SETOWN: `owner` is a process, or a process group when negative. */
export function setOwner(task: Task, file: File, owner: number): number {
  if (owner === -0x80000000) return -EINVAL;
  const pids = task.kernel.pids;
  const exists = owner < 0 ? pids.processGroup(-owner) !== undefined : owner === 0 || pids.group(owner) !== undefined;
  if (!exists && owner > 0 && pids.task(owner) === undefined) return -ESRCH;
  if (!exists && owner < 0) return -ESRCH;
  threadOwners.delete(file);
  file.owner = owner;
  return 0;
}

/** F_GETOWN. A process group comes back negative, as the raw system call does it. */
export function getOwner(file: File): number {
  return file.owner;
}

export function setOwnerEx(task: Task, file: File, addr: number): number {
  const type = task.mm.readU32(addr);
  const pid = task.mm.readU32(addr + 4);
  if (type < 0 || pid < 0) return -EFAULT;
  if (type > F_OWNER_PGRP) return -EINVAL;
  const error =
    type === F_OWNER_TID ? threadOwner(task, pid) : setOwner(task, file, type === F_OWNER_PGRP ? -pid : pid);
  if (error < 0 || type !== F_OWNER_TID) return error;
  file.owner = pid;
  threadOwners.add(file);
  return 0;
}

function threadOwner(task: Task, tid: number): number {
  return tid === 0 || task.kernel.pids.task(tid) !== undefined ? 0 : -ESRCH;
}

export function getOwnerEx(task: Task, file: File, addr: number): number {
  const type = threadOwners.has(file) ? F_OWNER_TID : file.owner < 0 ? F_OWNER_PGRP : F_OWNER_PID;
  const error = task.mm.writeU32(addr, type);
  return error < 0 ? error : task.mm.writeU32(addr + 4, Math.abs(file.owner));
}

export function setOwnerSignal(file: File, signal: number): number {
  if (signal < 0 || signal > NSIG) return -EINVAL;
  file.ownerSignal = signal;
  return 0;
}

/** Sends the file's signal whenever its queue is woken. */
class AsyncNotifier implements Waiter, ReleaseHook {
  private readonly kernel: Kernel;
  private readonly file: File;
  private readonly fd: number;

  constructor(kernel: Kernel, file: File, fd: number) {
    this.kernel = kernel;
    this.file = file;
    this.fd = fd;
  }

  wake(events: number): void {
    const { file, kernel } = this;
    const band = file.poll() & events;
    if (file.owner === 0 || band === 0) return;
    // Only a signal of the program's own choice says what happened (send_sigio_to_task).
    const signal = file.ownerSignal === 0 ? SIGIO : file.ownerSignal;
    const info =
      file.ownerSignal === 0 ? new SigInfo(signal, SI_KERNEL) : SigInfo.poll(signal, codeOf(band), band, this.fd);
    if (file.owner < 0) {
      for (const group of kernel.pids.processGroup(-file.owner)?.members ?? []) group.leader.sendSignal(signal, info);
    } else {
      kernel.pids.task(file.owner)?.sendSignal(signal, info);
    }
  }

  fileReleased(file: File): void {
    file.waitQueue?.remove(this);
  }
}

function codeOf(band: number): number {
  if ((band & POLLPRI) !== 0) return POLL_PRI;
  if ((band & POLLIN) !== 0) return POLL_IN;
  if ((band & POLLERR) !== 0) return POLL_ERR;
  if ((band & POLLHUP) !== 0) return POLL_HUP;
  return (band & POLLOUT) !== 0 ? POLL_OUT : POLL_IN;
}

const notifiers = new WeakMap<File, AsyncNotifier>();

/** O_ASYNC of fcntl(F_SETFL) and ioctl(FIOASYNC): 0, or -EBADF for files that never change readiness. */
export function setAsync(kernel: Kernel, file: File, fd: number, on: boolean): number {
  const queue = file.waitQueue;
  if (queue === null) return -EBADF;
  const old = notifiers.get(file);
  if (on && old === undefined) {
    const notifier = new AsyncNotifier(kernel, file, fd);
    notifiers.set(file, notifier);
    queue.add(notifier);
    file.onRelease(notifier);
  } else if (!on && old !== undefined) {
    notifiers.delete(file);
    queue.remove(old);
    file.offRelease(old);
  }
  file.flags = on ? file.flags | O_ASYNC : file.flags & ~O_ASYNC;
  return 0;
}
