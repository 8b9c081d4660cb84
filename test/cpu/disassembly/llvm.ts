/**
 * `llvm-objdump` as the oracle of shim/cpu/disasm: words in, its text out. It gets them as the code of an object file made here, at an address of our
 * choice, and is told of the features that our CPU has, so that it calls a word of another one undefined.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { has } from "../../../scripts/toolchain.ts";

const TOOL = "llvm-objdump";

/** Other releases write some texts otherwise. */
export const hasLlvm = has(TOOL) && /version 14\./.test(Bun.spawnSync([TOOL, "--version"]).stdout.toString());

/** Those of shim/cpu/features.zig in LLVM's terms, and the limited orders, FP16 multiply-add and I8MM, which we have and do not announce; what names hints. */
const FEATURES =
  "v8.2a,pauth,bti,neon,fp-armv8,aes,sha2,crc,lse,rdm,fullfp16,dotprod,jsconv,complxnum,rcpc,rcpc-immo,ccpp,flagm,altnzcv,tracev8.4,spe,fptoint,sb,lor,fp16fml,i8mm";

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const NAMES = "\0.text\0.names\0";

/** A relocatable file whose only content is `words`, to be loaded at `addr`. */
function objectFile(words: Uint32Array, addr: number): Uint8Array {
  const code = words.byteLength;
  const namesAt = HEADER_BYTES + code;
  const sectionsAt = (namesAt + NAMES.length + 7) & ~7;
  const file = new Uint8Array(sectionsAt + 3 * SECTION_BYTES);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // ET_REL, EM_AARCH64, three section headers, of which the last has the names.
  view.setUint16(16, 1, true);
  view.setUint16(18, 183, true);
  view.setUint32(20, 1, true);
  view.setUint32(40, sectionsAt, true);
  [HEADER_BYTES, 0, 0, SECTION_BYTES, 3, 2].forEach((value, i) => {
    view.setUint16(52 + 2 * i, value, true);
  });
  file.set(new Uint8Array(words.buffer, words.byteOffset, code), HEADER_BYTES);
  file.set(new TextEncoder().encode(NAMES), namesAt);
  const section = (i: number, name: number, type: number, flags: number, at: number, offset: number, size: number) => {
    const base = sectionsAt + i * SECTION_BYTES;
    view.setUint32(base, name, true);
    view.setUint32(base + 4, type, true);
    [flags, at, offset, size].forEach((value, n) => {
      view.setBigUint64(base + 8 + 8 * n, BigInt(value), true);
    });
    view.setBigUint64(base + 48, 4n, true);
  };
  section(1, 1, 1, 6, addr, HEADER_BYTES, code);
  section(2, 7, 3, 0, 0, namesAt, NAMES.length);
  return file;
}

/** Without comments and symbols. */
function plain(text: string): string {
  return text
    .replace(/\s*(\/\/.*|<.*>)$/, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** What it prints for each word, the first at `addr`; "" where it knows no instruction. */
export function llvmTexts(words: Uint32Array, addr: number): string[] {
  const folder = mkdtempSync(join(tmpdir(), "carrick-disassembly-"));
  const path = join(folder, "words.o");
  try {
    writeFileSync(path, objectFile(words, addr));
    const mattr = FEATURES.split(",").map((feature) => `+${feature}`);
    const argv = [TOOL, "-d", "-z", "--no-show-raw-insn", `--mattr=${mattr}`, path];
    const result = Bun.spawnSync(argv);
    if (result.exitCode !== 0) throw new Error(result.stderr.toString());
    const texts: string[] = [];
    for (const line of result.stdout.toString().split("\n")) {
      const match = /^ *([0-9a-f]+):\s*(.*)$/.exec(line);
      if (match !== null) texts.push(match[2]!.startsWith("<unknown>") ? "" : plain(match[2]!));
    }
    if (texts.length !== words.length) throw new Error(`${texts.length} lines for ${words.length} words`);
    return texts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
