// The part of a boot that is the same whatever the guest's root is: memory, clock, kernel, the system's own mounts, and the first
// process, which has no program yet.

import { SIGCONT } from "../abi/signal.ts";
import { UTS_RELEASE, UTS_VERSION } from "../abi/utsname.ts";
import { CPUS_MAX, counterAt, type Engine, shimCpu, useEngine } from "../cpu/cpu.ts";
import { HostClock } from "../host/clock.ts";
import { cpuCount } from "../host/identity.ts";
import { HostPoller } from "../host/poller.ts";
import { signals, startHost, underJobControl } from "../host/process.ts";
import { hostRandom } from "../host/random.ts";
import { shim } from "../host/shim.ts";
import { TaskFs } from "../kernel/fs-context.ts";
import { Kernel } from "../kernel/kernel.ts";
import { IGNORE_ACTION } from "../kernel/sig-actions.ts";
import type { Task } from "../kernel/task.ts";
import { sendGroupSignal } from "../kernel/task-signals.ts";
import { Vdso } from "../loader/vdso.ts";
import { AddressSpace } from "../mm/address-space.ts";
import { Layout } from "../mm/layout.ts";
import { dispatch } from "../syscalls/dispatch.ts";
import type { Observer } from "../trace/observer.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import { MountTable } from "../vfs/mount-table.ts";
import { BootError } from "./boot-error.ts";
import { programLoader } from "./program.ts";
import { type SystemMount, systemMounts } from "./system-mounts.ts";
import { Terminals } from "./terminals.ts";

export interface Machine {
  readonly kernel: Kernel;
  readonly poller: HostPoller;
  readonly clock: HostClock;
  readonly mounts: MountTable;
  /** Of the first process. */
  readonly fs: TaskFs;
  readonly terminals: Terminals;
  readonly layout: Layout;
  /** Still to be mounted. */
  readonly systemMounts: readonly SystemMount[];
}

export interface MachineOptions {
  readonly hostname: string;
  /** Guests have no network but a loopback. */
  readonly isolated: boolean;
  readonly credentials: Credentials;
  /** Null: the one that carrick was started with. */
  readonly umask: number | null;
  readonly engine: Engine;
  /** How many CPUs the guest has; null: as many as carrick may use. */
  readonly cpus: number | null;
  /** Watches the run: a trace, a counter. */
  readonly observer: Observer | null;
  /** Makes what "/" is, and says how /proc/mounts names it. */
  readonly root: (poller: HostPoller, clock: HostClock) => { fs: FileSystem; source: string };
}

/** What somebody may do whose machine has no hypervisor. */
const instead = (engine: Engine): string => (engine === "hvf" ? "; --cpu interp does without it, slowly" : "");

/** Throws BootError when instructions cannot be watched one by one. A Mac's CPU loses the exclusive monitor at each step, so that locks are never taken. */
function requireSteps(options: MachineOptions): void {
  if (options.engine === "hvf")
    throw new BootError("the CPU hvf cannot be traced instruction by instruction; --cpu interp can");
  if ((options.cpus ?? 1) > 1) throw new BootError("instructions are traced on one CPU only: leave --cpus out");
}

/** Throws BootError. */
export function startMachine(options: MachineOptions): Machine {
  const { observer } = options;
  if (observer?.steps === true) requireSteps(options);
  const umask = startHost();
  if (shim.mem_init(0, 0) < 0) throw new BootError("the host gives no memory for the guest");
  const refusal = useEngine(options.engine);
  if (refusal !== null)
    throw new BootError(`the CPU ${options.engine} cannot be used: ${refusal}${instead(options.engine)}`);
  const poller = new HostPoller();
  const clock = new HostClock();
  const vdso = new Vdso();
  setVdsoClock(vdso, clock);
  clock.onSet(poller, () => setVdsoClock(vdso, clock));
  const layout = new Layout(randomBelow);
  const root = options.root(poller, clock);
  const mounts = new MountTable(root.fs, 0, root.source);
  const cpus = observer?.steps === true ? 1 : (options.cpus ?? Math.min(cpuCount(), CPUS_MAX));
  const kernel: Kernel = new Kernel({
    cpu: observer === null ? shimCpu : observer.cpu(shimCpu, () => kernel.scheduler.current),
    clock,
    random: hostRandom,
    poller,
    cpuCount: cpus,
    cpuThreads: cpus - 1,
    hostname: options.hostname,
    isolated: options.isolated,
    dispatch: observer === null ? dispatch : observer.around(dispatch),
    load: programLoader(layout, vdso),
  });
  kernel.hooks = observer?.hooks ?? null;
  kernel.isObserved = observer !== null;
  kernel.mounts = mounts;
  const fs = new TaskFs(mounts.rootPath, mounts.rootPath, options.umask ?? umask, options.credentials);
  const identity = {
    release: UTS_RELEASE,
    version: UTS_VERSION,
    hwcap: shim.cpu_hwcap(0) >>> 0,
    hwcap2: shim.cpu_hwcap(2) >>> 0,
  };
  const terminals = new Terminals(kernel);
  const system = systemMounts(kernel, identity, terminals);
  return { kernel, poller, clock, mounts, fs, terminals, layout, systemMounts: system };
}

/** Makes the first process. Signals to carrick reach it from now on. */
export function createFirst(machine: Machine, files: FdTable): Task {
  const { kernel, layout, fs } = machine;
  const mm = AddressSpace.create(layout);
  if (typeof mm === "number") throw new BootError("the host gives no memory for the guest");
  const init = kernel.createInit(mm, files, fs);
  ignoreSignals(init, signals.start());
  kernel.outside = { continues: underJobControl, stopped: (signal) => stopWithGuest(kernel, signal) };
  return init;
}

/** What carrick's parent ignores (nohup) is ignored by the first process too. `set`: bit n-1 for signal n. */
function ignoreSignals(init: Task, set: number): void {
  for (let signal = 1; signal <= 32; signal += 1) {
    if (((set >>> (signal - 1)) & 1) !== 0) init.group.actions.set(signal, IGNORE_ACTION);
  }
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

/** Gives the vDSO the clocks as they are now. */
function setVdsoClock(vdso: Vdso, clock: HostClock): void {
  const sample = clock.sample();
  const counterHz = shim.cpu_counter_hz();
  const counter = counterAt(sample.hostNs, counterHz);
  vdso.setClock({ counter, counterHz, monotonicNs: sample.monotonicNs, realtimeOffsetNs: sample.realtimeOffsetNs });
}
