import { z } from "zod";
import { badInput } from "../core/index.js";
import { type Allocate, prunedRounds, successiveHalving, topTwo, uniformPulls } from "../search/index.js";

const count = z.int().positive();

/** How pulls are spent among the trajectories of a question, in whatever form it is given: flags, files, code. */
export const searchSettingsSchema = z.strictObject({
  /** DOTS's Algorithm 1, successive halving, top-two Thompson sampling, or equally many of each. Default: Algorithm 1. */
  method: z.enum(["algorithm-1", "halving", "bandit", "uniform"]).default("algorithm-1"),
  /** Algorithm 1: samples of a trajectory in each round. */
  perRound: count.default(4),
  /** Algorithm 1: trajectories that stay after each round. */
  keep: z.array(count).min(1).default([8, 3]),
  /** Algorithm 1: by the success rate, or the lower end of its 95 % interval. */
  rankedBy: z.enum(["mean", "wilson"]).default("mean"),
  /** Samples of a question at most. Default: those of Algorithm 1 with these settings, for all methods. */
  pulls: count.optional(),
});
export type SearchSettings = z.infer<typeof searchSettingsSchema>;

/** Samples that a question of so many trajectories may take. */
export function pullsOf({ perRound, keep, pulls }: SearchSettings, arms: number): number {
  if (pulls !== undefined) return pulls;
  const left = [arms, ...keep.slice(0, -1)];
  let most = arms;
  return left.reduce((sum, now) => {
    most = Math.min(most, now);
    return sum + most * perRound;
  }, 0);
}

/**
 * The allocation of one question.
 *
 * @param seed of the bandit's draws
 * @throws bad-input if the trajectories need more samples than there are
 */
export function allocationOf(
  settings: SearchSettings,
  arms: number,
  seed: string,
): { allocate: Allocate; pulls: number } {
  const { method, perRound, keep, rankedBy } = settings;
  const pulls = pullsOf(settings, arms);
  if (pulls < arms) {
    throw badInput(`${pulls} samples are too few for ${arms} trajectories`, `Give ${arms} or more.`);
  }
  switch (method) {
    case "algorithm-1":
      return { allocate: prunedRounds({ perRound, keep, rankedBy }), pulls };
    case "halving":
      return { allocate: successiveHalving, pulls };
    case "uniform":
      return { allocate: uniformPulls, pulls };
    case "bandit":
      return { allocate: topTwo({ seed, first: pulls >= 2 * arms ? 2 : 1 }), pulls };
  }
}
