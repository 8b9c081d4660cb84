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
import { sys_exit_group } from "../../../src/syscalls/thread.ts";
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

const NS_PER_INSTRUCTION = 4;

export class Machine implements Cpu {
  readonly isTimed: boolean;
  /** What `enter` was given, in order. */
  readonly budgets: number[] = [];
  readonly clock = new ManualClock();
  readonly kernel: Kernel;
  readonly log: string[] = [];
  private readonly scripts = new Map<Task, Script>();
  /** What the task does when its pc is at an address: signal handlers. */
  readonly handlers = new Map<number, Step>();
  private step: Step | null = null;
  private rewound = new Map<Task, Step>();
  sleeps = 0;

  /** Tasks that went to CPU threads, in order; those that are there now; how many were called back. */
  readonly dispatched: Task[] = [];
  private readonly away = new Map<number, Task>();
  private readonly back: number[] = [];
  /** What those that have come back are to do. */
  private readonly waiting = new Map<Task, Step>();
  kicked = 0;
  /** CPU threads run until they are called back, instead of one step. */
  holds = false;

  /** `cpuThreads`: there may be so many beside the kernel's. */
  constructor(cpuThreads = 0, isTimed = false) {
    this.isTimed = isTimed;
    shim.mem_init(0, 0);
    this.kernel = new Kernel({
      cpu: this,
      clock: this.clock,
      random: new SeededRandom(1),
      poller: this.poller(),
      cpuCount: 2,
      cpuThreads,
      isolated: false,
      hostname: "test",
      dispatch: (task) => this.execute(task),
      load: () => -2,
    });
  }

  private poller(): HostPoller {
    const wait = (timeoutNs: number): void => {
      if (timeoutNs === 0) return;
      if (this.away.size > 0 && !this.holds) {
        this.comeBack();
        return;
      }
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
  dispatch(regs: Registers, id: number, _budget: number, threads: number): boolean {
    if (this.away.size >= threads) return false;
    const task = this.taskOf(regs);
    this.dispatched.push(task);
    this.away.set(id, task);
    return true;
  }

  /** While the kernel's thread does something else, CPU threads come to their exits. */
  private comeBack(): void {
    if (this.holds) return;
    for (const id of this.away.keys()) if (!this.back.includes(id)) this.back.push(id);
  }

  private taskOf(regs: Registers): Task {
    for (const task of this.kernel.pids.allTasks()) if (task.regs === regs) return task;
    throw new Error("nobody's registers");
  }

  collect(): number {
    const id = this.back.shift();
    if (id === undefined) return -1;
    const task = this.away.get(id)!;
    this.away.delete(id);
    const step = this.holds ? { exit: Exit.kicked } : this.scripts.get(task)!(task, 0);
    this.waiting.set(task, step);
    task.regs.u32[at.exit >> 2] = this.perform(task, task.regs, step);
    return id;
  }

  collectedNs(): number {
    return 1e6;
  }

  kick(regs: Registers): void {
    this.kicked += 1;
    for (const [id, task] of this.away) if (task.regs === regs && !this.back.includes(id)) this.back.push(id);
  }

  settle(): void {
    if (this.back.length === 0) throw new Error("nobody would come back");
  }

  barrier(): void {}

  enter(regs: Registers, budget: number): number {
    this.budgets.push(budget);
    this.comeBack();
    const task = this.kernel.scheduler.current!;
    // A call that a signal came before is made again.
    this.waiting.delete(task);
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
      regs.u32[at.retired >> 2]! += step.computeNs / NS_PER_INSTRUCTION;
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
    const step = this.waiting.get(task) ?? this.step!;
    this.waiting.delete(task);
    return "call" in step ? step.call(task) : -38;
  }
}
