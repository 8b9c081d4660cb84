// Loads the shim and checks that it is the one this source was generated for. The only importer of bun:ffi
// besides the files of this room.

import { dlopen, type FFITypeOrString, ptr as ffiPtr, linkSymbols, type Pointer, toArrayBuffer } from "bun:ffi";
import { openLibrary } from "./library.ts";
import { ABI_VERSION, functions, LAYOUT_HASH, later, type Shim } from "./shim.gen.ts";

function load(): Shim {
  const symbols = openLibrary((path) => dlopen(path, functions)).symbols as unknown as Shim;
  if (symbols.shim_abi_version() !== ABI_VERSION || symbols.shim_layout_hash() >>> 0 !== LAYOUT_HASH) {
    throw new Error("the carrick shim does not match this build; run `bun run build`");
  }
  // A function that is missing is asked of the prototype, once.
  return Object.setPrototypeOf(
    symbols,
    new Proxy({}, { get: (_, name) => bindLater(symbols, name as keyof typeof later) }),
  );
}

function bindLater(symbols: Shim, name: keyof typeof later): unknown {
  if (!Object.hasOwn(later, name)) return undefined;
  const [returns, ...args] = later[name].split(" ") as [FFITypeOrString, ...FFITypeOrString[]];
  const ptr = symbols.shim_function(Object.keys(later).indexOf(name)) as Pointer;
  const bound = linkSymbols({ [name]: { ptr, returns, args } }).symbols[name];
  Object.defineProperty(symbols, name, { value: bound });
  return bound;
}

export const shim: Shim = load();

/**
 * Host pointer of a JS-owned buffer; valid while the buffer is referenced. A small typed array keeps its bytes in the
 * engine's own heap until its ArrayBuffer is asked for, by us or by the optimising compiler, and then they move: so ask first.
 */
export function pointerOf(view: NodeJS.TypedArray): number {
  return view.byteLength === 0 ? nothing : (ffiPtr(view.buffer as ArrayBuffer) as number) + view.byteOffset;
}

/** What the shim gave as an address: bun:ffi makes null of 0. */
export function orZero(ptr: number | null): number {
  return ptr ?? 0;
}

/** Where empty arrays point: somewhere valid. */
const nothing = ffiPtr(new ArrayBuffer(8)) as number;

/** Zeros of the shim's for the life of the process: unlike an array's, they cost nothing before they are used. */
export function lastingBuffer(sizeBytes: number): ArrayBuffer {
  return nativeBuffer(shim.shim_buffer(sizeBytes), sizeBytes);
}

/** The same as bytes that know text. `Buffer.from` is a script of the engine's that every start would compile. */
export function lastingBytes(sizeBytes: number): Buffer {
  return Object.setPrototypeOf(new Uint8Array(lastingBuffer(sizeBytes)), Buffer.prototype);
}

/** Views over native memory. Make them once; each call costs 100 ns. */
export function nativeBuffer(ptr: number, sizeBytes: number): ArrayBuffer {
  return toArrayBuffer(ptr as Pointer, 0, sizeBytes);
}
