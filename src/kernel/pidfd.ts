// pidfds (pidfd_open(2), fs/pidfs.c): a file that stands for a process and becomes readable when it ends.

import { EBADF, EINVAL, ESRCH } from "../abi/errno.ts";
import { O_RDWR } from "../abi/fcntl.ts";
import { POLLHUP, POLLIN } from "../abi/poll.ts";
import { S_IFREG } from "../abi/stat.ts";
import { processOfDirectory } from "../fs/proc/task-directory.ts";
import type { WaitQueue } from "../lib/wait-queue.ts";
import { File } from "../vfs/file.ts";
import { anonymousDev, FileSystem, type StatFs } from "../vfs/file-system.ts";
import { Inode, type Stat } from "../vfs/inode.ts";
import { PathFile } from "../vfs/path-file.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread-group.ts";

const PID_FS_MAGIC = 0x50494446;

class PidFileSystem extends FileSystem {
  readonly type = "pidfs";
  readonly dev = anonymousDev();
  readonly root = new PidInode(this, 1);

  override statfs(): StatFs {
    const none = { blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 };
    return { type: PID_FS_MAGIC, bsize: 4096, ...none, fsid: [this.dev, 0], namelen: 255 };
  }
}

class PidInode extends Inode {
  readonly fs: FileSystem;
  readonly ino: number;
  readonly mode = S_IFREG | 0o600;

  constructor(fs: FileSystem, ino: number) {
    super();
    this.fs = fs;
    this.ino = ino;
  }

  override stat(): Stat {
    const times = { atimeSec: 0, atimeNsec: 0, mtimeSec: 0, mtimeNsec: 0, ctimeSec: 0, ctimeNsec: 0 };
    const owner = { nlink: 1, uid: 0, gid: 0, rdev: 0, size: 0, blksize: 4096, blocks: 0 };
    return { dev: this.fs.dev, ino: this.ino, mode: this.mode, ...owner, ...times, btimeSec: 0, btimeNsec: 0 };
  }

  override open(_flags: number): number {
    return -EINVAL;
  }
}

const pidFileSystem = new PidFileSystem();

export class PidFile extends File {
  readonly group: ThreadGroup;
  readonly inode: Inode;

  constructor(group: ThreadGroup, flags: number) {
    super(O_RDWR | flags);
    this.group = group;
    this.inode = new PidInode(pidFileSystem, group.tgid);
  }

  override get waitQueue(): WaitQueue {
    return this.group.exitWait;
  }

  override poll(): number {
    if (this.group.reaped) return POLLIN | POLLHUP;
    return this.group.exited ? POLLIN : 0;
  }

  override name(): string {
    return "anon_inode:[pidfd]";
  }
}

/** A descriptor of `task` for `group`, close-on-exec. Or -EMFILE. */
export function installPidfd(task: Task, group: ThreadGroup, flags = 0): number {
  const free = task.files.lowestFree();
  return free < 0 ? free : task.files.install(new PidFile(group, flags), true);
}

/** What pidfd_send_signal(2) takes: a pidfd, or an open /proc/PID; -EBADF, -ESRCH. */
export function signalTarget(task: Task, fd: number): ThreadGroup | number {
  const file = task.files.get(fd);
  const tgid = file === undefined || file instanceof PathFile ? undefined : processOfDirectory(file.inode);
  return tgid === undefined ? pidfdGroup(task, fd) : (task.kernel.pids.group(tgid) ?? -ESRCH);
}

/** The living or zombie process behind a pidfd; -EBADF, -ESRCH. */
export function pidfdGroup(task: Task, fd: number): ThreadGroup | number {
  const file = task.files.get(fd);
  if (!(file instanceof PidFile)) return -EBADF;
  return file.group.reaped ? -ESRCH : file.group;
}
