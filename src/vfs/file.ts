// The open file description (struct file, file_operations): what a descriptor refers to, shared by dup and
// fork. Methods never wait: they answer -EAGAIN, and the call layer decides whether to block on `waitQueue`.

import { EAGAIN, EBADF, EINVAL, ENOTDIR, ENOTTY, ESPIPE } from "../abi/errno.ts";
import { F_SEAL_FUTURE_WRITE, F_SEAL_WRITE } from "../abi/fcntl.ts";
import { IN_CLOSE_NOWRITE, IN_CLOSE_WRITE } from "../abi/inotify.ts";
import type { WaitQueue } from "../lib/wait-queue.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { IoBuffer } from "../mm/io-buffer.ts";
import type { PageCache } from "../mm/page-cache.ts";
import type { DirectoryEntry, Inode, Stat } from "./inode.ts";
import type { Mount } from "./mount.ts";
import { anyWatchers, isWatched, notify, notifyGone } from "./notify.ts";
import type { Path } from "./path.ts";
import { fullPathString, isUnlinked } from "./path-string.ts";

const O_ACCMODE = 3;
const O_NONBLOCK = 0o4000;
const POLLIN = 1;
const POLLOUT = 4;

export interface ReleaseHook {
  fileReleased(file: File): void;
}

export abstract class File {
  /** Descriptors, mappings and ops that hold this description. */
  private refs = 1;
  /** Access mode and status flags (O_APPEND, O_NONBLOCK, ...). */
  flags: number;
  /** f_pos: where read, write and getdents64 continue, for files that have a position. */
  pos = 0;
  private opened: Path | null = null;
  /** Opened by number (vfs/quick-walk.ts) through this mount: its place is found when somebody asks. */
  private mount: Mount | null = null;
  /** F_SETOWN pid (negative: process group) and F_SETSIG signal. */
  owner = 0;
  ownerSignal = 0;

  /** Opening it made the file (FMODE_CREATED). */
  created = false;
  /** It counts as a writer of its inode. */
  private writing = false;
  private releaseHooks: Set<ReleaseHook> | null = null;

  constructor(flags: number) {
    this.flags = flags;
  }

  abstract readonly inode: Inode;

  /** Where it was opened, set by vfs; null for pipes, sockets and anonymous files. */
  get path(): Path | null {
    if (this.opened === null && this.mount !== null) this.opened = this.placeOn(this.mount);
    return this.opened;
  }
  protected placeOn(mount: Mount): Path {
    return { mount, dentry: this.inode.fs.dentryOf(this.inode) };
  }
  set path(path: Path | null) {
    this.opened = path;
  }
  openedThrough(mount: Mount): void {
    this.mount = mount;
  }

  get canRead(): boolean {
    // The fourth access mode is for ioctls only.
    return (this.flags & 1) === 0;
  }
  get canWrite(): boolean {
    const mode = this.flags & O_ACCMODE;
    return mode === 1 || mode === 2;
  }
  get nonblock(): boolean {
    return (this.flags & O_NONBLOCK) !== 0;
  }

  /** Woken with poll bits whenever `poll` may answer more than before; null when the file is always ready. */
  get waitQueue(): WaitQueue | null {
    return null;
  }

  /** How long read and write wait at most (SO_RCVTIMEO, SO_SNDTIMEO). */
  get readTimeoutNs(): number {
    return Number.POSITIVE_INFINITY;
  }
  get writeTimeoutNs(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** memfd_create(2)'s F_ADD_SEALS and F_GET_SEALS. */
  addSeals(_seals: number): number {
    return -EINVAL;
  }
  seals(): number {
    return -EINVAL;
  }

  /** Whether a seal forbids new writable mappings. */
  get isWriteSealed(): boolean {
    const seals = this.seals();
    return seals > 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0;
  }

  /** Ready events now: EPOLLIN | EPOLLOUT | EPOLLHUP ... */
  poll(): number {
    return POLLIN | POLLOUT;
  }

  /** Whether open(2) must still wait on `waitQueue` for a peer (FIFOs): 0 when it is complete, -EAGAIN, or -errno. */
  openPending(): number {
    return 0;
  }

  /** Bytes moved, 0 at the end, -EAGAIN when it would have to wait, or another -errno. */
  read(_io: IoBuffer): number {
    return -EINVAL;
  }
  write(_io: IoBuffer): number {
    return -EINVAL;
  }
  /** Whether it has read and write at all (FMODE_CAN_READ, FMODE_CAN_WRITE): asked before bad addresses are complained of. */
  get reads(): boolean {
    return this.read !== File.prototype.read;
  }
  get writes(): boolean {
    return this.write !== File.prototype.write;
  }
  /** Whether pread(2) and pwrite(2) work on it (FMODE_PREAD). */
  get positional(): boolean {
    return this.readAt !== File.prototype.readAt;
  }
  /** pread and pwrite; `pos` is at least 0. */
  readAt(_io: IoBuffer, _pos: number): number {
    return -ESPIPE;
  }
  writeAt(_io: IoBuffer, _pos: number): number {
    return -ESPIPE;
  }
  /** lseek(2); `whence` is SEEK_*. The new position or -errno. */
  seek(_offset: number, _whence: number): number {
    return -ESPIPE;
  }

  stat(): Stat | number {
    return this.inode.stat();
  }
  /** fstat(2) and getdents64(2) straight into guest memory, where the shim can; -EAGAIN elsewhere. */
  statTo(_space: number, _out: number): number {
    return -EAGAIN;
  }
  direntsTo(_space: number, _out: number, _bytes: number): number {
    return -EAGAIN;
  }

  /** Size in bytes now; 0 when it cannot be told. Cheaper than `stat` where a file knows better. */
  sizeBytes(): number {
    const stat = this.stat();
    return typeof stat === "number" ? 0 : stat.size;
  }

  /** What /proc/PID/fd and /proc/PID/maps print: a path, or "pipe:[5]", "anon_inode:[eventfd]". */
  name(): string {
    return this.path === null ? "anon_inode:[file]" : fullPathString(this.path);
  }

  /** Further lines of /proc/PID/fdinfo/N, each with its newline. */
  details(): string {
    return "";
  }

  truncate(_size: number): number {
    return -EINVAL;
  }
  /** fallocate(2). */
  allocate(_mode: number, _offset: number, _len: number): number {
    return -ESPIPE;
  }
  /** fsync(2), fdatasync(2). */
  sync(_dataOnly: boolean): number {
    return -EINVAL;
  }

  /** Calls `emit` for each entry, "." and ".." included, from offset `from` until it returns false. 0 or -errno. */
  readDirectory(_from: number, _emit: (entry: DirectoryEntry) => boolean): number {
    return -ENOTDIR;
  }

  /** `mm` is the caller's memory for arguments. A result, -errno; -ENOTTY for commands it does not know. */
  ioctl(_mm: AddressSpace, _command: number, _arg: number): number {
    return -ENOTTY;
  }

  /** The page cache that mmap maps. */
  pages(): PageCache | number {
    return this.inode.pages();
  }

  /** A descriptor of the host that stands for this file, for stdin and tty pass-through; -EBADF when there is none. */
  get hostFd(): number {
    return -EBADF;
  }

  ref(): this {
    this.refs += 1;
    return this;
  }

  /** The file was opened by name: programs cannot be entered from what is open for writing (get_write_access). */
  countWriter(): void {
    if (!this.canWrite || this.writing) return;
    this.writing = true;
    this.inode.writers += 1;
  }

  /** Drops one holder; the last one releases the file. */
  unref(): void {
    this.refs -= 1;
    if (this.refs !== 0) return;
    if (this.writing) this.inode.writers -= 1;
    const watched = anyWatchers() && this.path !== null;
    if (watched) notify(this.path!.dentry, this.canWrite ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    const last = watched && isWatched(this.inode) && isUnlinked(this.path!.dentry);
    if (this.releaseHooks !== null) for (const hook of this.releaseHooks) hook.fileReleased(this);
    this.release();
    if (last && !this.inode.isOpen) notifyGone(this.inode);
  }

  /** Tells `hook` when the last holder is gone: epoll sets and locks forget the file then. */
  onRelease(hook: ReleaseHook): void {
    this.releaseHooks ??= new Set();
    this.releaseHooks.add(hook);
  }
  offRelease(hook: ReleaseHook): void {
    this.releaseHooks?.delete(hook);
  }

  /** The last holder is gone: close host descriptors, wake peers. */
  protected release(): void {}
}
