// What a Mach-O file's signature says, and whether the file is what was signed: every page against its digest, as the macOS kernel checks
// them. Written from the format's description (xnu: cs_blobs.h, loader.h), apart from what signs releases, so that one can check the other.

export interface CodeSignature {
  readonly identifier: string;
  /** Signed by nobody: just digests. */
  readonly adHoc: boolean;
  readonly hardenedRuntime: boolean;
  readonly pageBytes: number;
  readonly pages: number;
  /** Names of what is switched on, in the spelling that the kernel reads, and in the older one. */
  readonly entitlements: readonly string[];
  readonly plistEntitlements: readonly string[];
  /** What is wrong, in sentences; none when the kernel would run the file. */
  readonly problems: readonly string[];
}

const SEGMENT = 0x19;
const SIGNATURE = 0x1d;
const SUPERBLOB = 0xfade0cc0;
const DIRECTORY = 0xfade0c02;
const PLIST = 0xfade7171;
const DER = 0xfade7172;
const FLAG_ADHOC = 0x2;
const FLAG_RUNTIME = 0x10000;
const SHA256 = 2;
const MOST_PARTS = 64;

/** A RangeError or TypeError of a DataView is how a cut or damaged file shows. */
export function readCodeSignature(file: Uint8Array): CodeSignature | string {
  try {
    return new Reader(file).read();
  } catch (error) {
    if (error instanceof RangeError) return "the signature is damaged: it points out of the file";
    throw error;
  }
}

class Reader {
  private readonly file: Uint8Array;
  private readonly view: DataView;
  private readonly problems: string[] = [];

  constructor(file: Uint8Array) {
    this.file = file;
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  read(): CodeSignature | string {
    if (this.file.length < 32 || this.view.getUint32(0, true) !== 0xfeedfacf) return "not a 64-bit Mach-O file";
    const place = this.find();
    if (place === null) return "there is no signature";
    const { start, size } = place;
    if (start + size !== this.file.length) this.problems.push("the signature is not the end of the file");
    if (this.view.getUint32(start) !== SUPERBLOB) return "the signature is damaged: it does not begin as one";
    if (this.view.getUint32(start + 4) > size) this.problems.push("the signature is longer than its place");
    const blobs = this.blobs(start);
    const directory = blobs.get(0);
    if (directory === undefined || this.view.getUint32(directory.at) !== DIRECTORY)
      return "the signature has no digests";
    return this.check(directory.at, blobs, start);
  }

  /** Where the load commands say that the signature is. */
  private find(): { start: number; size: number } | null {
    let place: { start: number; size: number } | null = null;
    let at = 32;
    let linkEditEnd = 0;
    for (let n = this.view.getUint32(16, true); n > 0; n -= 1) {
      const command = this.view.getUint32(at, true);
      if (command === SIGNATURE) {
        place = { start: this.view.getUint32(at + 8, true), size: this.view.getUint32(at + 12, true) };
      } else if (command === SEGMENT && this.text(at + 8, 10) === "__LINKEDIT") {
        linkEditEnd = Number(this.view.getBigUint64(at + 40, true) + this.view.getBigUint64(at + 48, true));
        if (this.view.getBigUint64(at + 32, true) < this.view.getBigUint64(at + 48, true)) {
          this.problems.push("__LINKEDIT is larger in the file than in memory");
        }
      }
      const size = this.view.getUint32(at + 4, true);
      if (size < 8) throw new RangeError();
      at += size;
    }
    if (linkEditEnd !== this.file.length) this.problems.push("__LINKEDIT does not end where the file ends");
    return place;
  }

  /** The blobs by slot. */
  private blobs(start: number): Map<number, { at: number; bytes: Uint8Array }> {
    const found = new Map<number, { at: number; bytes: Uint8Array }>();
    for (let i = 0; i < this.view.getUint32(start + 8); i += 1) {
      const at = start + this.view.getUint32(start + 16 + 8 * i);
      const length = this.view.getUint32(at + 4);
      if (at + length > this.file.length) throw new RangeError();
      found.set(this.view.getUint32(start + 12 + 8 * i), { at, bytes: this.file.subarray(at, at + length) });
    }
    return found;
  }

  private check(at: number, blobs: Map<number, { at: number; bytes: Uint8Array }>, start: number): CodeSignature {
    const word = (i: number): number => this.view.getUint32(at + 4 * i);
    const [flags, hashes, identifier, specials, pages, limit] = [word(3), word(4), word(5), word(6), word(7), word(8)];
    const [hashBytes, hashType, , shift] = this.file.subarray(at + 36, at + 40);
    const pageBytes = 2 ** shift!;
    if (specials > MOST_PARTS) throw new RangeError();
    if (word(2) < 0x20400) this.problems.push("the digests' format is older than arm64 needs");
    if (hashType !== SHA256 || hashBytes !== 32) this.problems.push("the digests are not SHA-256");
    else {
      if (limit !== start) this.problems.push("not all that lies before the signature is signed");
      if (pages !== Math.ceil(limit / pageBytes)) this.problems.push("there is not one digest for each page");
      this.checkPages(at + hashes, pages, pageBytes, limit);
      this.checkSpecials(at + hashes, specials, blobs);
    }
    const der = blobs.get(7);
    const plist = blobs.get(5);
    if (der !== undefined && this.view.getUint32(der.at) !== DER)
      this.problems.push("the DER entitlements have a wrong mark");
    if (plist !== undefined && this.view.getUint32(plist.at) !== PLIST)
      this.problems.push("the entitlements have a wrong mark");
    return {
      identifier: this.text(at + identifier, 256),
      adHoc: (flags & FLAG_ADHOC) !== 0,
      hardenedRuntime: (flags & FLAG_RUNTIME) !== 0,
      pageBytes,
      pages,
      entitlements: der === undefined ? [] : derNames(der.bytes.subarray(8)),
      plistEntitlements: plist === undefined ? [] : plistNames(plist.bytes.subarray(8)),
      problems: this.problems,
    };
  }

  private checkPages(hashes: number, pages: number, pageBytes: number, limit: number): void {
    let wrong = 0;
    for (let i = 0; i < pages; i += 1) {
      const page = this.file.subarray(i * pageBytes, Math.min((i + 1) * pageBytes, limit));
      if (!this.isHash(hashes + 32 * i, page)) wrong += 1;
    }
    if (wrong > 0) this.problems.push(`${wrong} of ${pages} pages are not what was signed`);
  }

  /** The digests of the other blobs lie before those of the pages, slot 1 last. */
  private checkSpecials(hashes: number, specials: number, blobs: Map<number, { bytes: Uint8Array }>): void {
    for (const [slot, { bytes }] of blobs) {
      if (slot === 0 || slot >= 0x1000) continue;
      if (slot > specials || !this.isHash(hashes - 32 * slot, bytes))
        this.problems.push(`part ${slot} is not what was signed`);
    }
    for (let slot = 1; slot <= specials; slot += 1) {
      const hash = this.file.subarray(hashes - 32 * slot, hashes - 32 * slot + 32);
      // 1 and 3 are files beside a program, which a plain executable has not.
      if (!blobs.has(slot) && hash.some((byte) => byte !== 0)) this.problems.push(`part ${slot} is missing`);
    }
  }

  private isHash(at: number, bytes: Uint8Array): boolean {
    const hash = new Bun.CryptoHasher("sha256").update(bytes).digest();
    if (at + 32 > this.file.length) throw new RangeError();
    return hash.equals(this.file.subarray(at, at + 32));
  }

  private text(at: number, most: number): string {
    const end = this.file.subarray(at, at + most).indexOf(0);
    return Buffer.from(this.file.subarray(at, at + (end < 0 ? most : end))).toString("latin1");
  }
}

/** Keys of a property list that are followed by <true/>. */
function plistNames(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString("utf8");
  return Array.from(text.matchAll(/<key>([^<]*)<\/key>\s*<true\/>/g), (match) => match[1]!);
}

/** [tag, content, what follows] of one DER element. */
function element(bytes: Uint8Array): [number, Uint8Array, Uint8Array] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let length = view.getUint8(1);
  let at = 2;
  if (length >= 0x80) {
    const octets = length & 0x7f;
    length = 0;
    for (let i = 0; i < octets; i += 1) length = length * 256 + view.getUint8(at + i);
    at += octets;
  }
  if (at + length > bytes.length) throw new RangeError();
  return [view.getUint8(0), bytes.subarray(at, at + length), bytes.subarray(at + length)];
}

/** Keys whose value is true; [] for what is not in the form that the kernel wants. */
function derNames(bytes: Uint8Array): string[] {
  const [outer, content] = element(bytes);
  const [versionTag, version, rest] = element(content);
  if (outer !== 0x70 || versionTag !== 0x02 || version[0] !== 1) return [];
  const [dictionary, entries] = element(rest);
  if (dictionary !== 0xb0) return [];
  const names: string[] = [];
  for (let left = entries; left.length > 0; ) {
    const [pair, both, next] = element(left);
    const [nameTag, name, value] = element(both);
    const [valueTag, truth] = element(value);
    if (pair === 0x30 && nameTag === 0x0c && valueTag === 0x01 && truth[0] === 0xff)
      names.push(Buffer.from(name).toString("utf8"));
    left = next;
  }
  return names;
}
