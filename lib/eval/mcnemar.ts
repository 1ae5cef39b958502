import { badInput } from "../core/index.js";
import type { EvaluationRecord } from "./records.js";

/** Two ways to answer the same problems, problem by problem. */
export interface PairedOutcomes {
  /** Problems that both got right, only the first, only the second, neither. */
  both: number;
  onlyFirst: number;
  onlySecond: number;
  neither: number;
  /** Accuracy of the first − that of the second, with Wald's 95 % interval for paired shares. */
  difference: number;
  interval: [low: number, high: number];
  /** Two-sided p value of the exact McNemar test: how likely problems that one alone got right are divided so unevenly. */
  p: number;
}

const Z95 = 1.959963984540054;

/**
 * Compare two strategies on the same problems by the exact McNemar test (binomial, two-sided).
 *
 * @param first whether each problem was right
 * @throws bad-input for lists of different lengths, or none
 *
 * @example
 * ```ts
 * import { mcnemar } from "thoughtbook/eval";
 *
 * const { onlyFirst, onlySecond, p } = mcnemar([true, true, true, false], [false, false, true, false]);
 * console.log(onlyFirst, onlySecond, p); // 2 0 0.5
 * ```
 */
export function mcnemar(first: readonly boolean[], second: readonly boolean[]): PairedOutcomes {
  const count = first.length;
  if (count === 0 || second.length !== count) {
    throw badInput(`the lists have ${count} and ${second.length} problems`, "Give the same problems, at least one.");
  }
  let [both, onlyFirst, onlySecond] = [0, 0, 0];
  for (const [at, a] of first.entries()) {
    const b = second[at]!;
    if (a && b) both++;
    else if (a) onlyFirst++;
    else if (b) onlySecond++;
  }
  const difference = (onlyFirst - onlySecond) / count;
  const variance = ((onlyFirst + onlySecond) / count - difference ** 2) / count;
  const half = Z95 * Math.sqrt(Math.max(0, variance));
  return {
    ...{ both, onlyFirst, onlySecond, neither: count - both - onlyFirst - onlySecond, difference },
    interval: [Math.max(-1, difference - half), Math.min(1, difference + half)],
    p: twoSided(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond),
  };
}

/** Up to here all binomial coefficients are whole numbers without rounding. */
const MOST_EXACT = 50;

/** Twice the probability of at most `fewer` heads in `tosses` of a fair coin, at most 1. */
function twoSided(fewer: number, tosses: number): number {
  if (2 * fewer === tosses) return 1;
  if (tosses <= MOST_EXACT) {
    let [ways, total] = [1, 0];
    for (let k = 0; k <= fewer; k++) {
      total += ways;
      ways = (ways * (tosses - k)) / (k + 1);
    }
    return Math.min(1, (2 * total) / 2 ** tosses);
  }
  let logTerm = -tosses * Math.LN2;
  let total = 0;
  for (let k = 0; k <= fewer; k++) {
    total += Math.exp(logTerm);
    logTerm += Math.log(tosses - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * total);
}

/**
 * The same of two evaluations' records, on the problems that both have: under the strict policy, of the first sample under
 * the largest budget.
 *
 * @throws bad-input if they have no problem in common
 */
export function compareRecords(
  first: readonly EvaluationRecord[],
  second: readonly EvaluationRecord[],
): PairedOutcomes {
  const [a, b] = [outcomes(first), outcomes(second)];
  const shared = [...a.keys()].filter((problem) => b.has(problem));
  return mcnemar(
    shared.map((problem) => a.get(problem)!),
    shared.map((problem) => b.get(problem)!),
  );
}

function outcomes(records: readonly EvaluationRecord[]): Map<string, boolean> {
  const largest = records.reduce((most, { budget }) => Math.max(most, budget), 0);
  return new Map(
    records
      .filter(({ budget, sample }) => budget === largest && sample === 0)
      .map(({ problem, correct }) => [problem, correct.strict ?? false]),
  );
}
