// What every kind of file in a host directory has in common: a place (the directory and the name under which it was
// last found), an identity (device and inode number), attributes. Operations go through the parent's descriptor and
// one name without following links, or through an open descriptor of the file itself.

import { ELOOP, ENOENT, EPERM, EROFS } from "../../abi/errno.ts";
import { O_NOFOLLOW, O_PATH } from "../../abi/fcntl.ts";
import { S_IALLUGO, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, UTIME_OMIT } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { look, lookAt, seen } from "../../host/stat.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import type { File } from "../../vfs/file.ts";
import { type Attributes, Inode, type Stat } from "../../vfs/inode.ts";
import { MAY_WRITE, newOwner } from "../../vfs/permission.ts";
import type { HostDirectory } from "./host-directory.ts";
import type { HostFileSystem } from "./host-file-system.ts";
import { VirtualOwners } from "./virtual-owners.ts";

/** A descriptor and a name for the calls of host/files.ts; the name is "" when the descriptor is the file. */
export interface Handle {
  fd: number;
  name: string;
}

const handle: Handle = { fd: -1, name: "" };

export abstract class HostInode extends Inode {
  readonly fs: HostFileSystem;
  /** Device and inode number on the host. */
  readonly dev: number;
  readonly hostIno: number;
  /** Birth time on the host, 0 when unknown. */
  readonly born: number;
  /** Unique in this file system, which may span several host devices. */
  readonly ino: number;
  mode: number;
  private owner: number;
  private group: number;
  /** Where it was last found; null for the root, for unnamed files and for what only a descriptor leads to. */
  parent: HostDirectory | null = null;
  name = "";

  /** For the file that the last look met. */
  constructor(fs: HostFileSystem) {
    super();
    this.fs = fs;
    this.dev = seen.dev;
    this.hostIno = seen.ino;
    this.born = seen.born;
    this.mode = fs.owners?.mode ?? seen.mode;
    this.owner = fs.owners?.uid ?? seen.uid;
    this.group = fs.owners?.gid ?? seen.gid;
    this.ino = fs.uniqueIno(this.dev, this.hostIno);
  }

  override get uid(): number {
    return this.owner;
  }
  override get gid(): number {
    return this.group;
  }

  /** Notes what the last look, which met this file, says about who may use it. */
  noteAccess(): void {
    const { owners } = this.fs;
    this.mode = owners?.mode ?? seen.mode;
    this.owner = owners?.uid ?? seen.uid;
    this.group = owners?.gid ?? seen.gid;
  }

  /** Notes where it was found. */
  place(parent: HostDirectory, name: string): void {
    this.parent = parent;
    this.name = name;
  }

  abstract override open(flags: number): File | number;

  /** Whether the table must keep this object. */
  get pinned(): boolean {
    return false;
  }

  /** O_PATH descriptors of the guest that name this file, and the host's descriptor (O_PATH) that serves them. */
  private holders = 0;
  private heldFd = -1;

  override hold(): void {
    this.holders += 1;
    if (this.openFd >= 0 || this.parent === null) return;
    const dirFd = this.parent.directoryFd();
    if (dirFd < 0) return;
    const fd = files.open(dirFd, this.name, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0) return;
    if (lookAt(fd) === 0 && this.isSeen) this.heldFd = fd;
    else files.close(fd);
  }

  override letGo(): void {
    this.holders -= 1;
    if (this.holders > 0 || this.heldFd < 0) return;
    files.close(this.heldFd);
    this.heldFd = -1;
  }

  /** A descriptor that refers to this very file, -1 when none is open. */
  get openFd(): number {
    return this.heldFd >= 0 ? this.heldFd : this.rootFd;
  }

  /** The mount's own descriptor when this is what is mounted, or -1. */
  protected get rootFd(): number {
    return this.fs.root === this ? this.fs.rootFd : -1;
  }

  /** Whether the last look met this file. */
  get isSeen(): boolean {
    if (seen.ino !== this.hostIno || seen.dev !== this.dev || ((seen.mode ^ this.mode) & S_IFMT) !== 0) return false;
    // Numbers are used again. Directories may look reborn when an overlay copies them up.
    return seen.born === this.born || (this.mode & S_IFMT) === S_IFDIR;
  }

  /** How to reach the file now; 0 or -errno. The answer is in the returned object of this module, until the next call. */
  protected reach(): Handle | number {
    handle.fd = this.openFd;
    handle.name = "";
    if (handle.fd >= 0) return handle;
    if (this.parent === null) return -ENOENT;
    const dirFd = this.parent.directoryFd();
    if (dirFd < 0) return dirFd;
    const error = look(dirFd, this.name);
    if (error < 0) return error;
    if (!this.isSeen) return -ENOENT;
    handle.fd = dirFd;
    handle.name = this.name;
    return handle;
  }

  stat(): Stat | number {
    if (this.fs.takeFresh(this)) return this.fs.seenStat();
    const fd = this.openFd;
    if (fd >= 0) {
      const error = lookAt(fd);
      return error < 0 ? error : this.remember();
    }
    const at = this.reach();
    return typeof at === "number" ? at : this.remember();
  }

  private remember(): Stat {
    this.noteAccess();
    return this.fs.seenStat();
  }

  /** As the host decides for the user who runs carrick; root is asked for nothing there, so the guest's user decides. */
  override permission(cred: Credentials, mask: number): number {
    if ((mask & MAY_WRITE) !== 0 && this.fs.readOnly && this.isContent) return -EROFS;
    if (!this.fs.hostChecks) return super.permission(cred, mask);
    const at = this.reach();
    return typeof at === "number" ? at : files.access(at.fd, at.name, mask);
  }

  /** Whether writing to it changes the file system (sb_permission). */
  private get isContent(): boolean {
    const type = this.mode & S_IFMT;
    return type === S_IFREG || type === S_IFDIR || type === S_IFLNK;
  }

  override setAttributes(attributes: Attributes): number {
    if (this.fs.readOnly) return -EROFS;
    this.fs.forgetFresh();
    if (attributes.size !== undefined) {
      const error = this.setSize(attributes.size);
      if (error < 0) return error;
    }
    const at = this.reach();
    if (typeof at === "number") return at;
    const { uid, gid, mode, atimeNsec, mtimeNsec } = attributes;
    const { owners } = this.fs;
    if (owners !== null) {
      const error = this.setVirtual(owners, at, attributes);
      if (error < 0) return error;
    } else if (uid !== undefined || gid !== undefined) {
      const error = files.chown(at.fd, at.name, uid ?? -1, gid ?? -1);
      if (error < 0) return error;
      this.owner = uid ?? this.owner;
      this.group = gid ?? this.group;
    }
    if (owners === null && mode !== undefined) {
      const error = files.chmod(at.fd, at.name, mode & S_IALLUGO);
      if (error < 0) return error;
      this.mode = (this.mode & S_IFMT) | (mode & S_IALLUGO);
    }
    if (atimeNsec === undefined && mtimeNsec === undefined) return 0;
    const atime = attributes.atimeSec ?? 0;
    const mtime = attributes.mtimeSec ?? 0;
    return files.utimes(at.fd, at.name, atime, atimeNsec ?? UTIME_OMIT, mtime, mtimeNsec ?? UTIME_OMIT);
  }

  /** chown(2) is for the guest alone; of chmod(2) the host gets what it lets its user do and what does no harm there. */
  private setVirtual(owners: VirtualOwners, at: Handle, { uid, gid, mode }: Attributes): number {
    if (uid === undefined && gid === undefined && mode === undefined) return 0;
    const error = look(at.fd, at.name);
    if (error < 0) return error;
    if (uid !== undefined || gid !== undefined) owners.setOwner(uid ?? owners.uid, gid ?? owners.gid);
    if (mode !== undefined) {
      const onHost = VirtualOwners.hostMode(mode);
      const changed = files.chmod(at.fd, at.name, onHost);
      if (changed < 0 && changed !== -EPERM) return changed;
      owners.setMode(mode, changed < 0 ? seen.mode : onHost);
      const now = look(at.fd, at.name);
      if (now < 0) return now;
    }
    this.noteAccess();
    return 0;
  }

  /** Somebody of the guest's has just made the file, which the last look met, with this mode, in `parent`. */
  madeBy(cred: Credentials, mode: number, parent: HostDirectory): void {
    const { owners } = this.fs;
    if (owners === null) return;
    const made = newOwner(parent, (this.mode & S_IFMT) | (mode & S_IALLUGO), cred);
    owners.setOwner(made.uid, made.gid);
    if ((this.mode & S_IFMT) !== S_IFLNK) owners.setMode(made.mode, seen.mode);
    this.noteAccess();
  }

  /** truncate(2) by name. */
  protected abstract setSize(sizeBytes: number): number;

  /** Runs `use` with a descriptor of the file, which may be an O_PATH one. */
  protected withFd<T>(use: (fd: number) => T): T | number {
    const at = this.reach();
    if (typeof at === "number") return at;
    if (at.name === "") return use(at.fd);
    const fd = files.open(at.fd, at.name, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0) return fd === -ELOOP ? -ENOENT : fd;
    const result = use(fd);
    files.close(fd);
    return result;
  }

  override getXattr(name: string): Uint8Array | number {
    return this.withFd((fd) => files.getXattr(fd, name));
  }

  override setXattr(name: string, value: Uint8Array, flags: number): number {
    if (this.fs.readOnly) return -EROFS;
    return this.withFd((fd) => files.setXattr(fd, name, value, flags));
  }

  override listXattr(): string[] | number {
    return this.withFd((fd) => files.listXattr(fd));
  }

  override removeXattr(name: string): number {
    if (this.fs.readOnly) return -EROFS;
    return this.withFd((fd) => files.removeXattr(fd, name));
  }
}
