import { mean, sum } from "../core/index.js";
import { clusteredProportion, type Estimate } from "./intervals.js";
import { studentT95 } from "./student-t.js";

/** Measurements for several training seeds, each on the same problems: `[seed][problem]`. */
export type CrossedValues = readonly (readonly number[])[];

export interface CrossedOptions {
  /**
   * Scale on which the interval is symmetric: `log` for ratios, `logit` for shares, which keeps them between 0 and 1. A
   * share of exactly 0 or 1 has Wilson's interval for the number of problems. Default: `linear`.
   */
  scale?: "linear" | "log" | "logit" | undefined;
}

const SCALES = {
  linear: { to: (value: number) => value, back: (value: number) => value },
  log: { to: Math.log, back: Math.exp },
  logit: { to: (value: number) => Math.log(value / (1 - value)), back: (value: number) => 1 / (1 + Math.exp(-value)) },
} as const;

/**
 * Estimate a statistic of the means of some quantities, such as a ratio of accuracies, with its 95 % interval over
 * seeds and problems, both taken as random samples. Quantities of the same seeds and problems vary together, so a
 * comparison of two methods is a paired one.
 *
 * The statistic is taken as linear around the means (delta method); the variance of what is then a mean over seeds crossed
 * with problems is that of the two-way layout with both at random, (MSseed + MSproblem − MSrest) / (seeds · problems), and
 * at least the larger part; the interval is Student's t with Satterthwaite's degrees of freedom (Satterthwaite 1946). So few
 * seeds that differ make it wide: with 3 it is 4.3 standard errors to either side, not 2. A single seed says nothing of
 * other seeds: the interval is then that over problems. There is none for one seed and one problem, or where an end is not
 * @throws RangeError if there are no values, or the quantities differ in seeds or problems
 *
 * @throws RangeError if there is nothing, or the quantities differ in seeds or problems
 */
export function crossedEstimate<const Quantities extends readonly CrossedValues[]>(
  quantities: Quantities,
  statistic: (...means: { [Quantity in keyof Quantities]: number }) => number,
  { scale = "linear" }: CrossedOptions = {},
): Estimate {
  const seeds = quantities[0]?.length ?? 0;
  const problems = quantities[0]?.[0]?.length ?? 0;
  const isWhole = quantities.every((rows) => rows.length === seeds && rows.every(({ length }) => length === problems));
  if (seeds === 0 || problems === 0 || !isWhole) {
    throw new RangeError("expected as many seeds, and as many problems for each, of every quantity, at least one");
  }
  const { to, back } = SCALES[scale];
  const statisticOf = (means: readonly number[]) => statistic(...(means as { [Quantity in keyof Quantities]: number }));
  const means = quantities.map((rows) => mean(rows.map(mean)));
  const value = statisticOf(means);
  const count = seeds * problems;
  if (scale === "logit" && (value === 0 || value === 1)) {
    return { value, interval: clusteredProportion(new Array<number>(problems).fill(value)).interval, count };
  }
  const gradient = means.map((value, at) => {
    const step = 1e-5 * (Math.abs(value) || 1);
    const moved = (by: number) => to(statisticOf(means.with(at, value + by)));
    return (moved(step) - moved(-step)) / (2 * step);
  });
  if (![to(value), ...gradient].every(Number.isFinite)) return { value, interval: undefined, count };
  const influence = Array.from({ length: seeds }, (_, i) =>
    Array.from({ length: problems }, (_, j) =>
      quantities.reduce((sum, rows, at) => sum + gradient[at]! * (rows[i]![j]! - means[at]!), 0),
    ),
  );
  const error = standardError(influence);
  const ends = error && [to(value) - error.half, to(value) + error.half].map(back);
  return { value, interval: ends?.every(Number.isFinite) ? (ends as [number, number]) : undefined, count };
}

/** Half width of the 95 % interval of the mean of a two-way layout whose mean is 0. */
function standardError(values: CrossedValues): { half: number } | undefined {
  const [seeds, problems] = [values.length, values[0]!.length];
  const bySeed = values.map(mean);
  const byProblem = values[0]!.map((_, j) => mean(values.map((row) => row[j]!)));
  const rest = values.map((row, i) => row.map((value, j) => value - bySeed[i]! - byProblem[j]!));
  const part = (sumOfSquares: number, freedom: number) => {
    return { variance: freedom === 0 ? 0 : sumOfSquares / freedom / (seeds * problems), freedom };
  };
  const ofSeeds = part(problems * squares(bySeed), seeds - 1);
  const ofProblems = part(seeds * squares(byProblem), problems - 1);
  const ofRest = part(sum(rest.map(squares)), ofSeeds.freedom * ofProblems.freedom);
  const largest = Math.max(ofSeeds.variance, ofProblems.variance);
  const variance = Math.max(largest, ofSeeds.variance + ofProblems.variance - ofRest.variance);
  if (ofSeeds.freedom + ofProblems.freedom === 0) return undefined;
  if (variance === 0) return { half: 0 };
  const spread = [ofSeeds, ofProblems, ofRest]
    .filter(({ freedom }) => freedom > 0)
    .reduce((sum, each) => sum + each.variance ** 2 / each.freedom, 0);
  return { half: studentT95(Math.max(1, variance ** 2 / spread)) * Math.sqrt(variance) };
}

const squares = (values: readonly number[]): number => sum(values.map((value) => value ** 2));
