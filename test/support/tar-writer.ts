// Tars for tests, field by field: what real writers make, and what nobody should.

export interface Member {
  readonly name: string;
  readonly body?: string | Uint8Array;
  /** The type's letter; "0" by default. */
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Instead of the body's length. */
  readonly size?: number;
  readonly prefix?: string;
  /** "ustar" by default. */
  readonly magic?: "ustar" | "gnu" | "v7";
  /** Records of an extended header in front. */
  readonly pax?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Changes the finished header before its checksum. */
  readonly edit?: (header: Buffer) => void;
}

const BLOCK = 512;
export const END = Buffer.alloc(2 * BLOCK);

function octal(header: Buffer, at: number, length: number, value: number): void {
  header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

/** The records of an extended header. Keys and values are byte strings. */
export function paxRecords(records: Iterable<readonly [string, string]>): Buffer {
  let text = "";
  for (const [key, value] of records) {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    text += `${length}${rest}`;
  }
  return Buffer.from(text, "latin1");
}

/** Header, body and padding of one member. */
export function member(m: Member): Buffer {
  const { type = "0", magic = "ustar" } = m;
  const body = typeof m.body === "string" ? Buffer.from(m.body, "latin1") : Buffer.from(m.body ?? []);
  const header = Buffer.alloc(BLOCK);
  header.write(m.name, 0, 100, "latin1");
  octal(header, 100, 8, m.mode ?? (type === "5" ? 0o755 : 0o644));
  octal(header, 108, 8, m.uid ?? 0);
  octal(header, 116, 8, m.gid ?? 0);
  octal(header, 124, 12, m.size ?? body.length);
  octal(header, 136, 12, m.mtime ?? 1_000_000_000);
  header.write("        ", 148);
  header.write(type, 156, "latin1");
  header.write(m.link ?? "", 157, 100, "latin1");
  if (magic === "ustar") header.write("ustar\x0000", 257, "latin1");
  if (magic === "gnu") header.write("ustar  \0", 257, "latin1");
  if (m.major !== undefined) octal(header, 329, 8, m.major);
  if (m.minor !== undefined) octal(header, 337, 8, m.minor);
  header.write(m.prefix ?? "", 345, 155, "latin1");
  m.edit?.(header);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const own = Buffer.concat([header, padded(body)]);
  if (m.pax === undefined) return own;
  const pairs = Array.isArray(m.pax) ? (m.pax as [string, string][]) : Object.entries(m.pax);
  return Buffer.concat([member({ name: "pax", type: "x", body: paxRecords(pairs) }), own]);
}

/** A whole archive. */
export function tarOf(members: readonly Member[]): Buffer {
  return Buffer.concat([...members.map(member), END]);
}
