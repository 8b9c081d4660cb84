// The text files of /proc/PID and /proc/PID/task/TID (proc(5), fs/proc/array.c, base.c), field for field as ps, top,
// glibc, the JVM, Go and Node read them.

import { EINVAL, EPERM } from "../../abi/errno.ts";
import * as R from "../../abi/resource.ts";
import { pathString } from "../../vfs/path-string.ts";
import { allCpus, cpuList, hex64, kib, mangle, stateText, ticks } from "./format.ts";
import { memorySizes } from "./memory-files.ts";
import type { ProcSource, ProcTask } from "./source.ts";

/** What a node of a process directory is made from. */
export interface TaskSubject {
  readonly task: ProcTask;
  readonly source: ProcSource;
  /** The directory is the process's, not one of its threads'. */
  readonly whole: boolean;
}

const PF_FORKNOEXEC = 0x40;
const PF_RANDOMIZE = 0x400000;

export function status({ task, source }: TaskSubject): string {
  const { cred, mm } = task;
  const rows: [string, string | number][] = [["Name", task.comm.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")]];
  rows.push(["Umask", task.umask.toString(8).padStart(4, "0")], ["State", stateText(task)]);
  rows.push(["Tgid", task.tgid], ["Ngid", 0], ["Pid", task.tid], ["PPid", task.ppid], ["TracerPid", task.tracerPid]);
  rows.push(["Uid", [cred.uid, cred.euid, cred.suid, cred.fsuid].join("\t")]);
  rows.push(["Gid", [cred.gid, cred.egid, cred.sgid, cred.fsgid].join("\t")]);
  rows.push(["FDSize", Math.max(64, task.files?.end ?? 0)]);
  rows.push(["Groups", `${[...cred.groups].sort((a, b) => a - b).join(" ")} `]);
  rows.push(["NStgid", task.tgid], ["NSpid", task.tid], ["NSpgid", task.pgid], ["NSsid", task.sid], ["Kthread", 0]);
  if (mm !== null) {
    const s = memorySizes(mm);
    rows.push(["VmPeak", kib(s.total)], ["VmSize", kib(s.total)], ["VmLck", kib(s.locked)], ["VmPin", kib(0)]);
    rows.push(["VmHWM", kib(s.rss)], ["VmRSS", kib(s.rss)], ["RssAnon", kib(s.rss - s.rssFile - s.rssShared)]);
    rows.push(["RssFile", kib(s.rssFile)], ["RssShmem", kib(s.rssShared)], ["VmData", kib(s.data)]);
    rows.push(["VmStk", kib(s.stack)], ["VmExe", kib(s.text)], ["VmLib", kib(s.libraries)]);
    rows.push(["VmPTE", kib(Math.ceil(s.rss / 512))], ["VmSwap", kib(0)], ["HugetlbPages", kib(0)]);
    rows.push(["CoreDumping", 0], ["THP_enabled", 0], ["untag_mask", "0xffffffffffffff"]);
  }
  rows.push(["Threads", task.threads().length]);
  rows.push(["SigQ", `${task.queuedSignals}/${limitText(task.limit(R.RLIMIT_SIGPENDING)[0])}`]);
  rows.push(["SigPnd", hex64(task.pending)], ["ShdPnd", hex64(task.sharedPending)], ["SigBlk", hex64(task.blocked)]);
  rows.push(["SigIgn", hex64(task.ignored)], ["SigCgt", hex64(task.caught)]);
  rows.push(["CapInh", hex64(cred.capInheritable)], ["CapPrm", hex64(cred.capPermitted)]);
  rows.push(["CapEff", hex64(cred.capEffective)], ["CapBnd", hex64(cred.capBounding)]);
  rows.push(["CapAmb", hex64(cred.capAmbient)], ["NoNewPrivs", task.noNewPrivs ? 1 : 0]);
  rows.push(
    ["Seccomp", task.seccompMode],
    ["Seccomp_filters", task.seccompFilters],
    ["Speculation_Store_Bypass", "not vulnerable"],
  );
  rows.push(["SpeculationIndirectBranch", "unknown"]);
  const cpus = task.affinity % (allCpus(source.cpuCount) + 1);
  rows.push(["Cpus_allowed", cpus.toString(16)], ["Cpus_allowed_list", cpuList(cpus)]);
  rows.push(["Mems_allowed", "1"], ["Mems_allowed_list", "0"]);
  rows.push(["voluntary_ctxt_switches", task.voluntarySwitches]);
  rows.push(["nonvoluntary_ctxt_switches", task.involuntarySwitches]);
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join("");
}

function limitText(value: number): string {
  return value === Number.POSITIVE_INFINITY ? "18446744073709551615" : `${value}`;
}

/** The low word of a signal set, as stat prints it. */
function low(set: readonly [number, number]): number {
  return set[0] >>> 0;
}

export function stat({ task, whole }: TaskSubject): string {
  const mm = task.mm;
  const sizes = mm === null ? null : memorySizes(mm);
  const priority = task.rtPriority > 0 ? -1 - task.rtPriority : 20 + task.nice;
  const utime = whole ? task.groupUtimeNs : task.utimeNs;
  const stime = whole ? task.groupStimeNs : task.stimeNs;
  const fields: (string | number)[] = [task.tid, `(${task.comm})`, task.state, task.ppid, task.pgid, task.sid];
  fields.push(task.ttyDev, task.ttyForeground, PF_RANDOMIZE | (mm === null ? PF_FORKNOEXEC : 0));
  fields.push(task.minorFaults, task.childMinorFaults, task.majorFaults, task.childMajorFaults);
  fields.push(ticks(utime), ticks(stime), ticks(task.childUtimeNs), ticks(task.childStimeNs));
  fields.push(priority, task.nice, task.threads().length, 0, ticks(task.startNs));
  fields.push(sizes?.total ?? 0, Math.ceil((sizes?.rss ?? 0) / 4096), limitText(task.limit(R.RLIMIT_RSS)[0]));
  fields.push(mm?.codeStart ?? 0, mm?.codeEnd ?? 0, mm?.stackTop ?? 0, 0, 0);
  fields.push(low(task.pending), low(task.blocked), low(task.ignored), low(task.caught), 0, 0, 0);
  fields.push(task.exitSignal, task.lastCpu, task.rtPriority, task.policy, 0, 0, 0);
  fields.push(mm?.codeEnd ?? 0, mm?.brkStart ?? 0, mm?.brkStart ?? 0);
  fields.push(mm?.argStart ?? 0, mm?.argEnd ?? 0, mm?.envStart ?? 0, mm?.envEnd ?? 0, task.exitStatus);
  return `${fields.join(" ")}\n`;
}

export function comm({ task }: TaskSubject): string {
  return `${task.comm}\n`;
}

export function setComm({ task }: TaskSubject, text: string): number {
  const end = text.indexOf("\0");
  task.comm = (end < 0 ? text : text.slice(0, end)).replace(/\n$/, "").slice(0, 15);
  return 0;
}

const LIMITS: readonly [string, number, string][] = [
  ["Max cpu time", R.RLIMIT_CPU, "seconds"],
  ["Max file size", R.RLIMIT_FSIZE, "bytes"],
  ["Max data size", R.RLIMIT_DATA, "bytes"],
  ["Max stack size", R.RLIMIT_STACK, "bytes"],
  ["Max core file size", R.RLIMIT_CORE, "bytes"],
  ["Max resident set", R.RLIMIT_RSS, "bytes"],
  ["Max processes", R.RLIMIT_NPROC, "processes"],
  ["Max open files", R.RLIMIT_NOFILE, "files"],
  ["Max locked memory", R.RLIMIT_MEMLOCK, "bytes"],
  ["Max address space", R.RLIMIT_AS, "bytes"],
  ["Max file locks", R.RLIMIT_LOCKS, "locks"],
  ["Max pending signals", R.RLIMIT_SIGPENDING, "signals"],
  ["Max msgqueue size", R.RLIMIT_MSGQUEUE, "bytes"],
  ["Max nice priority", R.RLIMIT_NICE, ""],
  ["Max realtime priority", R.RLIMIT_RTPRIO, ""],
  ["Max realtime timeout", R.RLIMIT_RTTIME, "us"],
];

export function limits({ task }: TaskSubject): string {
  const column = (value: number) => (value === Number.POSITIVE_INFINITY ? "unlimited" : `${value}`).padEnd(20);
  let text = `${"Limit".padEnd(25)} ${"Soft Limit".padEnd(20)} ${"Hard Limit".padEnd(20)} ${"Units".padEnd(10)}\n`;
  for (const [name, resource, unit] of LIMITS) {
    const [soft, hard] = task.limit(resource);
    text += `${name.padEnd(25)} ${column(soft)} ${column(hard)} ${unit === "" ? "" : unit.padEnd(10)}\n`;
  }
  return text;
}

export function io({ task }: TaskSubject): string {
  const names = ["rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes"];
  return task.alive ? names.map((name) => `${name}: 0\n`).join("") : "";
}

export function wchan({ task }: TaskSubject): string {
  return task.wchan;
}

export function personality({ task }: TaskSubject): string {
  return `${task.personality.toString(16).padStart(8, "0")}\n`;
}

export function oomScore({ task }: TaskSubject): string {
  return `${Math.max(0, 666 + Math.trunc((task.oomScoreAdj * 2) / 3))}\n`;
}

export function oomScoreAdj({ task }: TaskSubject): string {
  return `${task.oomScoreAdj}\n`;
}

export function setOomScoreAdj({ task }: TaskSubject, text: string): number {
  const value = Number(text.trim());
  if (!Number.isInteger(value) || value < -1000 || value > 1000 || text.trim() === "") return -EINVAL;
  task.oomScoreAdj = value;
  return 0;
}

/** In the first user namespace nobody can forbid it. */
export function setSetgroups(_subject: TaskSubject, text: string): number {
  const word = text.trimEnd();
  return word === "allow" ? 0 : word === "deny" ? -EPERM : -EINVAL;
}

export function coredumpFilter({ task }: TaskSubject): string {
  return `${task.coredumpFilter.toString(16).padStart(8, "0")}\n`;
}

const COREDUMP_BITS = 0x1ff;

export function setCoredumpFilter({ task }: TaskSubject, text: string): number {
  const number = text.trim();
  // As C writes numbers: with 0x, with 0, or plain.
  const value = /^0[0-7]+$/.test(number)
    ? Number.parseInt(number, 8)
    : /^(0x[0-9a-f]+|\d+)$/i.test(number)
      ? Number(number)
      : -1;
  if (value < 0 || value > 0xffffffff) return -EINVAL;
  task.coredumpFilter = value & COREDUMP_BITS;
  return 0;
}

/** The old scale: -17 to 15. */
export function oomAdj({ task }: TaskSubject): string {
  const adj = task.oomScoreAdj;
  return `${adj === 1000 ? 15 : Math.trunc((adj * 17) / 1000)}\n`;
}

export function schedstat({ task }: TaskSubject): string {
  return `${task.utimeNs + task.stimeNs} 0 ${task.voluntarySwitches + task.involuntarySwitches}\n`;
}

export function timerSlack({ task }: TaskSubject): string {
  return `${task.timerSlackNs}\n`;
}

/** /proc/PID/mounts: the mounts that can be reached from the task's root. */
export function mounts({ task, source }: TaskSubject): string {
  return reachable(task, source)
    .map(({ mount, at }) => `${mangle(mount.source)} ${mangle(at)} ${mount.fs.type} ${optionsOf(mount)} 0 0\n`)
    .join("");
}

export function mountinfo({ task, source }: TaskSubject): string {
  const lines = reachable(task, source).map(({ mount, at }) => {
    const dev = mount.fs.dev;
    const device = `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
    const parent = mount.at?.mount.id ?? 1;
    const inside = mangle(pathWithin(mount));
    const own = flagsOf(mount.flags);
    const superOptions = [(mount.flags & 1) !== 0 ? "ro" : "rw", mount.fs.options()].filter((o) => o !== "").join(",");
    const type = `${mount.fs.type} ${mangle(mount.source)} ${superOptions}`;
    return `${mount.id} ${parent} ${device} ${inside} ${mangle(at)} ${own} - ${type}\n`;
  });
  return lines.join("");
}

export function mountstats({ task, source }: TaskSubject): string {
  return reachable(task, source)
    .map(({ mount, at }) => `device ${mangle(mount.source)} mounted on ${mangle(at)} with fstype ${mount.fs.type}\n`)
    .join("");
}

type MountOf = ProcSource["mounts"]["mounts"][number];

function reachable(task: ProcTask, source: ProcSource): { mount: MountOf; at: string }[] {
  const root = task.fs?.root ?? source.mounts.rootPath;
  const found: { mount: MountOf; at: string }[] = [];
  for (const mount of source.mounts.mounts) {
    const at = pathString({ mount, dentry: mount.root }, root);
    if (!at.startsWith("(unreachable)")) found.push({ mount, at });
  }
  return found;
}

/** The mount's root inside its file system: more than "/" for a bind mount. */
function pathWithin(mount: MountOf): string {
  let text = "";
  for (let at = mount.root; at.parent !== null; at = at.parent) text = `/${at.name}${text}`;
  return text === "" ? "/" : text;
}

const FLAG_NAMES: readonly [number, string][] = [
  [2, "nosuid"],
  [4, "nodev"],
  [8, "noexec"],
  [1024, "noatime"],
  [2048, "nodiratime"],
];

function flagsOf(flags: number): string {
  const names = FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  const time = (flags & 1024) === 0 ? ["relatime"] : [];
  return [(flags & 1) !== 0 ? "ro" : "rw", ...names, ...time].join(",");
}

function optionsOf(mount: MountOf): string {
  const extra = mount.fs.options();
  return extra === "" ? flagsOf(mount.flags) : `${flagsOf(mount.flags)},${extra}`;
}
