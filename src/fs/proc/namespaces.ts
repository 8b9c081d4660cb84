// /proc/PID/ns: links to files that stand for name spaces (namespaces(7), fs/nsfs.c, ioctl_ns(2)). All processes of a run share one of each
// kind, which they can open, compare, ask about and enter with setns(2), as Linux lets a process enter those that it is in.

import { EFAULT, EINVAL, ENOENT, ENOTTY, EPERM } from "../../abi/errno.ts";
import { O_RDONLY } from "../../abi/fcntl.ts";
import { NS_GET_NSTYPE, NS_GET_OWNER_UID, NS_GET_PARENT } from "../../abi/ioctl.ts";
import * as C from "../../abi/sched.ts";
import { DT_LNK, NSFS_MAGIC, S_IFREG } from "../../abi/stat.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { File } from "../../vfs/file.ts";
import { anonymousDev, FileSystem, type StatFs } from "../../vfs/file-system.ts";
import { Inode, type Stat } from "../../vfs/inode.ts";
import { detachedMount, type Mount } from "../../vfs/mount.ts";
import { Dentry, type Path } from "../../vfs/path.ts";
import { MAY_WRITE } from "../../vfs/permission.ts";
import { LinkInode, type Named, PseudoDirectory } from "../pseudo/pseudo-inode.ts";
import type { Place } from "../pseudo/table.ts";
import type { TaskSubject } from "./task-files.ts";

/** Numbers as a kernel's first ones, and the flag of clone(2). */
const KINDS: Readonly<Record<string, readonly [ino: number, flag: number]>> = {
  cgroup: [4026531835, C.CLONE_NEWCGROUP],
  ipc: [4026531839, C.CLONE_NEWIPC],
  mnt: [4026531841, C.CLONE_NEWNS],
  net: [4026531840, C.CLONE_NEWNET],
  pid: [4026531836, C.CLONE_NEWPID],
  time: [4026531834, C.CLONE_NEWTIME],
  user: [4026531837, C.CLONE_NEWUSER],
  uts: [4026531838, C.CLONE_NEWUTS],
};

const FOR_CHILDREN = "_for_children";
const NAMES = [
  "cgroup",
  "ipc",
  "mnt",
  "net",
  "pid",
  `pid${FOR_CHILDREN}`,
  "time",
  `time${FOR_CHILDREN}`,
  "user",
  "uts",
];

class NamespaceFileSystem extends FileSystem {
  readonly type = "nsfs";
  readonly dev = anonymousDev();
  readonly root: Inode = new NamespaceInode(this, 1, 0);

  override statfs(): StatFs {
    const none = { blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 };
    return { type: NSFS_MAGIC, bsize: 4096, ...none, fsid: [this.dev, 0], namelen: 255 };
  }
}

class NamespaceInode extends Inode {
  readonly fs: FileSystem;
  readonly ino: number;
  readonly mode = S_IFREG | 0o444;
  readonly flag: number;

  constructor(fs: FileSystem, ino: number, flag: number) {
    super();
    this.fs = fs;
    this.ino = ino;
    this.flag = flag;
  }

  override stat(): Stat {
    const times = { atimeSec: 0, atimeNsec: 0, mtimeSec: 0, mtimeNsec: 0, ctimeSec: 0, ctimeNsec: 0 };
    const owner = { nlink: 1, uid: 0, gid: 0, rdev: 0, size: 0, blksize: 4096, blocks: 0 };
    return { dev: this.fs.dev, ino: this.ino, mode: this.mode, ...owner, ...times, btimeSec: 0, btimeNsec: 0 };
  }

  /** Immutable. */
  override permission(cred: Credentials, mask: number): number {
    return (mask & MAY_WRITE) !== 0 ? -EPERM : super.permission(cred, mask);
  }

  override open(flags: number): File {
    return new NamespaceFile(this, flags);
  }
}

export class NamespaceFile extends File {
  readonly inode: NamespaceInode;

  constructor(inode: NamespaceInode, flags: number) {
    super(flags);
    this.inode = inode;
  }

  /** CLONE_NEW* */
  get kind(): number {
    return this.inode.flag;
  }

  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    switch (command) {
      case NS_GET_NSTYPE:
        return this.kind;
      case NS_GET_PARENT:
        return this.kind === C.CLONE_NEWPID || this.kind === C.CLONE_NEWUSER ? -EPERM : -EINVAL;
      case NS_GET_OWNER_UID:
        if (this.kind !== C.CLONE_NEWUSER) return -EINVAL;
        return mm.writeU32(arg, 0) < 0 ? -EFAULT : 0;
    }
    return -ENOTTY;
  }
}

const nsfs = new NamespaceFileSystem();
const mount: Mount = detachedMount(nsfs);
const inodes = new Map<string, NamespaceInode>();

/** NS_GET_USERNS: the user name space that owns another one; the first user name space is nobody's. */
export function owningUserNamespace(file: File): File | number {
  if (!(file instanceof NamespaceFile)) return -ENOTTY;
  if (file.kind === C.CLONE_NEWUSER) return -EPERM;
  const place = placeOf("user");
  const owner = new NamespaceFile(inodeOf("user"), O_RDONLY);
  owner.path = place;
  return owner;
}

function inodeOf(kind: string): NamespaceInode {
  let inode = inodes.get(kind);
  if (inode === undefined) {
    inode = new NamespaceInode(nsfs, ...KINDS[kind]!);
    inodes.set(kind, inode);
  }
  return inode;
}

function textOf(kind: string): string {
  return `${kind}:[${KINDS[kind]![0]}]`;
}

function placeOf(kind: string): Path {
  return { mount, dentry: new Dentry(null, textOf(kind), inodeOf(kind)) };
}

export class NamespaceDirectory extends PseudoDirectory {
  private readonly place: Place<TaskSubject>;

  constructor(place: Place<TaskSubject>) {
    super(place.fs, place.ino, 0o511, place.ownership);
    this.place = place;
  }

  override lookup(name: string): Inode | number {
    if (!NAMES.includes(name)) return -ENOENT;
    const kind = name.replace(FOR_CHILDREN, "");
    return new LinkInode(
      this.fs,
      KINDS[kind]![0],
      () => textOf(kind),
      () => placeOf(kind),
      this.place.ownership,
    );
  }

  override list(): readonly Named[] {
    return NAMES.map((name) => ({ name, type: DT_LNK, ino: KINDS[name.replace(FOR_CHILDREN, "")]![0] }));
  }
}
