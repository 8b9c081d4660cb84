// What is in the sys file system: CPUs, one NUMA node, huge pages, loopback, cgroups.

import type { PseudoFileSystem } from "../pseudo/pseudo-inode.ts";
import { directory, file, type Node, TableDirectory } from "../pseudo/table.ts";
import type { SysSource } from "./sys-fs.ts";

type S = SysSource;
const PAGE = 4096;

function text(name: string, read: string | ((s: S) => string), mode = 0o444): Node<S> {
  return file<S>(name, typeof read === "string" ? () => `${read}\n` : (s) => `${read(s)}\n`, mode, undefined, PAGE);
}

const range = (s: S) => (s.cpuCount === 1 ? "0" : `0-${s.cpuCount - 1}`);
const mask = (s: S) => (2 ** s.cpuCount - 1).toString(16);

function cache(index: number, type: string, level: number, size: string, sets: number, ways: number): Node<S> {
  return directory(`index${index}`, [
    text("coherency_line_size", "64"),
    text("level", `${level}`),
    text("number_of_sets", `${sets}`),
    text("shared_cpu_list", "0"),
    text("shared_cpu_map", "1"),
    text("size", size),
    text("type", type),
    text("ways_of_associativity", `${ways}`),
  ]);
}

const caches = directory<S>("cache", [
  cache(0, "Data", 1, "64K", 256, 4),
  cache(1, "Instruction", 1, "64K", 256, 4),
  cache(2, "Unified", 2, "1024K", 1024, 16),
]);

function cpu(number: number): Node<S> {
  return directory(`cpu${number}`, [
    caches,
    text("online", "1"),
    directory("topology", [
      text("cluster_id", "0"),
      text("core_cpus", (2 ** number).toString(16)),
      text("core_cpus_list", `${number}`),
      text("core_id", `${number}`),
      text("core_siblings", mask),
      text("core_siblings_list", range),
      text("package_cpus", mask),
      text("package_cpus_list", range),
      text("physical_package_id", "0"),
      text("thread_siblings", (2 ** number).toString(16)),
      text("thread_siblings_list", `${number}`),
    ]),
  ]);
}

function cpus(count: number): Node<S> {
  const each = Array.from({ length: count }, (_, number) => cpu(number));
  return directory("cpu", [
    ...each,
    text("isolated", ""),
    text("kernel_max", "255"),
    text("offline", ""),
    text("online", range),
    text("possible", range),
    text("present", range),
  ]);
}

function nodeMeminfo(s: S): string {
  const total = Math.floor(s.memoryBytes / 1024);
  return `Node 0 MemTotal:       ${total} kB\nNode 0 MemFree:        ${total} kB`;
}

const numa = directory<S>("node", [
  text("has_cpu", "0"),
  text("has_memory", "0"),
  text("has_normal_memory", "0"),
  directory("node0", [
    text("cpulist", range),
    text("cpumap", mask),
    text("distance", "10"),
    directory("hugepages", []),
    text("meminfo", nodeMeminfo),
  ]),
  text("online", "0"),
  text("possible", "0"),
]);

const hugePages = directory<S>("transparent_hugepage", [
  text("defrag", "always defer defer+madvise madvise [never]"),
  text("enabled", "always madvise [never]"),
  text("hpage_pmd_size", "2097152"),
  text("shmem_enabled", "always within_size advise [never] deny force"),
  text("use_zero_page", "0"),
]);

const loopback = directory<S>("lo", [
  text("address", "00:00:00:00:00:00"),
  text("addr_len", "6"),
  text("carrier", "1"),
  text("flags", "0x9"),
  text("ifindex", "1"),
  text("iflink", "1"),
  text("mtu", "65536"),
  text("operstate", "unknown"),
  directory("statistics", [
    text("rx_bytes", "0"),
    text("rx_packets", "0"),
    text("tx_bytes", "0"),
    text("tx_packets", "0"),
  ]),
  text("tx_queue_len", "1000"),
  text("type", "772"),
]);

function rootNodes(cpuCount: number): readonly Node<S>[] {
  return [
    directory("block", []),
    directory("bus", []),
    directory("class", [directory("block", []), directory("net", [loopback]), directory("tty", [])]),
    directory("dev", [directory("block", []), directory("char", [])]),
    directory("devices", [
      directory("system", [cpus(cpuCount), directory("memory", []), numa]),
      directory("virtual", [directory("net", [loopback])]),
    ]),
    directory("firmware", []),
    directory("fs", [directory("cgroup", [])]),
    directory("kernel", [directory("mm", [directory("hugepages", []), hugePages]), directory("security", [])]),
    directory("module", []),
    directory("power", []),
  ];
}

/** The root directory. */
export function sysRoot(fs: PseudoFileSystem, source: SysSource): TableDirectory<S> {
  const ownership = () => ({ uid: 0, gid: 0 });
  return new TableDirectory({ fs, ino: 1, subject: source, ownership }, rootNodes(source.cpuCount));
}
