import { badInput, checkInterrupt, checkWhole, ThoughtbookError } from "../core/index.js";

/** What an allocation of pulls may use. */
export interface AllocationLimits {
  /** Pulls of all arms together, at most; the last round is not begun where it would go beyond. */
  pulls: number;
  signal?: AbortSignal | undefined;
}

/** An arm with the rewards of its pulls. */
export interface PulledArm<Arm> {
  arm: Arm;
  rewards: readonly number[];
  /** Rounds that it was in. */
  rounds: number;
}

export interface Allocated<Arm> {
  best: Arm;
  /** All arms in the order given. */
  arms: readonly PulledArm<Arm>[];
}

/**
 * Pulls arms to find the one of highest mean reward. `pull` gives the rewards of the next `count` pulls of an arm; `from` is the
 * number of its pulls so far, so that the n-th pull of every arm can be of the same problem.
 */
export type Allocate = <Arm>(
  arms: readonly Arm[],
  pull: (arm: Arm, count: number, from: number) => Promise<readonly number[]>,
  limits: AllocationLimits,
) => Promise<Allocated<Arm>>;

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
export const successiveHalving: Allocate = async (arms, pull, { pulls, signal }) => {
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
  const states = arms.map((arm) => ({ arm, rewards: [] as number[], rounds: 0 }));
  let left = states;
  for (let round = 0; round < rounds; round++) {
    const count = Math.floor(perRound / left.length);
    for (const state of left) {
      checkInterrupt(signal, "the search");
      const rewards = await pull(state.arm, count, state.rewards.length);
      if (rewards.length !== count) throw wrongCount(rewards.length, count);
      state.rewards.push(...rewards);
      state.rounds++;
    }
    left = [...left].sort((a, b) => meanOf(b.rewards) - meanOf(a.rewards)).slice(0, Math.ceil(left.length / 2));
  }
  return { best: left[0]!.arm, arms: states };
};

const wrongCount = (found: number, wanted: number) =>
  new ThoughtbookError("execution", `a pull gave ${found} rewards, ${wanted} were asked for`, {
    hint: "`pull` must give one reward for each pull.",
  });

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
