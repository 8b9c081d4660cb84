// What the three kinds of System V IPC share: struct ipc64_perm in guest memory, IPC_SET's part of it, names of flags.

import { EFAULT, EINVAL } from "../abi/errno.ts";
import { IPC_CREAT, IPC_EXCL, PERM } from "../abi/ipc.ts";
import type { IpcObject } from "../kernel/ipc/objects.ts";
import type { Task } from "../kernel/task.ts";

/** Flags of msgget, semget, shmget. */
export const GET_NAMES = { IPC_CREAT, IPC_EXCL };

/** A structure of `bytes` bytes on its way to or from the guest. */
export class Layout {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes);
    this.view = new DataView(this.bytes.buffer);
  }

  u16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }
  i32(offset: number, value: number): void {
    this.view.setInt32(offset, value, true);
  }
  i64(offset: number, value: number | bigint): void {
    this.view.setBigInt64(offset, BigInt.asIntN(64, BigInt(value)), true);
  }
  getU32(offset: number): number {
    return this.view.getUint32(offset, true);
  }
  /** Values above 2^53 lose their low bits. */
  getU64(offset: number): number {
    return Number(this.view.getBigUint64(offset, true));
  }

  /** `extra`: bits that only IPC_STAT shows. */
  putPerm(object: IpcObject, extra = 0): void {
    this.i32(PERM.key, object.key);
    this.i32(PERM.uid, object.uid);
    this.i32(PERM.gid, object.gid);
    this.i32(PERM.cuid, object.cuid);
    this.i32(PERM.cgid, object.cgid);
    this.i32(PERM.mode, object.mode | extra);
    this.u16(PERM.seq, object.sequence);
  }

  /** To guest memory: `result`, or -EFAULT. */
  copyOut(task: Task, addr: number, result = 0): number {
    const { bytes } = this;
    return task.mm.copyOutBytes(addr, bytes, 0, bytes.length) === bytes.length ? result : -EFAULT;
  }

  /** From guest memory: 0 or -EFAULT. */
  copyIn(task: Task, addr: number): number {
    const { bytes } = this;
    return task.mm.copyInBytes(addr, bytes, 0, bytes.length) === bytes.length ? 0 : -EFAULT;
  }
}

/** IPC_SET: owner and permission (ipc_update_perm). 0 or -EINVAL. */
export function updatePerm(object: IpcObject, layout: Layout): number {
  const uid = layout.getU32(PERM.uid);
  const gid = layout.getU32(PERM.gid);
  if (uid === 0xffffffff || gid === 0xffffffff) return -EINVAL;
  object.uid = uid;
  object.gid = gid;
  object.mode = layout.getU32(PERM.mode) & 0o777;
  return 0;
}

export const READ = 4;
export const WRITE = 2;
