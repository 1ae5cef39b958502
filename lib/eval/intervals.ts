import { groupBy, sum } from "../core/index.js";

/** The quantile of the standard normal distribution for intervals of 95 %. */
const Z95 = 1.959963984540054;

export interface Estimate {
  value: number;
  /** The 95 % interval; undefined where the sample is too small to have one. */
  interval: [low: number, high: number] | undefined;
  /** The number of samples. */
  count: number;
}

/**
 * Estimate a proportion with its Wilson score interval (Wilson 1927), which stays inside [0, 1] and is accurate for
 * small samples.
 * @throws RangeError if the counts are not whole numbers with 0 ≤ successes ≤ trials.
 *
 * @example
 * ```ts
 * import { proportion } from "thoughtbook/eval";
 *
 * const { value, interval } = proportion(8, 10);
 * console.log(value, interval?.map((end) => end.toFixed(2))); // 0.8 [ '0.49', '0.94' ]
 * ```
 */
export function proportion(successes: number, trials: number): Estimate {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials) {
    throw new RangeError(`expected whole numbers with 0 ≤ successes ≤ trials, got ${successes} of ${trials}`);
  }
  if (trials === 0) return { value: Number.NaN, interval: undefined, count: 0 };
  return wilson(successes / trials, trials);
}

/**
 * Mean share of successes over problems with the same number of trials each. Trials of a problem are correlated, so the
 * interval is Wilson's for the number of problems: with one trial each it equals that of {@link proportion}, with more
 * it is conservative.
 */
export function clusteredProportion(shares: readonly number[]): Estimate {
  const count = shares.length;
  if (count === 0) return { value: Number.NaN, interval: undefined, count };
  return wilson(sum(shares) / count, count);
}

function wilson(value: number, trials: number): Estimate {
  const square = Z95 ** 2;
  const centre = (value + square / (2 * trials)) / (1 + square / trials);
  const half = (Z95 / (1 + square / trials)) * Math.sqrt((value * (1 - value)) / trials + square / (4 * trials ** 2));
  return { value, interval: [Math.max(0, centre - half), Math.min(1, centre + half)], count: trials };
}

/** The mean of a sample with its normal 95 % interval, mean ± 1.96 s/√n; without an interval below two values. */
export function mean(values: readonly number[]): Estimate {
  const count = values.length;
  const value = sum(values) / count;
  if (count < 2) return { value, interval: undefined, count };
  const variance = sum(values.map((each) => (each - value) ** 2)) / (count - 1);
  const half = Z95 * Math.sqrt(variance / count);
  return { value, interval: [value - half, value + half], count };
}

/** Points of a line or bars with their 95 % intervals, as the figure functions take them. */
export interface Points {
  x: number[];
  y: number[];
  intervals: [low: number, high: number][];
}

/** A distribution in percent: entry k of `counts` is how often the value k occurred. Wilson intervals. */
export function shares(counts: readonly number[]): Points {
  const total = sum(counts);
  const estimates = counts.map((count) => proportion(count, total));
  return {
    x: counts.map((_, value) => value),
    y: estimates.map(({ value }) => 100 * value),
    intervals: estimates.map(({ interval }) => [100 * interval![0], 100 * interval![1]]),
  };
}

/**
 * The mean of the values of each group, in the order of the keys, with normal intervals.
 * @param fewest drop groups with fewer values: their intervals would be meaningless.
 */
export function meansBy<T>(
  items: readonly T[],
  keyOf: (item: T) => number,
  measure: (item: T) => number,
  fewest = 10,
): Points {
  const kept = [...groupBy(items, keyOf)]
    .filter(([, group]) => group.length >= Math.max(2, fewest))
    .sort(([a], [b]) => a - b);
  const estimates = kept.map(([, group]) => mean(group.map(measure)));
  return {
    x: kept.map(([key]) => key),
    y: estimates.map(({ value }) => value),
    intervals: estimates.map(({ interval }) => interval!),
  };
}
