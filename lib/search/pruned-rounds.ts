import { badInput, checkInterrupt, checkWhole } from "../core/index.js";
import { type Allocate, meanReward, pullArm, ranked, statesOf } from "./allocate.js";
import { wilsonLowerBound } from "./wilson.js";

/** How arms are ranked: by the mean of all their rewards, or by the lower end of its 95 % interval. */
export type RankedBy = "mean" | "wilson";

export interface PrunedRoundsOptions {
  /** Pulls of each arm in a round. Default: 4. */
  perRound?: number | undefined;
  /** Arms that stay after each round; as many rounds as numbers. Default: 8, then 3. */
  keep?: readonly number[] | undefined;
  /** Default: "mean". */
  rankedBy?: RankedBy | undefined;
}

/**
 * DOTS's search (arXiv 2410.03864, Algorithm 1): in each round pull every arm that is left equally often, rank them by the mean of all
 * rewards so far, and keep the best; the best of the last round wins. With its settings, 12 arms take 12 · 4 + 8 · 4 = 80 pulls.
 * A round that would go beyond the limit on pulls is not begun.
 *
 * @throws bad-input for options that are no counts, no arms, or fewer pulls than the first round needs; execution if `pull` gives another
 *   number of rewards; interrupted
 *
 * @example
 * ```ts
 * import { prunedRounds } from "thoughtbook/search";
 *
 * const chances = [0.2, 0.9, 0.4];
 * const search = prunedRounds({ keep: [2, 1] });
 * const { best, arms } = await search(chances, async (chance, count) => Array(count).fill(chance), { pulls: 100 });
 * console.log(best, arms.map(({ rewards }) => rewards.length)); // 0.9 [ 4, 8, 8 ]
 * ```
 */
export function prunedRounds({ perRound = 4, keep = [8, 3], rankedBy = "mean" }: PrunedRoundsOptions = {}): Allocate {
  checkWhole("perRound", perRound, 1);
  if (keep.length === 0)
    throw badInput("there are no rounds", "Give how many arms stay after each: keep, such as [8, 3].");
  for (const count of keep) checkWhole("keep", count, 1);
  const scoreOf = rankedBy === "wilson" ? (rewards: readonly number[]) => wilsonLowerBound(rewards) : meanReward;
  return async (arms, pull, { pulls, signal, isSettled }) => {
    if (arms.length === 0) throw badInput("there are no arms to choose from", "Give one or more.");
    if (pulls < arms.length * perRound) {
      throw badInput(
        `${pulls} pulls are too few for ${arms.length} arms, ${perRound} each`,
        `Give ${arms.length * perRound} or more.`,
      );
    }
    const states = statesOf(arms);
    let left = states;
    let used = 0;
    for (const count of keep) {
      if (used + left.length * perRound > pulls || (used > 0 && isSettled?.(states))) break;
      checkInterrupt(signal, "the search");
      await Promise.all(left.map((state) => pullArm(state, perRound, pull)));
      used += left.length * perRound;
      left = ranked(left, ({ rewards }) => scoreOf(rewards)).slice(0, count);
    }
    return { best: left[0]!.arm, arms: states };
  };
}

/**
 * Pull all arms equally often, as far as the limit on pulls goes: the first arms once more where it is no multiple. The highest mean
 * wins.
 *
 * @throws bad-input for no arms, or fewer pulls than arms; execution if `pull` gives another number of rewards; interrupted
 */
export const uniformPulls: Allocate = async (arms, pull, { pulls, signal }) => {
  if (arms.length === 0) throw badInput("there are no arms to choose from", "Give one or more.");
  if (pulls < arms.length) throw badInput(`${pulls} pulls are too few for ${arms.length} arms`, "Give one for each.");
  checkInterrupt(signal, "the search");
  const states = statesOf(arms);
  const each = Math.floor(pulls / arms.length);
  await Promise.all(states.map((state, at) => pullArm(state, each + Number(at < pulls % arms.length), pull)));
  return { best: ranked(states, ({ rewards }) => meanReward(rewards))[0]!.arm, arms: states };
};
