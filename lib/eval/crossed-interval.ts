import { createRandom } from "../core/index.js";
import type { Estimate } from "./intervals.js";

/** What was measured for several training seeds, each on the same problems: `[seed][problem]`. */
export type CrossedValues = readonly (readonly number[])[];

export interface CrossedOptions {
  /** Default: 0. */
  seed?: number | string | undefined;
  /** Default: 2,000. */
  resamples?: number | undefined;
}

/**
 * A statistic of the means of some quantities, such as a ratio of accuracies, with its 95 % interval over seeds and
 * problems: both are drawn anew, each for itself (the pigeonhole bootstrap, Owen 2007, which is cautious). Quantities of
 * the same seeds and problems are drawn together, so that a comparison of two methods is one of pairs. There is no interval
 * where an end of it is not finite, as that of a ratio to almost nothing. A single seed says nothing of other seeds: the
 * interval is then that over problems.
 *
 * @throws RangeError if there is nothing, or the quantities differ in seeds or problems
 */
export function crossedEstimate<const Quantities extends readonly CrossedValues[]>(
  quantities: Quantities,
  statistic: (...means: { [Quantity in keyof Quantities]: number }) => number,
  { seed = 0, resamples = 2000 }: CrossedOptions = {},
): Estimate {
  const seeds = quantities[0]?.length ?? 0;
  const problems = quantities[0]?.[0]?.length ?? 0;
  const isWhole = quantities.every((rows) => rows.length === seeds && rows.every(({ length }) => length === problems));
  if (seeds === 0 || problems === 0 || !isWhole) {
    throw new RangeError("expected as many seeds, and as many problems for each, of every quantity, at least one");
  }
  const random = createRandom(seed).stream("pigeonhole bootstrap");
  const draws = (count: number): number[] => {
    const times = new Array<number>(count).fill(0);
    for (let i = 0; i < count; i++) times[random.integer(count)]! += 1;
    return times;
  };
  const statisticOf = (bySeed: readonly number[], byProblem: readonly number[]) =>
    statistic(
      ...(quantities.map((rows) => weightedMean(rows, bySeed, byProblem)) as {
        [Quantity in keyof Quantities]: number;
      }),
    );
  const drawn = Array.from({ length: resamples }, () => statisticOf(draws(seeds), draws(problems)))
    .map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value))
    .sort((a, b) => a - b);
  const once = (count: number) => new Array<number>(count).fill(1);
  const [low, high] = [quantile(drawn, 0.025), quantile(drawn, 0.975)];
  return {
    value: statisticOf(once(seeds), once(problems)),
    interval: Number.isFinite(low) && Number.isFinite(high) ? [low, high] : undefined,
    count: seeds * problems,
  };
}

function weightedMean(rows: CrossedValues, bySeed: readonly number[], byProblem: readonly number[]): number {
  let sum = 0;
  for (const [i, row] of rows.entries()) {
    if (bySeed[i] === 0) continue;
    let ofSeed = 0;
    for (let j = 0; j < row.length; j++) ofSeed += byProblem[j]! * row[j]!;
    sum += bySeed[i]! * ofSeed;
  }
  return sum / (rows.length * rows[0]!.length);
}

/** Of ascending values. */
const quantile = (values: readonly number[], share: number): number => values[Math.round(share * (values.length - 1))]!;
