// The kernel's state for the proc file system.

import type { CpuTimes, MemoryTotals, ProcSocket, ProcSource, ProcTask } from "../fs/proc/source.ts";
import { hostMemory } from "../host/identity.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import type { Kernel } from "./kernel.ts";
import type { TaskView } from "./proc-task.ts";
import type { Task } from "./task.ts";
import { TaskState } from "./task.ts";
import { Usage } from "./usage.ts";

/** What uname(2) says, and the CPU's features as AT_HWCAP and AT_HWCAP2 announce them. */
export interface SystemIdentity {
  readonly release: string;
  readonly version: string;
  readonly hwcap: number;
  readonly hwcap2: number;
}

/** Few programs look at the tables of the network: what makes them is loaded then. */
function network(): typeof import("./proc-network.ts") {
  return require("./proc-network.ts");
}

/** Loaded with the first look; kept, because `require` takes 2 us however often it is asked. */
let views: typeof import("./proc-task.ts") | undefined;

export class KernelProcSource implements ProcSource {
  private readonly kernel: Kernel;
  private readonly identity: SystemIdentity;
  private readonly views = new WeakMap<Task, TaskView>();

  constructor(kernel: Kernel, identity: SystemIdentity) {
    this.kernel = kernel;
    this.identity = identity;
  }

  private view(task: Task | null | undefined): ProcTask | undefined {
    if (task === null || task === undefined) return undefined;
    let view = this.views.get(task);
    if (view === undefined) {
      views ??= require("./proc-task.ts") as typeof import("./proc-task.ts");
      view = new views.TaskView(task);
      this.views.set(task, view);
    }
    return view;
  }

  self(): ProcTask | undefined {
    return this.view(this.kernel.scheduler.current);
  }

  pids(): readonly number[] {
    return Array.from(this.kernel.pids.allGroups(), (group) => group.tgid).sort((a, b) => a - b);
  }

  task(tid: number): ProcTask | undefined {
    return this.view(this.kernel.pids.task(tid));
  }

  sockets(): readonly ProcSocket[] {
    return network().openSockets(this.kernel);
  }
  hostNetTable(name: string): string | null {
    return this.kernel.isolated ? null : network().hostNetTable(name);
  }

  get mounts(): MountTable {
    return this.kernel.mounts;
  }
  get cpuCount(): number {
    return this.kernel.cpuCount;
  }

  get runningTasks(): number {
    let running = 0;
    for (const task of this.kernel.pids.allTasks()) if (task.state === TaskState.runnable) running += 1;
    return running;
  }

  get taskCount(): number {
    return this.kernel.pids.taskCount;
  }
  get lastPid(): number {
    return this.kernel.pids.lastAllocated;
  }
  get forks(): number {
    return this.kernel.pids.allocations;
  }

  get contextSwitches(): number {
    const usage = this.usage();
    return usage.voluntarySwitches + usage.involuntarySwitches;
  }

  get loadAverages(): readonly [number, number, number] {
    return hostMemory().loads;
  }
  get uptimeNs(): number {
    return this.kernel.clock.monotonicNs();
  }

  get bootSec(): number {
    const now = this.kernel.clock.realtime();
    return Math.floor(now.sec + now.nsec / 1e9 - this.uptimeNs / 1e9);
  }
  get nowSec(): number {
    return this.kernel.clock.realtime().sec;
  }

  /** Usage of all processes of the run, living and reaped. */
  private usage(): Usage {
    const total = new Usage();
    for (const group of this.kernel.pids.allGroups()) total.add(group.totalUsage());
    const init = this.kernel.init;
    if (init !== null) total.add(init.childrenUsage);
    return total;
  }

  cpuTimes(): CpuTimes {
    const { utimeNs, stimeNs } = this.usage();
    const all = this.uptimeNs * this.cpuCount;
    return { userNs: utimeNs, systemNs: stimeNs, idleNs: Math.max(0, all - utimeNs - stimeNs) };
  }

  memory(): MemoryTotals {
    const { total, free, shared, buffers } = hostMemory();
    return { total, free, shared, cached: buffers, pageTables: 0 };
  }

  get hostname(): string {
    return this.kernel.hostname;
  }
  set hostname(name: string) {
    this.kernel.hostname = name;
  }
  get domainname(): string {
    return this.kernel.domainname;
  }
  set domainname(name: string) {
    this.kernel.domainname = name;
  }
  get release(): string {
    return this.identity.release;
  }
  get version(): string {
    return this.identity.version;
  }
  get hwcap(): number {
    return this.identity.hwcap;
  }
  get hwcap2(): number {
    return this.identity.hwcap2;
  }

  random(bytes: Uint8Array): void {
    this.kernel.random.fill(bytes);
  }
}
