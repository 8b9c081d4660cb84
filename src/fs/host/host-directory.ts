// A directory of the host. Its descriptor (O_PATH) comes from a bounded cache and is opened again, name by name from the
// mount's own descriptor, when it was given up: no lookup ever starts anywhere else, and none follows a link.

import { EADDRINUSE, EEXIST, EINVAL, EISDIR, ENOENT, EROFS, EXDEV } from "../../abi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
} from "../../abi/fcntl.ts";
import { S_IALLUGO, S_IRWXUGO, S_ISGID, S_ISUID } from "../../abi/stat.ts";
import { files } from "../../host/files.ts";
import { look, lookAt, seen } from "../../host/stat.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import type { File } from "../../vfs/file.ts";
import type { HostMeeting, Inode } from "../../vfs/inode.ts";
import type { Dentry } from "../../vfs/path.ts";
import type { HandleOwner } from "./directory-handles.ts";
import { HostDirectoryFile } from "./host-directory-file.ts";
import { HostFile } from "./host-file.ts";
import { HostInode } from "./host-inode.ts";
import { HostRegular, hostOpenFlags } from "./host-regular.ts";
import { VirtualOwners } from "./virtual-owners.ts";

/** How many directories below this one are remembered. */
const MAX_LEAPS = 1024;

/** Longest path that one walk takes; with the last name it stays below PATH_MAX. */
const MAX_WALK = 3072;

/** A name that could lead somewhere else never reaches the host. */
function validName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\0");
}

export class HostDirectory extends HostInode implements HandleOwner {
  handle = -1;
  recent = false;
  pins = 0;
  /** Directories below, by the names that last led there. */
  private leaps: Map<string, Dentry> | null = null;

  override get pinned(): boolean {
    return this.handle >= 0;
  }

  /** The O_PATH descriptor of this directory, valid until the next one is asked for; -errno when it cannot be reached. */
  directoryFd(): number {
    this.recent = true;
    if (this.handle >= 0) return this.handle;
    if (this.parent === null) return this.rootFd;
    const fd = this.openHandle(this.parent);
    if (fd < 0) return fd;
    if (lookAt(fd) < 0 || !this.isSeen) {
      files.close(fd);
      return -ENOENT;
    }
    this.fs.handles.add(this, fd);
    return fd;
  }

  /** Opens this directory from the nearest one above it that is open, in one walk that follows no link. */
  private openHandle(parent: HostDirectory): number {
    const how = O_PATH | O_DIRECTORY | O_NOFOLLOW;
    let path = this.name;
    let base = parent;
    while (base.handle < 0 && base.parent !== null && path.length < MAX_WALK) {
      path = `${base.name}/${path}`;
      base = base.parent;
    }
    const baseFd = base.directoryFd();
    if (baseFd < 0) return baseFd;
    return base === parent ? files.open(baseFd, path, how, 0) : files.walk(baseFd, path, how, 0);
  }

  /** Directories share a bounded set of descriptors. */
  override hold(): void {
    this.directoryFd();
  }
  override letGo(): void {}

  override get openFd(): number {
    return this.handle >= 0 ? this.handle : this.rootFd;
  }

  override open(flags: number): File | number {
    if ((flags & O_ACCMODE) !== O_RDONLY) return -EISDIR;
    const how = O_RDONLY | O_DIRECTORY | (flags & O_NOATIME);
    let fd = this.parent === null ? files.reopen(this.rootFd, how) : this.openNamed(how);
    // Removed, but somebody still stands in it.
    if (fd === -ENOENT && this.handle >= 0) fd = files.reopen(this.handle, how);
    return fd < 0 ? fd : new HostDirectoryFile(this, flags, fd);
  }

  private openNamed(how: number): number {
    const dirFd = this.parent!.directoryFd();
    return dirFd < 0 ? dirFd : files.open(dirFd, this.name, how | O_NOFOLLOW, 0);
  }

  override lookup(name: string): Inode | number {
    if (!validName(name)) return -ENOENT;
    const fd = this.directoryFd();
    if (fd < 0) return fd;
    const error = look(fd, name);
    return error < 0 ? error : this.fs.foundFresh(this, name);
  }

  /**
   * DIFFERS: on a volume that is not case-sensitive, a directory above the last whose name the host has changed in its case alone
   * is found under the old name too.
   */
  override leap(path: string): Dentry | null {
    const to = this.leaps?.get(path);
    if (to === undefined) return null;
    if (this.dentry !== null && to.mounts === null && to.isAt(this.dentry, path) && this.leadsTo(path, to.inode)) {
      to.unlinked = false;
      return to;
    }
    this.leaps!.delete(path);
    return null;
  }

  /** Whether the host finds at `path` the directory that `inode` is, and the only object for it. */
  private leadsTo(path: string, inode: Inode): boolean {
    const fd = this.directoryFd();
    if (fd < 0 || look(fd, path) < 0) return false;
    const known = this.fs.inodes.get(seen.dev, seen.ino);
    if (known !== inode || !known.isSeen) return false;
    known.noteAccess();
    return true;
  }

  override learn(path: string, to: Dentry): void {
    this.leaps ??= new Map();
    if (this.leaps.size >= MAX_LEAPS) this.leaps.clear();
    this.leaps.set(path, to);
  }

  /** Prepares a call that makes `name`: this directory's descriptor or -errno. */
  private forNew(name: string): number {
    if (!validName(name)) return -EINVAL;
    this.fs.forgetFresh();
    return this.fs.readOnly ? -EROFS : this.directoryFd();
  }

  /** Makes the guest's user the owner of a new file where carrick may; a set-group-ID directory has chosen the group. */
  private giveTo(cred: Credentials, fd: number, name: string): void {
    if (this.fs.chownTo(cred)) files.chown(fd, name, cred.fsuid, (this.mode & S_ISGID) !== 0 ? -1 : cred.fsgid);
  }

  /** The inode of what was made as `name`, given to the guest's user. */
  private made(fd: number, name: string, mode: number, cred: Credentials): Inode | number {
    this.giveTo(cred, fd, name);
    const error = look(fd, name);
    if (error < 0) return error;
    const inode = this.fs.found(this, name);
    inode.madeBy(cred, mode, this);
    return inode;
  }

  /** The bits of a new file's mode that the host gets. */
  private hostMode(mode: number): number {
    return this.fs.owners === null ? mode & S_IALLUGO : VirtualOwners.hostMode(mode);
  }

  override create(name: string, mode: number, cred: Credentials): Inode | number {
    const file = this.createOpen(name, mode, O_RDWR, cred);
    if (typeof file === "number") return file;
    const inode = file.inode;
    file.unref();
    return inode;
  }

  override createOpen(name: string, mode: number, flags: number, cred: Credentials): File | number {
    const dirFd = this.forNew(name);
    if (dirFd < 0) return dirFd;
    const how = hostOpenFlags(flags) | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = files.open(dirFd, name, how, this.hostMode(mode));
    if (fd < 0) return fd;
    this.giveTo(cred, fd, "");
    const error = lookAt(fd);
    if (error < 0) {
      files.close(fd);
      return error;
    }
    const inode = this.fs.found(this, name) as HostRegular;
    inode.madeBy(cred, mode, this);
    return new HostFile(inode, flags, fd);
  }

  override tmpfile(mode: number, cred: Credentials): Inode | number {
    if (this.fs.readOnly) return -EROFS;
    const dirFd = this.directoryFd();
    if (dirFd < 0) return dirFd;
    const fd = files.open(dirFd, ".", O_TMPFILE | O_RDWR, this.hostMode(mode));
    if (fd < 0) return fd;
    this.giveTo(cred, fd, "");
    const inode = this.fs.adopt(fd);
    if (inode instanceof HostRegular) {
      inode.madeBy(cred, mode, this);
      inode.anchor(fd);
    } else files.close(fd);
    return inode;
  }

  override mkdir(name: string, mode: number, cred: Credentials): Inode | number {
    const fd = this.forNew(name);
    if (fd < 0) return fd;
    const error = files.mkdir(fd, name, this.fs.owners === null ? mode : VirtualOwners.hostMode(mode));
    return error < 0 ? error : this.made(fd, name, mode, cred);
  }

  override symlink(name: string, target: string, cred: Credentials): Inode | number {
    const fd = this.forNew(name);
    if (fd < 0) return fd;
    const error = files.symlink(target, fd, name);
    return error < 0 ? error : this.made(fd, name, S_IRWXUGO, cred);
  }

  override mknod(name: string, mode: number, rdev: number, cred: Credentials): Inode | number {
    const fd = this.forNew(name);
    if (fd < 0) return fd;
    const error = files.mknod(fd, name, this.fs.owners === null ? mode : mode & ~(S_ISUID | S_ISGID), rdev);
    return error < 0 ? error : this.made(fd, name, mode, cred);
  }

  override bindSocket(
    name: string,
    mode: number,
    host: (place: HostMeeting) => number,
    cred: Credentials,
  ): Inode | number {
    const fd = this.forNew(name);
    if (fd < 0) return fd;
    // Few programs have sockets here.
    const { sockets } = require("../../host/sockets.ts") as typeof import("../../host/sockets.ts");
    const { Meeting } = require("./meeting.ts") as typeof import("./meeting.ts");
    const address = sockets.pathAddress(fd, name);
    // DIFFERS: programs of the host do not find a socket whose path is too long for them.
    if (typeof address === "number") return this.mknod(name, mode, 0, cred);
    const socket = host(new Meeting(this.fs, null));
    if (socket < 0) return socket;
    const error = sockets.bind(socket, address);
    if (error < 0) return error === -EADDRINUSE ? -EEXIST : error;
    // The address may have led elsewhere if somebody moved directories meanwhile.
    const wrong = look(fd, name);
    if (wrong < 0) return wrong;
    files.chmod(fd, name, this.hostMode(mode));
    return this.made(fd, name, mode, cred);
  }

  override link(name: string, inode: Inode): number {
    if (!(inode instanceof HostInode) || inode.fs !== this.fs) return -EXDEV;
    if (!validName(name)) return -EINVAL;
    if (this.fs.readOnly) return -EROFS;
    this.fs.forgetFresh();
    this.pins += 1;
    const error = this.linkFrom(name, inode);
    this.pins -= 1;
    return error;
  }

  private linkFrom(name: string, inode: HostInode): number {
    const fd = this.directoryFd();
    if (fd < 0) return fd;
    const open = inode.openFd;
    if (open >= 0) return files.link(open, "", fd, name, AT_EMPTY_PATH);
    if (inode.parent === null) return -ENOENT;
    const from = inode.parent.directoryFd();
    return from < 0 ? from : files.link(from, inode.name, fd, name, 0);
  }

  override unlink(name: string): number {
    const fd = this.forNew(name);
    return fd < 0 ? fd : files.unlink(fd, name, 0);
  }

  override rmdir(name: string): number {
    const fd = this.forNew(name);
    return fd < 0 ? fd : files.unlink(fd, name, AT_REMOVEDIR);
  }

  override rename(name: string, newParent: Inode, newName: string, flags: number): number {
    if (!(newParent instanceof HostDirectory) || newParent.fs !== this.fs) return -EXDEV;
    if (!validName(newName)) return -EINVAL;
    this.pins += 1;
    const error = this.renameTo(name, newParent, newName, flags);
    this.pins -= 1;
    return error;
  }

  private renameTo(name: string, newParent: HostDirectory, newName: string, flags: number): number {
    const fromFd = this.forNew(name);
    if (fromFd < 0) return fromFd;
    const toFd = newParent.directoryFd();
    if (toFd < 0) return toFd;
    const moved = this.known(fromFd, name);
    const exchanged = (flags & RENAME_EXCHANGE) !== 0 ? this.known(toFd, newName) : undefined;
    const error = files.rename(fromFd, name, toFd, newName, flags);
    if (error < 0) return error;
    moved?.place(newParent, newName);
    exchanged?.place(this, name);
    return 0;
  }

  /** The inode object of a name, when there is one. */
  private known(fd: number, name: string): HostInode | undefined {
    return look(fd, name) < 0 ? undefined : this.fs.inodes.get(seen.dev, seen.ino);
  }

  protected override setSize(): number {
    return -EISDIR;
  }
}
