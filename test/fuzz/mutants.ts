// Damaged ELF files: every field of the header and of the program headers replaced by telling values, files cut short,
// and random mixtures of both.

import { random } from "./fuzzers.ts";

interface Field {
  readonly at: number;
  readonly bytes: number;
}

const EHDR: readonly Field[] = [
  ...[0, 4, 5, 6, 7, 8].map((at) => ({ at, bytes: 1 })),
  ...[16, 18, 52, 54, 56, 58, 60, 62].map((at) => ({ at, bytes: 2 })),
  ...[20, 48].map((at) => ({ at, bytes: 4 })),
  ...[24, 32, 40].map((at) => ({ at, bytes: 8 })),
];
const PHDR: readonly Field[] = [
  ...[0, 4].map((at) => ({ at, bytes: 4 })),
  ...[8, 16, 24, 32, 40, 48].map((at) => ({ at, bytes: 8 })),
];
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const PT_INTERP = 3n;

function valuesFor(base: Buffer, { at, bytes }: Field): bigint[] {
  const all = (1n << BigInt(8 * bytes)) - 1n;
  const now = read(base, at, bytes);
  const page = 4096n;
  const sizes = [BigInt(base.length), 1n << 31n, 1n << 39n, 1n << 47n, 1n << 48n, (1n << 48n) - page, all - page + 1n];
  const near = [now + 1n, now - 1n, now + page, now ^ (1n << 63n), now * 2n];
  const values = [0n, 1n, 2n, 3n, 7n, 0xffffn, all, all >> 1n, (all >> 1n) + 1n, page - 1n, page, ...sizes, ...near];
  return [...new Set(values.map((value) => value & all))].filter((value) => value !== now);
}

function read(file: Buffer, at: number, bytes: number): bigint {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(file[at + i]!);
  return value;
}

function write(file: Buffer, at: number, bytes: number, value: bigint): void {
  for (let i = 0; i < bytes; i += 1) file[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

function changed(base: Buffer, changes: readonly (Field & { value: bigint })[]): Buffer {
  const copy = Buffer.from(base);
  for (const { at, bytes, value } of changes) write(copy, at, bytes, value);
  return copy;
}

/** All fields of the file: those of the header, then those of each program header. */
function fieldsOf(base: Buffer): Field[] {
  const table = Number(read(base, 32, 8));
  const count = Number(read(base, 56, 2));
  const fields = [...EHDR];
  for (let i = 0; i < count; i += 1) {
    for (const { at, bytes } of PHDR) fields.push({ at: table + i * PHDR_BYTES + at, bytes });
  }
  return fields;
}

/** The file without what follows its segments: symbols and debugging tables. */
export function loadable(file: Buffer): Buffer {
  const table = Number(read(file, 32, 8));
  const count = Number(read(file, 56, 2));
  let end = EHDR_BYTES + count * PHDR_BYTES;
  for (let at = table; at < table + count * PHDR_BYTES; at += PHDR_BYTES) {
    end = Math.max(end, Number(read(file, at + 8, 8) + read(file, at + 32, 8)));
  }
  const copy = Buffer.from(file.subarray(0, end));
  write(copy, 40, 8, 0n);
  write(copy, 60, 2, 0n);
  write(copy, 62, 2, 0n);
  return copy;
}

export interface Mutant {
  readonly what: string;
  readonly file: Buffer;
}

export function mutants(base: Buffer, seed: number, mixtures: number): Mutant[] {
  const fields = fieldsOf(base);
  const list: Mutant[] = [];
  for (const field of fields) {
    for (const value of valuesFor(base, field)) {
      list.push({
        what: `${field.bytes} bytes at ${field.at} = 0x${value.toString(16)}`,
        file: changed(base, [{ ...field, value }]),
      });
    }
  }
  const end = EHDR_BYTES + PHDR_BYTES * Number(read(base, 56, 2));
  const lengths = [...Array(20).keys()]
    .map((i) => i * 4)
    .concat([63, 64, 65, end - 1, end, end + 1, 4096, base.length - 1]);
  for (const length of lengths) list.push({ what: `cut at ${length}`, file: Buffer.from(base.subarray(0, length)) });
  for (const text of ["/", "./0", "/nowhere/ld.so\0", "x".repeat(5000), "", "\0"]) list.push(interpreter(base, text));
  const below = random(seed);
  for (let i = 0; i < mixtures; i += 1) {
    const changes = [...Array(2 + below(4)).keys()].map(() => {
      const field = fields[below(fields.length)]!;
      const values = valuesFor(base, field);
      return { ...field, value: values[below(values.length)]! };
    });
    let file = changed(base, changes);
    if (below(4) === 0) file = Buffer.from(file.subarray(0, below(file.length)));
    list.push({ what: changes.map(({ at, value }) => `${at}=0x${value.toString(16)}`).join(" "), file });
  }
  return list;
}

/** The last program header becomes PT_INTERP and names what is put behind the file. */
function interpreter(base: Buffer, text: string): Mutant {
  const at = Number(read(base, 32, 8)) + PHDR_BYTES * (Number(read(base, 56, 2)) - 1);
  const file = Buffer.concat([base, Buffer.from(text, "latin1")]);
  write(file, at, 4, PT_INTERP);
  write(file, at + 8, 8, BigInt(base.length));
  write(file, at + 32, 8, BigInt(text.length));
  return { what: `interpreter ${JSON.stringify(text.slice(0, 20))}`, file };
}
