// Where random bytes come from: the host's generator, or a seeded one that makes a run repeatable.

export interface RandomSource {
  fill(bytes: Uint8Array): void;
}

const GET_RANDOM_VALUES_MAX = 65536;

export class HostRandom implements RandomSource {
  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += GET_RANDOM_VALUES_MAX) {
      crypto.getRandomValues(bytes.subarray(at, at + GET_RANDOM_VALUES_MAX));
    }
  }
}

/** xorshift128; for tests and replay only. */
export class SeededRandom implements RandomSource {
  private readonly state = new Uint32Array(4);

  constructor(seed: number) {
    for (let i = 0; i < 4; i++) this.state[i] = Math.imul(seed + i + 1, 0x9e3779b1) ^ (seed >>> (i + 3));
    this.state[0]! |= 1;
  }

  next(): number {
    const s = this.state;
    let t = s[3]!;
    t ^= t << 11;
    t ^= t >>> 8;
    s[3] = s[2]!;
    s[2] = s[1]!;
    s[1] = s[0]!;
    s[0] = t ^ s[1] ^ (s[1] >>> 19);
    return s[0];
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.next();
  }
}
