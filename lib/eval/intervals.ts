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
 * A proportion with its Wilson score interval (Wilson 1927), which stays inside [0, 1] and is right for few samples.
 * @throws RangeError if the counts are not whole numbers with 0 ≤ successes ≤ trials.
 */
export function proportion(successes: number, trials: number): Estimate {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials) {
    throw new RangeError(`expected whole numbers with 0 ≤ successes ≤ trials, got ${successes} of ${trials}`);
  }
  if (trials === 0) return { value: Number.NaN, interval: undefined, count: 0 };
  const value = successes / trials;
  const square = Z95 ** 2;
  const centre = (value + square / (2 * trials)) / (1 + square / trials);
  const half = (Z95 / (1 + square / trials)) * Math.sqrt((value * (1 - value)) / trials + square / (4 * trials ** 2));
  return { value, interval: [Math.max(0, centre - half), Math.min(1, centre + half)], count: trials };
}

/** The mean of a sample with its normal 95 % interval, mean ± 1.96 s/√n; without an interval below two values. */
export function mean(values: readonly number[]): Estimate {
  const count = values.length;
  const value = values.reduce((sum, each) => sum + each, 0) / count;
  if (count < 2) return { value, interval: undefined, count };
  const variance = values.reduce((sum, each) => sum + (each - value) ** 2, 0) / (count - 1);
  const half = Z95 * Math.sqrt(variance / count);
  return { value, interval: [value - half, value + half], count };
}
