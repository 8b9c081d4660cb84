// What the three kinds of System V IPC share (ipc/util.c): identifiers, keys, owners, permission.

import { CAP_IPC_OWNER, CAP_SYS_ADMIN } from "../../abi/capability.ts";
import { EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC, EPERM } from "../../abi/errno.ts";
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE } from "../../abi/ipc.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { capable, inGroup } from "../../vfs/permission.ts";

/** Identifiers are a sequence number above an index. */
const INDEX_BITS = 15;
const SEQUENCE_MAX = 0xffff;

export class IpcObject {
  /** Set when it gets its place. */
  id = -1;
  readonly key: number;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** Permission bits. */
  mode: number;
  removed = false;

  constructor(key: number, mode: number, cred: Credentials) {
    this.key = key;
    this.mode = mode & 0o777;
    this.uid = cred.euid;
    this.gid = cred.egid;
    this.cuid = cred.euid;
    this.cgid = cred.egid;
  }

  get sequence(): number {
    return this.id >> INDEX_BITS;
  }

  /** ipcperms: whether all bits of `wanted` (of one class, 0..7) are granted: 0 or -EACCES. */
  check(cred: Credentials, wanted: number): number {
    const owner = cred.euid === this.cuid || cred.euid === this.uid;
    const group = !owner && (inGroup(cred, this.cgid) || inGroup(cred, this.gid));
    const granted = this.mode >> (owner ? 6 : group ? 3 : 0);
    return (wanted & ~granted & 7) === 0 || capable(cred, CAP_IPC_OWNER) ? 0 : -EACCES;
  }

  /** Whether it may be removed or changed: 0 or -EPERM. */
  checkOwner(cred: Credentials): number {
    const owner = cred.euid === this.cuid || cred.euid === this.uid;
    return owner || capable(cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
  }
}

/** All objects of one kind. */
export class IpcSet<T extends IpcObject> {
  private readonly objects: (T | undefined)[] = [];
  private readonly byKey = new Map<number, T>();
  private readonly max: number;
  private sequence = 0;
  private lastIndex = -1;
  count = 0;

  constructor(max: number) {
    this.max = max;
  }

  /**
   * semget, shmget, msgget (ipcget): the identifier of the object of `key`, which `make` makes when there is none and it may;
   * `matches` judges one that is there: 0 or -errno.
   */
  get(key: number, flags: number, cred: Credentials, make: () => T | number, matches: (object: T) => number): number {
    const known = key === IPC_PRIVATE ? undefined : this.byKey.get(key);
    if (known === undefined) {
      if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return -ENOENT;
      const made = make();
      return typeof made === "number" ? made : this.add(made);
    }
    if ((flags & (IPC_CREAT | IPC_EXCL)) === (IPC_CREAT | IPC_EXCL)) return -EEXIST;
    const error = matches(known);
    if (error !== 0) return error;
    const wanted = (flags >> 6) | (flags >> 3) | flags;
    const denied = known.check(cred, wanted & 7);
    return denied !== 0 ? denied : known.id;
  }

  private add(object: T): number {
    if (this.count >= this.max) return -ENOSPC;
    let index = 0;
    while (this.objects[index] !== undefined) index += 1;
    if (index <= this.lastIndex) this.sequence = this.sequence === SEQUENCE_MAX ? 0 : this.sequence + 1;
    this.lastIndex = index;
    object.id = (this.sequence << INDEX_BITS) | index;
    this.objects[index] = object;
    this.count += 1;
    if (object.key !== IPC_PRIVATE) this.byKey.set(object.key, object);
    return object.id;
  }

  /** -EINVAL for an identifier that is none, -EIDRM for one that was. */
  find(id: number): T | number {
    if (id < 0) return -EINVAL;
    const object = this.objects[id & ((1 << INDEX_BITS) - 1)];
    if (object === undefined) return -EINVAL;
    return object.id === id ? object : -EIDRM;
  }

  /** The object at an index, for the *_STAT commands. */
  at(index: number): T | number {
    return this.objects[index] ?? -EINVAL;
  }

  remove(object: T): void {
    const index = object.id & ((1 << INDEX_BITS) - 1);
    if (this.objects[index] !== object) return;
    this.objects[index] = undefined;
    this.hideKey(object);
    this.count -= 1;
    object.removed = true;
  }

  /** The key stands for the object no longer; its identifier still does. */
  hideKey(object: T): void {
    if (this.byKey.get(object.key) === object) this.byKey.delete(object.key);
  }

  /** The highest index in use; 0 when there is none. */
  get maxIndex(): number {
    for (let i = this.objects.length - 1; i >= 0; i--) if (this.objects[i] !== undefined) return i;
    return 0;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const object of this.objects) if (object !== undefined) yield object;
  }
}
