// A kernel on a scripted CPU: each task runs a list of steps instead of instructions. A step is one call's
// handler, a stretch of computing, or an exception. Time moves only while the machine sleeps or computes.

import type { Cpu } from "../../../src/cpu/cpu.ts";
import type { Registers } from "../../../src/cpu/registers.ts";
import type { HostPoller } from "../../../src/host/poller.ts";
import { Access, RegisterBlock as at, Exit } from "../../../src/host/shim.gen.ts";
import { shim } from "../../../src/host/shim.ts";
import { ManualClock } from "../../../src/kernel/clock.ts";
import { userCredentials } from "../../../src/kernel/credentials.ts";
import { TaskFs } from "../../../src/kernel/fs-context.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { SeededRandom } from "../../../src/kernel/random.ts";
import type { Task } from "../../../src/kernel/task.ts";
import { AddressSpace } from "../../../src/mm/address-space.ts";
import { Layout } from "../../../src/mm/layout.ts";
import { sys_exit_group } from "../../../src/syscalls/process.ts";
import { FdTable } from "../../../src/vfs/fd-table.ts";
import type { Path } from "../../../src/vfs/path.ts";

/** Guest memory that every test program has: read-write at DATA. The stack pointer starts at STACK. */
export const DATA = 0x40_0000_0000;
export const STACK = DATA + 0x20000;
export const CODE = 0x10000;
const PAGES = 64;
const PAGE = 4096;
const RW = 3;
const PRIVATE_ANONYMOUS = 0x22;

export type Step =
  | { readonly call: (task: Task) => number }
  | { readonly computeNs: number }
  | { readonly fault: number }
  | { readonly exit: number };

/** What a task does: asked for the next step with the result of the last call (x0). */
export type Script = (task: Task, x0: number) => Step;

/** Steps in order, then exit_group(0). */
export function steps(...list: readonly Step[]): Script {
  let next = 0;
  return () => {
    const step = list[next] ?? call((task) => sys_exit_group(task, 0));
    next += 1;
    return step;
  };
}

export function call(handler: (task: Task) => number): Step {
  return { call: handler };
}

export class Machine implements Cpu {
  readonly clock = new ManualClock();
  readonly kernel: Kernel;
  readonly log: string[] = [];
  private readonly scripts = new Map<Task, Script>();
  /** What the task does when its pc is at an address: signal handlers. */
  readonly handlers = new Map<number, Step>();
  private step: Step | null = null;
  private rewound = new Map<Task, Step>();
  sleeps = 0;

  constructor() {
    shim.mem_init(0, 0);
    this.kernel = new Kernel({
      cpu: this,
      clock: this.clock,
      random: new SeededRandom(1),
      poller: this.poller(),
      cpuCount: 2,
      cpuThreads: 0,
      isolated: false,
      hostname: "test",
      dispatch: (task) => this.execute(task),
      load: () => -2,
    });
  }

  private poller(): HostPoller {
    const wait = (timeoutNs: number): void => {
      if (timeoutNs === 0) return;
      if (!Number.isFinite(timeoutNs)) throw new Error("the machine sleeps for ever");
      this.sleeps += 1;
      this.clock.nowNs += timeoutNs;
    };
    return { wait, onSignals: null } as unknown as HostPoller;
  }

  /** The first process, with memory at DATA. */
  boot(script: Script): Task {
    const mm = AddressSpace.create(new Layout(() => 0)) as AddressSpace;
    mm.mapArea(DATA, PAGES * PAGE, RW, PRIVATE_ANONYMOUS, null, 0);
    mm.vdsoSigreturn = 0x7000;
    const nowhere = {} as unknown as Path;
    const task = this.kernel.createInit(mm, new FdTable(64), new TaskFs(nowhere, nowhere, 0o22, userCredentials(0, 0)));
    task.regs.sp = STACK;
    task.regs.pc = CODE;
    task.regs.space = mm.space;
    this.program(task, script);
    this.kernel.scheduler.enqueue(task);
    return task;
  }

  /** What a task does from now on. */
  program(task: Task, script: Script): void {
    this.scripts.set(task, script);
  }

  run(): number {
    return this.kernel.run();
  }

  select(_regs: Registers): void {}
  dispatch(): boolean {
    return false;
  }
  collect(): number {
    return -1;
  }
  collectedNs(): number {
    return 0;
  }
  kick(): void {}
  settle(): void {}
  barrier(): void {}

  enter(regs: Registers, _budget: number): number {
    const task = this.kernel.scheduler.current!;
    const handler = this.handlers.get(regs.pc);
    const again = this.rewound.get(task);
    if (handler !== undefined) this.step = handler;
    else if (regs.pc < CODE + 4 && again !== undefined) this.step = again;
    else this.step = this.scripts.get(task)!(task, regs.i32[0]!);
    return this.perform(task, regs, this.step);
  }

  private perform(task: Task, regs: Registers, step: Step): number {
    if ("computeNs" in step) {
      this.clock.nowNs += step.computeNs;
      return Exit.budget;
    }
    if ("exit" in step) return step.exit;
    if ("fault" in step) {
      regs.setWide(at.fault_addr, step.fault);
      regs.u32[at.fault_access >> 2] = Access.write;
      return Exit.fault;
    }
    if (!this.handlers.has(regs.pc)) {
      this.rewound.set(task, step);
      regs.pc = CODE;
    }
    regs.pc += 4;
    return Exit.syscall;
  }

  private execute(task: Task): number {
    const step = this.step!;
    return "call" in step ? step.call(task) : -38;
  }
}
