// What proc asks the kernel: declared here because proc is the lower room, implemented in kernel/proc-source.ts.

import type { AddressSpace } from "../../mm/address-space.ts";
import type { FsContext } from "../../vfs/context.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import type { FdTable } from "../../vfs/fd-table.ts";
import type { MountTable } from "../../vfs/mount-table.ts";
import type { Path } from "../../vfs/path.ts";

/** A signal set as [low 32 bits, high 32 bits]. */
export type SignalSet = readonly [number, number];

/** One thread, or its process where the difference does not matter. */
export interface ProcTask {
  readonly tid: number;
  readonly tgid: number;
  readonly ppid: number;
  /** 0: nobody. */
  readonly tracerPid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Device number of the controlling terminal, 0 for none, and its foreground group, -1 for none. */
  readonly ttyDev: number;
  readonly ttyForeground: number;
  /** False once it has been reaped; it answers with its last state then. */
  readonly alive: boolean;
  /** R, S, D, T, t, Z or X. */
  readonly state: string;
  comm: string;
  readonly cred: Credentials;
  readonly umask: number;
  /** null once it has exited. */
  readonly mm: AddressSpace | null;
  readonly files: FdTable | null;
  readonly fs: FsContext | null;
  readonly exe: Path | null;
  /** Name of the call that it sleeps in, or "0". */
  readonly wchan: string;
  /** Threads of the process, itself included. */
  threads(): readonly number[];
  readonly exitSignal: number;
  readonly exitStatus: number;
  readonly nice: number;
  readonly rtPriority: number;
  readonly policy: number;
  /** CPUs it may run on, bit n for CPU n. */
  readonly affinity: number;
  readonly lastCpu: number;
  readonly noNewPrivs: boolean;
  readonly seccompMode: number;
  readonly seccompFilters: number;
  readonly personality: number;
  /** Who logged in, and the number of that session; AUDIT_UNSET for nobody. */
  readonly loginUid: number;
  readonly auditSession: number;
  /** Begins a session, unless it is AUDIT_UNSET. */
  setLoginUid(uid: number): void;
  oomScoreAdj: number;
  coredumpFilter: number;
  timerSlackNs: number;
  /** Since boot, in ns. */
  readonly startNs: number;
  /** CPU times of the thread, or of the whole process and of its reaped children, in ns. */
  readonly utimeNs: number;
  readonly stimeNs: number;
  readonly groupUtimeNs: number;
  readonly groupStimeNs: number;
  readonly childUtimeNs: number;
  readonly childStimeNs: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly childMinorFaults: number;
  readonly childMajorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly pending: SignalSet;
  readonly sharedPending: SignalSet;
  readonly blocked: SignalSet;
  readonly ignored: SignalSet;
  readonly caught: SignalSet;
  /** Queued signals, and how many there may be. */
  readonly queuedSignals: number;
  /** Soft and hard value of RLIMIT_*; Infinity for none. */
  limit(resource: number): readonly [number, number];
}

/** CPU time since boot by kind, in ns, summed over all CPUs. */
export interface CpuTimes {
  userNs: number;
  systemNs: number;
  idleNs: number;
}

/** In bytes. */
export interface MemoryTotals {
  total: number;
  free: number;
  cached: number;
  shared: number;
  pageTables: number;
}

/** An open socket of a guest. */
export interface ProcSocket {
  readonly domain: number;
  readonly type: number;
  readonly ino: number;
  readonly uid: number;
  /** TCP_* of net/tcp_states.h; UNIX sockets only listen or not. */
  readonly state: number;
  /** struct sockaddr; null where there is none. */
  readonly local: Uint8Array | null;
  readonly peer: Uint8Array | null;
  /** Name of a UNIX socket, NUL first when abstract. */
  readonly path: string | null;
  /** Bytes not yet acknowledged, and not yet read. */
  readonly sending: number;
  readonly receiving: number;
}

export interface ProcSource {
  sockets(): readonly ProcSocket[];
  /** A table below the host's /proc/net; null when the run has no network, or the host no such table. */
  hostNetTable(name: string): string | null;
  /** The running thread. */
  self(): ProcTask | undefined;
  /** Process ids in rising order. */
  pids(): readonly number[];
  /** A thread by its id. */
  task(tid: number): ProcTask | undefined;
  readonly mounts: MountTable;
  readonly cpuCount: number;
  readonly runningTasks: number;
  readonly taskCount: number;
  readonly lastPid: number;
  readonly forks: number;
  readonly contextSwitches: number;
  readonly loadAverages: readonly [number, number, number];
  readonly uptimeNs: number;
  /** Seconds since the epoch at which uptime was 0, and now. */
  readonly bootSec: number;
  readonly nowSec: number;
  cpuTimes(): CpuTimes;
  memory(): MemoryTotals;
  hostname: string;
  domainname: string;
  readonly release: string;
  readonly version: string;
  /** What uname(2) and /proc/cpuinfo announce: AT_HWCAP and AT_HWCAP2. */
  readonly hwcap: number;
  readonly hwcap2: number;
  /** Random bytes for boot_id and uuid. */
  random(bytes: Uint8Array): void;
}
