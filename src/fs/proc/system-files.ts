// The text files at the top of /proc (proc(5)).

import { ticks } from "./format.ts";
import type { ProcSource } from "./source.ts";

/** HWCAP bits in order, by the names that arch/arm64/kernel/cpuinfo.c prints. */
const HWCAP_NAMES =
  "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg".split(
    " ",
  );
const HWCAP2_NAMES =
  "dcpodp sve2 sveaes svepmull svebitperm svesha3 svesm4 flagm2 frint svei8mm svef32mm svef64mm svebf16 i8mm bf16 dgh rng bti mte ecv afp rpres".split(
    " ",
  );

function namesOf(bits: number, names: readonly string[]): string[] {
  return names.filter((_, bit) => ((bits >>> bit) & 1) === 1);
}

export function cpuinfo(s: ProcSource): string {
  const features = [...namesOf(s.hwcap, HWCAP_NAMES), ...namesOf(s.hwcap2, HWCAP2_NAMES)].join(" ");
  let text = "";
  for (let cpu = 0; cpu < s.cpuCount; cpu++) {
    text += `processor\t: ${cpu}\nBogoMIPS\t: 100.00\nFeatures\t: ${features}\nCPU implementer\t: 0x00\n`;
    text += "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0x000\nCPU revision\t: 0\n\n";
  }
  return text;
}

export function meminfo(s: ProcSource): string {
  const m = s.memory();
  const used = Math.max(0, m.total - m.free);
  const anonymous = Math.max(0, used - m.cached - m.pageTables);
  const rows: [string, number][] = [
    ["MemTotal", m.total],
    ["MemFree", m.free],
    ["MemAvailable", m.free + m.cached],
    ["Buffers", 0],
    ["Cached", m.cached],
    ["SwapCached", 0],
    ["Active", anonymous],
    ["Inactive", m.cached],
    ["Active(anon)", anonymous],
    ["Inactive(anon)", 0],
    ["Active(file)", 0],
    ["Inactive(file)", m.cached],
    ["Unevictable", 0],
    ["Mlocked", 0],
    ["SwapTotal", 0],
    ["SwapFree", 0],
    ["Dirty", 0],
    ["Writeback", 0],
    ["AnonPages", anonymous],
    ["Mapped", m.cached],
    ["Shmem", m.shared],
    ["KReclaimable", 0],
    ["Slab", 0],
    ["SReclaimable", 0],
    ["SUnreclaim", 0],
    ["KernelStack", s.taskCount * 16384],
    ["PageTables", m.pageTables],
    ["CommitLimit", m.total / 2],
    ["Committed_AS", used],
    ["VmallocTotal", 2 ** 47],
    ["VmallocUsed", 0],
    ["AnonHugePages", 0],
    ["Hugepagesize", 2 ** 21],
  ];
  return rows
    .map(([name, bytes]) => `${`${name}:`.padEnd(16)}${`${Math.floor(bytes / 1024)}`.padStart(8)} kB\n`)
    .join("");
}

export function stat(s: ProcSource): string {
  const t = s.cpuTimes();
  const line = (name: string, share: number) => {
    const [user, system, idle] = [t.userNs, t.systemNs, t.idleNs].map((ns) => ticks(ns / share));
    return `${name} ${user} 0 ${system} ${idle} 0 0 0 0 0 0\n`;
  };
  let text = line("cpu ", 1);
  for (let cpu = 0; cpu < s.cpuCount; cpu++) text += line(`cpu${cpu}`, s.cpuCount);
  text += `intr 0\nctxt ${s.contextSwitches}\nbtime ${s.bootSec}\nprocesses ${s.forks}\n`;
  return `${text}procs_running ${s.runningTasks}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`;
}

export function uptime(s: ProcSource): string {
  return `${(s.uptimeNs / 1e9).toFixed(2)} ${(s.cpuTimes().idleNs / 1e9).toFixed(2)}\n`;
}

export function loadavg(s: ProcSource): string {
  const loads = s.loadAverages.map((load) => load.toFixed(2)).join(" ");
  return `${loads} ${s.runningTasks}/${s.taskCount} ${s.lastPid}\n`;
}

export function version(s: ProcSource): string {
  return `Linux version ${s.release} (carrick@localhost) (gcc, GNU ld) ${s.version}\n`;
}

export const FILESYSTEMS = [
  "sysfs",
  "tmpfs",
  "proc",
  "cgroup2",
  "devtmpfs",
  "sockfs",
  "pipefs",
  "devpts",
  "mqueue",
  "overlay",
]
  .map((name) => `nodev\t${name}\n`)
  .join("");

export const DEVICES = `Character devices:
  1 mem
  4 tty
  5 /dev/tty
  5 /dev/console
  5 /dev/ptmx
 10 misc
136 pts

Block devices:
259 blkext
`;

export function interrupts(s: ProcSource): string {
  const cpus = Array.from({ length: s.cpuCount }, (_, cpu) => `CPU${cpu}`.padEnd(11)).join("");
  return `           ${cpus}\nErr:          0\n`;
}

export function vmstat(s: ProcSource): string {
  const m = s.memory();
  const rows: [string, number][] = [
    ["nr_free_pages", m.free / 4096],
    ["nr_file_pages", m.cached / 4096],
    ["nr_shmem", m.shared / 4096],
    ["pgpgin", 0],
    ["pgpgout", 0],
    ["pswpin", 0],
    ["pswpout", 0],
    ["pgfault", 0],
    ["pgmajfault", 0],
    ["oom_kill", 0],
  ];
  return rows.map(([name, value]) => `${name} ${Math.floor(value)}\n`).join("");
}

/** A random UUID from 16 bytes. */
export function uuid(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `${parts.join("-")}\n`;
}
