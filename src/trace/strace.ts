// `carrick trace`: one line for each call, in strace's spelling, made from the table of system calls. Works as a
// layer around dispatch and as the kernel's hooks; costs nothing when it is not installed.

import type { KernelHooks } from "../kernel/kernel.ts";
import { BLOCKED, NO_RESULT } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import type { ArgType, Row } from "../syscalls/row.ts";
import { argText, buffer, resultText, signalName } from "./format.ts";
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
  private readonly table: readonly (Row | undefined)[];
  private readonly write: (text: string) => void;
  private readonly unfinished = new Map<Task, Unfinished>();
  private several = false;
  private first = 0;

  /** `write` takes whole lines. */
  constructor(table: readonly (Row | undefined)[], write: (text: string) => void) {
    this.table = table;
    this.write = write;
  }

  /** A dispatch that prints each call. */
  around(dispatch: Dispatch): Dispatch {
    return (task) => {
      const call = this.enter(task);
      if (endsTask(call.name)) this.line(task, `${call.name}(${call.args.join(", ")}) = ?`);
      const result = dispatch(task);
      if (endsTask(call.name)) return result;
      if (result === BLOCKED) {
        this.unfinished.set(task, call);
        const known = call.args.filter((text) => text !== null).join(", ");
        this.line(task, `${call.name}(${known} <unfinished ...>`);
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
    this.line(task, `--- ${signalName(signal)} ---`);
  }

  exited(task: Task, status: number): void {
    const signal = status & 0x7f;
    this.line(
      task,
      signal === 0 ? `+++ exited with ${(status >> 8) & 0xff} +++` : `+++ killed by ${signalName(signal)} +++`,
    );
  }

  private enter(task: Task): Unfinished {
    const regs = task.regs;
    const row = this.table[regs.syscallNumber];
    const args: (string | null)[] = [];
    if (row === undefined) {
      for (let i = 0; i < 6; i += 1) args.push(`0x${regs.x(i).toString(16)}`);
      return { name: `syscall_${regs.syscallNumber}`, args, row, x: [] };
    }
    row.args.forEach((type, i) => {
      args.push(type.as === "outBuf" ? null : argText(type, i, regs, task.mm));
    });
    return { name: row.name, args, row, x: row.args.map((_, i) => regs.x(i)) };
  }

  private finished(head: string, task: Task, call: Unfinished, result: number, resumed: boolean): string {
    const args = call.args.map((text, i) => text ?? outText(task, call.row!.args[i]!, call.x, i, result));
    const shown = resumed ? args.filter((_, i) => call.args[i] === null) : args;
    const left =
      resumed && shown.length > 0 ? `${head} ${shown.join(", ")})` : `${head}${resumed ? "" : shown.join(", ")})`;
    const text = result === NO_RESULT ? "0" : (RESTARTS[result] ?? resultText(result, ADDRESS_RESULTS.has(call.name)));
    return `${left.padEnd(RESULT_COLUMN - 1)} = ${text}`;
  }

  private line(task: Task, text: string): void {
    if (this.first === 0) this.first = task.tid;
    if (task.tid !== this.first) this.several = true;
    this.write(`${this.several ? `[pid ${String(task.tid).padStart(5)}] ` : ""}${text}\n`);
  }
}

/** A buffer that the call has filled: as many bytes as it returned. */
function outText(task: Task, type: ArgType, x: readonly number[], index: number, result: number): string {
  const addr = x[index]!;
  if (result < 0) return addr === 0 ? "NULL" : `0x${addr.toString(16)}`;
  return buffer(task.mm, addr, Math.min(result, x[type.detail as number]!));
}

function endsTask(name: string): boolean {
  return name === "exit" || name === "exit_group";
}
