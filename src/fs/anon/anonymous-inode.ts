// Inodes without a name in any directory: pipes (pipefs), sockets (sockfs) and the one that eventfd, timerfd, signalfd and epoll files
// share (fs/anon_inodes.c).

import { ENXIO, EOPNOTSUPP } from "../../abi/errno.ts";
import {
  ANON_INODE_FS_MAGIC,
  MQUEUE_MAGIC,
  PIPEFS_MAGIC,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  SOCKFS_MAGIC,
} from "../../abi/stat.ts";
import { openFifo } from "../../vfs/devices.ts";
import type { File } from "../../vfs/file.ts";
import { anonymousDev, FileSystem, type StatFs } from "../../vfs/file-system.ts";
import { type Attributes, Inode, type Stat } from "../../vfs/inode.ts";

class AnonymousFileSystem extends FileSystem {
  readonly type: string;
  readonly dev = anonymousDev();
  readonly root: Inode;
  private readonly magic: number;
  /** Numbers of few digits are none to netstat, which looks for "socket:[" and three more characters. */
  private lastIno = 1000;

  constructor(type: string, magic: number) {
    super();
    this.type = type;
    this.magic = magic;
    this.root = new AnonymousInode(this, 1, 0o600, 0, 0);
  }

  nextIno(): number {
    this.lastIno += 1;
    return this.lastIno;
  }

  override statfs(): StatFs {
    return {
      type: this.magic,
      bsize: 4096,
      blocks: 0,
      bfree: 0,
      bavail: 0,
      files: 0,
      ffree: 0,
      fsid: [0, 0],
      namelen: 255,
    };
  }
}

export class AnonymousInode extends Inode {
  readonly fs: FileSystem;
  readonly ino: number;
  mode: number;
  private owner: number;
  private group: number;
  /** Seconds since the epoch. */
  private readonly madeSec: number;

  constructor(fs: FileSystem, ino: number, mode: number, uid: number, gid: number, madeSec = 0) {
    super();
    this.fs = fs;
    this.ino = ino;
    this.mode = mode;
    this.owner = uid;
    this.group = gid;
    this.madeSec = madeSec;
  }

  override get uid(): number {
    return this.owner;
  }
  override get gid(): number {
    return this.group;
  }

  override stat(): Stat {
    const { fs, ino, mode, uid, gid, madeSec } = this;
    return {
      dev: fs.dev,
      ino,
      mode,
      nlink: 1,
      uid,
      gid,
      rdev: 0,
      size: 0,
      blksize: 4096,
      blocks: 0,
      atimeSec: madeSec,
      atimeNsec: 0,
      mtimeSec: madeSec,
      mtimeNsec: 0,
      ctimeSec: madeSec,
      ctimeNsec: 0,
      btimeSec: 0,
      btimeNsec: 0,
    };
  }

  /** Through /proc/PID/fd: a pipe's ends can be opened anew, other anonymous files cannot. */
  override open(flags: number): File | number {
    return (this.mode & S_IFMT) === S_IFIFO ? openFifo(this, flags) : -ENXIO;
  }

  /** Pipes and sockets can be given away; the inode that the other files share cannot. DIFFERS: their times are not kept. */
  override setAttributes(attributes: Attributes): number {
    if ((this.mode & S_IFMT) === 0) return -EOPNOTSUPP;
    this.mode = attributes.mode ?? this.mode;
    this.owner = attributes.uid ?? this.owner;
    this.group = attributes.gid ?? this.group;
    return 0;
  }
}

const pipefs = new AnonymousFileSystem("pipefs", PIPEFS_MAGIC);
const sockfs = new AnonymousFileSystem("sockfs", SOCKFS_MAGIC);
const mqueuefs = new AnonymousFileSystem("mqueue", MQUEUE_MAGIC);
const anonfs = new AnonymousFileSystem("anon_inodefs", ANON_INODE_FS_MAGIC);

export function pipeInode(uid: number, gid: number, nowSec: number): AnonymousInode {
  return new AnonymousInode(pipefs, pipefs.nextIno(), S_IFIFO | 0o600, uid, gid, nowSec);
}

export function socketInode(uid: number, gid: number): AnonymousInode {
  return new AnonymousInode(sockfs, sockfs.nextIno(), S_IFSOCK | 0o777, uid, gid);
}

/** An inode of the file system of message queues (ipc/mqueue.c), which nobody mounts. */
export function mqueueInode(mode: number, uid: number, gid: number, nowSec: number): AnonymousInode {
  return new AnonymousInode(mqueuefs, mqueuefs.nextIno(), S_IFREG | mode, uid, gid, nowSec);
}

export function isPipeInode(inode: Inode): boolean {
  return inode.fs === pipefs;
}

/** The inode behind every anonymous file. */
export const anonymousInode: Inode = anonfs.root;
