// `carrick trace`: one line for each call, in strace's spelling, made from the table of system calls. Works as a
// layer around dispatch and as the kernel's hooks; costs nothing when it is not installed.

import { SIGILL, SIGKILL } from "../abi/signal.ts";
import type { Cpu } from "../cpu/cpu.ts";
import { disassembleAt } from "../cpu/disassemble.ts";
import { RegisterBlock as at, Exit } from "../host/shim.gen.ts";
import type { KernelHooks } from "../kernel/kernel.ts";
import { BLOCKED, NO_RESULT } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import type { ArgType, Row } from "../syscalls/row.ts";
import { argText, buffer, FILLED, resultText, signalName } from "./format.ts";
import type { Dispatch, Observer } from "./observer.ts";

/** Restart codes as strace names them. */
const RESTARTS: Readonly<Record<number, string>> = {
  [-512]: "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
  [-513]: "? ERESTARTNOINTR (To be restarted)",
  [-514]: "? ERESTARTNOHAND (To be restarted if no handler)",
  [-516]: "? ERESTART_RESTARTBLOCK (Interrupted by signal)",
};
/** Calls whose result is an address. */
const ADDRESS_RESULTS = new Set(["mmap", "mremap", "brk", "shmat"]);
const RESULT_COLUMN = 40;

interface Unfinished {
  readonly name: string;
  /** Text of the arguments that were known at entry; null for buffers that the call fills. */
  readonly args: (string | null)[];
  readonly row: Row | undefined;
  readonly x: readonly number[];
}

export class Tracer implements KernelHooks, Observer {
  readonly hooks = this;
  readonly steps: boolean = false;
  private readonly rowOf: (number: number) => Row | undefined;
  protected readonly write: (text: string) => void;
  private readonly unfinished = new Map<Task, Unfinished>();
  private readonly lastSignals = new Map<Task, number>();
  private several = false;
  private first = 0;

  /** `write` takes whole lines. */
  constructor(rowOf: (number: number) => Row | undefined, write: (text: string) => void) {
    this.rowOf = rowOf;
    this.write = write;
  }

  cpu(cpu: Cpu, _current: () => Task | null): Cpu {
    return cpu;
  }

  /** A dispatch that prints each call. */
  around(dispatch: Dispatch): Dispatch {
    return (task) => {
      const call = this.enter(task);
      if (endsTask(call.name)) this.line(task, this.aligned(task, `${call.name}(${call.args.join(", ")})`, "?"));
      const result = dispatch(task);
      if (endsTask(call.name)) return result;
      if (result === BLOCKED) {
        this.unfinished.set(task, call);
        const known = call.args.slice(0, filledFrom(call));
        const more = known.length > 0 && known.length < call.args.length ? ", " : "";
        this.line(task, `${call.name}(${known.join(", ")}${more} <unfinished ...>`);
      } else {
        this.line(task, this.finished(`${call.name}(`, task, call, result, false));
      }
      return result;
    };
  }

  resumed(task: Task, result: number): void {
    const call = this.unfinished.get(task);
    if (call === undefined) return;
    this.unfinished.delete(task);
    this.line(task, this.finished(`<... ${call.name} resumed>`, task, call, result, true));
  }

  signal(task: Task, signal: number): void {
    this.lastSignals.set(task, signal);
    this.line(task, `--- ${signalName(signal)}${signal === SIGILL ? undefinedAt(task) : ""} ---`);
  }

  exited(task: Task, status: number): void {
    const signal = status & 0x7f;
    // A fatal signal is not delivered when the kernel can end the process at once; SIGKILL never is.
    if (signal !== 0 && signal !== SIGKILL && task.tid === task.tgid && this.lastSignals.get(task) !== signal) {
      this.signal(task, signal);
    }
    this.lastSignals.delete(task);
    this.line(
      task,
      signal === 0 ? `+++ exited with ${(status >> 8) & 0xff} +++` : `+++ killed by ${signalName(signal)} +++`,
    );
  }

  private enter(task: Task): Unfinished {
    const regs = task.regs;
    const row = this.rowOf(regs.syscallNumber);
    const args: (string | null)[] = [];
    if (row === undefined) {
      for (let i = 0; i < 6; i += 1) args.push(`0x${regs.x(i).toString(16)}`);
      return { name: `syscall_${regs.syscallNumber}`, args, row, x: [] };
    }
    const x = row.args.map((_, i) => regs.x(i));
    row.args.forEach((type, i) => {
      if (type.used !== undefined && !type.used(x)) return;
      args.push(isFilled(type) ? null : argText(type, i, regs, task.mm));
    });
    return { name: row.name, args, row, x };
  }

  private finished(head: string, task: Task, call: Unfinished, result: number, resumed: boolean): string {
    const args = call.args.map((text, i) => text ?? outText(task, call.row!.args[i]!, call.x, i, result));
    const left = `${head}${(resumed ? args.slice(filledFrom(call)) : args).join(", ")})`;
    const text = result === NO_RESULT ? "0" : (RESTARTS[result] ?? resultText(result, ADDRESS_RESULTS.has(call.name)));
    return this.aligned(task, left, text);
  }

  private aligned(task: Task, left: string, result: string): string {
    return `${left.padEnd(RESULT_COLUMN - 1 - this.prefix(task).length)} = ${result}`;
  }

  protected prefix(task: Task): string {
    if (this.first === 0) this.first = task.tid;
    if (task.tid !== this.first) this.several = true;
    return this.several ? `[pid ${String(task.tid).padStart(5)}] ` : "";
  }

  protected line(task: Task, text: string): void {
    this.write(`${this.prefix(task)}${text}\n`);
  }
}

/** The instruction that the CPU did not know; "" when somebody has sent the signal. */
function undefinedAt(task: Task): string {
  const { regs } = task;
  if (regs.u32[at.exit >> 2] !== Exit.undefined) return "";
  const { pc } = regs;
  return ` at 0x${pc.toString(16)}: ${disassembleAt(regs.u32[at.space >> 2]!, pc)}`;
}

function isFilled(type: ArgType): boolean {
  return type.as === "outBuf" || (type.as === "struct" && FILLED[type.detail as string] !== undefined);
}

/** Index of the first argument that is known only when the call has ended. */
function filledFrom(call: Unfinished): number {
  const first = call.args.indexOf(null);
  return first < 0 ? call.args.length : first;
}

/** A buffer that the call has filled: as many bytes as it returned. */
function outText(task: Task, type: ArgType, x: readonly number[], index: number, result: number): string {
  const addr = x[index]!;
  if (addr === 0 || result < 0) return addr === 0 ? "NULL" : `0x${addr.toString(16)}`;
  if (type.as === "struct") return FILLED[type.detail as string]!(task.mm, addr);
  return buffer(task.mm, addr, Math.min(result, x[type.detail as number]!));
}

function endsTask(name: string): boolean {
  return name === "exit" || name === "exit_group";
}
