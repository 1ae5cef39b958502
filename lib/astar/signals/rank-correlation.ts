import { mean } from "../../core/index.js";

/** Ranks from 1; equal values share the mean of theirs. */
function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let at = start; at < end; at++) result[order[at]!] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

/**
 * Spearman's rank correlation of two lists of the same length, from −1 to 1, ties by mean ranks; undefined where one of
 * them is constant, or for fewer than two values.
 *
 * @throws RangeError for lists of different lengths
 */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length !== b.length) throw new RangeError(`expected lists of one length, got ${a.length} and ${b.length}`);
  if (a.length < 2) return undefined;
  const [x, y] = [ranks(a), ranks(b)];
  const middle = mean(x);
  let [xy, xx, yy] = [0, 0, 0];
  for (const [at, value] of x.entries()) {
    const [dx, dy] = [value - middle, y[at]! - middle];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? undefined : xy / Math.sqrt(xx * yy);
}

/**
 * Share of the k highest by one list that are among the k highest by the other one, from 0 to 1; ties go to the earlier.
 *
 * @throws RangeError unless k is from 1 to the length of both
 */
export function precisionAt(k: number, scores: readonly number[], gold: readonly number[]): number {
  if (scores.length !== gold.length || !(Number.isInteger(k) && k >= 1 && k <= gold.length)) {
    throw new RangeError(
      `expected k from 1 to the length of both lists, got ${k} of ${scores.length} and ${gold.length}`,
    );
  }
  const highest = (values: readonly number[]) =>
    [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, k);
  const wanted = new Set(highest(gold));
  return highest(scores).filter((at) => wanted.has(at)).length / k;
}
