// `carrick trace --instructions`: besides the lines of system calls and signals one for each instruction that a task executes: its id, the
// address, the text, and the registers that changed, as the shim's `cpu_trace` writes them. It stands between the kernel and the CPU, so whatever makes
// tasks (fork, threads, exec) makes no difference, and everything runs on the kernel's thread.

import { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP } from "../abi/signal.ts";
import type { Cpu } from "../cpu/cpu.ts";
import { disassembleAt } from "../cpu/disassemble.ts";
import type { Registers } from "../cpu/registers.ts";
import { RegisterBlock as at, Exit } from "../host/shim.gen.ts";
import { pointerOf, shim } from "../host/shim.ts";
import type { Task } from "../kernel/task.ts";
import { Tracer } from "./strace.ts";

/** Some thousand lines. */
const BUFFER_BYTES = 256 * 1024;
const EXIT = at.exit >> 2;
/** Signals that an instruction brings about. */
const FAULTS: readonly number[] = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV];
const TEXT_COLUMN = 60;

export class InstructionTracer extends Tracer {
  override readonly steps = true;
  private readonly lines = new Uint8Array(BUFFER_BYTES);
  /** The instruction that a task could not complete the last time that it ran. */
  private readonly stuck = new Map<Task, string>();

  /** The CPU that the kernel shall use: it steps. `current` is the task whose registers are entered. */
  override cpu(cpu: Cpu, current: () => Task | null): Cpu {
    const enter = (regs: Registers, budget: number) => this.step(current()!, regs, budget);
    return { ...cpu, isTimed: false, enter, dispatch: () => false };
  }

  override signal(task: Task, signal: number): void {
    this.tellStuck(task, signal);
    super.signal(task, signal);
  }

  override exited(task: Task, status: number): void {
    this.tellStuck(task, status & 0x7f);
    this.stuck.delete(task);
    super.exited(task, status);
  }

  /** Always: the lines of instructions have it too. */
  protected override prefix(task: Task): string {
    return `[pid ${String(task.tid).padStart(5)}] `;
  }

  private step(task: Task, regs: Registers, budget: number): number {
    const length = shim.cpu_trace(regs.ptr, budget, task.tid, pointerOf(this.lines), BUFFER_BYTES);
    if (length > 0) this.write(Buffer.from(this.lines.buffer, 0, length).toString("latin1"));
    const exit = regs.u32[EXIT]!;
    this.stuck.delete(task);
    switch (exit) {
      case Exit.fault:
      case Exit.undefined:
      case Exit.breakpoint:
      case Exit.alignment:
      case Exit.pc_alignment: {
        const { pc } = regs;
        const text = `0x${pc.toString(16)}  ${disassembleAt(regs.u32[at.space >> 2]!, pc)}`;
        this.stuck.set(task, `${text.padEnd(TEXT_COLUMN)} not completed`);
      }
    }
    return exit;
  }

  /** Most faults only bring memory in, and the instruction is tried again. */
  private tellStuck(task: Task, signal: number): void {
    const text = this.stuck.get(task);
    if (text === undefined || !FAULTS.includes(signal)) return;
    this.stuck.delete(task);
    this.line(task, text);
  }
}
