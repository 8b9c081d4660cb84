// Control messages in guest memory (cmsg(3), net/core/scm.c): descriptors and credentials are the kernel's, the others go
// to the host as they are.

import { CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN } from "../abi/capability.ts";
import { EBADF, EFAULT, EINVAL, EPERM, ESRCH } from "../abi/errno.ts";
import * as S from "../abi/socket.ts";
import type { Task } from "../kernel/task.ts";
import { NO_BYTES, type PeerCredentials } from "../net/socket.ts";
import type { File } from "../vfs/file.ts";
import { capable } from "../vfs/permission.ts";

/** Most bytes of control messages (net.core.optmem_max). */
const CONTROL_MAX = 20480;

export interface Control {
  files: File[] | null;
  credentials: PeerCredentials | null;
  /** The messages of other levels. */
  rest: Uint8Array;
}

export const NO_CONTROL: Control = { files: null, credentials: null, rest: NO_BYTES };

function align(length: number): number {
  return (length + 7) & ~7;
}

/** The control messages at [addr, addr + length); -EINVAL, -EFAULT, -EBADF, -EPERM. Files are referenced. */
export function readControl(task: Task, addr: number, length: number): Control | number {
  if (length === 0) return { ...NO_CONTROL };
  if (length > CONTROL_MAX) return -EINVAL;
  const bytes = new Uint8Array(length);
  if (task.mm.copyInBytes(addr, bytes, 0, length) !== length) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const control: Control = { files: null, credentials: null, rest: NO_BYTES };
  const others: Uint8Array[] = [];
  for (let at = 0; at + S.CMSG_BYTES <= length; ) {
    const size = Number(view.getBigUint64(at, true));
    const error =
      size < S.CMSG_BYTES || at + size > length
        ? -EINVAL
        : readOne(task, control, bytes.subarray(at, at + size), others);
    if (error < 0) {
      dropFiles(control.files);
      return error;
    }
    at += align(size);
  }
  if (others.length > 0) control.rest = Buffer.concat(others);
  return control;
}

function readOne(task: Task, control: Control, message: Uint8Array, others: Uint8Array[]): number {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const level = view.getInt32(8, true);
  const type = view.getInt32(12, true);
  if (level !== S.SOL_SOCKET) {
    const padded = new Uint8Array(align(message.length));
    padded.set(message);
    others.push(padded);
    return 0;
  }
  if (type === S.SCM_RIGHTS) return readRights(task, control, view);
  return type === S.SCM_CREDENTIALS ? readCredentials(task, control, view) : -EINVAL;
}

function readRights(task: Task, control: Control, view: DataView): number {
  const count = Math.floor((view.byteLength - S.CMSG_BYTES) / 4);
  const files = control.files ?? [];
  if (files.length + count > S.SCM_MAX_FD) return -EINVAL;
  for (let i = 0; i < count; i++) {
    const file = task.files.get(view.getInt32(S.CMSG_BYTES + i * 4, true));
    if (file === undefined) {
      control.files = files;
      return -EBADF;
    }
    files.push(file.ref());
  }
  if (files.length > 0) control.files = files;
  return 0;
}

/** Nobody may pretend to be somebody else (scm_check_creds). */
function readCredentials(task: Task, control: Control, view: DataView): number {
  if (view.byteLength !== S.CMSG_BYTES + S.UCRED_BYTES) return -EINVAL;
  const pid = view.getInt32(S.CMSG_BYTES, true);
  const uid = view.getUint32(S.CMSG_BYTES + 4, true);
  const gid = view.getUint32(S.CMSG_BYTES + 8, true);
  const { cred } = task;
  const pidOk = pid === task.tgid || capable(cred, CAP_SYS_ADMIN);
  const uidOk = [cred.uid, cred.euid, cred.suid].includes(uid) || capable(cred, CAP_SETUID);
  const gidOk = [cred.gid, cred.egid, cred.sgid].includes(gid) || capable(cred, CAP_SETGID);
  if (!pidOk || !uidOk || !gidOk) return -EPERM;
  if (pid !== task.tgid && task.kernel.pids.group(pid) === undefined) return -ESRCH;
  control.credentials = { pid, uid, gid };
  return 0;
}

export function dropFiles(files: readonly File[] | null): void {
  if (files !== null) for (const file of files) file.unref();
}

/** What was received, as control messages at [addr, addr + room). */
export class ControlWriter {
  private readonly task: Task;
  private readonly addr: number;
  private readonly room: number;
  written = 0;
  /** MSG_CTRUNC when something did not fit. */
  flags = 0;

  constructor(task: Task, addr: number, room: number) {
    this.task = task;
    this.addr = addr;
    this.room = addr === 0 ? 0 : room;
  }

  /** put_cmsg: cut where the room ends. */
  put(level: number, type: number, data: Uint8Array): void {
    const left = this.room - this.written;
    if (left < S.CMSG_BYTES) {
      this.flags |= S.MSG_CTRUNC;
      return;
    }
    if (S.CMSG_BYTES + data.length > left) this.flags |= S.MSG_CTRUNC;
    const size = Math.min(S.CMSG_BYTES + data.length, left);
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(size), true);
    view.setInt32(8, level, true);
    view.setInt32(12, type, true);
    bytes.set(data.subarray(0, size - S.CMSG_BYTES), S.CMSG_BYTES);
    if (this.task.mm.copyOutBytes(this.addr + this.written, bytes, 0, size) !== size) return;
    this.written += Math.min(align(size), left);
  }

  putCredentials({ pid, uid, gid }: PeerCredentials): void {
    this.put(S.SOL_SOCKET, S.SCM_CREDENTIALS, new Uint8Array(Int32Array.of(pid, uid, gid).buffer));
  }

  /** Installs as many descriptors as there is room to tell of; the others are closed (scm_detach_fds). */
  putFiles(files: readonly File[], cloexec: boolean): void {
    const fits = Math.max(0, Math.floor((this.room - this.written - S.CMSG_BYTES) / 4));
    const fds: number[] = [];
    for (const file of files) {
      const fd = fds.length < fits ? this.task.files.install(file, cloexec) : -1;
      if (fd >= 0) fds.push(fd);
      else file.unref();
    }
    if (fds.length < files.length) this.flags |= S.MSG_CTRUNC;
    if (fds.length > 0) this.put(S.SOL_SOCKET, S.SCM_RIGHTS, new Uint8Array(Int32Array.from(fds).buffer));
  }

  /** Control messages of the host, one after the other. */
  putRest(messages: Uint8Array): void {
    const view = new DataView(messages.buffer, messages.byteOffset, messages.length);
    for (let at = 0; at + S.CMSG_BYTES <= messages.length; ) {
      const size = Number(view.getBigUint64(at, true));
      if (size < S.CMSG_BYTES || at + size > messages.length) break;
      const data = messages.subarray(at + S.CMSG_BYTES, at + size);
      this.put(view.getInt32(at + 8, true), view.getInt32(at + 12, true), data);
      at += align(size);
    }
  }
}
