// Assertions stay on in release builds: a failed one is a carrick bug, never a guest's or a user's mistake.

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`carrick bug: ${what}`);
}

export function unreachable(what: string): never {
  throw new Error(`carrick bug: ${what}`);
}
