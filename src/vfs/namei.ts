// The path resolver (fs/namei.c; path_resolution(7), openat2(2)): the only code that turns a path into a place.
// Every path call of every system call goes through `walk` or `walkParent`.

import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH } from "../abi/capability.ts";
import { EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../abi/errno.ts";
import {
  NAME_MAX,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../abi/fcntl.ts";
import { S_IFLNK, S_IFMT } from "../abi/stat.ts";
import type { FsContext } from "./context.ts";
import { REFERENCED } from "./dentry-lru.ts";
import type { Inode } from "./inode.ts";
import { type Mount, mountedOn } from "./mount.ts";
import { Dentry, type Path } from "./path.ts";
import { isUnlinked } from "./path-string.ts";
import { capable, isDirectory, MAY_EXEC } from "./permission.ts";

/** Follow a symbolic link in the last component. */
export const FOLLOW = 1;
/** The result must be a directory. */
export const DIRECTORY = 2;

/** What the last component is. */
export const LAST_NORM = 0;
/** There is none: the path is "/" or empty, or a magic link was the end. */
export const LAST_ROOT = 1;
export const LAST_DOT = 2;
export const LAST_DOTDOT = 3;

const MAX_SYMLINKS = 40;
const SLASH = 0x2f;
const EXEC_ALL = 0o111;

/** The child of a directory by a name that is neither "." nor "..", without crossing mounts, or -errno. */
export function lookupChild(parent: Dentry, name: string): Dentry | number {
  // A removed directory has no names, not even too long ones.
  if (name.length > NAME_MAX) return isUnlinked(parent) ? -ENOENT : -ENAMETOOLONG;
  const dir = parent.inode;
  const kept = parent.children === null ? undefined : parent.children.get(name);
  if (kept !== undefined && (dir.fs.cacheNames || kept.mounts !== null)) {
    kept.lru |= REFERENCED;
    return kept;
  }
  const recalled = kept === undefined ? parent.recall(name) : undefined;
  if (recalled !== undefined) return recalled;
  const inode = dir.lookup(name);
  if (kept !== undefined) {
    // A directory above a mount point: the place stays even when the file system's view of it changes.
    if (typeof inode !== "number") {
      kept.inode = inode;
      inode.dentry ??= kept;
    }
    return kept;
  }
  if (typeof inode === "number") return inode;
  if (!dir.fs.cacheNames)
    return isDirectory(inode.mode) ? directoryDentry(parent, name, inode) : fileDentry(parent, name, inode);
  const child = new Dentry(parent, name, inode);
  if (dir.fs.layersPtr !== 0) inode.dentry ??= child;
  parent.keep(child);
  return child;
}

/**
 * The one dentry of a directory whose file system does not keep names (d_splice_alias): it moves to where the directory
 * was found now, so that whoever stands in it or holds it open sees the new place too.
 */
function directoryDentry(parent: Dentry, name: string, inode: Inode): Dentry {
  const known = inode.dentry;
  if (known === null) {
    const made = new Dentry(parent, name, inode);
    inode.dentry = made;
    return made;
  }
  if (known.parent === parent && known.name === name) {
    known.unlinked = false;
    return known;
  }
  // A directory that shows up inside of itself was moved by somebody else while we knew another order of things.
  if (known.parent === null || parent.isWithin(known)) return new Dentry(parent, name, inode);
  known.moveTo(parent, name);
  known.unlinked = false;
  return known;
}

/** For an open file the dentry it was opened by, when this is its name still: it learns of renames and removals. */
function fileDentry(parent: Dentry, name: string, inode: Inode): Dentry {
  const known = inode.dentry;
  if (known !== null && known.parent === parent && known.name === name && !known.unlinked) return known;
  const made = new Dentry(parent, name, inode);
  if (known === null || !inode.isOpen) inode.dentry = made;
  return made;
}

/** The state of one walk (struct nameidata). */
export class Walk {
  mount: Mount;
  dentry: Dentry;
  /** The last component after `toLast`: its kind, its name, and whether slashes followed it. */
  type = LAST_ROOT;
  name = "";
  slash = false;
  private readonly ctx: FsContext;
  private readonly resolve: number;
  private readonly root: Path;
  private links = 0;
  /**
   * Whether the walk has needed its root yet. Linux compares mounts for RESOLVE_NO_XDEV with a root that is still
   * unset then, so that the first absolute link of a relative walk is refused; so do we.
   */
  private rootMet: boolean;

  constructor(ctx: FsContext, base: Path, resolve: number) {
    this.ctx = ctx;
    this.mount = base.mount;
    this.dentry = base.dentry;
    this.resolve = resolve;
    this.rootMet = (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
    this.root = this.rootMet ? base : ctx.root;
  }

  get path(): Path {
    return { mount: this.mount, dentry: this.dentry };
  }

  /** Walks all components but the last, which is left in `type`, `name` and `slash`. 0 or -errno. */
  toLast(path: string): number {
    let rest = path;
    let at = 0;
    let from: Dentry | null = null;
    let fromAt = 0;
    if (rest.charCodeAt(0) === SLASH && this.links === 0) {
      const error = this.startAtRoot();
      if (error !== 0) return error;
    }
    for (;;) {
      while (rest.charCodeAt(at) === SLASH) at += 1;
      if (at >= rest.length) return this.setLast(LAST_ROOT, "", false);
      const dir = this.dentry.inode;
      if (!isDirectory(dir.mode)) return -ENOTDIR;
      if (from === null && !dir.fs.cacheNames) {
        fromAt = at;
        at = this.leap(rest, at);
        from = this.dentry;
        if (at > fromAt) continue;
      }
      let end = rest.indexOf("/", at);
      if (end < 0) end = rest.length;
      const name = rest.slice(at, end);
      const type = name === "." ? LAST_DOT : name === ".." ? LAST_DOTDOT : LAST_NORM;
      const denied = this.maySearch(dir, type === LAST_NORM && name.length <= NAME_MAX);
      if (denied !== 0) return denied;
      at = end;
      while (rest.charCodeAt(at) === SLASH) at += 1;
      if (at >= rest.length) {
        if (from !== null && from !== this.dentry) this.learn(from, rest.slice(fromAt, end - name.length - 1));
        return this.setLast(type, name, at > end);
      }
      if (type === LAST_NORM) {
        const child = lookupChild(this.dentry, name);
        if (typeof child === "number") return child;
        const target = isLink(child) ? this.follow(child.inode) : this.enter(child);
        if (typeof target === "number") {
          if (target !== 0) return target;
        } else {
          rest = `${target}/${rest.slice(at)}`;
          at = 0;
          from = null;
        }
      } else if (type === LAST_DOTDOT) {
        const error = this.up();
        if (error !== 0) return error;
      }
    }
  }

  /** From a directory whose file system keeps no names, past all names but the last at once: where the walk goes on in `path`. */
  private leap(path: string, at: number): number {
    const end = path.lastIndexOf("/");
    if (path.indexOf("/", at) === end || end === path.length - 1 || !this.maySearchAll()) return at;
    const to = this.dentry.inode.leap(path.slice(at, end));
    if (to === null) return at;
    this.dentry = to;
    return end;
  }

  /** Whether nobody but the host decides who may search directories here. */
  private maySearchAll(): boolean {
    const { cred } = this.ctx;
    const { hostChecks } = this.dentry.inode.fs;
    return hostChecks || capable(cred, CAP_DAC_READ_SEARCH) || capable(cred, CAP_DAC_OVERRIDE);
  }

  private learn(from: Dentry, names: string): void {
    const { dentry } = this;
    if (!names.includes("/") || dentry.inode.fs !== from.inode.fs || !dentry.isAt(from, names)) return;
    from.inode.learn(names, dentry);
  }

  /** Where the host decides, it does so when it is asked for the name; dots and impossible names it is not asked for. */
  maySearch(dir: Inode, asksHost: boolean): number {
    if (dir.fs.hostChecks && (asksHost || (dir.mode & EXEC_ALL) === EXEC_ALL)) return 0;
    return dir.permission(this.ctx.cred, MAY_EXEC);
  }

  private setLast(type: number, name: string, slash: boolean): number {
    this.type = type;
    this.name = name;
    this.slash = slash;
    return 0;
  }

  /**
   * Steps from the parent onto the last component, through symbolic links when `follow` or when slashes follow the
   * name. 0 or -errno. On -ENOENT, parent, name and slash describe the name that is missing.
   */
  last(follow: boolean): number {
    for (;;) {
      if (this.type === LAST_DOTDOT) return this.up();
      if (this.type !== LAST_NORM) return 0;
      const child = lookupChild(this.dentry, this.name);
      if (typeof child === "number") return child;
      if (!isLink(child) || !(follow || this.slash)) {
        const error = this.enter(child);
        if (error !== 0) return error;
        return this.slash && !isDirectory(this.dentry.inode.mode) ? -ENOTDIR : 0;
      }
      const error = this.followLast(child);
      if (error !== 0) return error;
    }
  }

  /** Follows the symbolic link that is the last component up to the last component of its target. 0 or -errno. */
  followLast(link: Dentry): number {
    const slash = this.slash;
    const target = this.follow(link.inode);
    if (typeof target !== "number") return this.toLast(slash ? `${target}/` : target);
    if (target !== 0) return target;
    if (slash && !isDirectory(this.dentry.inode.mode)) return -ENOTDIR;
    return this.setLast(LAST_ROOT, "", slash);
  }

  /** Where a symbolic link in the current directory leads: its text, or 0 when a magic link jumped, or -errno. */
  private follow(link: Inode): string | number {
    this.links += 1;
    if (this.links > MAX_SYMLINKS || (this.resolve & RESOLVE_NO_SYMLINKS) !== 0) return -ELOOP;
    const jump = link.followLink(this.ctx);
    if (jump !== null) return this.jump(jump);
    const target = link.readlink();
    if (typeof target === "number") return target;
    if (target === "") return -ENOENT;
    if (target.charCodeAt(0) !== SLASH) return target;
    const error = this.jumpToRoot();
    return error !== 0 ? error : target;
  }

  private jump(to: Path | number): number {
    if ((this.resolve & RESOLVE_NO_MAGICLINKS) !== 0) return -ELOOP;
    if (typeof to === "number") return to;
    if ((this.resolve & RESOLVE_NO_XDEV) !== 0 && to.mount !== this.mount) return -EXDEV;
    if ((this.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0) return -EXDEV;
    this.mount = to.mount;
    this.dentry = to.dentry;
    return 0;
  }

  /** An absolute link. */
  private jumpToRoot(): number {
    if ((this.resolve & RESOLVE_NO_XDEV) !== 0 && !(this.rootMet && this.root.mount === this.mount)) return -EXDEV;
    return this.startAtRoot();
  }

  private startAtRoot(): number {
    if ((this.resolve & RESOLVE_BENEATH) !== 0) return -EXDEV;
    this.rootMet = true;
    this.mount = this.root.mount;
    this.dentry = this.root.dentry;
    return 0;
  }

  /** Makes `child` current, or the root of what is mounted on it. 0 or -EXDEV. */
  enter(child: Dentry): number {
    let mount = this.mount;
    for (let top = mountedOn(mount, child); top !== null; top = mountedOn(mount, child)) {
      if ((this.resolve & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
      mount = top;
      child = top.root;
    }
    this.mount = mount;
    this.dentry = child;
    return 0;
  }

  /** "..": the root is its own parent. */
  private up(): number {
    this.rootMet = true;
    for (;;) {
      if (this.dentry === this.root.dentry && this.mount === this.root.mount) {
        return (this.resolve & RESOLVE_BENEATH) !== 0 ? -EXDEV : 0;
      }
      if (this.dentry !== this.mount.root) break;
      if (this.mount.at === null) return 0;
      if ((this.resolve & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
      this.dentry = this.mount.at.dentry;
      this.mount = this.mount.at.mount;
    }
    return this.dentry.parent === null ? 0 : this.enter(this.dentry.parent);
  }
}

/** A symbolic link, to be followed or not; magic links included. */
export function isLink(dentry: Dentry): boolean {
  return (dentry.inode.mode & S_IFMT) === S_IFLNK && dentry.mounts === null;
}

/** The place that `path` names, from `base` when it is relative. An empty path is `base` itself. -errno on failure. */
export function walk(ctx: FsContext, base: Path, path: string, flags: number, resolve = 0): Path | number {
  if ((resolve & RESOLVE_CACHED) !== 0) return -EAGAIN;
  const at = new Walk(ctx, base, resolve);
  let error = at.toLast(path);
  if (error === 0) error = at.last((flags & FOLLOW) !== 0);
  if (error !== 0) return error;
  if ((flags & DIRECTORY) !== 0 && !isDirectory(at.dentry.inode.mode)) return -ENOTDIR;
  return { mount: at.mount, dentry: at.dentry };
}

/** The parent directory of what `path` names, and the last component as the walk left it. -errno on failure. */
export function walkParent(ctx: FsContext, base: Path, path: string): Walk | number {
  const at = new Walk(ctx, base, 0);
  let error = at.toLast(path);
  if (error === 0 && at.type === LAST_NORM) error = at.maySearch(at.dentry.inode, false);
  return error !== 0 ? error : at;
}
