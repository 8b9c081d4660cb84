// Instructions as text in the assembler's syntax (shim/cpu/disasm), for traces and reports.

import { pointerOf, shim } from "../host/shim.ts";

const text = new Uint8Array(96);

function taken(length: number): string {
  return Buffer.from(text.buffer, 0, length).toString("latin1");
}

/** The instruction `word` at `pc`; ".inst 0x..." when it is none. */
export function disassemble(word: number, pc: number): string {
  return taken(shim.cpu_disassemble(word, pc, pointerOf(text)));
}

/** The instruction at `pc` of an address space; "" when there is nothing that could be executed. */
export function disassembleAt(space: number, pc: number): string {
  return taken(shim.cpu_disassemble_at(space, pc, pointerOf(text)));
}
