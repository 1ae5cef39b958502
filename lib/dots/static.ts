import type { Trajectory } from "./actions.js";
import { trajectoryKey } from "./actions.js";
import { byRate, type SearchedQuestion } from "./search-results.js";

/** A trajectory with its mean success over questions. */
export interface StaticRate {
  trajectory: Trajectory;
  rate: number;
  questions: number;
}

/**
 * The success of each trajectory where all questions take the same one, the best first: what planning has to beat. Only as many samples of
 * each question count as all its trajectories have, since a search goes on with those that were lucky.
 */
export function staticRates(searched: readonly SearchedQuestion[]): StaticRate[] {
  const rates = new Map<string, { trajectory: Trajectory; rates: number[] }>();
  for (const { trajectories, samples } of searched) {
    const least = Math.min(...trajectories.map((each) => each.samples));
    for (const { trajectory } of trajectories) {
      const key = trajectoryKey(trajectory);
      const own = samples.filter((each) => each.sample < least && trajectoryKey(each.trajectory) === key);
      const entry = rates.get(key) ?? { trajectory, rates: [] };
      entry.rates.push(own.filter(({ right }) => right).length / own.length);
      rates.set(key, entry);
    }
  }
  return [...rates.values()]
    .map(({ trajectory, rates: all }) => ({
      trajectory,
      rate: all.reduce((sum, rate) => sum + rate, 0) / all.length,
      questions: all.length,
    }))
    .sort(byRate);
}
