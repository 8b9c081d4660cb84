// The root of the proc file system: the system's state as text, and a directory for each process. Everything is a table of nodes;
// the kernel's state comes through ProcSource.

import { ENOENT } from "../../abi/errno.ts";
import { DT_DIR } from "../../abi/stat.ts";
import type { Inode } from "../../vfs/inode.ts";
import type { Named, PseudoFileSystem } from "../pseudo/pseudo-inode.ts";
import { constant, directory, file, link, type Node, TableDirectory } from "../pseudo/table.ts";
import type { ProcSource } from "./source.ts";
import { sysctl } from "./sysctl.ts";
import * as F from "./system-files.ts";
import { processDirectory, processIno } from "./task-directory.ts";

type S = ProcSource;

const rootNodes: readonly Node<S>[] = [
  constant("buddyinfo", ""),
  constant("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
  constant("cmdline", "\n"),
  constant("consoles", "tty0                 -WU (EC  )    4:1\n"),
  file("cpuinfo", F.cpuinfo),
  constant("crypto", ""),
  constant("devices", F.DEVICES),
  constant("diskstats", ""),
  directory("driver", []),
  constant("filesystems", F.FILESYSTEMS),
  directory("fs", []),
  file("interrupts", F.interrupts),
  constant("iomem", "", 0o400),
  directory("irq", []),
  constant("key-users", ""),
  constant("keys", ""),
  constant("kmsg", "", 0o400),
  file("loadavg", F.loadavg),
  constant("locks", ""),
  file("meminfo", F.meminfo),
  constant("misc", ""),
  constant("modules", ""),
  link("mounts", () => "self/mounts"),
  link("net", () => "self/net"),
  constant("partitions", "major minor  #blocks  name\n\n"),
  link("self", (s) => self(s, (tgid) => `${tgid}`)),
  file("stat", F.stat),
  constant("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
  sysctl,
  link("thread-self", (s) => self(s, (tgid, tid) => `${tgid}/task/${tid}`)),
  constant("timer_list", "", 0o400),
  directory("tty", [constant("drivers", "/dev/tty             /dev/tty        5       0 system:/dev/tty\n")]),
  file("uptime", F.uptime),
  file("version", F.version),
  file("vmstat", F.vmstat),
  constant("zoneinfo", ""),
];

function self(s: S, text: (tgid: number, tid: number) => string): string | number {
  const task = s.self();
  return task === undefined ? -ENOENT : text(task.tgid, task.tid);
}

/** Offsets of processes lie behind those of all other entries. */
const FIRST_PROCESS_ENTRY = 256;

export class ProcRoot extends TableDirectory<S> {
  constructor(fs: PseudoFileSystem, source: ProcSource) {
    super({ fs, ino: 1, subject: source, ownership: () => ({ uid: 0, gid: 0 }) }, rootNodes);
  }

  protected override get links(): number {
    return 2 + this.subject.pids().length;
  }

  override lookup(name: string): Inode | number {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) return super.lookup(name);
    if (!/^\d{1,9}$/.test(name)) return -ENOENT;
    const task = this.subject.task(Number(name));
    return task === undefined ? -ENOENT : processDirectory(this.fs, this.subject, task);
  }

  override list(): readonly Named[] {
    const nodes = super.list() as readonly Named[];
    const pids = this.subject.pids();
    const processes = pids.map((pid) => ({
      name: `${pid}`,
      type: DT_DIR,
      ino: processIno(pid),
      at: FIRST_PROCESS_ENTRY + pid,
    }));
    return [...nodes, ...processes];
  }
}
