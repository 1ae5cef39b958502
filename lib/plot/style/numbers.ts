/**
 * Number of decimals that shows the values exactly, or the largest to three significant figures and no other value as
 * zero.
 */
export function decimalsFor(values: readonly number[]): number {
  const sizes = values.map(Math.abs).filter((size) => size > 0);
  const [smallest, largest] = extremes(sizes);
  const forLargest = largest >= 100 ? 0 : largest >= 10 ? 1 : largest >= 1 ? 2 : 3;
  // What is a millionth of the largest may look like zero.
  const forSmallest = Math.ceil(-Math.log10(Math.max(smallest, largest / 1e6)));
  const most = sizes.length === 0 ? 0 : Math.max(forLargest, forSmallest);
  const isExact = (decimals: number) => sizes.every((size) => Math.abs(Number(size.toFixed(decimals)) - size) < 1e-9);
  return Array.from({ length: most }, (_, decimals) => decimals).find(isExact) ?? most;
}

/** `value` with a fixed number of decimals and a true minus sign, as Plotly writes its ticks. */
export function formatNumber(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
}

/** The smallest of 1, 2, 5, 10, 20, 50, … that is not below `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

/** The smallest and the largest value; for no values ∞ and −∞. */
export function extremes(values: Iterable<number>): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** The range of the values and `share` of it more on either side; never empty. */
export function paddedRange(values: readonly number[], share: number): [low: number, high: number] {
  const [low, high] = extremes(values);
  const pad = high > low ? (high - low) * share : Math.abs(high) * share || 1;
  return [low - pad, high + pad];
}
