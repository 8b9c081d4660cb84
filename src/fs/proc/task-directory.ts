// The directories /proc/PID and /proc/PID/task/TID, as tables.

import { EINVAL, ENOENT, EPERM, ESRCH } from "../../abi/errno.ts";
import { DT_DIR, DT_REG } from "../../abi/stat.ts";
import type { Inode } from "../../vfs/inode.ts";
import { type Named, type Ownership, PseudoDirectory, type PseudoFileSystem } from "../pseudo/pseudo-inode.ts";
import {
  constant,
  custom,
  directory,
  link,
  type Node,
  type Place,
  TableDirectory,
  file as textFile,
} from "../pseudo/table.ts";
import * as L from "./links.ts";
import { loginUid, sessionId, setLoginUid } from "./login-files.ts";
import * as M from "./memory-files.ts";
import { NamespaceDirectory } from "./namespaces.ts";
import { netNodes } from "./net-files.ts";
import type { ProcSource, ProcTask } from "./source.ts";
import * as T from "./task-files.ts";

type S = T.TaskSubject;
const of =
  (read: (task: ProcTask) => string | Uint8Array | number) =>
  (s: S): string | Uint8Array | number =>
    read(s.task);

const readOnly = (): number => -EINVAL;

/** A file about a task: whoever opened it in time hears ESRCH once the task has been reaped. */
function file(
  name: string,
  read: (s: S) => string | Uint8Array | number,
  mode = 0o444,
  write: (s: S, text: string) => number = readOnly,
): Node<S> {
  const change = (s: S, text: string): number => (s.task.alive ? write(s, text) : -ESRCH);
  return textFile(name, (s) => (s.task.alive ? read(s) : -ESRCH), mode, change);
}

/** A map of the first user namespace, which nobody can change. */
function idMap(name: string): Node<S> {
  return textFile(
    name,
    () => "         0          0 4294967295\n",
    0o644,
    () => -EPERM,
  );
}

/** Present in both kinds of directory. */
const common: readonly Node<S>[] = [
  file("auxv", of(M.auxv), 0o400),
  constant("cgroup", "0::/\n"),
  file("cmdline", of(M.cmdline)),
  file("comm", T.comm, 0o644, T.setComm),
  constant("cpuset", "/\n"),
  link("cwd", L.cwdText, L.cwdPath),
  file("environ", of(M.environ), 0o400),
  link("exe", L.exeText, L.exePath),
  custom("fd", DT_DIR, (place) => new L.FdDirectory(place, 0o500)),
  custom("fdinfo", DT_DIR, (place) => new L.FdInfoDirectory(place, 0o555)),
  file("io", T.io, 0o400),
  file("limits", T.limits),
  file("loginuid", loginUid, 0o644, setLoginUid),
  file("maps", of(M.maps)),
  custom("mem", DT_REG, ({ fs, ino, subject, ownership }) => new M.MemInode(fs, ino, subject.task, ownership)),
  file("mountinfo", T.mountinfo),
  file("mounts", T.mounts),
  directory("net", netNodes()),
  custom("ns", DT_DIR, (place) => new NamespaceDirectory(place)),
  file("oom_adj", T.oomAdj, 0o644),
  file("oom_score", T.oomScore),
  file("oom_score_adj", T.oomScoreAdj, 0o644, T.setOomScoreAdj),
  file("personality", T.personality, 0o400),
  idMap("projid_map"),
  idMap("gid_map"),
  idMap("uid_map"),
  file("setgroups", () => "allow\n", 0o644, T.setSetgroups),
  link("root", L.rootText, L.rootPath),
  file("schedstat", T.schedstat),
  file("sessionid", sessionId),
  file("smaps", of(M.smaps)),
  file("smaps_rollup", of(M.smapsRollup)),
  file("stat", T.stat),
  file("statm", of(M.statm)),
  file("status", T.status),
  file("wchan", T.wchan),
];

const processNodes: readonly Node<S>[] = [
  ...common,
  file("coredump_filter", T.coredumpFilter, 0o644, T.setCoredumpFilter),
  file("mountstats", T.mountstats, 0o400),
  custom("task", DT_DIR, (place) => new ThreadsDirectory(place)),
  file("timerslack_ns", T.timerSlack, 0o666),
  constant("timers", "", 0o444),
];

const PROCESS_INO = 2 ** 24;
const THREAD_INO = 2 ** 25;

/** The processes' owner: whoever the task acts as. */
function ownershipOf(task: ProcTask): () => Ownership {
  return () => ({ uid: task.cred.euid, gid: task.cred.egid });
}

export function processIno(tgid: number): number {
  return PROCESS_INO + tgid;
}

/** /proc/PID. It answers ENOENT for everything once the process has been reaped. */
export function processDirectory(fs: PseudoFileSystem, source: ProcSource, task: ProcTask): Inode {
  const subject = { task, source, whole: true };
  return new TaskDirectory({ fs, ino: processIno(task.tid), subject, ownership: ownershipOf(task) }, processNodes);
}

/** The process whose directory under /proc `inode` is; undefined for all else. */
export function processOfDirectory(inode: Inode): number | undefined {
  return inode instanceof TaskDirectory && inode.whole ? inode.tgid : undefined;
}

class TaskDirectory extends TableDirectory<S> {
  get whole(): boolean {
    return this.subject.whole;
  }
  get tgid(): number {
    return this.subject.task.tgid;
  }
  override lookup(name: string): Inode | number {
    return this.subject.task.alive ? super.lookup(name) : -ENOENT;
  }
  override list(): readonly Named[] | number {
    return this.subject.task.alive ? super.list() : -ENOENT;
  }
}

/** /proc/PID/task */
class ThreadsDirectory extends PseudoDirectory {
  private readonly place: Place<S>;

  constructor(place: Place<S>) {
    super(place.fs, place.ino, 0o555, place.ownership);
    this.place = place;
  }

  protected override get links(): number {
    return 2 + this.place.subject.task.threads().length;
  }

  override lookup(name: string): Inode | number {
    const { fs, subject } = this.place;
    const tid = /^[1-9]\d{0,8}$/.test(name) ? Number(name) : -1;
    const task = subject.source.task(tid);
    if (task === undefined || task.tgid !== subject.task.tgid) return -ENOENT;
    const thread = { task, source: subject.source, whole: false };
    return new TaskDirectory({ fs, ino: THREAD_INO + tid, subject: thread, ownership: ownershipOf(task) }, common);
  }

  override list(): readonly Named[] {
    const tids = [...this.place.subject.task.threads()].sort((a, b) => a - b);
    return tids.map((tid) => ({ name: `${tid}`, type: DT_DIR, ino: THREAD_INO + tid, at: tid + 2 }));
  }
}
