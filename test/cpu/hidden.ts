/**
 * Instructions of features that `qemu-aarch64 -cpu max` has and we do not announce: where the oracle runs them, ours must be
 * undefined. Arm ARM C4.1; SVE, SME and pointer authentication are switched off in the oracle itself.
 */
const HIDDEN: readonly (readonly [feature: string, mask: number, value: number])[] = [
  ["MTE", 0xffc00000, 0x91800000],
  ["MTE", 0xffc00000, 0xd1800000],
  ["MTE", 0xffe0fc00, 0x9ac00000],
  ["MTE", 0xffe0fc00, 0x9ac01000],
  ["MTE", 0xffe0fc00, 0x9ac01400],
  ["MTE", 0xffe0fc00, 0xbac00000],
  ["MTE", 0xff200000, 0xd9200000],
  ["MTE", 0xffc00000, 0x68800000],
  ["MTE", 0xffc00000, 0x69000000],
  ["MTE", 0xffc00000, 0x69800000],
  ["MTE", 0xfffff0ff, 0xd503409f],
  ["MTE", 0xffdfffe0, 0xd51b42e0],
  ["MTE", 0xffffffe0, 0xd50b7460],
  ["MTE", 0xffffffe0, 0xd50b7480],
  ["MTE", 0xfffff8e0, 0xd50b7860],
  ["MTE", 0xfffff8e0, 0xd50b78a0],
  ["DIT", 0xfffff0ff, 0xd503405f],
  ["DIT", 0xffdfffe0, 0xd51b42a0],
  ["SSBS", 0xfffff0ff, 0xd503403f],
  ["SSBS", 0xffdfffe0, 0xd51b42c0],
  ["SHA512, SHA3, SM3, SM4", 0xff000000, 0xce000000],
  ["FCMA", 0xbf20e400, 0x2e00c400],
  ["FCMA", 0xbf20ec00, 0x2e00e400],
  ["FCMA", 0xbf009400, 0x2f001000],
  ["FHM", 0xbf60fc00, 0x0e20ec00],
  ["FHM", 0xbf60fc00, 0x2e20cc00],
  ["FHM", 0xbfc0b400, 0x0f800000],
  ["FHM", 0xbfc0b400, 0x2f808000],
  ["BF16", 0xbfe0fc00, 0x2e40fc00],
  ["BF16", 0xffe0fc00, 0x6e40ec00],
  ["BF16", 0xbfe0fc00, 0x2ec0fc00],
  ["BF16", 0xbfc0f400, 0x0f40f000],
  ["BF16", 0xbfc0f400, 0x0fc0f000],
  ["BF16", 0xfffffc00, 0x1e634000],
  ["BF16", 0xbffffc00, 0x0ea16800],
  ["I8MM", 0xffe0fc00, 0x4e80a400],
  ["I8MM", 0xffe0fc00, 0x6e80a400],
  ["I8MM", 0xffe0fc00, 0x4e80ac00],
  ["I8MM", 0xbfe0fc00, 0x0e809c00],
  ["I8MM", 0xbfc0f400, 0x0f80f000],
  ["I8MM", 0xbfc0f400, 0x0f00f000],
];

/** The feature that a word belongs to, or null when it is none of the hidden ones. */
export function hiddenFeature(word: number): string | null {
  for (const [feature, mask, value] of HIDDEN) if ((word & mask) >>> 0 === value) return feature;
  return null;
}
