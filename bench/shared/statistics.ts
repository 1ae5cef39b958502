import { ThoughtbookError } from "thoughtbook/core";

/** A median with how far the values went. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  count: number;
}

/**
 * Median and range of some numbers; of an even count, the mean of the two in the middle.
 *
 * @throws ThoughtbookError bad-input when there are none or one is not finite
 */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new ThoughtbookError("bad-input", `the values are [${values.join(", ")}], expected finite numbers`);
  }
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return {
    median: (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    count: sorted.length,
  };
}

/**
 * Ratios numerator / denominator, taken round by round and only then summarised: what the machine does to a whole round
 * falls out. Rounds in which one of the two has no value do not count.
 *
 * @param numerators one a round, null where the peer was not asked
 * @param denominators the same rounds
 * @returns null when the two never met in a round
 */
export function ratioByRound(
  numerators: readonly (number | null)[],
  denominators: readonly (number | null)[],
): Spread | null {
  const ratios = numerators.flatMap((numerator, round) => {
    const denominator = denominators[round] ?? null;
    return numerator === null || denominator === null ? [] : [numerator / denominator];
  });
  return ratios.length === 0 ? null : spreadOf(ratios);
}

/**
 * How far two curves are apart over the steps that both have, up to `steps`: the largest difference, relative to the
 * reference where that is above 1.
 *
 * @returns null when they share no step
 */
export function curveDifference(
  curve: readonly number[],
  reference: readonly number[],
  steps: number,
): { steps: number; difference: number } | null {
  const shared = Math.min(curve.length, reference.length, steps);
  if (shared === 0) return null;
  const differences = Array.from(
    { length: shared },
    (_, i) => Math.abs(curve[i]! - reference[i]!) / Math.max(1, Math.abs(reference[i]!)),
  );
  return { steps: shared, difference: Math.max(...differences) };
}
