// Mount points: where they are in the guest's tree, and what is made when they are not there.

import { ELOOP, ENOENT, EROFS } from "../abi/errno.ts";
import { O_CREAT, O_NOFOLLOW, O_WRONLY } from "../abi/fcntl.ts";
import { HostFileSystem, type HostOptions, openHostRoot } from "../fs/host/host-file-system.ts";
import { AT_FDCWD, files } from "../host/files.ts";
import type { HostPoller } from "../host/poller.ts";
import type { FsContext } from "../vfs/context.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import { FOLLOW, walk } from "../vfs/namei.ts";
import { makeDirectory, removeFile } from "../vfs/names.ts";
import { openPath } from "../vfs/open.ts";
import type { Path } from "../vfs/path.ts";
import { isDirectory } from "../vfs/permission.ts";
import { BootError } from "./boot-error.ts";

/** A directory or file of the host as a file system. */
export function hostTree(path: string, poller: HostPoller, options: HostOptions = {}): HostFileSystem {
  const fd = openHostRoot(path);
  if (fd < 0) throw new BootError(`cannot open ${path}`);
  return new HostFileSystem(fd, poller, options);
}

/** Makes a directory of the host, and all above it, where there is nothing: theirs who runs carrick. */
export function makeHostDirectory(path: string): void {
  const found = openHostRoot(path);
  if (found >= 0) return void files.close(found);
  if (found !== -ENOENT) return;
  let error = 0;
  for (let end = 0; end < path.length; ) {
    const slash = path.indexOf("/", end + 1);
    end = slash < 0 ? path.length : slash;
    error = files.mkdir(AT_FDCWD, path.slice(0, end), 0o755);
  }
  if (error < 0) throw new BootError(`${path} does not exist on this machine, and cannot be made there`);
}

/** The place of a mount in a tree that must not be changed: missing directories exist for the walk only. */
export function placeFor(mounts: MountTable, fs: FsContext, target: string): Path {
  let at = fs.root;
  for (const name of target.split("/")) {
    if (name === "" || name === ".") continue;
    const next = walk(fs, at, name, FOLLOW);
    at = typeof next === "number" ? mounts.placeholder(at, name) : next;
  }
  return at;
}

/** Mount points are never made in directories of the host. */
function isHosts(place: Path): boolean {
  return place.dentry.inode.fs instanceof HostFileSystem;
}

/** As Linux follows. */
const MAX_LINKS = 40;

/**
 * A directory of the guest and all above it, made where missing, where links lead to as well; on the host too when `hosts`. The place,
 * or -errno.
 */
export function ensureDirectory(fs: FsContext, path: string, hosts = false): Path | number {
  const rest = path.split("/");
  let at = fs.root;
  let links = 0;
  while (rest.length > 0) {
    const name = rest.shift()!;
    if (name === "" || name === ".") continue;
    let next = walk(fs, at, name, FOLLOW);
    if (typeof next === "number") {
      const link = walk(fs, at, name, 0);
      const target = typeof link === "number" ? link : link.dentry.inode.readlink();
      if (typeof target === "string") {
        links += 1;
        if (links > MAX_LINKS) return -ELOOP;
        if (target.startsWith("/")) at = fs.root;
        rest.unshift(...target.split("/"));
        continue;
      }
      if (isHosts(at) && !hosts) return -EROFS;
      const error = makeDirectory(fs, at, name, 0o755);
      if (error < 0) return error;
      next = walk(fs, at, name, FOLLOW);
      if (typeof next === "number") return next;
    }
    at = next;
  }
  return at;
}

/** The place of a mount in a tree of the guest's own, made where missing: a directory, or an empty file. */
export function ensurePlace(mounts: MountTable, fs: FsContext, target: string, directory: boolean): Path {
  const place = directory ? ensureDirectory(fs, target) : ensureFile(fs, target);
  if (place === -EROFS) return placeFor(mounts, fs, target);
  if (typeof place === "number" || isDirectory(place.dentry.inode.mode) !== directory)
    throw new BootError(`cannot mount on ${target}: it is not a ${directory ? "directory" : "file"} in the image`);
  return place;
}

function ensureFile(fs: FsContext, target: string): Path | number {
  const found = walk(fs, fs.root, target, FOLLOW);
  if (typeof found !== "number") return found;
  const slash = target.lastIndexOf("/");
  const dir = ensureDirectory(fs, target.slice(0, slash));
  if (typeof dir === "number") return dir;
  if (isHosts(dir)) return -EROFS;
  const name = target.slice(slash + 1);
  let error = touch(fs, dir, name, 0);
  if (error < 0) {
    // A link to where nothing can be made.
    error = removeFile(fs, dir, name);
    if (error === 0) error = touch(fs, dir, name, O_NOFOLLOW);
    if (error < 0) return error;
  }
  return walk(fs, dir, name, FOLLOW);
}

function touch(fs: FsContext, dir: Path, name: string, flags: number): number {
  const file = openPath(fs, dir, name, O_WRONLY | O_CREAT | flags, 0o644);
  if (typeof file === "number") return file;
  file.unref();
  return 0;
}
