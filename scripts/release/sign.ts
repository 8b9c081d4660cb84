// Signs a Mach-O file ad hoc, as `codesign --sign - --entitlements` does on a Mac: no certificate, but the digest of every page, so
// that the kernel runs it, and the entitlements. Format: xnu's osfmk/kern/cs_blobs.h; all its numbers are big-endian.

import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { entitlementsDer, entitlementsPlist } from "./entitlements.ts";
import { parseMachO, withRoomForSignature } from "./mach-o.ts";

const CSMAGIC_REQUIREMENTS = 0xfade0c01;
const CSMAGIC_CODEDIRECTORY = 0xfade0c02;
const CSMAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0;
const CSMAGIC_EMBEDDED_ENTITLEMENTS = 0xfade7171;
const CSMAGIC_EMBEDDED_DER_ENTITLEMENTS = 0xfade7172;
const CSMAGIC_BLOBWRAPPER = 0xfade0b01;
const CSSLOT_CODEDIRECTORY = 0;
const CSSLOT_REQUIREMENTS = 2;
const CSSLOT_ENTITLEMENTS = 5;
const CSSLOT_DER_ENTITLEMENTS = 7;
const CSSLOT_SIGNATURESLOT = 0x10000;
/** Special slots are numbered from -1 to -7. */
const SPECIAL_SLOTS = 7;
const CODEDIRECTORY_VERSION = 0x20400;
const CODEDIRECTORY_BYTES = 88;
const CS_ADHOC = 2;
const CS_HASHTYPE_SHA256 = 2;
const CS_EXECSEG_MAIN_BINARY = 1;
const HASH_BYTES = 32;
/** What codesign takes for arm64. */
const PAGE_SHIFT = 14;

export interface SignOptions {
  readonly identifier: string;
  readonly entitlements: readonly string[];
}

/** The file with our signature in the place of any that it has. Throws MachOError. */
export function sign(file: Buffer, options: SignOptions): Buffer {
  const macho = parseMachO(file);
  const requirements = blob(CSMAGIC_REQUIREMENTS, be32(0));
  const blobs: [slot: number, content: Buffer][] = [[CSSLOT_REQUIREMENTS, requirements]];
  if (options.entitlements.length > 0) {
    const { entitlements } = options;
    blobs.push([CSSLOT_ENTITLEMENTS, blob(CSMAGIC_EMBEDDED_ENTITLEMENTS, entitlementsPlist(entitlements))]);
    blobs.push([CSSLOT_DER_ENTITLEMENTS, blob(CSMAGIC_EMBEDDED_DER_ENTITLEMENTS, entitlementsDer(entitlements))]);
  }
  const special = specialHashes(blobs);
  blobs.push([CSSLOT_SIGNATURESLOT, blob(CSMAGIC_BLOBWRAPPER, Buffer.alloc(0))]);

  const limit = Math.ceil(macho.contentBytes / 16) * 16;
  const pages = Math.ceil(limit / (1 << PAGE_SHIFT));
  const directoryBytes = CODEDIRECTORY_BYTES + options.identifier.length + 1 + HASH_BYTES * (SPECIAL_SLOTS + pages);
  const total = blobs.reduce((sum, [, content]) => sum + 8 + content.length, 12 + 8 + directoryBytes);
  const signatureBytes = Math.ceil(total / 16) * 16;

  const content = withRoomForSignature(file, macho, signatureBytes);
  const hashes = Array.from({ length: pages }, (_, i) =>
    sha256(content.subarray(i << PAGE_SHIFT, (i + 1) << PAGE_SHIFT)),
  );
  const identifierAt = CODEDIRECTORY_BYTES;
  const hashesAt = identifierAt + options.identifier.length + 1 + HASH_BYTES * SPECIAL_SLOTS;
  const directory = blob(
    CSMAGIC_CODEDIRECTORY,
    be32(CODEDIRECTORY_VERSION, CS_ADHOC, hashesAt, identifierAt, SPECIAL_SLOTS, pages, limit),
    Buffer.from([HASH_BYTES, CS_HASHTYPE_SHA256, 0, PAGE_SHIFT]),
    // No scatter list, no team; a 64-bit limit is not needed below 4 GiB.
    be32(0, 0, 0, 0),
    be64(0, macho.text.fileOffset, macho.text.fileSize, macho.isExecutable ? CS_EXECSEG_MAIN_BINARY : 0),
    Buffer.from(`${options.identifier}\0`),
    ...special,
    ...hashes,
  );
  const signature = superBlob([[CSSLOT_CODEDIRECTORY, directory], ...blobs]);
  return Buffer.concat([content, signature, Buffer.alloc(signatureBytes - signature.length)]);
}

/** Signs a file. It becomes a new file of that name: macOS remembers the signature of the old one and would kill what changed in place. */
export function signFile(path: string, file: Buffer, options: SignOptions): void {
  const work = `${path}.signing`;
  writeFileSync(work, sign(file, options), { mode: 0o755 });
  renameSync(work, path);
}

/** Digests of the blobs with special slots, from slot -7 to slot -1; zeros where there is no blob. */
function specialHashes(blobs: readonly [number, Buffer][]): Buffer[] {
  return Array.from({ length: SPECIAL_SLOTS }, (_, i) => {
    const found = blobs.find(([slot]) => slot === SPECIAL_SLOTS - i);
    return found === undefined ? Buffer.alloc(HASH_BYTES) : sha256(found[1]);
  });
}

function superBlob(blobs: readonly [number, Buffer][]): Buffer {
  const index: number[] = [];
  let offset = 12 + 8 * blobs.length;
  for (const [slot, content] of blobs) {
    index.push(slot, offset);
    offset += content.length;
  }
  return blob(CSMAGIC_EMBEDDED_SIGNATURE, be32(blobs.length, ...index), ...blobs.map(([, content]) => content));
}

function blob(magic: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat([...parts]);
  return Buffer.concat([be32(magic, 8 + content.length), content]);
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function be32(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    out.writeUInt32BE(value, 4 * i);
  });
  return out;
}

function be64(...values: readonly number[]): Buffer {
  return be32(...values.flatMap((value) => [Math.floor(value / 2 ** 32), value >>> 0]));
}
