// How one system call is declared: number, handler, argument types, coverage. Dispatch, trace text,
// `compat-report`, docs/syscalls.md and the tests are all made from these rows.

import type { Registers } from "../cpu/registers.ts";
import type { Task } from "../kernel/task.ts";

/** How the register becomes a Number. `addr` drops the tag in the top byte; a `size` of 2^53 or more becomes 2^53. */
type Lane = "i32" | "u32" | "addr" | "size" | "off";

/** Named bits or values for the trace text. */
export type Names = Readonly<Record<string, number>>;

export interface ArgType {
  readonly lane: Lane;
  /** How the trace prints it. */
  readonly as:
    | "int"
    | "uint"
    | "fd"
    | "dirfd"
    | "hex"
    | "octal"
    | "path"
    | "flags"
    | "value"
    | "inBuf"
    | "outBuf"
    | "struct"
    | "argv"
    | "signal";
  /** Names for `flags` and `value`. */
  readonly names?: Names | (() => Names);
  /** Struct name, or the index of the argument that holds a buffer's length. */
  readonly detail?: string | number;
  /** Whether the call looks at this argument at all, given all of them; the trace leaves it out otherwise. */
  readonly used?: (args: readonly number[]) => boolean;
}

export const fd: ArgType = { lane: "i32", as: "fd" };
export const dirfd: ArgType = { lane: "i32", as: "dirfd" };
export const int: ArgType = { lane: "i32", as: "int" };
export const pid: ArgType = int;
export const u32: ArgType = { lane: "u32", as: "uint" };
export const hex: ArgType = { lane: "u32", as: "hex" };
export const mode: ArgType = { lane: "u32", as: "octal" };
export const signal: ArgType = { lane: "i32", as: "signal" };
export const addr: ArgType = { lane: "addr", as: "hex" };
export const size: ArgType = { lane: "size", as: "uint" };
export const off: ArgType = { lane: "off", as: "int" };
export const path: ArgType = { lane: "addr", as: "path" };
export const argv: ArgType = { lane: "addr", as: "argv" };

/** A bit mask printed by name. */
export function flags(names: Names | (() => Names)): ArgType {
  return { lane: "u32", as: "flags", names };
}
/** An enumeration printed by name. */
export function value(names: Names | (() => Names)): ArgType {
  return { lane: "i32", as: "value", names };
}
/** The numbers of a module whose names match, loaded and picked when a trace first asks for them. */
export function namesIn(load: () => Readonly<Record<string, unknown>>, pattern: RegExp): () => Names {
  let names: Names | undefined;
  return () => (names ??= pick(load(), pattern));
}
function pick(module: Readonly<Record<string, unknown>>, pattern: RegExp): Names {
  const picked: Record<string, number> = {};
  for (const [name, value] of Object.entries(module)) {
    if (typeof value === "number" && pattern.test(name)) picked[name] = value;
  }
  return picked;
}
/** Address of bytes that the call reads; argument `lengthIndex` holds their number. */
export function inBuf(lengthIndex: number): ArgType {
  return { lane: "addr", as: "inBuf", detail: lengthIndex };
}
/** Address of bytes that the call writes. */
export function outBuf(lengthIndex: number): ArgType {
  return { lane: "addr", as: "outBuf", detail: lengthIndex };
}
/** Address of a C struct. */
export function struct(name: string): ArgType {
  return { lane: "addr", as: "struct", detail: name };
}

/** An argument that only some uses of the call have. */
export function usedIf(type: ArgType, used: (args: readonly number[]) => boolean): ArgType {
  return { ...type, used };
}

export interface Coverage {
  readonly full: boolean;
  /** What is missing, for the documentation. */
  readonly note: string;
}

/** Everything that Linux's manual page says. */
export function full(): Coverage {
  return { full: true, note: "" };
}
/** Works, with the difference that the note names. */
export function partial(note: string): Coverage {
  return { full: false, note };
}

// biome-ignore lint/complexity/noBannedTypes: handlers differ in arity; `row` checks their types.
type AnyHandler = Function;
type Handler<A extends readonly ArgType[]> = (task: Task, ...args: { [K in keyof A]: number }) => number;

export class Row {
  readonly number: number;
  readonly args: readonly ArgType[];
  readonly coverage: Coverage;
  private readonly handler: AnyHandler;
  /** `call`, once it is bound. */
  private bound: ((task: Task, regs: Registers) => number) | null = null;

  constructor(number: number, handler: AnyHandler, args: readonly ArgType[], coverage: Coverage) {
    this.number = number;
    this.handler = handler;
    this.args = args;
    this.coverage = coverage;
  }

  /** The call's name, taken from the handler's: sys_openat -> "openat". */
  get name(): string {
    return this.handler.name.replace(/^sys_/, "");
  }

  /** Decodes the registers and calls the handler. A program uses few of the calls: each is bound when it is first made. */
  call(task: Task, regs: Registers): number {
    this.bound ??= bind(this.handler, this.args);
    return this.bound(task, regs);
  }
}

export function row<const A extends readonly ArgType[]>(
  number: number,
  handler: Handler<A>,
  args: A,
  coverage: Coverage,
): Row {
  return new Row(number, handler, args, coverage);
}

type Decoder = (regs: Registers) => number;

const HIGH = 4294967296;
const IMPOSSIBLE = 2 ** 53;

/** One closure for each (lane, register), shared by all rows. */
const decoders = new Map<string, Decoder>();

function decoder(type: ArgType | undefined, register: number): Decoder {
  const key = `${type?.lane}${register}`;
  let decode = decoders.get(key);
  if (decode === undefined) {
    decode = makeDecoder(type!.lane, register * 2, register * 2 + 1);
    decoders.set(key, decode);
  }
  return decode;
}

function makeDecoder(lane: Lane, low: number, high: number): Decoder {
  switch (lane) {
    case "i32":
      return (r) => r.i32[low]!;
    case "u32":
      return (r) => r.u32[low]!;
    case "addr":
      return (r) => {
        const upper = r.u32[high]! & 0xffffff;
        // What no Number holds exactly stays impossible and keeps its low half, for arguments that are int in truth.
        return r.u32[low]! + (upper < 0x200000 ? upper : 0x100000) * HIGH;
      };
    case "size":
      return (r) => (r.u32[high]! < 0x200000 ? r.u32[low]! + r.u32[high]! * HIGH : IMPOSSIBLE);
    case "off":
      return (r) => r.u32[low]! + r.i32[high]! * HIGH;
  }
}

function bind(h: AnyHandler, args: readonly ArgType[]): (task: Task, regs: Registers) => number {
  const d: Decoder[] = [];
  for (let i = 0; i < args.length; i += 1) d.push(decoder(args[i], i));
  const [a, b, c, e, f, g] = d as [Decoder, Decoder, Decoder, Decoder, Decoder, Decoder];
  switch (args.length) {
    case 0:
      return (t) => h(t);
    case 1:
      return (t, r) => h(t, a(r));
    case 2:
      return (t, r) => h(t, a(r), b(r));
    case 3:
      return (t, r) => h(t, a(r), b(r), c(r));
    case 4:
      return (t, r) => h(t, a(r), b(r), c(r), e(r));
    case 5:
      return (t, r) => h(t, a(r), b(r), c(r), e(r), f(r));
    default:
      return (t, r) => h(t, a(r), b(r), c(r), e(r), f(r), g(r));
  }
}
