import { badInput, checkInterrupt, checkWhole } from "../core/index.js";
import { type Allocate, meanReward, pullArm, ranked, statesOf } from "./allocate.js";

/**
 * Successive halving (Karnin et al. 2013; Jamieson and Talwalkar 2016, arXiv 1502.07943): pull all arms equally often, keep
 * the better half (rounded up), and pull those twice as often in the next round, until one is left. The limit on pulls is divided
 * equally among the rounds. Pulls of earlier rounds count; among arms of equal means the earlier one is better.
 *
 * @throws bad-input for no arms, or fewer pulls than each arm needs once in each round; execution if `pull` gives another
 *   number of rewards; interrupted
 *
 * @example
 * ```ts
 * import { successiveHalving } from "thoughtbook/search";
 *
 * const chances = [0.2, 0.9, 0.4];
 * const { best } = await successiveHalving(chances, async (chance, count) => Array(count).fill(chance), { pulls: 24 });
 * console.log(best); // 0.9
 * ```
 */
export const successiveHalving: Allocate = async (arms, pull, { pulls, signal, isSettled }) => {
  if (arms.length === 0) throw badInput("there are no arms to choose from", "Give one or more.");
  checkWhole("pulls", pulls, 1);
  const rounds = Math.max(1, Math.ceil(Math.log2(arms.length)));
  const perRound = Math.floor(pulls / rounds);
  if (perRound < arms.length) {
    throw badInput(
      `${pulls} pulls are too few for ${arms.length} arms in ${rounds} rounds`,
      `Give ${arms.length * rounds} or more.`,
    );
  }
  const states = statesOf(arms);
  let left = states;
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && isSettled?.(states)) break;
    const count = Math.floor(perRound / left.length);
    checkInterrupt(signal, "the search");
    await Promise.all(left.map((state) => pullArm(state, count, pull)));
    left = ranked(left, ({ rewards }) => meanReward(rewards)).slice(0, Math.ceil(left.length / 2));
  }
  return { best: left[0]!.arm, arms: states };
};
