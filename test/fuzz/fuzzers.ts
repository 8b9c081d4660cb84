// All fuzzers, with the seeds they use unless CARRICK_SEED says otherwise. Each prints its seed; the same seed repeats the run.

export const FUZZERS = {
  /** test/fuzz/syscalls.test.ts: random calls with bad arguments in a guest. carrick must survive and not grow. */
  syscalls: 20261,
  /** test/fuzz/errnos.test.ts: chosen calls with random arguments, natively and under carrick. */
  errnos: 20262,
  /** test/fuzz/elf.test.ts: damaged programs. */
  elf: 20263,
  /** test/guest/paths.test.ts: random file operations, natively and under carrick. */
  paths: 20261,
} as const;

export type Fuzzer = keyof typeof FUZZERS;

export function seedOf(fuzzer: Fuzzer): number {
  const given = process.env["CARRICK_SEED"];
  const seed = given === undefined ? FUZZERS[fuzzer] : Number(given);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`CARRICK_SEED=${given} is not a whole number`);
  console.log(`fuzzer ${fuzzer}: CARRICK_SEED=${seed}`);
  return seed;
}

/** Small numbers from a seed (xorshift32), for mutations. */
export function random(seed: number): (below: number) => number {
  let state = (Math.imul(seed + 1, 0x9e3779b9) >>> 0) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
