/**
 * The encoding groups of A64 as the Arm ARM's decode tables (chapter C4) draw them, without SVE and SME: the source of
 * encodings that does not depend on our own instruction table. Free opcode bits are drawn at random, so every
 * unallocated encoding of a group is tried as well and must be undefined on both sides.
 *
 * A pattern is a list of bit strings and `name:width` fields, 32 bits in all. Fields named rd, rn, rm, ra, rt, rt2, rs
 * are registers; all others are drawn evenly, except where generate.ts aims memory operands and branches.
 */
import type { Profile } from "./cases.ts";

export type Field = { readonly name: string; readonly shift: number; readonly width: number };
export type Pattern = {
  /** The row's name, where the pattern is one. */
  readonly name?: string;
  readonly fixed: number;
  readonly mask: number;
  readonly fields: readonly Field[];
};

export type Group = {
  readonly name: string;
  readonly profile: Profile;
  /** Most words in one case. */
  readonly words: number;
  readonly patterns: readonly Pattern[];
};

export function parsePattern(text: string): Pattern {
  let fixed = 0;
  let mask = 0;
  let at = 32;
  const fields: Field[] = [];
  for (const token of text.trim().split(/\s+/)) {
    const [name, width] = token.split(":");
    if (width !== undefined) {
      at -= Number(width);
      fields.push({ name: name!, shift: at, width: Number(width) });
      continue;
    }
    for (const bit of token) {
      at--;
      mask |= 1 << at;
      if (bit === "1") fixed |= 1 << at;
    }
  }
  if (at !== 0) throw new Error(`pattern is not 32 bits: ${text}`);
  return { fixed: fixed >>> 0, mask: mask >>> 0, fields };
}

function group(name: string, profile: Profile, words: number, ...texts: string[]): Group {
  return { name, profile, words, patterns: texts.map(parsePattern) };
}

const INTEGER: readonly Group[] = [
  group("pc-relative", "integer", 2, "op:1 immlo:2 10000 immhi:19 rd:5"),
  group("addsub-imm", "integer", 8, "sf:1 op:1 S:1 100010 sh:1 imm:12 rn:5 rd:5"),
  group("logical-imm", "integer", 4, "sf:1 opc:2 100100 N:1 immr:6 imms:6 rn:5 rd:5"),
  group("move-wide", "integer", 4, "sf:1 opc:2 100101 hw:2 imm:16 rd:5"),
  group(
    "bitfield-extract",
    "integer",
    3,
    "0 opc:2 1001100 0 immr:5 0 imms:5 rn:5 rd:5",
    "1 opc:2 1001101 immr:6 imms:6 rn:5 rd:5",
    "sf:1 opc:2 100110 N:1 immr:6 imms:6 rn:5 rd:5",
    "0 00 1001110 0 rm:5 0 imms:5 rn:5 rd:5",
    "1 00 1001111 0 rm:5 imms:6 rn:5 rd:5",
    "sf:1 op:2 100111 N:1 o:1 rm:5 imms:6 rn:5 rd:5",
  ),
  group(
    "dp-2-source",
    "integer",
    3,
    "sf:1 0 0 11010110 rm:5 00001 o:1 rn:5 rd:5",
    "sf:1 0 0 11010110 rm:5 0010 o:2 rn:5 rd:5",
    "0 0 0 11010110 rm:5 010 C:1 00 rn:5 rd:5",
    "0 0 0 11010110 rm:5 010 C:1 01 rn:5 rd:5",
    "0 0 0 11010110 rm:5 010 C:1 10 rn:5 rd:5",
    "1 0 0 11010110 rm:5 010 C:1 11 rn:5 rd:5",
    "sf:1 0 S:1 11010110 rm:5 op:6 rn:5 rd:5",
  ),
  group(
    "dp-1-source",
    "integer",
    3,
    "sf:1 1 0 11010110 00000 000 op:3 rn:5 rd:5",
    "sf:1 1 S:1 11010110 opa:5 opb:6 rn:5 rd:5",
  ),
  group(
    "logical-shifted",
    "integer",
    8,
    "0 opc:2 01010 shift:2 N:1 rm:5 0 imm:5 rn:5 rd:5",
    "1 opc:2 01010 shift:2 N:1 rm:5 imm:6 rn:5 rd:5",
    "sf:1 opc:2 01010 shift:2 N:1 rm:5 imm:6 rn:5 rd:5",
  ),
  group(
    "addsub-shifted",
    "integer",
    8,
    "sf:1 op:1 S:1 01011 00 0 rm:5 0 imm:5 rn:5 rd:5",
    "1 op:1 S:1 01011 01 0 rm:5 imm:6 rn:5 rd:5",
    "sf:1 op:1 S:1 01011 shift:2 0 rm:5 imm:6 rn:5 rd:5",
  ),
  group(
    "addsub-extended",
    "integer",
    4,
    "sf:1 op:1 S:1 01011 001 rm:5 option:3 0 imm:2 rn:5 rd:5",
    "sf:1 op:1 S:1 01011 opt:2 1 rm:5 option:3 imm:3 rn:5 rd:5",
  ),
  group(
    "carry",
    "integer",
    6,
    "sf:1 op:1 S:1 11010000 rm:5 000000 rn:5 rd:5",
    "sf:1 op:1 1 11010010 rm:5 cond:4 i:1 0 rn:5 0 nzcv:4",
    "sf:1 op:1 0 11010100 rm:5 cond:4 0 o:1 rn:5 rd:5",
  ),
  group(
    "condition",
    "integer",
    2,
    "sf:1 op:1 S:1 11010000 rm:5 low:6 rn:5 rd:5",
    "sf:1 op:1 S:1 11010010 rm:5 cond:4 i:1 o2:1 rn:5 o3:1 nzcv:4",
    "sf:1 op:1 S:1 11010100 rm:5 cond:4 op2:2 rn:5 rd:5",
    "sf:1 op:1 S:1 11010000 imm:6 00001 rn:5 o:1 mask:4",
    "sf:1 op:1 S:1 11010000 op2:6 sz:1 0010 rn:5 o3:1 mask:4",
  ),
  group(
    "dp-3-source",
    "integer",
    4,
    "sf:1 00 11011 000 rm:5 o:1 ra:5 rn:5 rd:5",
    "1 00 11011 op:3 rm:5 o:1 ra:5 rn:5 rd:5",
    "1 00 11011 op:1 10 rm:5 0 11111 rn:5 rd:5",
    "sf:1 op54:2 11011 op:3 rm:5 o:1 ra:5 rn:5 rd:5",
  ),
  group(
    "branch",
    "integer",
    3,
    "0101010 0 imm:19 0 cond:4",
    "op:1 00101 imm:26",
    "sf:1 011010 op:1 imm:19 rt:5",
    "b5:1 011011 op:1 b40:5 imm:14 rt:5",
    "1101011 0000 11111 000000 rn:5 00000",
    "1101011 0001 11111 000000 rn:5 00000",
    "1101011 0010 11111 000000 rn:5 00000",
    "0101010 o1:1 imm:19 o0:1 cond:4",
    "1101011 opc:4 op2:5 op3:6 rn:5 op4:5",
  ),
  group(
    "system",
    "integer",
    1,
    "11010100 opc:3 imm:16 op2:3 ll:2",
    "11010100 001 imm:16 000 00",
    "11010101000000110010 crm:4 op2:3 11111",
    "11010101000000110011 crm:4 op2:3 11111",
    "1101010100000 op1:3 0100 crm:4 op2:3 rt:5",
    "1101010100 L:1 1 o0:1 op1:3 crn:4 crm:4 op2:3 rt:5",
    "1101010100 L:1 01 op1:3 crn:4 crm:4 op2:3 rt:5",
    "1101010100 L:1 1 1011 0100 0010 000 rt:5",
    "1101010100 L:1 1 1011 0100 0100 00 o:1 rt:5",
    "1101010100 L:1 1 1011 1101 0000 010 rt:5",
    "1101010100001011 0111 0100 001 rt:5",
    "1101010100001011 0111 0101 001 rt:5",
    "1101010100001011 0111 101 o:1 001 rt:5",
    "1101010100001011 0111 1110 001 rt:5",
    "0000000000000000 imm:16",
  ),
  group(
    "floating-control",
    "any",
    5,
    "1101010100 L:1 1 1011 0100 0100 00 o:1 rt:5",
    "1101010100 L:1 1 1011 0100 0010 000 rt:5",
    "00011110 type:2 1 rm:5 0 op:3 10 rn:5 rd:5",
    "sf:1 op:1 1 01011 00 0 rm:5 0 imm:5 rn:5 rd:5",
  ),
];

const MEMORY: readonly Group[] = [
  group("load-literal", "any", 2, "opc:2 011 V:1 00 imm:19 rt:5"),
  group(
    "exclusive",
    "integer",
    1,
    "size:2 001000 0 L:1 0 rs:5 o:1 rt2:5 rn:5 rt:5",
    "1 sz:1 001000 0 L:1 1 rs:5 o:1 rt2:5 rn:5 rt:5",
    "size:2 001000 1 L:1 0 rs:5 o:1 rt2:5 rn:5 rt:5",
  ),
  group(
    "compare-swap",
    "integer",
    1,
    "size:2 001000 1 L:1 1 rs:5 o:1 11111 rn:5 rt:5",
    "0 sz:1 001000 0 L:1 1 rs:4 0 o:1 11111 rn:5 rt:4 0",
    "0 sz:1 001000 0 L:1 1 rs:5 o:1 rt2:5 rn:5 rt:5",
  ),
  group(
    "load-acquire-pc",
    "integer",
    2,
    "size:2 011001 opc:2 0 imm:9 00 rn:5 rt:5",
    "size:2 111 0 00 101 11111 1100 00 rn:5 rt:5",
  ),
  group("load-store-pair", "any", 2, "opc:2 101 V:1 0 mode:2 L:1 imm:7 rt2:5 rn:5 rt:5"),
  group("load-store-imm9", "any", 2, "size:2 111 V:1 00 opc:2 0 imm:9 mode:2 rn:5 rt:5"),
  group(
    "atomic",
    "integer",
    2,
    "size:2 111 000 A:1 R:1 1 rs:5 0 op:3 00 rn:5 rt:5",
    "size:2 111 000 A:1 R:1 1 rs:5 1 000 00 rn:5 rt:5",
    "size:2 111 V:1 00 A:1 R:1 1 rs:5 o3:1 op:3 00 rn:5 rt:5",
  ),
  group(
    "load-store-register",
    "any",
    2,
    "size:2 111 V:1 00 opc:2 1 rm:5 o:1 1 x:1 S:1 10 rn:5 rt:5",
    "size:2 111 V:1 00 opc:2 1 rm:5 option:3 S:1 10 rn:5 rt:5",
    "size:2 111 V:1 00 M:1 S:1 1 imm:9 W:1 1 rn:5 rt:5",
  ),
  group("load-store-unsigned", "any", 2, "size:2 111 V:1 01 opc:2 imm:12 rn:5 rt:5"),
  group(
    "simd-multiple",
    "any",
    2,
    "0 Q:1 0011000 L:1 000000 op:4 size:2 rn:5 rt:5",
    "0 Q:1 0011001 L:1 0 rm:5 op:4 size:2 rn:5 rt:5",
    "0 Q:1 0011001 L:1 0 11111 op:4 size:2 rn:5 rt:5",
  ),
  group(
    "simd-single",
    "any",
    2,
    "0 Q:1 0011010 L:1 R:1 00000 op:3 S:1 size:2 rn:5 rt:5",
    "0 Q:1 0011011 L:1 R:1 rm:5 op:3 S:1 size:2 rn:5 rt:5",
    "0 Q:1 0011011 L:1 R:1 11111 op:3 S:1 size:2 rn:5 rt:5",
  ),
];

const FLOAT: readonly Group[] = [
  group(
    "fp-fixed",
    "double",
    3,
    "sf:1 0011110 0 t:1 0 0 o:1 01 o2:1 scale:6 rn:5 rd:5",
    "sf:1 0 S:1 11110 type:2 0 rmode:2 op:3 scale:6 rn:5 rd:5",
    "sf:1 0011110 11 0 0 o:1 01 o2:1 scale:6 rn:5 rd:5",
  ),
  group(
    "fp-integer",
    "double",
    2,
    "sf:1 0011110 0 t:1 1 rmode:2 op:3 000000 rn:5 rd:5",
    "sf:1 0 S:1 11110 type:2 1 rmode:2 op:3 000000 rn:5 rd:5",
    "sf:1 0011110 11 1 rmode:2 op:3 000000 rn:5 rd:5",
  ),
  group("fp-integer-single", "single", 3, "sf:1 0011110 00 1 rmode:2 op:3 000000 rn:5 rd:5"),
  group(
    "fp-1-source",
    "double",
    2,
    "00011110 01 1 00 op:4 10000 rn:5 rd:5",
    "M:1 0 S:1 11110 type:2 1 op:6 10000 rn:5 rd:5",
  ),
  group("fp-1-source-single", "single", 2, "00011110 00 1 00 op:4 10000 rn:5 rd:5"),
  group("fp-1-source-half", "half", 2, "00011110 11 1 00 op:4 10000 rn:5 rd:5"),
  group(
    "fp-2-source",
    "double",
    3,
    "00011110 01 1 rm:5 op:4 10 rn:5 rd:5",
    "M:1 0 S:1 11110 type:2 1 rm:5 op:4 10 rn:5 rd:5",
  ),
  group("fp-2-source-single", "single", 3, "00011110 00 1 rm:5 op:4 10 rn:5 rd:5"),
  group("fp-2-source-half", "half", 3, "00011110 11 1 rm:5 op:4 10 rn:5 rd:5"),
  group(
    "fp-3-source",
    "double",
    3,
    "00011111 01 o1:1 rm:5 o0:1 ra:5 rn:5 rd:5",
    "M:1 0 S:1 11111 type:2 o1:1 rm:5 o0:1 ra:5 rn:5 rd:5",
  ),
  group("fp-3-source-single", "single", 3, "00011111 00 o1:1 rm:5 o0:1 ra:5 rn:5 rd:5"),
  group("fp-3-source-half", "half", 3, "00011111 11 o1:1 rm:5 o0:1 ra:5 rn:5 rd:5"),
  group(
    "fp-compare",
    "double",
    3,
    "00011110 01 1 rm:5 00 1000 rn:5 op:2 000",
    "M:1 0 S:1 11110 type:2 1 rm:5 op:2 1000 rn:5 op2:5",
    "00011110 01 1 rm:5 cond:4 01 rn:5 o:1 nzcv:4",
    "M:1 0 S:1 11110 type:2 1 rm:5 cond:4 01 rn:5 o:1 nzcv:4",
    "M:1 0 S:1 11110 type:2 1 rm:5 cond:4 11 rn:5 rd:5",
    "M:1 0 S:1 11110 type:2 1 imm:8 100 imm5:5 rd:5",
    "00011110 type:2 1 imm:8 100 00000 rd:5",
  ),
  group(
    "fp-compare-single",
    "single",
    3,
    "00011110 00 1 rm:5 00 1000 rn:5 op:2 000",
    "00011110 00 1 rm:5 cond:4 01 rn:5 o:1 nzcv:4",
  ),
  group(
    "fp-compare-half",
    "half",
    3,
    "00011110 11 1 rm:5 00 1000 rn:5 op:2 000",
    "00011110 11 1 rm:5 cond:4 01 rn:5 o:1 nzcv:4",
  ),
];

const CRYPTO: readonly Group[] = [
  group(
    "crypto",
    "any",
    2,
    "0100111000 10100 001 op:2 10 rn:5 rd:5",
    "01001110 size:2 10100 op:5 10 rn:5 rd:5",
    "01011110000 rm:5 0 op:3 00 rn:5 rd:5",
    "01011110 size:2 0 rm:5 0 op:3 00 rn:5 rd:5",
    "0101111000 10100 000 op:2 10 rn:5 rd:5",
    "01011110 size:2 10100 op:5 10 rn:5 rd:5",
  ),
  group(
    "crypto-hidden",
    "any",
    1,
    "11001110010 rm:5 10 imm:2 op:2 rn:5 rd:5",
    "11001110011 rm:5 1 o:1 00 op:2 rn:5 rd:5",
    "110011100 op:2 rm:5 0 ra:5 rn:5 rd:5",
    "11001110100 rm:5 imm:6 rn:5 rd:5",
    "1100111011000000100 op:3 rn:5 rd:5",
    "11001110 any:14 rn:5 rd:5",
  ),
];

function simdPair(name: string, profile: Profile, words: number, scalar: string, vector: string): Group {
  return group(name, profile, words, scalar, vector, vector);
}

const SIMD: readonly Group[] = [
  group(
    "simd-table",
    "any",
    2,
    "0 Q:1 001110 000 rm:5 0 len:2 op:1 00 rn:5 rd:5",
    "0 Q:1 001110 op2:2 0 rm:5 0 len:2 op:1 00 rn:5 rd:5",
  ),
  group(
    "simd-permute",
    "any",
    3,
    "0 Q:1 001110 size:2 0 rm:5 0 op:3 10 rn:5 rd:5",
    "0 Q:1 101110 000 rm:5 0 imm:4 0 rn:5 rd:5",
    "0 Q:1 101110 op2:2 0 rm:5 0 imm:4 0 rn:5 rd:5",
  ),
  group(
    "simd-copy",
    "any",
    3,
    "0 Q:1 op:1 01110000 imm5:5 0 imm4:4 1 rn:5 rd:5",
    "01 op:1 11110000 imm5:5 0 imm4:4 1 rn:5 rd:5",
    "01011110000 imm5:5 000001 rn:5 rd:5",
  ),
  group("simd-modified-imm", "any", 3, "0 Q:1 op:1 0111100000 abc:3 cmode:4 o2:1 1 defgh:5 rd:5"),
  simdPair(
    "simd-3-same-half",
    "half",
    2,
    "01 U:1 11110 a:1 10 rm:5 00 op:3 1 rn:5 rd:5",
    "0 Q:1 U:1 01110 a:1 10 rm:5 00 op:3 1 rn:5 rd:5",
  ),
  simdPair(
    "simd-2-reg-half",
    "half",
    2,
    "01 U:1 11110 a:1 111100 op:5 10 rn:5 rd:5",
    "0 Q:1 U:1 01110 a:1 111100 op:5 10 rn:5 rd:5",
  ),
  simdPair(
    "simd-3-extra",
    "integer",
    2,
    "01 U:1 11110 size:2 0 rm:5 1 op:4 1 rn:5 rd:5",
    "0 Q:1 U:1 01110 size:2 0 rm:5 1 op:4 1 rn:5 rd:5",
  ),
  group(
    "simd-rdm-dot",
    "integer",
    3,
    "0 Q:1 1 01110 size:2 0 rm:5 1 000 o:1 1 rn:5 rd:5",
    "01 1 11110 size:2 0 rm:5 1 000 o:1 1 rn:5 rd:5",
    "0 Q:1 U:1 01110 10 0 rm:5 1 0010 1 rn:5 rd:5",
    "0 Q:1 U:1 01111 10 rm:6 1110 H:1 0 rn:5 rd:5",
    "0 Q:1 1 01111 size:2 rm:6 11 o:1 1 H:1 0 rn:5 rd:5",
    "01 1 11111 size:2 rm:6 11 o:1 1 H:1 0 rn:5 rd:5",
  ),
  simdPair(
    "simd-2-reg",
    "integer",
    2,
    "01 U:1 11110 size:2 10000 0 op:4 10 rn:5 rd:5",
    "0 Q:1 U:1 01110 size:2 10000 0 op:4 10 rn:5 rd:5",
  ),
  simdPair(
    "simd-2-reg-fp",
    "single",
    2,
    "01 U:1 11110 a:1 0 10000 1 op:4 10 rn:5 rd:5",
    "0 Q:1 U:1 01110 a:1 0 10000 op:5 10 rn:5 rd:5",
  ),
  simdPair(
    "simd-2-reg-fp-double",
    "double",
    2,
    "01 U:1 11110 a:1 1 10000 1 op:4 10 rn:5 rd:5",
    "0 Q:1 U:1 01110 a:1 1 10000 op:5 10 rn:5 rd:5",
  ),
  group(
    "simd-across",
    "integer",
    2,
    "0 Q:1 U:1 01110 size:2 11000 op:5 10 rn:5 rd:5",
    "01 U:1 11110 size:2 11000 op:5 10 rn:5 rd:5",
  ),
  group(
    "simd-across-fp",
    "any",
    2,
    "0 Q:1 U:1 01110 size:2 11000 01 op:3 10 rn:5 rd:5",
    "01 U:1 11110 size:2 11000 01 op:3 10 rn:5 rd:5",
  ),
  simdPair(
    "simd-3-different",
    "integer",
    2,
    "01 U:1 11110 size:2 1 rm:5 op:4 00 rn:5 rd:5",
    "0 Q:1 U:1 01110 size:2 1 rm:5 op:4 00 rn:5 rd:5",
  ),
  simdPair(
    "simd-3-same",
    "integer",
    2,
    "01 U:1 11110 size:2 1 rm:5 op:5 1 rn:5 rd:5",
    "0 Q:1 U:1 01110 size:2 1 rm:5 op:5 1 rn:5 rd:5",
  ),
  simdPair(
    "simd-3-same-fp",
    "single",
    2,
    "01 U:1 11110 a:1 0 1 rm:5 11 op:3 1 rn:5 rd:5",
    "0 Q:1 U:1 01110 a:1 0 1 rm:5 11 op:3 1 rn:5 rd:5",
  ),
  simdPair(
    "simd-3-same-fp-double",
    "double",
    2,
    "01 U:1 11110 a:1 1 1 rm:5 11 op:3 1 rn:5 rd:5",
    "0 1 U:1 01110 a:1 1 1 rm:5 11 op:3 1 rn:5 rd:5",
  ),
  simdPair(
    "simd-shift-imm",
    "integer",
    2,
    "01 U:1 111110 imm:7 op:5 1 rn:5 rd:5",
    "0 Q:1 U:1 011110 imm:7 op:5 1 rn:5 rd:5",
  ),
  group(
    "simd-shift-convert",
    "any",
    2,
    "01 U:1 111110 imm:7 11 op:3 1 rn:5 rd:5",
    "0 Q:1 U:1 011110 imm:7 11 op:3 1 rn:5 rd:5",
    "01 U:1 111110 imm:7 11 o:1 ox:1 o2:1 1 rn:5 rd:5",
  ),
  simdPair(
    "simd-indexed",
    "integer",
    2,
    "01 U:1 11111 size:2 rm:6 op:4 H:1 0 rn:5 rd:5",
    "0 Q:1 U:1 01111 size:2 rm:6 op:4 H:1 0 rn:5 rd:5",
  ),
  simdPair(
    "simd-indexed-fp",
    "single",
    2,
    "01 U:1 11111 10 rm:6 op:2 01 H:1 0 rn:5 rd:5",
    "0 Q:1 U:1 01111 10 rm:6 op:2 01 H:1 0 rn:5 rd:5",
  ),
  simdPair(
    "simd-indexed-fp-double",
    "double",
    2,
    "01 U:1 11111 11 0 rm:5 op:2 01 H:1 0 rn:5 rd:5",
    "0 1 U:1 01111 11 0 rm:5 op:2 01 H:1 0 rn:5 rd:5",
  ),
  simdPair(
    "simd-indexed-fp-half",
    "half",
    2,
    "01 U:1 11111 00 rm:6 op:2 01 H:1 0 rn:5 rd:5",
    "0 Q:1 U:1 01111 00 rm:6 op:2 01 H:1 0 rn:5 rd:5",
  ),
  group("simd-random", "any", 1, "0 Q:1 U:1 0111 a:15 rn:5 rd:5", "01 U:1 1111 a:15 rn:5 rd:5"),
];

/** Fully random words by bits 28..25; SVE's and SME's places are left to `undefined-sve`. */
const RANDOM: readonly Group[] = [
  group("random-reserved", "any", 1, "0 any:2 0000 any2:25", "any:3 0001 any2:25", "any:3 0011 any2:25"),
  group("random-sve", "any", 1, "any:3 0010 any2:25", "1 any:2 0000 any2:25"),
  group("random-dp-imm", "any", 1, "any:3 100 any2:26"),
  group("random-branch", "any", 1, "any:3 101 any2:26"),
  group("random-memory", "any", 1, "any:4 1 a:1 0 any2:25"),
  group("random-dp-reg", "any", 1, "any:3 a:1 101 any2:25"),
  group("random-simd", "any", 1, "any:3 a:1 111 any2:25"),
];

export const GROUPS: readonly Group[] = [...INTEGER, ...MEMORY, ...FLOAT, ...CRYPTO, ...SIMD, ...RANDOM];
