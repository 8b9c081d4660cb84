// What happens to files, told to those who watch them (fs/notify/fsnotify.c). The open, name and attribute calls
// report here; inotify(7) listens. What the host's programs change comes from fs/inotify/host-watches.ts.

import {
  IN_ACCESS,
  IN_CLOSE_NOWRITE,
  IN_DELETE_SELF,
  IN_ISDIR,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_OPEN,
} from "../abi/inotify.ts";
import { S_IFDIR, S_IFMT } from "../abi/stat.ts";
import type { Inode } from "./inode.ts";
import type { Dentry, Path } from "./path.ts";

/** Someone who watches one inode. */
export interface Watcher {
  /** `mask`: one IN_* bit, perhaps with IN_ISDIR. `name`: the entry of a watched directory, "" for the inode itself; `entry` when something was done to what it names. */
  event(mask: number, cookie: number, name: string, entry: Dentry | null): void;
}

/** Watchers by file system and inode number: a host directory may meet us as several Inode objects. */
const watched = new Map<string, Set<Watcher>>();
let nextCookie = 1;

export function keyOf(inode: Inode): string {
  return `${inode.fs.dev}:${inode.ino}`;
}

export function addWatcher(inode: Inode, watcher: Watcher): void {
  const key = keyOf(inode);
  const set = watched.get(key);
  if (set === undefined) watched.set(key, new Set([watcher]));
  else set.add(watcher);
}

export function removeWatcher(inode: Inode, watcher: Watcher): void {
  const key = keyOf(inode);
  const set = watched.get(key);
  if (set === undefined) return;
  set.delete(watcher);
  if (set.size === 0) watched.delete(key);
}

/** Whether anybody watches anything: the cheap question before each report. */
export function anyWatchers(): boolean {
  return watched.size > 0;
}

/** Whether somebody watches this inode itself. */
export function isWatched(inode: Inode): boolean {
  return watched.size > 0 && watched.has(keyOf(inode));
}

/** What changes nothing. */
const ONLY_LOOKS = IN_ACCESS | IN_OPEN | IN_CLOSE_NOWRITE | IN_ISDIR;

/** Who wants to know what the guests change of watched inodes. */
let ownChange: ((inode: Inode, name: string) => void) | null = null;

export function onOwnChange(hear: typeof ownChange): void {
  ownChange = hear;
}

function tell(inode: Inode, mask: number, cookie: number, name: string, entry: Dentry | null = null): void {
  if ((mask & ~ONLY_LOOKS) !== 0) ownChange?.(inode, name);
  tellOfHost(inode, mask, cookie, name, entry);
}

/** Tells the watchers of an inode; for what no guest has done. */
export function tellOfHost(
  inode: Inode,
  mask: number,
  cookie: number,
  name: string,
  entry: Dentry | null = null,
): void {
  const set = watched.get(keyOf(inode));
  if (set === undefined) return;
  for (const watcher of [...set]) watcher.event(mask, cookie, name, entry);
}

/** What the two halves of a move have in common. */
export function newCookie(): number {
  const cookie = nextCookie;
  nextCookie += 1;
  return cookie;
}

/** Something happened to the inode at `dentry`: told to its own watchers and to those of its directory. */
export function notify(dentry: Dentry, mask: number): void {
  if (watched.size === 0) return;
  const bits = (dentry.inode.mode & S_IFMT) === S_IFDIR ? mask | IN_ISDIR : mask;
  if (dentry.parent !== null) tell(dentry.parent.inode, bits, 0, dentry.name, dentry);
  tell(dentry.inode, bits, 0, "");
}

/** A call moved `result` bytes of an open file (or failed): IN_ACCESS or IN_MODIFY. Returns `result`. */
export function notifyIo(file: { readonly path: Path | null }, mask: number, result: number): number {
  if (watched.size > 0 && result > 0 && file.path !== null) notify(file.path.dentry, mask);
  return result;
}

/** An entry of `dir` came or went: IN_CREATE or IN_DELETE. */
export function notifyEntry(dir: Dentry, name: string, mask: number, isDirectory: boolean): void {
  if (watched.size > 0) tell(dir.inode, isDirectory ? mask | IN_ISDIR : mask, 0, name);
}

/** Something happened to the inode under whichever name: IN_ATTRIB when its links change, IN_DELETE_SELF. */
export function notifyInode(inode: Inode, mask: number): void {
  if (watched.size > 0) tell(inode, mask, 0, "");
}

/** A watched inode that nobody has open lost a name or its last user: IN_DELETE_SELF when no name is left. */
export function notifyGone(inode: Inode): void {
  if (!isWatched(inode)) return;
  const stat = inode.stat();
  const directory = (inode.mode & S_IFMT) === S_IFDIR;
  if (directory || typeof stat === "number" || stat.nlink === 0) tell(inode, IN_DELETE_SELF, 0, "");
}

export function notifyMove(from: Dentry, oldName: string, to: Dentry, newName: string, moved: Inode): void {
  if (watched.size === 0) return;
  const cookie = newCookie();
  const directory = (moved.mode & S_IFMT) === S_IFDIR ? IN_ISDIR : 0;
  tell(from.inode, IN_MOVED_FROM | directory, cookie, oldName);
  tell(to.inode, IN_MOVED_TO | directory, cookie, newName);
  tell(moved, IN_MOVE_SELF, 0, "");
}
