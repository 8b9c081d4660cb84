// To be loaded in front of carrick: writes to stderr which functions it uses that the engine has as scripts, each when it is
// first called. The engine compiles such a script on its first use, which costs as much as fifty functions of carrick's own.

import { writeSync } from "node:fs";

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype);
const used = new Set<string>();

function watch(owner: object, name: string, names: readonly (string | symbol)[]): void {
  for (const key of names) {
    const original = Reflect.get(owner, key);
    const watched = function (this: unknown, ...args: unknown[]): unknown {
      const what = `${name}.${String(key)}`;
      if (!used.has(what)) {
        used.add(what);
        writeSync(2, `${what}\n`);
      }
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(owner, key, { value: watched, configurable: true, writable: true });
  }
}

const EACH = ["every", "filter", "find", "findIndex", "findLast", "findLastIndex", "forEach", "map", "reduce", "some"];
watch(Array.prototype, "Array.prototype", [...EACH, "at", "flatMap", "reduceRight"]);
watch(Array, "Array", ["from"]);
watch(TYPED_ARRAY, "TypedArray.prototype", [...EACH, "at", Symbol.iterator]);
watch(Buffer, "Buffer", ["from"]);
watch(Map.prototype, "Map.prototype", ["forEach"]);
watch(Object, "Object", ["fromEntries"]);
