// Classic BPF as seccomp(2) takes it: programs are checked as the kernel checks them, and interpreted (net/core/filter.c
// bpf_check_classic; kernel/seccomp.c seccomp_check_filter).

import * as B from "../abi/seccomp.ts";

const { BPF_X: X } = B;
const K = 0;

export class BpfProgram {
  readonly length: number;
  private readonly code: Uint8Array;
  private readonly jt: Uint8Array;
  private readonly jf: Uint8Array;
  private readonly k: Uint32Array;

  private constructor(length: number) {
    this.length = length;
    this.code = new Uint8Array(length);
    this.jt = new Uint8Array(length);
    this.jf = new Uint8Array(length);
    this.k = new Uint32Array(length);
  }

  /** Decodes struct sock_filter[]; null when the kernel would refuse it. */
  static parse(bytes: Uint8Array): BpfProgram | null {
    const length = bytes.length / B.SOCK_FILTER_BYTES;
    const program = new BpfProgram(length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let pc = 0; pc < length; pc += 1) {
      const at = pc * B.SOCK_FILTER_BYTES;
      const code = view.getUint16(at, true);
      if (code > 0xff) return null;
      program.code[pc] = code;
      program.jt[pc] = view.getUint8(at + 2);
      program.jf[pc] = view.getUint8(at + 3);
      program.k[pc] = view.getUint32(at + 4, true);
    }
    return program.isValid() ? program : null;
  }

  private isValid(): boolean {
    for (let pc = 0; pc < this.length; pc += 1) if (!this.isAllowed(pc)) return false;
    const last = this.code[this.length - 1]!;
    return (last & 7) === B.BPF_RET && this.readsWhatItWrote();
  }

  private isAllowed(pc: number): boolean {
    const code = this.code[pc]!;
    const k = this.k[pc]!;
    switch (code & 7) {
      case B.BPF_LD:
      case B.BPF_LDX:
        return isLoad(code, k);
      case B.BPF_ST:
      case B.BPF_STX:
        return code <= B.BPF_STX && k < B.BPF_MEMWORDS;
      case B.BPF_ALU:
        return isArithmetic(code, k);
      case B.BPF_JMP:
        return this.isJump(pc, code, k);
      case B.BPF_RET:
        return code === (B.BPF_RET | K) || code === (B.BPF_RET | B.BPF_A);
      default:
        return code === (B.BPF_MISC | B.BPF_TAX) || code === (B.BPF_MISC | B.BPF_TXA);
    }
  }

  private isJump(pc: number, code: number, k: number): boolean {
    const left = this.length - pc - 1;
    if (code === (B.BPF_JMP | B.BPF_JA)) return k < left;
    const operation = code & 0xf0;
    if (operation < B.BPF_JEQ || operation > B.BPF_JSET) return false;
    return this.jt[pc]! < left && this.jf[pc]! < left;
  }

  /** check_load_and_stores: words of the scratch memory are written before they are read, on every way. */
  private readsWhatItWrote(): boolean {
    const reaching = new Uint16Array(this.length).fill(0xffff);
    let valid = 0;
    for (let pc = 0; pc < this.length; pc += 1) {
      valid &= reaching[pc]!;
      const code = this.code[pc]!;
      const k = this.k[pc]!;
      const kind = code & 7;
      if (kind === B.BPF_ST || kind === B.BPF_STX) {
        valid |= 1 << k;
      } else if (code === (B.BPF_LD | B.BPF_MEM) || code === (B.BPF_LDX | B.BPF_MEM)) {
        if ((valid & (1 << k)) === 0) return false;
      } else if (kind === B.BPF_JMP) {
        const isAlways = code === (B.BPF_JMP | B.BPF_JA);
        const first = pc + 1 + (isAlways ? k : this.jt[pc]!);
        const second = pc + 1 + (isAlways ? k : this.jf[pc]!);
        reaching[first]! &= valid;
        reaching[second]! &= valid;
        valid = 0xffff;
      }
    }
    return true;
  }

  /** What it returns for a call described by these words (struct seccomp_data). */
  run(data: Uint32Array): number {
    const { code, jt, jf, k } = this;
    const memory = new Uint32Array(B.BPF_MEMWORDS);
    let a = 0;
    let x = 0;
    for (let pc = 0; ; pc += 1) {
      const operation = code[pc]!;
      const value = k[pc]!;
      switch (operation & 7) {
        case B.BPF_LD:
          a = load(operation, value, data, memory);
          break;
        case B.BPF_LDX:
          x = load(operation, value, data, memory);
          break;
        case B.BPF_ST:
          memory[value] = a;
          break;
        case B.BPF_STX:
          memory[value] = x;
          break;
        case B.BPF_ALU: {
          const operand = (operation & X) !== 0 ? x : value;
          // Division by zero ends the program.
          if (operand === 0 && (operation & 0xf0) === B.BPF_DIV) return 0;
          a = calculate(operation & 0xf0, a, operand);
          break;
        }
        case B.BPF_JMP:
          if (operation === (B.BPF_JMP | B.BPF_JA)) pc += value;
          else pc += holds(operation & 0xf0, a, (operation & X) !== 0 ? x : value) ? jt[pc]! : jf[pc]!;
          break;
        case B.BPF_RET:
          return operation === (B.BPF_RET | B.BPF_A) ? a : value;
        default:
          if (operation === (B.BPF_MISC | B.BPF_TAX)) x = a;
          else a = x;
      }
    }
  }
}

function isLoad(code: number, k: number): boolean {
  switch (code) {
    case B.BPF_LD | B.BPF_ABS:
      return k < B.SeccompData.sizeBytes && k % 4 === 0;
    case B.BPF_LD | B.BPF_MEM:
    case B.BPF_LDX | B.BPF_MEM:
      return k < B.BPF_MEMWORDS;
    case B.BPF_LD | B.BPF_IMM:
    case B.BPF_LDX | B.BPF_IMM:
    case B.BPF_LD | B.BPF_LEN:
    case B.BPF_LDX | B.BPF_LEN:
      return true;
    default:
      return false;
  }
}

function isArithmetic(code: number, k: number): boolean {
  const operation = code & 0xf0;
  const byX = (code & X) !== 0;
  switch (operation) {
    case B.BPF_NEG:
      return !byX;
    case B.BPF_DIV:
      return byX || k !== 0;
    case B.BPF_LSH:
    case B.BPF_RSH:
      return byX || k < 32;
    default:
      return operation < B.BPF_NEG || operation === B.BPF_XOR;
  }
}

function load(code: number, k: number, data: Uint32Array, memory: Uint32Array): number {
  switch (code & 0xe0) {
    case B.BPF_ABS:
      return data[k >> 2]!;
    case B.BPF_MEM:
      return memory[k]!;
    case B.BPF_LEN:
      return B.SeccompData.sizeBytes;
    default:
      return k;
  }
}

function calculate(operation: number, a: number, b: number): number {
  switch (operation) {
    case B.BPF_ADD:
      return (a + b) >>> 0;
    case B.BPF_SUB:
      return (a - b) >>> 0;
    case B.BPF_MUL:
      return Math.imul(a, b) >>> 0;
    case B.BPF_DIV:
      return Math.floor(a / b);
    case B.BPF_OR:
      return (a | b) >>> 0;
    case B.BPF_AND:
      return (a & b) >>> 0;
    case B.BPF_XOR:
      return (a ^ b) >>> 0;
    case B.BPF_LSH:
      return (a << (b & 31)) >>> 0;
    case B.BPF_RSH:
      return a >>> (b & 31);
    default:
      return -a >>> 0;
  }
}

function holds(operation: number, a: number, b: number): boolean {
  switch (operation) {
    case B.BPF_JEQ:
      return a === b;
    case B.BPF_JGT:
      return a > b;
    case B.BPF_JGE:
      return a >= b;
    default:
      return (a & b) !== 0;
  }
}
