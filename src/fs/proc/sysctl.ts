// /proc/sys: the kernel's settings (sysctl). What programs only read is constant; host and domain name can be set.

import { EINVAL } from "../../abi/errno.ts";
import { PIPE_MAX_BYTES } from "../pipe/pipe.ts";
import { constant, directory, file, type Node } from "../pseudo/table.ts";
import type { ProcSource } from "./source.ts";
import { uuid } from "./system-files.ts";

type S = ProcSource;
const number = (name: string, value: number | string): Node<S> => constant(name, `${value}\n`, 0o644);

const HOST_NAME_MAX = 64;

function setName(text: string, set: (name: string) => void): number {
  const name = text.split("\n")[0]!;
  if (name.length > HOST_NAME_MAX) return -EINVAL;
  set(name);
  return 0;
}

/** Made once for each run, when it is first asked for. */
const bootIds = new WeakMap<ProcSource, string>();

function bootId(s: S): string {
  let id = bootIds.get(s);
  if (id === undefined) {
    id = freshUuid(s);
    bootIds.set(s, id);
  }
  return id;
}

function freshUuid(s: S): string {
  const bytes = new Uint8Array(16);
  s.random(bytes);
  return uuid(bytes);
}

const random = directory<S>("random", [
  file("boot_id", bootId),
  number("entropy_avail", 256),
  number("poolsize", 256),
  number("urandom_min_reseed_secs", 60),
  file("uuid", freshUuid),
  number("write_wakeup_threshold", 256),
]);

const kernel = directory<S>("kernel", [
  number("cap_last_cap", 40),
  number("core_pattern", "core"),
  number("core_uses_pid", 0),
  file(
    "domainname",
    (s) => `${s.domainname}\n`,
    0o644,
    (s, text) => setName(text, (name) => (s.domainname = name)),
  ),
  number("dmesg_restrict", 0),
  file(
    "hostname",
    (s) => `${s.hostname}\n`,
    0o644,
    (s, text) => setName(text, (name) => (s.hostname = name)),
  ),
  number("kptr_restrict", 1),
  number("msgmax", 8192),
  number("msgmnb", 16384),
  number("msgmni", 32000),
  number("ngroups_max", 65536),
  file("osrelease", (s) => `${s.release}\n`),
  number("ostype", "Linux"),
  number("overflowgid", 65534),
  number("overflowuid", 65534),
  number("panic", 0),
  number("perf_event_paranoid", 2),
  number("pid_max", 32768),
  number("printk", "4\t4\t1\t7"),
  random,
  number("randomize_va_space", 2),
  number("sched_rt_runtime_us", 950000),
  directory("seccomp", [
    number("actions_avail", "kill_process kill_thread trap errno trace log allow"),
    number("actions_logged", "kill_process kill_thread trap errno trace log"),
  ]),
  number("sem", "32000\t1024000000\t500\t32000"),
  number("shmall", "18446744073692774399"),
  number("shmmax", "18446744073692774399"),
  number("shmmni", 4096),
  number("tainted", 0),
  number("threads-max", 63432),
  number("unprivileged_userns_clone", 0),
  file("version", (s) => `${s.version}\n`),
  directory("yama", [number("ptrace_scope", 0)]),
]);

const vm = directory<S>("vm", [
  number("dirty_background_ratio", 10),
  number("dirty_ratio", 20),
  number("drop_caches", 0),
  number("max_map_count", 65530),
  number("min_free_kbytes", 67584),
  number("mmap_min_addr", 65536),
  number("nr_hugepages", 0),
  number("overcommit_kbytes", 0),
  number("overcommit_memory", 0),
  number("overcommit_ratio", 50),
  number("swappiness", 60),
  number("vfs_cache_pressure", 100),
]);

const fs = directory<S>("fs", [
  number("aio-max-nr", 65536),
  number("aio-nr", 0),
  directory("epoll", [number("max_user_watches", 1048576)]),
  number("file-max", "9223372036854775807"),
  number("file-nr", "1024\t0\t9223372036854775807"),
  directory("inotify", [
    number("max_queued_events", 16384),
    number("max_user_instances", 128),
    number("max_user_watches", 1048576),
  ]),
  number("lease-break-time", 45),
  directory("mqueue", [
    number("msg_default", 10),
    number("msg_max", 10),
    number("msgsize_default", 8192),
    number("msgsize_max", 8192),
    number("queues_max", 256),
  ]),
  number("nr_open", 1048576),
  number("pipe-max-size", PIPE_MAX_BYTES),
  number("pipe-user-pages-hard", 0),
  number("pipe-user-pages-soft", 16384),
  number("protected_hardlinks", 1),
  number("protected_symlinks", 1),
  number("suid_dumpable", 0),
]);

const net = directory<S>("net", [
  directory("core", [
    number("optmem_max", 131072),
    number("rmem_default", 212992),
    number("rmem_max", 212992),
    number("somaxconn", 4096),
    number("wmem_default", 212992),
    number("wmem_max", 212992),
  ]),
  directory("ipv4", [
    number("ip_forward", 0),
    number("ip_local_port_range", "32768\t60999"),
    number("ip_unprivileged_port_start", 1024),
    number("ping_group_range", "1\t0"),
    number("tcp_fin_timeout", 60),
    number("tcp_keepalive_intvl", 75),
    number("tcp_keepalive_probes", 9),
    number("tcp_keepalive_time", 7200),
    number("tcp_max_syn_backlog", 128),
    number("tcp_rmem", "4096\t131072\t6291456"),
    number("tcp_wmem", "4096\t16384\t4194304"),
  ]),
  directory("ipv6", [directory("conf", [directory("all", [number("disable_ipv6", 0)])])]),
  directory("unix", [number("max_dgram_qlen", 512)]),
]);

export const sysctl: Node<ProcSource> = directory("sys", [
  directory("dev", []),
  fs,
  kernel,
  net,
  directory("user", []),
  vm,
]);
