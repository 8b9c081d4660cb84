// From a description of a run to a booted kernel: mounts, first process, standard streams, signals.

import { MS_RDONLY } from "../abi/mount.ts";
import { SIGCONT } from "../abi/signal.ts";
import { UTS_RELEASE, UTS_VERSION } from "../abi/utsname.ts";
import { shimCpu } from "../cpu/cpu.ts";
import { HostFileSystem, openHostRoot } from "../fs/host/host-file-system.ts";
import { inheritedFile } from "../fs/host/stdio.ts";
import { HostClock } from "../host/clock.ts";
import { cpuCount, hostIdentity, hostName } from "../host/identity.ts";
import { HostPoller } from "../host/poller.ts";
import { inheritedDescriptors, signals, startHost, underJobControl } from "../host/process.ts";
import { hostRandom } from "../host/random.ts";
import { shim } from "../host/shim.ts";
import { userCredentials } from "../kernel/credentials.ts";
import { TaskFs } from "../kernel/fs-context.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { sendGroupSignal } from "../kernel/task-signals.ts";
import { Vdso } from "../loader/vdso.ts";
import { AddressSpace } from "../mm/address-space.ts";
import { Layout } from "../mm/layout.ts";
import { dispatch } from "../syscalls/dispatch.ts";
import type { Observer } from "../trace/observer.ts";
import type { FsContext } from "../vfs/context.ts";
import { FdTable } from "../vfs/fd-table.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import { MountTable } from "../vfs/mount-table.ts";
import { FOLLOW, walk } from "../vfs/namei.ts";
import type { Path } from "../vfs/path.ts";
import { programLoader } from "./program.ts";
import { systemMounts } from "./system-mounts.ts";
import { Terminals } from "./terminals.ts";

/** A host directory or file that the guest sees at `target`, an absolute path. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface BootOptions {
  /** Directory of the host that is "/" for the guest. */
  readonly root: string;
  readonly binds: readonly Bind[];
  /** Working directory, an absolute path in the guest. */
  readonly cwd: string;
  /** Watches the run: a trace, a counter. */
  readonly observer: Observer | null;
}

/** A kernel that is ready to load its first program. */
export interface Booted {
  readonly kernel: Kernel;
  readonly init: Task;
}

/** What stops a boot: a sentence for the user. */
export class BootError extends Error {}

/** Boots: nothing of the guest has run yet. Throws BootError. */
export function boot(options: BootOptions): Booted {
  const inherited = inheritedDescriptors();
  const umask = startHost();
  if (shim.mem_init(0, 0) < 0) throw new BootError("the host gives no memory for the guest");
  const poller = new HostPoller();
  const clock = new HostClock();
  const vdso = new Vdso();
  setVdsoClock(vdso, clock);
  const layout = new Layout(randomBelow);
  const root = hostTree(options.root, poller);
  const mounts = new MountTable(root, 0, "host");
  const kernel = new Kernel({
    cpu: shimCpu,
    clock,
    random: hostRandom,
    poller,
    cpuCount: cpuCount(),
    hostname: hostName(),
    dispatch: options.observer === null ? dispatch : options.observer.around(dispatch),
    load: programLoader(layout, vdso),
  });
  kernel.hooks = options.observer?.hooks ?? null;
  kernel.mounts = mounts;

  const who = hostIdentity();
  const fs = new TaskFs(mounts.rootPath, mounts.rootPath, umask, userCredentials(who.euid, who.egid, who.groups));
  const identity = {
    release: UTS_RELEASE,
    version: UTS_VERSION,
    hwcap: shim.cpu_hwcap(0) >>> 0,
    hwcap2: shim.cpu_hwcap(1) >>> 0,
  };
  const terminals = new Terminals(kernel);
  for (const m of systemMounts(kernel, identity, terminals.pts)) mountAt(mounts, fs, m.target, m.fs, m.flags, m.source);
  for (const bind of options.binds) mountBind(mounts, fs, bind, poller);
  const cwd = walk(fs, fs.root, options.cwd, FOLLOW);
  if (typeof cwd === "number") throw new BootError(`the working directory ${options.cwd} does not exist in the guest`);
  fs.cwd = cwd;

  const files = new FdTable(1024);
  for (const fd of [0, 1, 2, ...inherited]) {
    const file = inheritedFile(root, fd);
    if (typeof file !== "number") files.installAt(fd, file, false);
  }
  const mm = AddressSpace.create(layout);
  if (typeof mm === "number") throw new BootError("the host gives no memory for the guest");
  const init = kernel.createInit(mm, files, fs);
  const consolePath = walk(fs, fs.root, "/dev/console", FOLLOW);
  if (typeof consolePath !== "number") terminals.attach(files, poller, consolePath);
  signals.start();
  kernel.outside = { continues: underJobControl, stopped: (signal) => stopWithGuest(kernel, signal) };
  return { kernel, init };
}

/**
 * The first process has stopped (Ctrl-Z): so does carrick by the same signal, and both go on together.
 * DIFFERS: the other processes of the guest stop with it.
 */
function stopWithGuest(kernel: Kernel, signal: number): void {
  signals.killSelf(signal);
  if (kernel.init !== null) sendGroupSignal(kernel.init, SIGCONT);
}

function randomBelow(n: number): number {
  return Math.floor(Math.random() * n);
}

function hostTree(path: string, poller: HostPoller, readOnly = false): HostFileSystem {
  const fd = openHostRoot(path);
  if (fd < 0) throw new BootError(`cannot open the directory ${path}`);
  return new HostFileSystem(fd, poller, { readOnly });
}

/** The counter that the vDSO reads, at this moment and in its own frequency. */
function setVdsoClock(vdso: Vdso, clock: HostClock): void {
  const { sec, nsec } = clock.realtime();
  vdso.setClock({
    counter: BigInt(Math.floor(shim.cpu_counter())),
    counterHz: shim.cpu_counter_hz(),
    monotonicNs: clock.monotonicNs(),
    realtimeSec: sec,
    realtimeNsec: nsec,
  });
}

function mountBind(mounts: MountTable, fs: FsContext, bind: Bind, poller: HostPoller): void {
  mountAt(
    mounts,
    fs,
    bind.target,
    hostTree(bind.source, poller, bind.readOnly),
    bind.readOnly ? MS_RDONLY : 0,
    bind.source,
  );
}

/** Mounts on a path that may not exist: missing directories exist for the walk only. */
function mountAt(
  mounts: MountTable,
  fs: FsContext,
  target: string,
  tree: FileSystem,
  flags: number,
  source: string,
): void {
  mounts.mount(tree, mountPoint(mounts, fs, target), flags, source);
}

function mountPoint(mounts: MountTable, fs: FsContext, target: string): Path {
  let at = fs.root;
  for (const name of target.split("/")) {
    if (name === "" || name === ".") continue;
    const next = walk(fs, at, name, FOLLOW);
    at = typeof next === "number" ? mounts.placeholder(at, name) : next;
  }
  return at;
}
