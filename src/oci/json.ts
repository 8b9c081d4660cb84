// JSON from outside: parsed with a cap on its size, and read through decoders that name the field which is not what it
// must be. Nothing of a document is used that was not asked for by type.

import { OciError, reason } from "./oci-error.ts";

/** Registries and archives may not make us parse more than this. */
export const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** A JSON object whose fields are read by type; `what` names the document in errors. */
export class JsonObject {
  readonly what: string;
  private readonly fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new OciError(`${what} is not a JSON object`);
    this.what = what;
    this.fields = value as Record<string, unknown>;
  }

  /** Whether the field is there; a null counts as absent, as in Go. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  keys(): string[] {
    return Object.keys(this.fields);
  }

  string(name: string): string {
    const value = this.get(name);
    if (typeof value !== "string") throw this.wrong(name, "a string");
    return value;
  }

  optionalString(name: string): string | undefined {
    return this.has(name) ? this.string(name) : undefined;
  }

  /** A count or size: a whole number from 0 to 2^53 - 1. */
  size(name: string): number {
    const value = this.get(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw this.wrong(name, "a size");
    return value;
  }

  object(name: string): JsonObject {
    return new JsonObject(this.get(name), `${name} of ${this.what}`);
  }

  optionalObject(name: string): JsonObject | undefined {
    return this.has(name) ? this.object(name) : undefined;
  }

  /** The elements, each an object; at most `max`. */
  objects(name: string, max: number): JsonObject[] {
    return this.array(name, max).map((value) => new JsonObject(value, `an entry of ${name} of ${this.what}`));
  }

  strings(name: string, max: number): string[] {
    const values = this.array(name, max);
    if (!values.every((value) => typeof value === "string")) throw this.wrong(name, "a list of strings");
    return values;
  }

  optionalStrings(name: string, max: number): string[] | undefined {
    return this.has(name) ? this.strings(name, max) : undefined;
  }

  /** A JSON object whose values are all strings. */
  stringMap(name: string): Map<string, string> {
    const inner = this.optionalObject(name);
    return new Map(inner?.keys().map((key) => [key, inner.string(key)]));
  }

  private array(name: string, max: number): unknown[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw this.wrong(name, "a list");
    if (value.length > max) throw new OciError(`${this.what} has ${value.length} ${name}; at most ${max} make sense`);
    return value;
  }

  private get(name: string): unknown {
    const value = Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
    return value === null ? undefined : value;
  }

  private wrong(name: string, kind: string): OciError {
    return new OciError(`${this.what} is broken: ${name} is ${this.has(name) ? `not ${kind}` : "missing"}`);
  }
}

/** Parses a document that must be one JSON object (with `list`, an array of them, wrapped as `{ list: [...] }`). */
export function parseJson(bytes: Uint8Array, what: string, list = false): JsonObject {
  if (bytes.length > MAX_JSON_BYTES)
    throw new OciError(`${what} has ${bytes.length} bytes; more than ${MAX_JSON_BYTES} are not accepted`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new OciError(`${what} is not valid JSON (${reason(error)})`);
  }
  return new JsonObject(list ? { list: value } : value, what);
}
