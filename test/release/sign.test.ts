// Our signature on Mach-O files, as seen by a reader that was written apart from the signer (and agrees with Apple's own signature on
// Bun), by LLVM's and OpenSSL's tools; and what the signer says to files that it cannot sign.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENTITLEMENTS, entitlementsDer, entitlementsPlist } from "../../scripts/release/entitlements.ts";
import { MachOError } from "../../scripts/release/mach-o.ts";
import { runtime } from "../../scripts/release/runtime.ts";
import { sign } from "../../scripts/release/sign.ts";
import { has, zig } from "../../scripts/toolchain.ts";
import { type CodeSignature, readCodeSignature } from "../../src/host/code-signature.ts";
import { run } from "../support/guest.ts";

setDefaultTimeout(120_000);

const work = mkdtempSync(join(tmpdir(), "carrick-sign-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const OPTIONS = { identifier: "carrick", entitlements: ENTITLEMENTS };

/** A Mach-O file that LLVM's linker has made and signed. */
function linked(name: string, ...flags: readonly string[]): Buffer {
  const source = join(work, `${name}.c`);
  const out = join(work, name);
  const table = 'const char table[10000] = "x"; int main(int n, char **v) { return table[n]; }';
  writeFileSync(source, table);
  const result = run([zig, "cc", "-target", "aarch64-macos.14.0", ...flags, "-o", out, source], { timeoutMs: 110_000 });
  if (result.status !== 0) throw new Error(result.stderr);
  return readFileSync(out);
}

const program = linked("program");
const library = linked("library", "-shared");
const intel = linked("intel", "-target", "x86_64-macos.14.0");
const signed = sign(program, OPTIONS);

function read(file: Uint8Array): CodeSignature {
  const signature = readCodeSignature(file);
  if (typeof signature === "string") throw new Error(signature);
  return signature;
}

/** Load commands as [offset, command, size]. */
function commands(file: Buffer): [number, number, number][] {
  const found: [number, number, number][] = [];
  let at = 32;
  for (let n = file.readUInt32LE(16); n > 0; n -= 1) {
    found.push([at, file.readUInt32LE(at), file.readUInt32LE(at + 4)]);
    at += file.readUInt32LE(at + 4);
  }
  return found;
}

const command = (file: Buffer, wanted: number): number => commands(file).find(([, c]) => c === wanted)![0];
const segment = (file: Buffer, name: string): number =>
  commands(file).find(([at, c]) => c === 0x19 && file.toString("latin1", at + 8, at + 8 + name.length) === name)![0];
const signatureStart = (file: Buffer): number => file.readUInt32LE(command(file, 0x1d) + 8);

/** The same file as a linker leaves it that does not sign. */
function unsigned(file: Buffer): Buffer {
  const at = command(file, 0x1d);
  expect(at + 16).toBe(32 + file.readUInt32LE(20));
  const out = Buffer.from(file.subarray(0, signatureStart(file)));
  out.fill(0, at, at + 16);
  out.writeUInt32LE(file.readUInt32LE(16) - 1, 16);
  out.writeUInt32LE(file.readUInt32LE(20) - 16, 20);
  const edit = segment(out, "__LINKEDIT");
  out.writeBigUInt64LE(BigInt(out.length) - out.readBigUInt64LE(edit + 40), edit + 48);
  return out;
}

describe("the reader", () => {
  const apples = readFileSync(runtime("@oven/bun-darwin-aarch64"));

  test("finds nothing wrong with what Apple's codesign made", () => {
    const signature = read(apples);
    expect(signature).toMatchObject({
      identifier: "bun",
      adHoc: false,
      hardenedRuntime: true,
      pageBytes: 16384,
      problems: [],
    });
    expect(signature.entitlements.length).toBe(5);
    expect([...signature.plistEntitlements].sort()).toEqual([...signature.entitlements].sort());
  });

  test("and what it reads there is what our encoders write, byte by byte", () => {
    const der = entitlementsDer(read(apples).entitlements);
    expect(apples.indexOf(der)).toBeGreaterThan(signatureStart(apples));
    const names = read(apples).plistEntitlements;
    // Apple's indents with what the plist had that was given to it.
    const plist = Buffer.from(entitlementsPlist(names).toString().replaceAll("\t", "    ").trimEnd());
    expect(apples.indexOf(plist)).toBeGreaterThan(signatureStart(apples));
  });

  test("finds nothing wrong with what LLVM's linker made", () => {
    for (const file of [program, library])
      expect(read(file)).toMatchObject({ adHoc: true, entitlements: [], problems: [] });
  });
});

describe("a signed file", () => {
  test("has all digests, and the entitlements in both spellings", () => {
    const signature = read(signed);
    expect(signature).toMatchObject({ identifier: "carrick", adHoc: true, hardenedRuntime: false, pageBytes: 16384 });
    expect(signature.problems).toEqual([]);
    expect(signature.entitlements).toEqual([...ENTITLEMENTS].sort());
    expect(signature.plistEntitlements).toEqual(ENTITLEMENTS);
    expect(signature.pages).toBe(Math.ceil(signatureStart(signed) / 16384));
  });

  test("is the same but for the signature and what announces it", () => {
    const limit = signatureStart(program);
    expect(signatureStart(signed)).toBe(limit);
    const before = Buffer.from(program.subarray(0, limit));
    const after = Buffer.from(signed.subarray(0, limit));
    const edit = segment(program, "__LINKEDIT");
    for (const file of [before, after]) file.fill(0, edit + 32, edit + 40).fill(0, edit + 48, edit + 56);
    for (const file of [before, after]) file.writeUInt32LE(0, command(program, 0x1d) + 12);
    expect(after.equals(before)).toBe(true);
  });

  test("is the same each time, whatever signature was there before", () => {
    expect(sign(program, OPTIONS).equals(signed)).toBe(true);
    expect(sign(signed, OPTIONS).equals(signed)).toBe(true);
    expect(sign(sign(program, { identifier: "another.name", entitlements: [] }), OPTIONS).equals(signed)).toBe(true);
  });

  test("may have been without a signature", () => {
    for (const file of [program, library]) {
      const bare = unsigned(file);
      expect(readCodeSignature(bare)).toBe("there is no signature");
      expect(read(sign(bare, OPTIONS)).problems).toEqual([]);
      expect(sign(bare, OPTIONS).equals(sign(file, OPTIONS))).toBe(true);
    }
  });

  test("without entitlements has none", () => {
    expect(read(sign(library, { identifier: "lib", entitlements: [] }))).toMatchObject({
      entitlements: [],
      plistEntitlements: [],
      problems: [],
    });
  });

  test.skipIf(!has("llvm-objdump"))("is well-formed to LLVM", () => {
    const path = join(work, "for-llvm");
    writeFileSync(path, signed);
    const result = run(["llvm-objdump", "--macho", "--private-headers", path]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    const size = signed.length - signatureStart(signed);
    expect(result.stdout).toMatch(
      new RegExp(`LC_CODE_SIGNATURE\\s+cmdsize 16\\s+dataoff ${signed.length - size}\\s+datasize ${size}`),
    );
    writeFileSync(path, signed.subarray(0, signed.length - 1));
    expect(run(["llvm-objdump", "--macho", "--private-headers", path]).status).not.toBe(0);
  });

  test.skipIf(!has("openssl"))("has entitlements that are DER to OpenSSL", () => {
    const path = join(work, "entitlements.der");
    writeFileSync(path, entitlementsDer(ENTITLEMENTS));
    const result = run(["openssl", "asn1parse", "-inform", "DER", "-in", path]);
    expect(result.status).toBe(0);
    expect(Array.from(result.stdout.matchAll(/UTF8STRING +:(.*)/g), (m) => m[1]!)).toEqual([...ENTITLEMENTS].sort());
    expect(Array.from(result.stdout.matchAll(/BOOLEAN +:(.*)/g), (m) => m[1]!)).toEqual(ENTITLEMENTS.map(() => "255"));
  });
});

describe("a change after signing is found", () => {
  const changed = (at: number): CodeSignature | string => {
    const copy = Buffer.from(signed);
    copy[at]! ^= 1;
    return readCodeSignature(copy);
  };
  const start = signatureStart(signed);

  test("in any page", () => {
    // Behind the load commands, which say where all is.
    for (let at = 16000; at < start; at += 4001) {
      expect(changed(at)).toMatchObject({ problems: [`1 of ${read(signed).pages} pages are not what was signed`] });
    }
  });

  test("in any byte of the other parts, of their digests and of the pages' digests", () => {
    const blobs = Array.from({ length: signed.readUInt32BE(start + 8) }, (_, i) => start + 12 + 8 * i);
    const [directory, requirements, plist, der] = blobs.map((at) => start + signed.readUInt32BE(at + 4));
    const cms = start + signed.readUInt32BE(blobs[4]! + 4);
    expect(cms + 8).toBe(start + signed.readUInt32BE(start + 4));
    const hashes = directory! + signed.readUInt32BE(directory! + 16);
    const firstSpecial = hashes - 32 * 7;
    const unnoticed: number[] = [];
    const look = (from: number, to: number): void => {
      for (let at = from; at < to; at += 1) {
        const signature = changed(at);
        if (typeof signature !== "string" && signature.problems.length === 0) unnoticed.push(at - start);
      }
    };
    expect([requirements! < plist!, plist! < der!, der! < cms]).toEqual([true, true, true]);
    look(firstSpecial, cms);
    // Mark, and what the digests are of: hash offset, number of pages, limit, size and kind of the digests, size of a page.
    for (const [field, bytes] of [
      [0, 4],
      [16, 4],
      [28, 4],
      [32, 4],
      [36, 2],
      [39, 1],
    ] as const) {
      look(directory! + field, directory! + field + bytes);
    }
    look(start, start + 4);
    expect(unnoticed).toEqual([]);
  });
});

describe("the signer refuses", () => {
  const refusal = (file: Buffer): string => {
    try {
      sign(file, OPTIONS);
    } catch (error) {
      if (error instanceof MachOError) return error.message;
      throw error;
    }
    return "signed";
  };

  test("other kinds of files, and says what they are", () => {
    const fat = Buffer.from(program);
    fat.writeUInt32BE(0xcafebabe, 0);
    const object = Buffer.from(program);
    object.writeUInt32LE(1, 12);
    expect(refusal(fat)).toBe("is a universal file: take the arm64 part of it");
    expect(refusal(intel)).toBe("is for another CPU than arm64 (CPU type 0x1000007)");
    expect(refusal(object)).toBe("is neither a program nor a dynamic library");
    expect(refusal(Buffer.from("#!/bin/sh\n".repeat(10)))).toBe("is not a 64-bit Mach-O file");
    expect(refusal(Buffer.alloc(0))).toBe("is too short for a Mach-O file");
  });

  test("files with something behind the signature, or cut short", () => {
    expect(refusal(Buffer.concat([program, Buffer.alloc(16)]))).toBe("does not end where __LINKEDIT ends");
    for (let length = 0; length < program.length; length += 997) {
      expect(refusal(Buffer.from(program.subarray(0, length)))).not.toBe("signed");
    }
  });

  test("a file without room for the command", () => {
    const bare = unsigned(program);
    const text = segment(bare, "__TEXT");
    bare.writeUInt32LE(32 + bare.readUInt32LE(20), text + 72 + 48);
    expect(refusal(bare)).toBe("has no room for another load command");
  });

  test("damaged headers with a sentence, never with an exception of another kind", () => {
    let state = 12345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const end = 32 + program.readUInt32LE(20);
    let refused = 0;
    for (let round = 0; round < 1000; round += 1) {
      const copy = Buffer.from(program);
      for (let n = 1 + random(3); n > 0; n -= 1) copy[random(end)] = random(256);
      if (refusal(copy) !== "signed") refused += 1;
    }
    expect(refused).toBeGreaterThan(200);
  });
});
