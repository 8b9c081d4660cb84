// Changes that the host's programs make to watched files and directories of the host. Neither kqueue(2), which names no entry and wants a descriptor for each
// file, nor inotify(7) does this on every host, so they are looked at by turns: names, inode numbers, sizes, times, rights. What the guests do
// themselves is told at once (vfs/notify.ts) and passed over here.
//
// DIFFERS: what happens to one name between two looks is told as what came of it, a change that a guest has made to it as well not at all;
// a watched file that is moved counts as deleted; opening and reading are not seen.

import { O_DIRECTORY, O_RDONLY } from "../../abi/fcntl.ts";
import {
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
} from "../../abi/inotify.ts";
import { S_IFDIR, S_IFMT } from "../../abi/stat.ts";
import { files, type HostDirent } from "../../host/files.ts";
import { type HostStat, look, seenStat } from "../../host/stat.ts";
import type { Inode } from "../../vfs/inode.ts";
import { keyOf, newCookie, onOwnChange, tellOfHost } from "../../vfs/notify.ts";
import type { TimerService } from "../anon/timerfd.ts";
import { HostDirectory } from "../host/host-directory.ts";
import { HostInode } from "../host/host-inode.ts";

/** Between two looks; more where looking takes longer, so that it costs at most a twentieth of a CPU. */
const INTERVAL_NS = 250e6;
const SHARE = 20;

/** What of a file is compared. */
interface Look {
  readonly id: string;
  readonly mode: number;
  /** Rights and owners. */
  readonly attributes: string;
  /** Size and time of change; of a directory nothing, as what is in it is told to those who watch it. */
  readonly content: string;
  readonly size: number;
}

/** What the last look met. */
function lastLook(): Look {
  const host: HostStat = seenStat();
  const isDirectory = (host.mode & S_IFMT) === S_IFDIR;
  return {
    id: `${host.dev}:${host.ino}`,
    mode: host.mode,
    attributes: `${host.mode}:${host.uid}:${host.gid}`,
    content: isDirectory ? "" : `${host.size}:${host.mtimeSec}:${host.mtimeNsec}`,
    size: isDirectory ? 0 : host.size,
  };
}

class Watched {
  readonly inode: HostInode;
  users = 1;
  self: Look | null;
  entries: Map<string, Look> | null;
  /** Names that guests have changed since the last look; "" is the file itself. */
  readonly own = new Set<string>();

  constructor(inode: HostInode) {
    this.inode = inode;
    this.self = this.lookAtSelf();
    this.entries = this.list();
  }

  /** Null when it is gone. */
  lookAtSelf(): Look | null {
    const stat = this.inode.stat();
    return typeof stat === "number" || stat.nlink === 0 ? null : lastLook();
  }

  /** What is in the directory; null when this is none, or cannot be read. */
  list(): Map<string, Look> | null {
    if (!(this.inode instanceof HostDirectory)) return null;
    const dirFd = this.inode.directoryFd();
    const fd = dirFd < 0 ? dirFd : files.open(dirFd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return null;
    const found: HostDirent[] = [];
    while (files.readDirectory(fd, found) > 0);
    const entries = new Map<string, Look>();
    for (const { name } of found) {
      if (name === "." || name === ".." || look(fd, name) < 0) continue;
      entries.set(name, lastLook());
    }
    files.close(fd);
    return entries;
  }
}

/** An entry that came or went. */
interface Entry {
  readonly watched: Watched;
  readonly name: string;
  readonly look: Look;
}

const kindOf = ({ mode }: Look): number => ((mode & S_IFMT) === S_IFDIR ? IN_ISDIR : 0);

/** By what vfs/notify.ts knows files by: one may meet us as several Inode objects. */
const all = new Map<string, Watched>();
let timers: TimerService | null = null;
let cancel: (() => void) | null = null;

export function watchHost(inode: Inode, service: TimerService): void {
  if (!(inode instanceof HostInode)) return;
  const known = all.get(keyOf(inode));
  if (known !== undefined) {
    known.users += 1;
    return;
  }
  all.set(keyOf(inode), new Watched(inode));
  onOwnChange(noteOwn);
  timers = service;
  if (cancel === null) lookAgainIn(INTERVAL_NS);
}

export function unwatchHost(inode: Inode): void {
  if (!(inode instanceof HostInode)) return;
  const watched = all.get(keyOf(inode));
  if (watched === undefined) return;
  watched.users -= 1;
  if (watched.users > 0) return;
  all.delete(keyOf(inode));
  if (all.size > 0) return;
  cancel?.();
  cancel = null;
  onOwnChange(null);
}

function noteOwn(inode: Inode, name: string): void {
  if (inode instanceof HostInode) all.get(keyOf(inode))?.own.add(name);
}

function lookAgainIn(delayNs: number): void {
  cancel = timers!.start(timers!.nowNs() + delayNs, () => {
    cancel = null;
    const start = timers!.nowNs();
    lookAtAll();
    if (all.size > 0 && cancel === null) lookAgainIn(Math.max(INTERVAL_NS, SHARE * (timers!.nowNs() - start)));
  });
}

/** What differs from the last time is told: what went, what came, what changed. */
function lookAtAll(): void {
  const gone: Entry[] = [];
  const come: Entry[] = [];
  const tell: (() => void)[] = [];
  for (const watched of all.values()) {
    compareEntries(watched, gone, come, tell);
    compareSelf(watched, tell);
    watched.own.clear();
  }
  for (const entry of gone) {
    const at = come.findIndex(({ look: { id } }) => id === entry.look.id);
    if (at < 0) tellOfHost(entry.watched.inode, IN_DELETE | kindOf(entry.look), 0, entry.name);
    else tellMove(entry, come.splice(at, 1)[0]!);
  }
  for (const { watched, name, look } of come) {
    tellOfHost(watched.inode, IN_CREATE | kindOf(look), 0, name);
    if (look.size > 0) tellWritten(watched.inode, name);
  }
  for (const one of tell) one();
}

function compareEntries(watched: Watched, gone: Entry[], come: Entry[], tell: (() => void)[]): void {
  const before = watched.entries;
  if (before === null) return;
  const after = watched.list();
  if (after === null) return;
  watched.entries = after;
  for (const [name, look] of before) {
    if (after.get(name)?.id !== look.id && !watched.own.has(name)) gone.push({ watched, name, look });
  }
  for (const [name, look] of after) {
    if (watched.own.has(name)) continue;
    const then = before.get(name);
    if (then?.id !== look.id) come.push({ watched, name, look });
    else tell.push(...changes(watched.inode, name, then, look));
  }
}

function compareSelf(watched: Watched, tell: (() => void)[]): void {
  const then = watched.self;
  if (then === null) return;
  const now = watched.lookAtSelf();
  watched.self = now;
  if (watched.own.has("")) return;
  if (now?.id === then.id) tell.push(...changes(watched.inode, "", then, now));
  else
    tell.push(
      () => tellOfHost(watched.inode, IN_ATTRIB | kindOf(then), 0, ""),
      () => tellOfHost(watched.inode, IN_DELETE_SELF, 0, ""),
    );
}

function changes(inode: Inode, name: string, then: Look, now: Look): (() => void)[] {
  const found: (() => void)[] = [];
  if (then.content !== now.content) found.push(() => tellWritten(inode, name));
  if (then.attributes !== now.attributes) found.push(() => tellOfHost(inode, IN_ATTRIB | kindOf(now), 0, name));
  return found;
}

function tellWritten(inode: Inode, name: string): void {
  tellOfHost(inode, IN_MODIFY, 0, name);
  tellOfHost(inode, IN_CLOSE_WRITE, 0, name);
}

function tellMove(from: Entry, to: Entry): void {
  const cookie = newCookie();
  tellOfHost(from.watched.inode, IN_MOVED_FROM | kindOf(to.look), cookie, from.name);
  tellOfHost(to.watched.inode, IN_MOVED_TO | kindOf(to.look), cookie, to.name);
}
