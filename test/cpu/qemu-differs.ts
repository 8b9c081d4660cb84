/**
 * Where qemu-aarch64 7.2 (the oracle of the recorded vectors) departs from the Arm ARM, each with the manual's reasoning.
 * A difference listed here is not a failure; everything else is.
 */
import type { Case } from "./cases.ts";

type Known = {
  /** One of the case's words must match. */
  readonly mask: number;
  readonly value: number;
  readonly field: RegExp;
  readonly why: string;
};

const KNOWN: readonly Known[] = [];

export function excused(testCase: Case, difference: { readonly field: string }): boolean {
  return KNOWN.some(
    (known) =>
      known.field.test(difference.field) && testCase.words.some((word) => (word & known.mask) >>> 0 === known.value),
  );
}
