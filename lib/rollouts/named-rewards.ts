import { badInput, checkWhole, didYouMean } from "../core/index.js";
import type { LanguageModel } from "../llm/index.js";
import { askedModel, OPERATIONS, runOperation } from "../operations/index.js";
import {
  answerOf,
  answerReward,
  type CombinedReward,
  combine,
  formatReward,
  majorityReward,
  type Reward,
  type SetReward,
} from "./rewards.js";

/**
 * Brevity: 1 − tokens / `most` for an attempt that has an answer, where the tokens are those of all its calls; 0 without one, so
 * that an empty text is worth nothing.
 *
 * @param most tokens from which on it is 0
 * @throws bad-input for another number than a whole one above 0
 */
export function lengthReward(most: number): SetReward {
  checkWhole("most", most, 1);
  const reward: Reward = async ({ kind }, group) =>
    group.map((attempt) => {
      const tokens = attempt.calls.reduce((sum, { completion }) => sum + completion.completionTokens, 0);
      return answerOf(kind, attempt) === undefined ? 0 : Math.max(0, 1 - tokens / most);
    });
  return Object.assign(reward, { settings: { most } });
}

/** The most new tokens of a check. */
const CHECK_TOKENS = 256;

/**
 * Verifier: 1 for an attempt whose solution a model finds right, step by step (the operation `verify`, greedily), else 0. Needs no
 * label.
 *
 * @param verifier the model that checks: a policy that checks itself learns to approve of anything
 */
export function verifierReward(verifier: LanguageModel): SetReward {
  const reward: Reward = async ({ question, kind }, group, { signal }) => {
    const inputs = group.flatMap((attempt) => (answerOf(kind, attempt) === undefined ? [] : [attempt.solution!]));
    const texts = [...new Set(inputs)];
    if (texts.length === 0) return group.map(() => 0);
    const outcomes = await runOperation(
      await askedModel(verifier, { signal }),
      OPERATIONS.verify,
      texts.map((solution) => ({ question, solution })),
      { maxNewTokens: CHECK_TOKENS, attempts: 1, signal },
    );
    const approved = new Set(
      texts.filter((_, at) => {
        const outcome = outcomes[at]![0]!;
        return outcome.ok && outcome.value.verdict === "right";
      }),
    );
    return group.map(({ solution }) => Number(solution !== undefined && approved.has(solution)));
  };
  return Object.assign(reward, { settings: { verifier: verifier.name } });
}

/** The rewards that have a name, and what each needs. */
export const REWARD_NAMES = ["answer", "majority", "verifier", "format", "length"] as const;
export type RewardName = (typeof REWARD_NAMES)[number];

/**
 * Combine rewards by their names: `answer` (the label), `majority` (agreement within the group), `verifier` (a model finds the
 * solution right), `format` (it has an answer that can be read), `length` (brevity).
 *
 * @param weights by name
 * @param means the tokens from which on brevity is worth 0, and the model that verifies
 * @throws bad-input for an unknown name, none, or a weight that is not finite
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { namedRewards } from "thoughtbook/rollouts";
 *
 * const reward = namedRewards({ answer: 1, format: 0.1 }, { most: 128, verifier: await loadModel("mini") });
 * console.log(Object.keys(reward.parts)); // [ 'answer', 'format' ]
 * ```
 */
export function namedRewards(
  weights: Readonly<Partial<Record<RewardName, number>>>,
  { most, verifier }: { most: number; verifier: LanguageModel },
): CombinedReward {
  const rewardOf: Record<RewardName, () => Reward> = {
    answer: () => answerReward,
    majority: () => majorityReward,
    verifier: () => verifierReward(verifier),
    format: () => formatReward,
    length: () => lengthReward(most),
  };
  const unknown = Object.keys(weights).find((name) => !Object.hasOwn(rewardOf, name));
  if (unknown !== undefined) {
    throw badInput(
      `there is no reward ${unknown}`,
      `${didYouMean(unknown, REWARD_NAMES)}Choose among ${REWARD_NAMES.join(", ")}.`,
    );
  }
  return combine(
    Object.fromEntries(
      REWARD_NAMES.flatMap((name) => {
        const weight = weights[name];
        return weight === undefined ? [] : [[name, { weight, reward: rewardOf[name]() }]];
      }),
    ),
  );
}
